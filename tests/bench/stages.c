/* stages - what one update costs in each stage from the bytes of a connection to those of a record.
 *
 * usage: bench_stages [ROUNDS]
 *
 * A notification of 20 counters, as devices send it, in one DATA frame each: the same bytes through
 * h2/session.h (nghttp2), grpc/reader.h, gnmi/response.h (checked, then walked), the paths found
 * again (normalise/intern.h), and the whole of an event's encoding. One thread, no socket. Prints
 * `stage NAME NS`, nanoseconds of CPU for one update, the best of the rounds; "encode" is what
 * encoding adds to the walk and the paths.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gnmi/pack.h"
#include "grpc/reader.h"
#include "h2/session.h"
#include "normalise/encoder.h"
#include "normalise/intern.h"

enum {
    UPDATES = 20,
    MESSAGES = 100, /* one for each interface, again and again */
    TURN_MESSAGES = 20000,
    DEFAULT_ROUNDS = 5,
    FRAMES_OF_TURN = 16, /* fed at once, as one read of a socket brings them */
    PATH_ELEM = 3,
};

static void check(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "bench_stages: %s\n", what);
        exit(1);
    }
}

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* ---- messages ---- */

static void add_elem(struct sl_buf *out, const char *name, const char *key)
{
    size_t elem = sl_pack_begin(out, PATH_ELEM);

    sl_pack_bytes(out, 1, sl_str_from(name));
    if (key) {
        size_t entry = sl_pack_begin(out, 2);
        sl_pack_bytes(out, 1, SL_STR("name"));
        sl_pack_bytes(out, 2, sl_str_from(key));
        sl_pack_end(out, entry);
    }
    sl_pack_end(out, elem);
}

/* /interfaces/interface[name=…]/state/counters/counter-… without a prefix, as most devices say it.
 */
static void make_message(struct sl_buf *out, size_t number)
{
    char interface[32];
    size_t response = sl_pack_begin(out, 1);

    snprintf(interface, sizeof(interface), "ethernet-1/%zu", number);
    sl_pack_varint(out, 1, UINT64_C(1595491586073072000) + number);
    for (size_t i = 0; i < UPDATES; i++) {
        char counter[32];
        size_t update = sl_pack_begin(out, 4);
        size_t path = sl_pack_begin(out, 1);
        snprintf(counter, sizeof(counter), "counter-%zu", i);
        add_elem(out, "interfaces", NULL);
        add_elem(out, "interface", interface);
        add_elem(out, "state", NULL);
        add_elem(out, "counters", NULL);
        add_elem(out, counter, NULL);
        sl_pack_end(out, path);
        size_t value = sl_pack_begin(out, 3);
        sl_pack_varint(out, 3, (number * UPDATES + i) * UINT64_C(1000000007));
        sl_pack_end(out, value);
        sl_pack_end(out, update);
    }
    sl_pack_end(out, response);
    check(!out->failed, "no memory");
}

struct bench {
    struct sl_buf messages[MESSAGES];
    struct sl_buf frames; /* FRAMES_OF_TURN of them, with the prefix of gRPC */
    struct sl_gnmi_response response;
    struct sl_buf scratch;
    uint64_t seen; /* so that no loop is without use */
};

static void read_message(struct bench *bench, size_t number)
{
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&bench->messages[number % MESSAGES]),
                                                    &bench->scratch, &bench->response);

    check(sl_status_is_ok(&status), "no message");
}

/* ---- stages ---- */

static double take_read(struct bench *bench)
{
    double start = now_ns();

    for (size_t i = 0; i < TURN_MESSAGES; i++) {
        read_message(bench, i);
        bench->seen += bench->response.updates;
    }
    return now_ns() - start;
}

static double take_walk(struct bench *bench)
{
    double start = now_ns();

    for (size_t i = 0; i < TURN_MESSAGES; i++) {
        struct sl_gnmi_update update;
        read_message(bench, i);
        struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&bench->response);
        while (sl_gnmi_next_update(&cursor, &update)) {
            bench->seen += update.value.of.u64;
        }
    }
    return now_ns() - start;
}

