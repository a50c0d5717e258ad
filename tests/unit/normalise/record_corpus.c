/* record_corpus - messages in, records out: for readers in other languages.
 *
 *     record_corpus [FORMAT]        sluice.v1 where none is given
 *     record_corpus FORMAT markers  a marker of each kind: its length and its record, no input
 *
 *     in    for each message: its length (4 bytes, little endian), 1 byte of flags (below), and the
 *           message
 *     out   for each message: the record's length (0xffffffff: not a SubscribeResponse), how many
 *           updates and deletes are published and how many dropped (4 bytes each), the record
 *
 * Each message is encoded three times: with paths that are interned now, that were before, and that
 * find no room. The three must be the same, else the program fails. seq is the message's number.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "normalise/clock.h"
#include "normalise/encoder.h"
#include "normalise/marker.h"

/* The stream was synced before the message; its time is settled by a policy, as of the only message
 * of its stream. */
enum { SYNCED = 1, BY_CLAMP = 2, BY_DEVICE = 4 };

#define MAX_SKEW_NS (INT64_C(3600) * SL_NS_PER_S)

enum { ENCODERS = 2, MAX_MESSAGE_BYTES = 64 * 1024 * 1024 };

struct corpus {
    struct sl_encoder_memory memories[ENCODERS];
    struct sl_encoder *encoders[ENCODERS];
    struct sl_buf scratch;
    struct sl_encoder_context context;
};

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "record_corpus: %s\n", what);
    exit(1);
}

static enum sl_format format_named(const char *name)
{
    for (unsigned i = 0; i < SL_FORMATS; i++) {
        if (strcmp(sl_format_name((enum sl_format)i), name) == 0) {
            return (enum sl_format)i;
        }
    }
    give_up("no such format");
}

static struct sl_encoder *make_encoder(enum sl_format format, struct sl_encoder_memory *memory)
{
    static const struct sluice_pair pairs[] = {{"site", "tyo1"},
                                               {"role", "le\xc3\xa4"
                                                        "f"}};
    static const struct sluice_map labels = {pairs, SL_ARRAY_LEN(pairs)};
    struct sl_encoder_config config = {
        .format = format,
        .target = SL_STR("leaf1"),
        .subscription = SL_STR("sub1"),
        .labels = &labels,
        .memory = memory,
    };
    struct sl_encoder *encoder = sl_encoder_new(&config);

    if (!encoder) {
        give_up("no memory");
    }
    return encoder;
}

static bool read_u32(uint32_t *value)
{
    uint8_t bytes[4];

    if (fread(bytes, 1, sizeof(bytes), stdin) != sizeof(bytes)) {
        return false;
    }
    *value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
             (uint32_t)bytes[3] << 24;
    return true;
}

static void write_u32(uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        putchar((int)(value >> (8 * i) & 0xff));
    }
}

static void encode(struct sl_encoder *encoder, const struct corpus *corpus,
                   const struct sl_gnmi_response *response, struct sl_buf *out,
                   struct sl_encoded *encoded)
{
    if (!sl_encoder_encode(encoder, response, &corpus->context, out, encoded)) {
        give_up("no memory");
    }
}

static void encode_thrice(struct corpus *corpus, const struct sl_gnmi_response *response)
{
    struct sl_buf first = {0};
    struct sl_encoded encoded;

    encode(corpus->encoders[0], corpus, response, &first, &encoded);
    for (int i = 0; i < ENCODERS; i++) {
        struct sl_buf again = {0};
        struct sl_encoded same;
        encode(corpus->encoders[i], corpus, response, &again, &same);
        if (!sl_str_eq(sl_buf_str(&first), sl_buf_str(&again)) ||
            encoded.published != same.published) {
            give_up("interned paths make another record");
        }
        sl_buf_fini(&again);
    }
    write_u32((uint32_t)first.len);
    write_u32(encoded.published);
    write_u32(encoded.dropped);
    if (first.len) {
        fwrite(first.data, 1, first.len, stdout);
    }
    sl_buf_fini(&first);
}

