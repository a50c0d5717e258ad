/* calls.h - the client of a case, and the calls that several cases make. */
#ifndef SLUICE_INTEROP_CALLS_H
#define SLUICE_INTEROP_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange.h"
#include "grpc/channel.h"
#include "loop/loop.h"
#include "testing.pb-c.h"
#include "testing.services.h"

#define INTEROP_METHOD(name)                                                                       \
    &grpc__testing__test_service__methods[GRPC__TESTING__TEST_SERVICE__##name]

enum {
    INTEROP_LARGE_REQUEST_BYTES = 271828,
    INTEROP_LARGE_RESPONSE_BYTES = 314159,
    INTEROP_MAX_SIZES = 4,
};

struct interop_client {
    struct sl_loop *loop;
    struct sl_grpc_channel_options options;
    struct sl_grpc_channel *channel;
    uint32_t soak_iterations;
};

/* A channel of its own; false when memory is out. */
bool interop_connect(struct interop_client *client) SL_MUST_CHECK;

/* Waits until its connection is gone. */
void interop_disconnect(struct interop_client *client);

/* See exchange. */
void interop_call(struct interop_client *client, const struct exchange_script *script,
                  struct exchange_outcome *outcome);

/* At most INTEROP_LARGE_REQUEST_BYTES zeros. */
Grpc__Testing__Payload interop_payload(size_t bytes);

/* UnaryCall with the large sizes, and what `request` and `script` say beside them. */
void interop_call_large(struct interop_client *client, Grpc__Testing__SimpleRequest *request,
                        bool is_compressed, struct exchange_script *script,
                        struct exchange_outcome *outcome);
bool interop_expect_large(const struct exchange_outcome *outcome);

struct interop_sizes {
    size_t request;
    int64_t response;
};

/* FullDuplexCall with a request of each of `sizes`, at most INTEROP_MAX_SIZES, each after the reply
 * to the one before it, and what `script` says beside them. */
void interop_call_duplex(struct interop_client *client, const struct interop_sizes *sizes,
                         size_t count, struct exchange_script *script,
                         struct exchange_outcome *outcome);

#endif