static void find_all(struct bench *bench, struct sl_intern *intern)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&bench->response);
    const struct sl_intern_prefix *prefix = sl_intern_prefix(intern, bench->response.prefix);
    struct sl_fragment fragment = {.text = "", .len = 0};
    struct sl_gnmi_update update;

    check(prefix != NULL, "no memory");
    while (sl_gnmi_next_update(&cursor, &update)) {
        if (!sl_intern_find(intern, prefix, update.path, &fragment)) {
            sl_intern_add(intern, prefix, update.path, &fragment);
        }
        bench->seen += fragment.len;
    }
}

static double take_intern(struct bench *bench)
{
    struct sl_encoder_memory memory = {.limit_bytes = 16 * SL_MIB};
    struct sl_intern intern;

    sl_intern_init(&intern, &memory);
    for (size_t i = 0; i < MESSAGES; i++) {
        read_message(bench, i);
        find_all(bench, &intern);
    }
    double start = now_ns();

    for (size_t i = 0; i < TURN_MESSAGES; i++) {
        read_message(bench, i);
        find_all(bench, &intern);
    }
    double ns = now_ns() - start;

    sl_intern_fini(&intern);
    return ns;
}

static void encode_one(struct bench *bench, struct sl_encoder *encoder, size_t number,
                       size_t *typical)
{
    static const struct sl_encoder_context context = {.epoch = 1, .seq = 1};
    struct sl_encoded encoded;
    struct sl_buf out = {0};

    read_message(bench, number);
    check(sl_buf_reserve(&out, *typical + 512), "no memory");
    check(sl_encoder_encode(encoder, &bench->response, &context, &out, &encoded) &&
              encoded.published == UPDATES,
          "no record");
    *typical = out.len;
    sl_buf_fini(&out);
}

static double take_encode(struct bench *bench)
{
    struct sl_encoder_memory memory = {.limit_bytes = 16 * SL_MIB};
    struct sl_encoder_config config = {.format = SL_FORMAT_EVENT,
                                       .target = SL_STR("leaf1"),
                                       .subscription = SL_STR("counters"),
                                       .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    size_t typical = 0;

    check(encoder != NULL, "no memory");
    for (size_t i = 0; i < MESSAGES; i++) {
        encode_one(bench, encoder, i, &typical);
    }
    double start = now_ns();

    for (size_t i = 0; i < TURN_MESSAGES; i++) {
        encode_one(bench, encoder, i, &typical);
    }
    double ns = now_ns() - start;

    sl_encoder_free(encoder);
    return ns;
}

/* ---- frames ---- */

static void put_frame(struct sl_buf *out, uint8_t type, uint8_t flags, uint8_t stream,
                      struct sl_str payload)
{
    const uint8_t head[] = {(uint8_t)(payload.len >> 16),
                            (uint8_t)(payload.len >> 8),
                            (uint8_t)payload.len,
                            type,
                            flags,
                            0,
                            0,
                            0,
                            stream};

    sl_buf_add(out, head, sizeof(head));
    sl_buf_add_str(out, payload);
}

static void make_frames(struct bench *bench)
{
    for (size_t i = 0; i < FRAMES_OF_TURN; i++) {
        struct sl_str message = sl_buf_str(&bench->messages[i]);
        const char prefix[] = {0, (char)(message.len >> 24), (char)(message.len >> 16),
                               (char)(message.len >> 8), (char)message.len};
        struct sl_buf payload = {0};
        sl_buf_add(&payload, prefix, sizeof(prefix));
        sl_buf_add_str(&payload, message);
        put_frame(&bench->frames, 0, 0, 1, sl_buf_str(&payload));
        sl_buf_fini(&payload);
    }
    check(!bench->frames.failed, "no memory");
}

static enum sl_grpc_take on_message(const uint8_t *bytes, uint32_t length, void *arg)
{
    struct bench *bench = arg;

    bench->seen += length + bytes[0];
    return SL_GRPC_TAKEN;
}

static bool on_begin(uint32_t length, bool is_compressed, void *arg)
{
    (void)arg;
    return length > 0 && !is_compressed;
}

static const struct sl_grpc_reader_events reader_events = {on_begin, on_message};

struct sink {
    struct bench *bench;
    struct sl_grpc_reader *reader; /* NULL: the bytes end here */
};

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct sink *sink = arg;

    (void)stream;
    sink->bench->seen += len;
    if (sink->reader) {
        struct sl_status status = sl_grpc_reader_feed(sink->reader, bytes, len);
        check(sl_status_is_ok(&status), "a message was refused");
    }
    return true;
}

