/* reader.c - gRPC's length-prefixed messages, cut into any pieces and held at any message, against
 * a reader that has all the bytes before it.
 *
 * Input: a limit of messages' length, then the number of steering bytes, then those (how long each
 * piece is, which messages are held), then the stream. */
#include <string.h>

#include "fuzz.h"
#include "grpc/reader.h"

struct bench {
    struct sl_grpc_reader reader;
    struct fuzz_input expected; /* the stream, where the next message begins */
    struct fuzz_input steering;
    uint32_t limit;
    uint32_t begun;
    uint32_t taken;
};

static uint32_t length_at(const uint8_t *prefix)
{
    return (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 |
           prefix[4];
}

static size_t left(const struct bench *bench)
{
    return (size_t)(bench->expected.end - bench->expected.at);
}

static bool on_begin(uint32_t length, bool is_compressed, void *arg)
{
    struct bench *bench = arg;

    SL_ASSERT(bench->begun == bench->taken);
    SL_ASSERT(left(bench) >= SL_GRPC_PREFIX_BYTES);
    SL_ASSERT(length == length_at(bench->expected.at));
    SL_ASSERT(is_compressed == bench->expected.at[0]);
    bench->begun += length <= bench->limit;
    return length <= bench->limit;
}

static enum sl_grpc_take on_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct bench *bench = arg;
    uint8_t steer = fuzz_byte(&bench->steering);

    SL_ASSERT(bench->begun == bench->taken + 1);
    SL_ASSERT(left(bench) >= SL_GRPC_PREFIX_BYTES + (size_t)length);
    SL_ASSERT(length == length_at(bench->expected.at));
    SL_ASSERT(!length || memcmp(bytes, bench->expected.at + SL_GRPC_PREFIX_BYTES, length) == 0);
    if (steer % 4 == 3) {
        return SL_GRPC_HOLD;
    }
    bench->expected.at += SL_GRPC_PREFIX_BYTES + (size_t)length;
    bench->taken++;
    return steer == 254 ? SL_GRPC_STOP : SL_GRPC_TAKEN;
}

/* What the stream says where the reader stands: whole and allowed messages are through. */
static void assert_position(const struct bench *bench, size_t unfed, bool is_ok)
{
    const uint8_t *at = bench->expected.at;
    size_t seen = left(bench) - unfed; /* of what is not through yet */

    if (bench->reader.is_stopped || bench->reader.is_held) {
        SL_ASSERT(sl_grpc_reader_missing(&bench->reader) == 0);
        return;
    }
    SL_ASSERT(is_ok);
    if (seen == 0) {
        SL_ASSERT(sl_grpc_reader_missing(&bench->reader) == 0);
    } else if (seen < SL_GRPC_PREFIX_BYTES) {
        SL_ASSERT(sl_grpc_reader_missing(&bench->reader) == SL_GRPC_PREFIX_BYTES - seen);
    } else {
        size_t whole = SL_GRPC_PREFIX_BYTES + (size_t)length_at(at);
        SL_ASSERT(at[0] <= 1 && length_at(at) <= bench->limit && seen < whole);
        SL_ASSERT(sl_grpc_reader_missing(&bench->reader) == whole - seen);
        SL_ASSERT(sl_grpc_reader_held_bytes(&bench->reader) <= bench->limit);
    }
}

/* A reader that failed by itself failed for a reason. */
static void assert_reason(const struct bench *bench, const struct sl_status *status)
{
    const uint8_t *at = bench->expected.at;

    SL_ASSERT(bench->reader.is_stopped && left(bench) >= SL_GRPC_PREFIX_BYTES);
    if (status->code == SL_INTERNAL) {
        SL_ASSERT(at[0] > 1);
    } else {
        SL_ASSERT(status->code == SL_RESOURCE_EXHAUSTED);
        SL_ASSERT(at[0] <= 1 && length_at(at) > bench->limit);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sl_grpc_reader_events events = {on_begin, on_message};
    struct fuzz_input input = {data, data + size};
    struct bench bench = {.limit = 4u * fuzz_byte(&input)};
    struct sl_str steering = fuzz_bytes(&input, fuzz_byte(&input));
    struct sl_status status = sl_status_ok();

    bench.steering = (struct fuzz_input){(const uint8_t *)steering.data,
                                         (const uint8_t *)steering.data + steering.len};
    bench.expected = input;
    sl_grpc_reader_init(&bench.reader, &events, &bench);
    while (input.at < input.end && sl_status_is_ok(&status)) {
        uint8_t steer = fuzz_byte(&bench.steering);
        struct sl_str piece = fuzz_bytes(&input, steer ? steer : SIZE_MAX);
        status = sl_grpc_reader_feed(&bench.reader, (const uint8_t *)piece.data, piece.len);
        if (sl_status_is_ok(&status) && steer & 1) {
            status = sl_grpc_reader_resume(&bench.reader);
        }
        assert_position(&bench, (size_t)(input.end - input.at), sl_status_is_ok(&status));
    }
    while (sl_status_is_ok(&status) && bench.reader.is_held) {
        status = sl_grpc_reader_resume(&bench.reader);
        assert_position(&bench, 0, sl_status_is_ok(&status));
    }
    if (!sl_status_is_ok(&status)) {
        assert_reason(&bench, &status);
    }
    sl_grpc_reader_fini(&bench.reader);
    return 0;
}
