/* h2.c - an HTTP/2 session that is fed anything: frames with right lengths, or bare bytes, behind a
 * valid start; in between, what an owner of streams does. A ledger beside it says what window the
 * peer has on each stream.
 *
 * Input: role and mode; the number of steering bytes and those; the peer's bytes. In the mode of
 * frames each is a type, flags, a stream, a length and a payload. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "h2/session.h"

enum {
    STREAMS = 8,
    MAX_PADDING_BYTES = 256, /* of one frame, with its length */
    HEAD_BYTES = 9,
    ANSWER_BYTES = 64, /* that one byte of the peer makes us send at most */
};

struct owner {
    struct bench *bench;
    struct sl_h2_stream *stream; /* NULL: free, or closed */
    int64_t window;              /* the ledger */
    unsigned holds;
    bool is_open; /* on_open came, or it is the peer's */
    bool is_auto;
    bool has_responded;
    bool is_finished;
};

struct bench {
    struct sl_h2_session *session;
    struct fuzz_input steering;
    struct owner owners[STREAMS];
    size_t received;
    size_t sent;     /* by the session */
    size_t own_sent; /* of that, what we gave it to send */
    const struct sl_h2_limits *limits;
    int64_t now_ns;
    bool is_server;
};

/* Which a few frames reach. */
static const struct sl_h2_limits small_limits = {
    .concurrent_streams = 3,
    .header_bytes = 200,
    .header_fields = 5,
    .header_bomb_bytes = 300,
    .continuation_frames = 2,
    .setting_entries = 2,
    .unanswered_frames = 2,
    .queued_frames = 4,
    .pings = {.burst = 3, .per_s = 10},
    .settings = {.burst = 2, .per_s = 10},
    .priorities = {.burst = 2, .per_s = 10},
    .empty_data = {.burst = 2, .per_s = 10},
    .idle_bytes = {.burst = 300, .per_s = 100},
    .idle_bytes_per_byte = 2,
    .resets = {.burst = 3, .per_s = 1},
    .unanswered_resets = {.burst = 2, .per_s = 10},
    .provoked_resets = {.burst = 2, .per_s = 10},
    .tiny_frames = {.burst = 2, .per_s = 10},
    .ping_interval_ms = 10,
    .idle_ping_interval_ms = 20,
    .hasty_pings = 2,
    .stall_ms = 50,
};

/* ---- events ---- */

static void on_open(struct sl_h2_stream *stream, void *arg)
{
    struct owner *owner = arg;

    SL_ASSERT(owner->stream == stream && !owner->is_open);
    owner->is_open = true;
}

static void on_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                     void *arg)
{
    const struct owner *owner = arg;

    SL_ASSERT(owner->stream == stream && name.len > 0);
    SL_ASSERT(name.len + value.len <= owner->bench->limits->header_bytes);
}

static bool on_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    struct owner *owner = arg;

    SL_ASSERT(owner->stream == stream && bytes);
    owner->window -= (int64_t)len;
    if (sl_h2_session_is_settled(owner->bench->session) && !owner->is_auto) {
        SL_ASSERT(owner->window >= 0);
    }
    return fuzz_byte(&owner->bench->steering) != 255;
}

static void on_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    struct owner *owner = arg;

    (void)error;
    (void)by_peer;
    SL_ASSERT(owner->stream == stream);
    *owner = (struct owner){.bench = owner->bench};
}

static const struct sl_h2_stream_events stream_events = {
    .on_open = on_open,
    .on_field = on_field,
    .on_data = on_data,
    .on_close = on_close,
};

static struct owner *free_owner(struct bench *bench)
{
    for (size_t i = 0; i < STREAMS; i++) {
        if (!bench->owners[i].stream) {
            return &bench->owners[i];
        }
    }
    return NULL;
}

static void own(struct owner *owner, struct sl_h2_stream *stream, uint8_t steer)
{
    owner->stream = stream;
    owner->window = SL_H2_STREAM_WINDOW_BYTES;
    owner->is_auto = steer % 8 == 7;
    if (owner->is_auto) {
        sl_h2_stream_set_auto_window(stream);
    }
}

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    struct bench *bench = arg;
    struct owner *owner = free_owner(bench);

    SL_ASSERT(session == bench->session || !bench->session);
    if (owner) {
        sl_h2_stream_set_events(stream, &stream_events, owner);
        own(owner, stream, fuzz_byte(&bench->steering));
        owner->is_open = true;
    }
}

static const struct sl_h2_session_events session_events = {.on_stream = on_stream};

/* ---- what the owner does ---- */

