#include "world/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/stream.h"
#include "world/book.h"
#include "world/broker.h"
#include "world/cover.h"
#include "world/device.h"
#include "world/hub.h"

/* A stream whose way is clear gives a sink something after at most so long: a dial that was just
 * under way and its backoff, the question for Capabilities, the pace of the device; and a message
 * that borrows the reserve may keep others from it. */
#define PATIENCE_NS (45 * SL_NS_PER_S)

struct watched {
    struct sl_stream *stream; /* NULL: there is none */
    int wrong;                /* things that last */
    int64_t clear_since_ns;   /* nothing has been wrong since */
    uint32_t most_limit_bytes;
    bool is_forgotten;
};

struct checks {
    struct run *run;
    struct watched streams[PLAN_DEVICES][PLAN_STREAMS];
};

struct checks *checks_new(struct run *run)
{
    struct checks *checks = calloc(1, sizeof(*checks));

    SL_ASSERT(checks);
    checks->run = run;
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            checks->streams[i][j].stream = hub_stream(run->hub, i, j);
            checks->streams[i][j].clear_since_ns = world_now_ns();
        }
    }
    return checks;
}

void checks_free(struct checks *checks)
{
    free(checks);
}

/* ---- the ledger ---- */

static unsigned sink_of(const struct sl_route *route)
{
    return (unsigned)(route->spec->name[1] - '0'); /* "k1" */
}

static const char *name_route(unsigned device, unsigned stream, const struct sl_route *route)
{
    static char text[48];

    snprintf(text, sizeof(text), "stream s%u.%u member %zu sink %s", device, stream,
             route->config.member, route->spec->name);
    return text;
}

static void check_route(struct checks *checks, unsigned device, unsigned stream,
                        const struct sl_route *route)
{
    const struct sl_route_counts *counts = &route->counts;
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    const struct book_reader *reader = &of->readers[route->config.member][sink_of(route)];
    uint64_t out = reader->accepted - reader->delivered - reader->failed;

    if (!sl_route_counts_are_valid(counts)) {
        run_fail(checks->run, "%s: the ledger does not balance", name_route(device, stream, route));
    } else if (counts->published != reader->delivered) {
        run_fail(checks->run, "%s: %llu updates published, %llu acknowledged",
                 name_route(device, stream, route), (unsigned long long)counts->published,
                 (unsigned long long)reader->delivered);
    } else if (counts->dropped[SL_DROP_SINK] != reader->failed) {
        run_fail(checks->run, "%s: %llu updates lost by the sink, %llu refused",
                 name_route(device, stream, route),
                 (unsigned long long)counts->dropped[SL_DROP_SINK],
                 (unsigned long long)reader->failed);
    } else if (counts->held < out) {
        run_fail(checks->run, "%s: %llu updates held, %llu with the sink",
                 name_route(device, stream, route), (unsigned long long)counts->held,
                 (unsigned long long)out);
    }
}

/* ---- credit ---- */

static bool has_window(const struct sl_stream_view *view)
{
    return view->state == SL_STREAM_FLOWING || view->state == SL_STREAM_HELD;
}

static void check_bound(struct checks *checks, unsigned device, unsigned stream,
                        const struct sl_stream_view *view)
{
    uint64_t sum = (uint64_t)view->granted_bytes + view->assembling_bytes + view->held_bytes +
                   view->pending_bytes;
    uint64_t bound = (uint64_t)view->limit_bytes + view->borrowed_bytes;

    if (sum != bound) {
        run_fail(checks->run, "stream s%u.%u: %llu bytes of credit, limit and loan are %llu",
                 device, stream, (unsigned long long)sum, (unsigned long long)bound);
    }
}

