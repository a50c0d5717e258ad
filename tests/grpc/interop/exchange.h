/* exchange.h - one call of the suite: what it sends, and all that came of it.
 *
 * The loop runs until the call is over, so a case reads like its description: exchange, then
 * expect.
 */
#ifndef SLUICE_INTEROP_EXCHANGE_H
#define SLUICE_INTEROP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "grpc/channel.h"
#include "loop/loop.h"

#define INTEROP_ECHO_INITIAL  "x-grpc-test-echo-initial"
#define INTEROP_ECHO_TRAILING "x-grpc-test-echo-trailing-bin"

enum {
    EXCHANGE_MAX_REPLIES = 8,
    EXCHANGE_TIMEOUT_MS = 30 * 1000, /* a peer that says nothing fails its case */
};

/* How this side ends its messages. */
enum exchange_close { HALF_CLOSE, STAY_OPEN, CANCEL_WHEN_OPEN, CANCEL_AFTER_REPLY };

struct exchange_input {
    const ProtobufCMessage *message;
    bool is_compressed;
};

struct exchange_script {
    const struct sl_grpc_method *method;
    const struct exchange_input *inputs;
    size_t count;
    bool is_ping_pong; /* an input follows the reply to the last one; else all at once */
    enum exchange_close close;
    uint64_t timeout_ms; /* 0: EXCHANGE_TIMEOUT_MS */
    enum sl_grpc_encoding encoding;
    const struct sl_grpc_field *metadata;
    size_t metadata_count;
};

struct exchange_reply {
    int64_t bytes; /* of its payload; of StreamingInputCall the sum that it tells */
    bool is_zeros; /* the payload's bytes */
    bool was_compressed;
};

struct exchange_outcome {
    struct sl_status status;
    struct sl_buf message; /* grpc-message, decoded: as long as the peer sent it */
    struct exchange_reply replies[EXCHANGE_MAX_REPLIES];
    size_t reply_count; /* also those for which there was no room */
    /* The values of INTEROP_ECHO_INITIAL in the headers, of INTEROP_ECHO_TRAILING in the trailers.
     */
    struct sl_buf initial;
    struct sl_buf trailing;
};

/* Makes the call and waits for its end. `outcome` is for exchange_fini. */
void exchange(struct sl_loop *loop, struct sl_grpc_channel *channel,
              const struct exchange_script *script, struct exchange_outcome *outcome);
void exchange_fini(struct exchange_outcome *outcome);

/* What a message of the server's says. */
struct exchange_reply exchange_read(const ProtobufCMessage *message);

#endif