static const struct sl_h2_field request[] = {
    {{":method", 7}, {"POST", 4}, false},
    {{":scheme", 7}, {"https", 5}, false},
    {{":path", 5}, {"/a/b", 4}, false},
    {{":authority", 10}, {"x", 1}, false},
};
static const struct sl_h2_field response[] = {{{":status", 7}, {"200", 3}, false}};
static const struct sl_h2_field trailers[] = {{{"grpc-status", 11}, {"0", 1}, false}};

static void open_stream(struct bench *bench)
{
    struct owner *owner = bench->is_server ? NULL : free_owner(bench);

    if (owner) {
        struct sl_h2_stream *stream = sl_h2_session_request(
            bench->session, request, SL_ARRAY_LEN(request), true, &stream_events, owner);
        if (stream) {
            own(owner, stream, fuzz_byte(&bench->steering));
            bench->own_sent += 200;
        }
    }
}

static void send(struct owner *owner, size_t len)
{
    static const char bytes[4096];
    struct sl_str pieces[] = {{bytes, len}, {bytes, 5}};

    if (sl_h2_stream_send(owner->stream, pieces, SL_ARRAY_LEN(pieces))) {
        owner->bench->own_sent += 2 * (len + 5) + HEAD_BYTES;
    }
}

static void respond(struct owner *owner)
{
    if (owner->bench->is_server && !owner->has_responded) {
        owner->has_responded =
            sl_h2_stream_respond(owner->stream, response, SL_ARRAY_LEN(response), false);
        owner->bench->own_sent += 100;
    }
}

static void finish(struct owner *owner)
{
    bool is_server = owner->bench->is_server;

    owner->is_finished = sl_h2_stream_finish(owner->stream, is_server ? trailers : NULL,
                                             is_server ? SL_ARRAY_LEN(trailers) : 0);
    owner->bench->own_sent += 100;
}

static void act(struct owner *owner, uint8_t action, uint8_t amount)
{
    switch (action) {
    case 0:
        if (!owner->is_auto) {
            sl_h2_stream_grant(owner->stream, 64u * amount);
            owner->window += owner->is_open ? 64 * amount : 0;
            owner->bench->own_sent += 13;
        }
        break;
    case 1:
        sl_h2_stream_reset(owner->stream, amount % 14);
        break;
    case 2:
        respond(owner);
        break;
    case 3:
        if (!owner->bench->is_server || owner->has_responded) {
            send(owner, 16u * amount);
        }
        break;
    case 4:
        if ((!owner->bench->is_server || owner->has_responded) && !owner->is_finished) {
            finish(owner);
        }
        break;
    case 5:
        owner->holds++;
        sl_h2_stream_hold(owner->stream);
        break;
    case 6:
        if (owner->holds) {
            owner->holds--;
            sl_h2_stream_release(owner->stream);
        }
        break;
    default:
        break;
    }
}

static void drain(struct bench *bench)
{
    uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;

    while ((len = sl_h2_session_output(bench->session, bytes, sizeof(bytes))) > 0) {
        bench->sent += len;
        SL_ASSERT(bench->sent <= 1024 + bench->own_sent + ANSWER_BYTES * bench->received);
    }
}

/* What an owner may ask besides, and a server that wants to stop. */
static void end_politely(struct bench *bench)
{
    int64_t now_ms = bench->now_ns / SL_NS_PER_MS;

    SL_ASSERT(sl_h2_session_unfinished_ms(bench->session) <= (uint64_t)now_ms);
    (void)sl_h2_session_is_stalled(bench->session);
    sl_h2_session_drain(bench->session);
    sl_h2_session_ping(bench->session);
    bench->own_sent += 100;
}

static void step(struct bench *bench)
{
    uint8_t steer = fuzz_byte(&bench->steering);
    struct owner *owner = &bench->owners[steer % STREAMS];
    uint8_t action = steer / STREAMS;

    if (action == 8) {
        open_stream(bench);
    } else if (action == 9) {
        sl_h2_session_goaway(bench->session, SL_H2_NO_ERROR);
        bench->own_sent += 17;
    } else if (action == 10) {
        bool is_quick = bench->limits == &small_limits;
        bench->now_ns += fuzz_byte(&bench->steering) * (is_quick ? SL_NS_PER_MS : SL_NS_PER_S);
        sl_h2_session_set_now(bench->session, bench->now_ns);
    } else if (action == 11) {
        end_politely(bench);
    } else if (action < 8 && owner->stream) {
        act(owner, action, fuzz_byte(&bench->steering));
    }
    if (!(action & 16)) {
        drain(bench);
    }
}

/* ---- what must hold ---- */