/* Against what the device has, and what brokers have of the call's messages. */
static void check_call(struct checks *checks, unsigned device, unsigned stream,
                       const struct sl_stream_view *view)
{
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    struct watched *watched = &checks->streams[device][stream];
    const struct book_call *call = &of->calls[of->call];
    int64_t left = 0;

    watched->most_limit_bytes = watched->most_limit_bytes > view->limit_bytes
                                    ? watched->most_limit_bytes
                                    : view->limit_bytes;
    if (view->held_bytes < call->begun_bytes) {
        run_fail(checks->run,
                 "stream s%u.%u: %u bytes held, messages with the sinks have %llu: credit is "
                 "returned before they are acknowledged",
                 device, stream, view->held_bytes, (unsigned long long)call->begun_bytes);
    } else if (view->held_bytes + view->assembling_bytes >
               (uint64_t)watched->most_limit_bytes + checks->run->plan->max_message_bytes) {
        run_fail(checks->run, "stream s%u.%u: %u bytes held and %u of a message, the limit is %u",
                 device, stream, view->held_bytes, view->assembling_bytes, view->limit_bytes);
    } else if (device_window(checks->run->devices[device], stream, of->call, &left) &&
               left > (int64_t)view->granted_bytes) {
        run_fail(checks->run, "stream s%u.%u: the device may send %lld bytes, %u are granted",
                 device, stream, (long long)left, view->granted_bytes);
    }
}

static uint64_t check_stream(struct checks *checks, unsigned device, unsigned stream, bool *is_full,
                             bool *is_held)
{
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    struct sl_stream_view view;

    sl_stream_view(checks->streams[device][stream].stream, &view);
    for (size_t i = 0; i < view.route_count; i++) {
        check_route(checks, device, stream, &view.routes[i]);
    }
    if (has_window(&view)) {
        check_bound(checks, device, stream, &view);
        if (of->epoch == view.epoch && of->call != BOOK_NOBODY) {
            check_call(checks, device, stream, &view);
        }
    }
    *is_full = *is_full || view.state == SL_STREAM_HELD;
    *is_held = *is_held || view.state == SL_STREAM_HELD || view.is_blocked;
    return view.cost_held_bytes;
}

static void check_memory(struct checks *checks, uint64_t cost_bytes)
{
    struct run *run = checks->run;
    uint64_t memory_bytes = hub_memory_bytes(run->hub);
    uint64_t payload_bytes = 0;

    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        payload_bytes += run->brokers[i] ? broker_payload_bytes(run->brokers[i]) : 0;
    }
    if (cost_bytes > memory_bytes) {
        run_fail(run, "%llu bytes are held, collector.memory is %llu",
                 (unsigned long long)cost_bytes, (unsigned long long)memory_bytes);
    } else if (payload_bytes > cost_bytes) {
        run_fail(run, "brokers have %llu bytes of payloads, %llu are held",
                 (unsigned long long)payload_bytes, (unsigned long long)cost_bytes);
    }
}

void checks_after_event(struct checks *checks)
{
    struct run *run = checks->run;
    static uint64_t counted; /* events that are in the coverage */
    bool is_full = false;
    bool is_held = false;
    uint64_t cost_bytes = 0;

    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            if (checks->streams[i][j].stream) {
                cost_bytes += check_stream(checks, i, j, &is_full, &is_held);
            }
        }
    }
    check_memory(checks, cost_bytes);
    run->cover->checks++;
    run->cover->full_events += is_full ? run->events - counted : 0;
    run->cover->held_events += is_held ? run->events - counted : 0;
    counted = run->events;
}

/* ---- isolation ---- */

void checks_touch(struct checks *checks, unsigned device, unsigned stream, unsigned sink, int by)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            const struct plan_stream *plan = &checks->run->plan->devices[i].streams[j];
            bool is_meant = (device == PLAN_DEVICES || device == i) &&
                            (stream == PLAN_STREAMS || stream == j) &&
                            (sink == PLAN_SINKS || (plan->sinks & 1U << sink));
            if (is_meant) {
                checks->streams[i][j].wrong += by;
                checks->streams[i][j].clear_since_ns = world_now_ns();
            }
        }
    }
}

void checks_forget(struct checks *checks, unsigned device)
{
    for (unsigned i = 0; i < PLAN_STREAMS; i++) {
        checks->streams[device][i].is_forgotten = true;
    }
}

static bool is_expected(const struct watched *watched)
{
    return watched->stream && !watched->is_forgotten;
}

