/* reader.h - gRPC's length-prefixed messages out of a stream of bytes.
 *
 * "gRPC over HTTP/2", Length-Prefixed-Message: one byte compressed flag, four bytes length (big
 * endian), the message. A message that lies whole in the fed bytes is handed over in place; one
 * that is split is assembled in memory of its exact size, allocated only after `on_begin` agreed to
 * its length. A consumer that cannot take a message now says HOLD: the message and all bytes fed
 * later stay here (bounded by whoever bounds the feeding: the stream's window) until
 * sl_grpc_reader_resume.
 *
 * Pure: no I/O, no clock. One thread.
 */
#ifndef SLUICE_GRPC_READER_H
#define SLUICE_GRPC_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"

enum { SL_GRPC_PREFIX_BYTES = 5 };

enum sl_grpc_take {
    SL_GRPC_TAKEN, /* done with it */
    SL_GRPC_HOLD,  /* cannot take it now: offer the same message again on resume */
    SL_GRPC_STOP,  /* the consumer gave up; the reader takes nothing more */
};

struct sl_grpc_reader_events {
    /* The five bytes are complete: `length` bytes of message follow. False refuses it. */
    bool (*on_begin)(uint32_t length, bool is_compressed, void *arg);
    /* A whole message, borrowed until return. */
    enum sl_grpc_take (*on_message)(const uint8_t *bytes, uint32_t length, void *arg);
};

struct sl_grpc_reader {
    const struct sl_grpc_reader_events *events;
    void *arg;
    uint8_t prefix[SL_GRPC_PREFIX_BYTES];
    uint32_t prefix_have;
    uint32_t body_length;  /* of the message under way, once its prefix is complete */
    uint32_t body_have;    /* bytes of it in `body` */
    uint8_t *body;         /* body_length bytes, or NULL */
    struct sl_buf backlog; /* fed while held */
    size_t backlog_done;   /* bytes of `backlog` that are through */
    bool is_held;
    bool is_stopped;
};

void sl_grpc_reader_init(struct sl_grpc_reader *reader, const struct sl_grpc_reader_events *events,
                         void *arg);
void sl_grpc_reader_fini(struct sl_grpc_reader *reader);

/* Takes all `len` bytes. Errors: RESOURCE_EXHAUSTED (refused, or memory is out), INTERNAL (a
 * compressed flag that is neither 0 nor 1). After an error or a STOP the reader takes nothing. */
struct sl_status sl_grpc_reader_feed(struct sl_grpc_reader *reader, const uint8_t *bytes,
                                     size_t len) SL_MUST_CHECK;

/* After HOLD: offers the held message again and goes on with the backlog. */
struct sl_status sl_grpc_reader_resume(struct sl_grpc_reader *reader) SL_MUST_CHECK;

/* How many bytes the message under way still needs from the peer: with an incomplete prefix at
 * least those of the prefix; 0 between two messages and while held. */
uint32_t sl_grpc_reader_missing(const struct sl_grpc_reader *reader);

/* Memory that it holds now: the message under assembly and the backlog. */
size_t sl_grpc_reader_held_bytes(const struct sl_grpc_reader *reader);

#endif