static void drain(struct sl_h2_session *session)
{
    static uint8_t room[SL_H2_OUTPUT_BYTES];

    while (sl_h2_session_output(session, room, sizeof(room))) {
    }
}

static void receive(struct sl_h2_session *session, const struct sl_buf *bytes)
{
    struct sl_status status =
        sl_h2_session_receive(session, (const uint8_t *)bytes->data, bytes->len);

    check(sl_status_is_ok(&status), "the session ended");
    drain(session);
}

/* A session with one stream that is answered. */
static struct sl_h2_session *open_session(struct sink *sink)
{
    static const struct sl_h2_stream_events events = {.on_data = on_data};
    static const struct sl_h2_session_events none = {0};
    const struct sl_h2_field fields[] = {{SL_STR(":method"), SL_STR("POST"), false},
                                         {SL_STR(":scheme"), SL_STR("http"), false},
                                         {SL_STR(":path"), SL_STR("/gnmi.gNMI/Subscribe"), false},
                                         {SL_STR(":authority"), SL_STR("a"), false}};
    struct sl_h2_session *session = sl_h2_session_new(SL_H2_CLIENT, NULL, &none, NULL);
    struct sl_buf answer = {0};

    check(session != NULL, "no memory");
    put_frame(&answer, 4, 0, 0, SL_STR(""));
    put_frame(&answer, 4, 1, 0, SL_STR(""));
    drain(session);
    struct sl_h2_stream *stream =
        sl_h2_session_request(session, fields, SL_ARRAY_LEN(fields), true, &events, sink);
    check(stream != NULL, "no stream");
    sl_h2_stream_set_auto_window(stream);
    drain(session);
    put_frame(&answer, 1, 4, 1, SL_STR("\x88")); /* :status 200, by HPACK's table */
    receive(session, &answer);
    sl_buf_fini(&answer);
    return session;
}

static double take_frames(struct bench *bench, struct sl_grpc_reader *reader)
{
    struct sink sink = {bench, reader};
    struct sl_h2_session *session = open_session(&sink);
    double start = now_ns();

    for (size_t i = 0; i < TURN_MESSAGES / FRAMES_OF_TURN; i++) {
        receive(session, &bench->frames);
    }
    double ns = now_ns() - start;

    sl_h2_session_free(session);
    return ns;
}

static double take_h2(struct bench *bench)
{
    return take_frames(bench, NULL);
}

static double take_grpc(struct bench *bench)
{
    struct sl_grpc_reader reader;

    sl_grpc_reader_init(&reader, &reader_events, bench);
    double ns = take_frames(bench, &reader);

    sl_grpc_reader_fini(&reader);
    return ns;
}

/* ---- the whole ---- */

static double best_of(struct bench *bench, double (*take)(struct bench *), unsigned long rounds)
{
    double best = 0;

    for (unsigned long i = 0; i < rounds; i++) {
        double ns = take(bench) / TURN_MESSAGES / UPDATES;
        best = i == 0 || ns < best ? ns : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_ROUNDS;

    rounds = rounds ? rounds : 1;
    for (size_t i = 0; i < MESSAGES; i++) {
        make_message(&bench.messages[i], i);
    }
    make_frames(&bench);
    double h2 = best_of(&bench, take_h2, rounds);
    double grpc = best_of(&bench, take_grpc, rounds);
    double read = best_of(&bench, take_read, rounds);
    double walk = best_of(&bench, take_walk, rounds);
    double intern = best_of(&bench, take_intern, rounds);
    double all = best_of(&bench, take_encode, rounds);

    printf("stage h2 %.1f\nstage grpc %.1f\nstage check %.1f\nstage walk %.1f\nstage intern %.1f\n"
           "stage encode %.1f\nbytes %zu %zu\n",
           h2, grpc - h2, read, walk - read, intern - walk, all - intern, bench.messages[0].len,
           (size_t)UPDATES);
    for (size_t i = 0; i < MESSAGES; i++) {
        sl_buf_fini(&bench.messages[i]);
    }
    sl_buf_fini(&bench.frames);
    sl_buf_fini(&bench.scratch);
    return bench.seen ? 0 : 1;
}