static void settle(struct corpus *corpus, int flags, struct sl_gnmi_response *response)
{
    const struct sl_clock_config config = {
        .policy = flags & BY_CLAMP ? SL_CLOCK_CLAMP : SL_CLOCK_DEVICE,
        .max_skew_ns = MAX_SKEW_NS,
    };
    struct sl_encoder_context *context = &corpus->context;
    struct sl_clock clock;

    context->is_settled = false;
    if (response->kind != SL_GNMI_UPDATE || !(flags & (BY_CLAMP | BY_DEVICE))) {
        return;
    }
    sl_clock_init(&clock, &config);
    context->sent_timestamp = response->timestamp_ns;
    int64_t device_ns = sl_clock_read(&clock, response->timestamp_ns, context->received_ns);
    response->timestamp_ns =
        sl_clock_settle(config.policy, MAX_SKEW_NS, device_ns, context->received_ns);
    context->is_settled = response->timestamp_ns != context->sent_timestamp;
}

static void pass(struct corpus *corpus, int flags, struct sl_str message)
{
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &corpus->scratch, &response);

    corpus->context.seq++;
    if (sl_status_is_ok(&status)) {
        settle(corpus, flags, &response);
        encode_thrice(corpus, &response);
    } else {
        write_u32(UINT32_MAX);
        write_u32(0);
        write_u32(0);
    }
}

/* The message in a block of its own size, so that a read beyond it is seen. */
static bool pass_next(struct corpus *corpus)
{
    uint32_t len;

    if (!read_u32(&len)) {
        return false;
    }
    int flags = getchar();
    char *message = len <= MAX_MESSAGE_BYTES ? malloc(len ? len : 1) : NULL;

    if (!message || fread(message, 1, len, stdin) != len) {
        give_up("a broken corpus");
    }
    corpus->context.is_synced = flags & SYNCED;
    pass(corpus, flags, (struct sl_str){message, len});
    free(message);
    return true;
}

/* What record.py expects, word by word. */
static void write_markers(struct corpus *corpus)
{
    const struct sl_marker markers[] = {
        {.kind = SL_MARKER_CONNECTED},
        {.kind = SL_MARKER_SYNCED},
        {.kind = SL_MARKER_GAP,
         .reason = SL_STR("duplicates"),
         .count = UINT64_MAX,
         .from_ns = 1,
         .to_ns = INT64_MAX},
        {.kind = SL_MARKER_GAP, .reason = SL_STR("reconnect"), .to_ns = 2},
        {.kind = SL_MARKER_STALE, .from_ns = 3},
        {.kind = SL_MARKER_RESUMED, .from_ns = 4},
        {.kind = SL_MARKER_DISCONNECTED,
         .reason = SL_STR("unavailable"),
         .code = SL_STR("UNAVAILABLE"),
         .text = SL_STR("b\xc3\xbe \"e\"")},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(markers); i++) {
        struct sl_buf out = {0};
        corpus->context.seq++;
        if (!sl_encoder_mark(corpus->encoders[0], &markers[i], &corpus->context, &out)) {
            give_up("no marker");
        }
        write_u32((uint32_t)out.len);
        fwrite(out.data, 1, out.len, stdout);
        sl_buf_fini(&out);
    }
}

int main(int argc, char **argv)
{
    enum sl_format format = argc > 1 ? format_named(argv[1]) : SL_FORMAT_SLUICE_V1;
    struct corpus corpus = {
        .memories = {{.limit_bytes = SL_MIB}, {.limit_bytes = 0}},
        .context = {.epoch = UINT64_C(1700000000000000000),
                    .received_ns = INT64_C(1700000000123456789)},
    };

    for (int i = 0; i < ENCODERS; i++) {
        corpus.encoders[i] = make_encoder(format, &corpus.memories[i]);
    }
    if (argc > 2 && strcmp(argv[2], "markers") == 0) {
        write_markers(&corpus);
    } else {
        while (pass_next(&corpus)) {
        }
    }
    for (int i = 0; i < ENCODERS; i++) {
        sl_encoder_free(corpus.encoders[i]);
        SL_ASSERT(corpus.memories[i].used_bytes == 0);
    }
    sl_buf_fini(&corpus.scratch);
    return fflush(stdout) == 0 ? 0 : 1;
}