/* The peer has at most what the ledger says; and when it must, so much but for padding. */
static void assert_window(const struct owner *owner)
{
    int64_t window = sl_h2_stream_window(owner->stream);
    int64_t ledger = owner->window > 0 ? owner->window : 0;

    SL_ASSERT(window <= ledger);
    SL_ASSERT(!sl_h2_stream_is_exact(owner->stream) || ledger - window <= MAX_PADDING_BYTES);
}

static void assert_state(const struct bench *bench)
{
    size_t streams = 0;

    for (size_t i = 0; i < STREAMS; i++) {
        const struct owner *owner = &bench->owners[i];
        streams += owner->stream != NULL;
        if (owner->is_open && !owner->is_auto && sl_h2_session_is_settled(bench->session)) {
            assert_window(owner);
        }
    }
    SL_ASSERT(sl_h2_session_streams(bench->session) == streams);
}

/* ---- the peer ---- */

/* In a block of its own, so that a sanitizer sees each byte too many. */
static bool receive(struct bench *bench, struct sl_str bytes)
{
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

    SL_ASSERT(copy);
    if (bytes.len) {
        memcpy(copy, bytes.data, bytes.len);
    }
    bench->received += bytes.len;
    struct sl_status status = sl_h2_session_receive(bench->session, copy, bytes.len);

    free(copy);
    return sl_status_is_ok(&status);
}

static void put_frame(struct sl_buf *out, uint8_t type, uint8_t flags, uint8_t id,
                      struct sl_str payload)
{
    const uint8_t head[HEAD_BYTES] = {
        0, (uint8_t)(payload.len >> 8), (uint8_t)payload.len, type, flags, 0, 0, 0, id};

    sl_buf_add(out, head, sizeof(head));
    sl_buf_add_str(out, payload);
}

/* One frame of the input. A DATA frame may be longer than its bytes: zeros stand behind them. */
static void read_frame(struct fuzz_input *input, struct sl_buf *out)
{
    static const char zeros[32 * 255];
    uint8_t type = fuzz_byte(input) % 12;
    uint8_t flags = fuzz_byte(input);
    uint8_t id = fuzz_byte(input) % (2 * STREAMS);
    uint8_t len = fuzz_byte(input);

    if (type == 0 && flags & 0x40) {
        put_frame(out, type, flags & 1, id, (struct sl_str){zeros, 32u * len});
    } else {
        put_frame(out, type, flags, id, fuzz_bytes(input, len));
    }
}

static void start(struct bench *bench)
{
    static const struct sl_str preface = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24};
    struct sl_buf out = {0};

    if (bench->is_server) {
        sl_buf_add_str(&out, preface);
    }
    put_frame(&out, 4, 0, 0, (struct sl_str){0});
    bool is_taken = receive(bench, sl_buf_str(&out));

    SL_ASSERT(is_taken);
    sl_buf_fini(&out);
}

static void talk(struct bench *bench, struct fuzz_input *input, bool has_frames)
{
    struct sl_buf frame = {0};
    bool is_ok = true;

    while (is_ok && input->at < input->end) {
        if (has_frames) {
            sl_buf_reset(&frame);
            read_frame(input, &frame);
            uint8_t cut = fuzz_byte(&bench->steering);
            struct sl_str whole = sl_buf_str(&frame);
            size_t first = sl_min_size(whole.len, cut);
            is_ok = receive(bench, (struct sl_str){whole.data, first});
            assert_state(bench);
            is_ok = is_ok && receive(bench, (struct sl_str){whole.data + first, whole.len - first});
        } else {
            is_ok = receive(bench, fuzz_bytes(input, 1u + fuzz_byte(&bench->steering)));
        }
        assert_state(bench);
        step(bench);
        assert_state(bench);
    }
    drain(bench);
    sl_buf_fini(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    uint8_t mode = fuzz_byte(&input);
    struct sl_str steering = fuzz_bytes(&input, fuzz_byte(&input));
    struct bench bench = {.is_server = mode & 1,
                          .limits = mode & 4 ? &small_limits : &sl_h2_default_limits};

    bench.steering = (struct fuzz_input){(const uint8_t *)steering.data,
                                         (const uint8_t *)steering.data + steering.len};
    for (size_t i = 0; i < STREAMS; i++) {
        bench.owners[i].bench = &bench;
    }
    bench.session = sl_h2_session_new(bench.is_server ? SL_H2_SERVER : SL_H2_CLIENT, bench.limits,
                                      &session_events, &bench);
    SL_ASSERT(bench.session);
    start(&bench);
    open_stream(&bench);
    drain(&bench);
    talk(&bench, &input, !(mode & 2));
    sl_h2_session_free(bench.session);
    for (size_t i = 0; i < STREAMS; i++) {
        SL_ASSERT(!bench.owners[i].stream);
    }
    return 0;
}
