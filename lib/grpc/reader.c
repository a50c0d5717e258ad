#include "grpc/reader.h"

#include <stdlib.h>
#include <string.h>

void sl_grpc_reader_init(struct sl_grpc_reader *reader, const struct sl_grpc_reader_events *events,
                         void *arg)
{
    *reader = (struct sl_grpc_reader){.events = events, .arg = arg};
}

static void drop_body(struct sl_grpc_reader *reader)
{
    free(reader->body);
    reader->body = NULL;
    reader->body_have = 0;
    reader->body_length = 0;
    reader->prefix_have = 0;
}

void sl_grpc_reader_fini(struct sl_grpc_reader *reader)
{
    drop_body(reader);
    sl_buf_fini(&reader->backlog);
    reader->is_stopped = true;
}

/* What follows is run for each message: a status is written where something is wrong, and handed
 * around nowhere. */

static bool stop(struct sl_grpc_reader *reader, const char *reason, const struct sl_status *said,
                 struct sl_status *why)
{
    drop_body(reader);
    reader->is_held = false;
    reader->is_stopped = true;
    *why = sl_status_because(reason, *said);
    return false;
}

static bool stop_for_memory(struct sl_grpc_reader *reader, struct sl_status *why)
{
    struct sl_status said = sl_status_out_of_memory();

    return stop(reader, "out-of-memory", &said, why);
}

