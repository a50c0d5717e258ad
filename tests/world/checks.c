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

enum { KEPT_BESIDE_BYTES = 4096 }; /* of each route, beside what is kept of the device's */

struct watched {
    struct sl_stream *stream; /* NULL: there is none */
    int wrong;                /* things that last */
    int64_t clear_since_ns;   /* nothing has been wrong since */
    uint64_t most_limit_bytes;
    uint64_t subscribes;
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

/* What a device is given beyond its limit while what it sends is conflated. */
static uint64_t most_extended(const struct watched *watched)
{
    return watched->most_limit_bytes / 4 + SL_CREDIT_FLOOR_BYTES;
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
    bool may_skip = checks->run->plan->devices[device].streams[stream].policy >= SL_STALL_CONFLATE;

    if (view->held_bytes < call->begun_bytes && !may_skip) {
        run_fail(checks->run,
                 "stream s%u.%u: %u bytes held, messages with the sinks have %llu: credit is "
                 "returned before they are acknowledged",
                 device, stream, view->held_bytes, (unsigned long long)call->begun_bytes);
    } else if (view->held_bytes + view->assembling_bytes >
               watched->most_limit_bytes + (may_skip ? most_extended(watched) : 0) +
                   SL_CREDIT_PREFIX_BYTES + checks->run->plan->max_message_bytes) {
        run_fail(checks->run, "stream s%u.%u: %u bytes held and %u of a message, the limit is %u",
                 device, stream, view->held_bytes, view->assembling_bytes, view->limit_bytes);
    } else if (device_window(checks->run->devices[device], stream, of->call, &left) &&
               left > (int64_t)view->granted_bytes) {
        run_fail(checks->run, "stream s%u.%u: the device may send %lld bytes, %u are granted",
                 device, stream, (long long)left, view->granted_bytes);
    }
}

/* A stream is opened only while its required sinks take records. */
static void check_opening(struct checks *checks, unsigned device, unsigned stream,
                          const struct sl_stream_view *view)
{
    const struct run *run = checks->run;
    struct watched *watched = &checks->streams[device][stream];

    for (unsigned i = 0; view->subscribes > watched->subscribes && i < PLAN_SINKS; i++) {
        if ((run->plan->devices[device].streams[stream].sinks & 1U << i) &&
            run->plan->sinks[i].is_required && run->brokers[i] &&
            !broker_is_available(run->brokers[i])) {
            run_fail(checks->run, "stream s%u.%u subscribes, and its sink k%u is not available",
                     device, stream, i);
        }
    }
    watched->subscribes = view->subscribes;
}

/* While its sinks stand still: nothing but by policy, and then no more than its largest window. */
static void check_kept(struct checks *checks, unsigned device, unsigned stream,
                       const struct sl_stream_view *view)
{
    const struct plan_stream *plan = &checks->run->plan->devices[device].streams[stream];
    uint64_t most = plan->policy == SL_STALL_CONFLATE ? (plan->most_bytes + 64) * plan->members : 0;

    if (view->kept_bytes > most + KEPT_BESIDE_BYTES * view->route_count) {
        run_fail(checks->run, "stream s%u.%u keeps %llu bytes, its largest window is %llu", device,
                 stream, (unsigned long long)view->kept_bytes, (unsigned long long)most);
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
    check_opening(checks, device, stream, &view);
    check_kept(checks, device, stream, &view);
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

/* What is made of the largest message: the last record that a sink takes may go beyond its memory.
 */
#define RECORD_BYTES(plan) (2 * (uint64_t)(plan)->max_message_bytes)

static void check_memory(struct checks *checks, uint64_t cost_bytes)
{
    struct run *run = checks->run;
    uint64_t memory_bytes = hub_memory_bytes(run->hub);
    uint64_t payload_bytes = 0; /* of sinks that are waited for, */
    uint64_t other_bytes = 0;   /* and of the others, which have memory of their own */

    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        uint64_t bytes = run->brokers[i] ? broker_payload_bytes(run->brokers[i]) : 0;
        *(run->plan->sinks[i].is_required ? &payload_bytes : &other_bytes) += bytes;
        uint64_t most_bytes = run->plan->sinks[i].memory_bytes + RECORD_BYTES(run->plan);
        memory_bytes += run->plan->sinks[i].is_required ? 0 : RECORD_BYTES(run->plan);
        if (!run->plan->sinks[i].is_required && bytes > most_bytes) {
            run_fail(run, "sink k%u has %llu bytes, and memory for %llu", i,
                     (unsigned long long)bytes,
                     (unsigned long long)run->plan->sinks[i].memory_bytes);
        }
    }
    if (cost_bytes + other_bytes > memory_bytes) {
        run_fail(run, "%llu bytes are held, collector.memory is %llu",
                 (unsigned long long)(cost_bytes + other_bytes), (unsigned long long)memory_bytes);
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
            /* A sink that is not required holds nobody who has another one. */
            bool is_none = sink < PLAN_SINKS && !checks->run->plan->sinks[sink].is_required &&
                           plan->sinks != 1U << sink;
            bool is_meant = !is_none && (device == PLAN_DEVICES || device == i) &&
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

/* What was dropped is told, as often as it was; and where nothing was shed the newest of each path
 * is there. */
static void check_told(struct checks *checks, unsigned device, unsigned stream,
                       const struct sl_stream_view *view, const struct sl_route *route)
{
    static const enum sl_drop_reason reasons[] = {SL_DROP_SINK, SL_DROP_CONFLATED, SL_DROP_SHED,
                                                  SL_DROP_SINK_FULL};
    const struct plan *plan = checks->run->plan;
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    unsigned sink = sink_of(route);
    const struct book_reader *reader = &of->readers[route->config.member][sink];

    if (view->state != SL_STREAM_FLOWING || reader->epoch != view->epoch) {
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        uint64_t dropped = route->counts.dropped[reasons[i]];
        if (sl_format_has_markers(plan->sinks[sink].format) &&
            reader->told[reasons[i]] != dropped) {
            run_fail(checks->run, "%s: %llu updates dropped as %s, gap markers tell %llu",
                     name_route(device, stream, route), (unsigned long long)dropped,
                     sl_drop_reason_name(reasons[i]), (unsigned long long)reader->told[reasons[i]]);
        }
    }
    const struct book_flow *flow = &of->flows[route->config.member];
    int64_t left = 0;
    bool is_whole = reader->call != BOOK_NOBODY &&
                    device_window(checks->run->devices[device], stream, reader->call, &left);
    for (unsigned i = 0; i < BOOK_LEAVES && is_whole; i++) {
        bool is_of_call = flow->newest[i] >= of->calls[reader->call].first[route->config.member];
        if (is_of_call && reader->newest[i] != flow->newest[i] && plan->sinks[sink].is_required &&
            route->counts.dropped[SL_DROP_SHED] == 0) {
            run_fail(checks->run, "%s: the newest of u%u is %llu, the sink has %llu",
                     name_route(device, stream, route), i, (unsigned long long)flow->newest[i],
                     (unsigned long long)reader->newest[i]);
        }
    }
}

static void check_rest(struct checks *checks, unsigned device, unsigned stream)
{
    const struct book_stream *of = &checks->run->book->streams[device][stream];
    struct sl_stream_view view;
    int64_t left = 0;

    sl_stream_view(checks->streams[device][stream].stream, &view);
    for (size_t i = 0; i < view.route_count; i++) {
        check_told(checks, device, stream, &view, &view.routes[i]);
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