static void check_progress(struct checks *checks, unsigned device, unsigned stream)
{
    const struct watched *watched = &checks->streams[device][stream];
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    int64_t now_ns = world_now_ns();
    struct sl_stream_view view;

    if (!is_expected(watched) || watched->wrong > 0 || checks->run->is_still ||
        now_ns - watched->clear_since_ns < PATIENCE_NS || now_ns - of->accepted_ns < PATIENCE_NS) {
        return;
    }
    sl_stream_view(watched->stream, &view);
    run_fail(checks->run,
             "stream s%u.%u stands still, and nothing is wrong with its way: %s, %u bytes granted, "
             "%u held, %u pending, %u borrowed, %u of a message",
             device, stream, sl_stream_state_name(view.state), view.granted_bytes, view.held_bytes,
             view.pending_bytes, view.borrowed_bytes, view.assembling_bytes);
}

void checks_after_turn(struct checks *checks)
{
    checks->run->cover->turns++;
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            check_progress(checks, i, j);
        }
    }
}

bool checks_all_went_on(const struct checks *checks, int64_t since_ns)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            if (is_expected(&checks->streams[i][j]) &&
                checks->run->book->streams[i][j].accepted_ns <= since_ns) {
                return false;
            }
        }
    }
    return true;
}

/* ---- rest ---- */

bool checks_are_still(const struct checks *checks)
{
    for (unsigned i = 0; i < PLAN_DEVICES * PLAN_STREAMS; i++) {
        const struct watched *watched = &checks->streams[i / PLAN_STREAMS][i % PLAN_STREAMS];
        struct sl_stream_view view = {.held_bytes = 0};
        if (watched->stream) {
            sl_stream_view(watched->stream, &view);
        }
        if (view.held_bytes || view.assembling_bytes || view.cost_held_bytes) {
            return false;
        }
    }
    return true;
}

static void check_rest(struct checks *checks, unsigned device, unsigned stream)
{
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    struct sl_stream_view view;
    int64_t left = 0;

    sl_stream_view(checks->streams[device][stream].stream, &view);
    for (size_t i = 0; i < view.route_count; i++) {
        if (view.routes[i].counts.held) {
            run_fail(checks->run, "%s: at rest, and %llu updates are held",
                     name_route(device, stream, &view.routes[i]),
                     (unsigned long long)view.routes[i].counts.held);
        }
    }
    if (view.cost_held_bytes || view.held_bytes) {
        run_fail(checks->run, "stream s%u.%u: at rest, and %llu bytes of memory, %u of window held",
                 device, stream, (unsigned long long)view.cost_held_bytes, view.held_bytes);
    } else if (has_window(&view) && of->epoch == view.epoch && of->call != BOOK_NOBODY &&
               device_window(checks->run->devices[device], stream, of->call, &left) &&
               left != (int64_t)view.granted_bytes) {
        run_fail(checks->run,
                 "stream s%u.%u: at rest the device may send %lld bytes, granted are %u", device,
                 stream, (long long)left, view.granted_bytes);
    }
}

void checks_at_rest(struct checks *checks)
{
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            if (checks->streams[i][j].stream) {
                check_rest(checks, i, j);
            }
        }
    }
}

void checks_at_end(struct checks *checks, bool is_late)
{
    for (unsigned i = 0; i < PLAN_DEVICES * PLAN_STREAMS; i++) {
        const struct watched *watched = &checks->streams[i / PLAN_STREAMS][i % PLAN_STREAMS];
        struct sl_stream_view view;
        if (!watched->stream) {
            continue;
        }
        sl_stream_view(watched->stream, &view);
        if (view.state != SL_STREAM_CLOSED) {
            run_fail(checks->run, "stream s%u.%u is %s after the drain", i / PLAN_STREAMS,
                     i % PLAN_STREAMS, sl_stream_state_name(view.state));
        }
        for (size_t j = 0; j < view.route_count && !is_late; j++) {
            if (view.routes[j].counts.held) {
                run_fail(checks->run, "%s: drained, and %llu updates are held",
                         name_route(i / PLAN_STREAMS, i % PLAN_STREAMS, &view.routes[j]),
                         (unsigned long long)view.routes[j].counts.held);
            }
        }
    }
}
