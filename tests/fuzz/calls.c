/* calls.c - whole calls of all four kinds, as server or as client, against a peer that says
 * anything (calls_peer.h), while their owner sends, holds, grants, cancels and finishes, from
 * within events too, time goes on (still_loop.h), and memory runs out once. A server offers health
 * checks and reflection beside.
 *
 * Input: role and mode; which allocation fails, if the mode says so; the number of steering bytes
 * and those; the peer's frames. */
#include <stdlib.h>
#include <string.h>

#include "calls_owner.h"
#include "calls_peer.h"
#include "grpc/reflection.h"
#include "failing.h"
#include "still_loop.h"

enum {
    ANSWER_BYTES = 128, /* that one byte of the peer makes us send at most */
    LATE_MS = 7,        /* that a call may end after its deadline, at a server */
};

static void change_health(struct bench *bench)
{
    uint8_t how = steer(bench);
    const char *service = how & 1 ? "f.F" : "";

    bench->own_sent += 2000;
    if (how % 16 == 15) {
        sl_grpc_health_shut_down(bench->health);
    } else if (how & 2) {
        sl_grpc_health_remove(bench->health, service);
    } else {
        bool is_set = sl_grpc_health_set(bench->health, service, (how >> 2) % 3);
        SL_ASSERT(is_set || has_failed);
    }
}

/* ---- the session ---- */

static void drain(struct bench *bench)
{
    static uint8_t bytes[SL_H2_OUTPUT_BYTES];
    size_t len;

    while ((len = sl_h2_session_output(bench->session, bytes, sizeof(bytes))) > 0) {
        bench->sent += len;
        SL_ASSERT(bench->sent <= 1024 + bench->own_sent + ANSWER_BYTES * bench->received);
    }
}

/* As soon as it is seen: what is left of it gets less. */
static void note_deadline(struct own *own)
{
    uint64_t left_ns;

    if (own->call && !own->deadline_ns && sl_grpc_call_time_left(own->call, &left_ns)) {
        int64_t now_ns = sl_loop_now_ns(own->bench->loop);
        own->deadline_ns = now_ns + (int64_t)sl_min_u64(left_ns, INT64_MAX / 2);
    }
}

/* After a turn what was decided is over, and so is what had a deadline that passed. */
static void turn(struct bench *bench, uint64_t later_ms)
{
    if (!bench->loop) {
        return;
    }
    for (size_t i = 0; i < CALLS; i++) {
        note_deadline(&bench->calls[i]);
    }
    still_loop_turn(bench->loop, later_ms);
    for (size_t i = 0; i < CALLS; i++) {
        const struct own *own = &bench->calls[i];
        if (own->call) {
            SL_ASSERT(!own->is_decided);
            SL_ASSERT(!own->deadline_ns ||
                      sl_loop_now_ns(bench->loop) < own->deadline_ns + LATE_MS * SL_NS_PER_MS);
        }
    }
}

static void step(struct bench *bench)
{
    uint8_t what = steer(bench);

    left = bench->allocations;
    struct own *own = &bench->calls[what % 8 % CALLS];

    switch (what / 8 % 8) {
    case 0:
    case 1:
    case 2:
        if (own->call) {
            owner_act(own);
        }
        break;
    case 3:
        owner_open_call(bench);
        break;
    case 4:
        turn(bench, what / 64 ? steer(bench) : 0);
        break;
    case 5:
        owner_start_waiting(bench);
        break;
    case 6:
        if (what / 64 == 3) {
            sl_h2_session_goaway(bench->session, SL_H2_NO_ERROR);
        } else if (bench->health) {
            change_health(bench);
        }
        break;
    default:
        break;
    }
    if (!(what & 128)) {
        drain(bench);
    }
    bench->allocations = left;
    left = -1;
}

/* While a message is held, what the peer may send gets less: nothing that comes is looked at. */
static void assert_held(const struct own *own)
{
    struct sl_h2_stream *stream = sl_grpc_call_stream(own->call);

    if (stream && own->call->reader.is_held && !own->is_manual &&
        sl_h2_session_is_settled(own->bench->session)) {
        SL_ASSERT(sl_h2_stream_window(stream) <= own->held_window);
    }
}