/* The prefix is complete: may this message come? */
static bool begin(struct sl_grpc_reader *reader, struct sl_status *why)
{
    const uint8_t *prefix = reader->prefix;
    uint32_t length = (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 |
                      (uint32_t)prefix[3] << 8 | prefix[4];

    if (prefix[0] > 1) {
        struct sl_status said =
            sl_status_error(SL_INTERNAL, "a message with the flag %u", (unsigned)prefix[0]);
        return stop(reader, "broken-prefix", &said, why);
    }
    if (reader->events->on_begin &&
        !reader->events->on_begin(length, prefix[0] == 1, reader->arg)) {
        struct sl_status said = sl_status_error(SL_RESOURCE_EXHAUSTED, "message refused");
        return stop(reader, "message-too-large", &said, why);
    }
    reader->body_length = length;
    return true;
}

/* Offers a whole message; false when no more may be read now. */
static bool offer(struct sl_grpc_reader *reader, const uint8_t *bytes)
{
    enum sl_grpc_take take = reader->events->on_message(bytes, reader->body_length, reader->arg);

    if (take == SL_GRPC_TAKEN) {
        drop_body(reader);
        return true;
    }
    reader->is_held = take == SL_GRPC_HOLD;
    reader->is_stopped = take == SL_GRPC_STOP;
    return false;
}

/* Collects the body in memory of its own. */
static bool keep(struct sl_grpc_reader *reader, const uint8_t *bytes, uint32_t len)
{
    if (!reader->body) {
        reader->body = malloc(reader->body_length ? reader->body_length : 1);
    }
    if (!reader->body) {
        return false;
    }
    if (len) {
        memcpy(reader->body + reader->body_have, bytes, len);
    }
    reader->body_have += len;
    return true;
}

/* One step of the body: bytes taken in `*taken`; the message is offered when it is whole. A held
 * message that lay in the fed bytes is copied, for those are gone afterwards. */
static bool body_step(struct sl_grpc_reader *reader, const uint8_t *bytes, size_t len,
                      size_t *taken, struct sl_status *why)
{
    uint32_t need = reader->body_length - reader->body_have;
    uint32_t piece = (uint32_t)sl_min_size(len, need);
    bool is_in_place = !reader->body && piece == need;

    *taken = piece;
    if (is_in_place) {
        if (!offer(reader, bytes) && reader->is_held && !keep(reader, bytes, piece)) {
            return stop_for_memory(reader, why);
        }
        return true;
    }
    if (!keep(reader, bytes, piece)) {
        return stop_for_memory(reader, why);
    }
    if (reader->body_have == reader->body_length) {
        offer(reader, reader->body);
    }
    return true;
}

/* One step: the prefix, then the body. */
static bool step(struct sl_grpc_reader *reader, const uint8_t *bytes, size_t len, size_t *taken,
                 struct sl_status *why)
{
    size_t want = SL_GRPC_PREFIX_BYTES - reader->prefix_have;

    *taken = 0;
    if (want > 0) {
        *taken = sl_min_size(len, want);
        memcpy(reader->prefix + reader->prefix_have, bytes, *taken);
        reader->prefix_have += (uint32_t)*taken;
        if (reader->prefix_have < SL_GRPC_PREFIX_BYTES) {
            return true;
        }
        if (!begin(reader, why)) {
            return false;
        }
        if (reader->body_length > 0 && *taken == len) {
            return true;
        }
    }
    size_t more;
    bool is_good = body_step(reader, bytes + *taken, len - *taken, &more, why);
    *taken += more;
    return is_good;
}

/* Drops what is through of the backlog, when that is at least half of it: a backlog that is fed as
 * fast as it is read does not grow. A stopped reader needs none of it. */
static void trim_backlog(struct sl_grpc_reader *reader)
{
    struct sl_buf *backlog = &reader->backlog;

    if (reader->is_stopped || reader->backlog_done == backlog->len) {
        sl_buf_fini(backlog);
    } else if (reader->backlog_done >= backlog->len / 2) {
        sl_buf_drop(backlog, reader->backlog_done);
    } else {
        return;
    }
    reader->backlog_done = 0;
}

/* Reads on until the bytes end or nothing more may be read; how far it came in `*taken`. */
static bool read_on(struct sl_grpc_reader *reader, const uint8_t *bytes, size_t len, size_t *taken,
                    struct sl_status *why)
{
    bool is_good = true;

    *taken = 0;
    while (*taken < len && !reader->is_held && !reader->is_stopped && is_good) {
        size_t piece;
        is_good = step(reader, bytes + *taken, len - *taken, &piece, why);
        *taken += piece;
    }
    return is_good;
}

struct sl_status sl_grpc_reader_feed(struct sl_grpc_reader *reader, const uint8_t *bytes,
                                     size_t len)
{
    struct sl_status status = sl_status_ok();
    size_t taken = 0;

    if (reader->is_stopped) {
        return status;
    }
    if (!reader->is_held && !read_on(reader, bytes, len, &taken, &status)) {
        return status;
    }
    if (reader->is_held) {
        sl_buf_add(&reader->backlog, bytes + taken, len - taken);
        if (reader->backlog.failed) {
            stop_for_memory(reader, &status);
        }
    }
    return status;
}

struct sl_status sl_grpc_reader_resume(struct sl_grpc_reader *reader)
{
    struct sl_status status = sl_status_ok();
    size_t taken;

    if (!reader->is_held || reader->is_stopped) {
        return status;
    }
    reader->is_held = false;
    if (!offer(reader, reader->body)) {
        trim_backlog(reader);
        return status;
    }
    if (reader->backlog.len > reader->backlog_done) {
        read_on(reader, (const uint8_t *)reader->backlog.data + reader->backlog_done,
                reader->backlog.len - reader->backlog_done, &taken, &status);
        reader->backlog_done += taken;
    }
    trim_backlog(reader);
    return status;
}

uint32_t sl_grpc_reader_missing(const struct sl_grpc_reader *reader)
{
    if (reader->is_held || reader->is_stopped || reader->prefix_have == 0) {
        return 0;
    }
    if (reader->prefix_have < SL_GRPC_PREFIX_BYTES) {
        return SL_GRPC_PREFIX_BYTES - reader->prefix_have;
    }
    return reader->body_length - reader->body_have;
}

size_t sl_grpc_reader_held_bytes(const struct sl_grpc_reader *reader)
{
    return (reader->body ? reader->body_length : 0) + reader->backlog.cap;
}