/* What a call keeps is bounded by one message and what the peer was let send. */
static void assert_state(const struct bench *bench)
{
    for (size_t i = 0; i < CALLS; i++) {
        const struct own *own = &bench->calls[i];
        if (own->call) {
            uint64_t window = UINT16_MAX + SL_GRPC_WINDOW_BYTES + own->granted_bytes;
            SL_ASSERT(sl_grpc_call_held_bytes(own->call) <= own->max_message_bytes + 2 * window);
            assert_held(own);
        }
    }
}

/* In a block of its own, so that a sanitizer sees each byte too many. */
static bool receive(struct bench *bench, struct sl_str bytes)
{
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

    SL_ASSERT(copy);
    if (bytes.len) {
        memcpy(copy, bytes.data, bytes.len);
    }
    bench->received += bytes.len;
    left = bench->allocations;
    struct sl_status status = sl_h2_session_receive(bench->session, copy, bytes.len);
    bench->allocations = left;
    left = -1;
    free(copy);
    assert_state(bench);
    return sl_status_is_ok(&status);
}

static void talk(struct bench *bench, struct fuzz_input *input)
{
    struct peer peer;
    struct sl_buf out = {0};
    bool is_ok = true;

    peer_init(&peer, bench->is_server);
    peer_greet(&out, bench->is_server);
    do {
        uint8_t cut = steer(bench);
        struct sl_str whole = sl_buf_str(&out);
        struct sl_str first = {whole.data,
                               sl_min_size(whole.len, cut < 128 ? whole.len : cut - 128u)};
        is_ok = receive(bench, first) &&
                receive(bench, (struct sl_str){whole.data + first.len, whole.len - first.len});
        step(bench);
        sl_buf_reset(&out);
        peer_speak(&peer, input, &out);
    } while (is_ok && input->at < input->end);
    is_ok = is_ok && receive(bench, sl_buf_str(&out));
    for (uint8_t more = steer(bench) % 32; more > 0; more--) {
        step(bench);
    }
    drain(bench);
    sl_buf_fini(&out);
    peer_fini(&peer);
}

static void on_stream(struct sl_h2_session *session, struct sl_h2_stream *stream, void *arg)
{
    (void)session;
    sl_grpc_call_accept(arg, NULL, stream);
}

static void open_bench(struct bench *bench, uint8_t mode)
{
    bench->is_server = mode & 1;
    bench->loop = mode & 2 ? sl_loop_new() : NULL;
    sl_grpc_context_init(&bench->context, bench->loop);
    bench->used_context = mode & 6 ? &bench->context : NULL;
    bench->health = bench->used_context ? sl_grpc_health_new() : NULL;
    SL_ASSERT(!bench->used_context || bench->health);
    bench->owner = owner_of_waiting;
    bench->owner.arg = bench;
    sl_list_init(&bench->waiting);
    for (size_t i = 0; i < CALLS; i++) {
        bench->calls[i].bench = bench;
    }
}

static void close_bench(struct bench *bench)
{
    sl_h2_session_free(bench->session);
    turn(bench, 0);
    owner_abandon_waiting(bench);
    for (size_t i = 0; i < CALLS; i++) {
        SL_ASSERT(!bench->calls[i].call);
    }
    sl_grpc_health_free(bench->health);
    sl_grpc_context_fini(&bench->context);
    if (bench->loop) {
        sl_loop_free(bench->loop);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sl_h2_session_events session_events = {.on_stream = on_stream};
    struct fuzz_input input = {data, data + size};
    uint8_t mode = fuzz_byte(&input);
    struct sl_str steering = fuzz_bytes(&input, fuzz_byte(&input));
    struct bench bench = {.steering = {(const uint8_t *)steering.data,
                                       (const uint8_t *)steering.data + steering.len}};

    bench.allocations = mode & 16 ? 1 + fuzz_byte(&input) : -1;
    has_failed = false;
    open_bench(&bench, mode);
    const struct sl_grpc_service_entry entries[] = {
        {owner_handlers, &bench},
        {sl_grpc_health_handlers, bench.health},
        {sl_grpc_reflection_handlers, NULL},
    };
    struct sl_grpc_router router = {
        .entries = entries,
        .count = bench.health ? SL_ARRAY_LEN(entries) : 1,
        .context = bench.used_context,
        .max_message_bytes = mode & 8 ? 64 : 0,
    };
    bench.session = sl_h2_session_new(bench.is_server ? SL_H2_SERVER : SL_H2_CLIENT, NULL,
                                      &session_events, &router);
    SL_ASSERT(bench.session);
    owner_open_call(&bench);
    drain(&bench);
    talk(&bench, &input);
    close_bench(&bench);
    return 0;
}
