#include "stream/raise.h"

#include "stream/internal.h"

/* From now on the route is as at the beginning of an epoch. */
static void give_up(struct sl_stream *stream, struct sl_route *route)
{
    uint64_t *counter = &route->counts.dropped[SL_DROP_SINK_RESTART];

    if (route->batch) {
        sl_batch_give_up(route, counter);
    }
    sl_stall_give_up(stream, route, counter);
    sl_mark_give_up(route);
    route->is_cut = false;
    route->is_restarted = true;
}

void sl_raise_end(struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (stream->routes[i].is_cut) {
            give_up(stream, &stream->routes[i]);
        }
    }
}

/* A call that has not said anything yet began an epoch of its own, of which nothing is lost. */
static void end_epoch(struct sl_stream *stream, struct sl_route *route)
{
    static const char text[] = "a sink had to start anew, and has lost records of this epoch";
    struct sl_status why =
        sl_status_because("sink-restart", sl_status_error(SL_CANCELLED, "%s", text));

    if (!stream->call || !stream->is_connected) {
        give_up(stream, route);
        return;
    }
    route->is_cut = true;
    stream->is_anew = true;
    sl_log(SL_LOG_WARN, &stream->subject, "the epoch ends",
           sl_log_text("reason", sl_status_reason(&why)), sl_log_text("why", text),
           sl_log_text("sink", route->spec->name), sl_log_u64("epoch", stream->view.epoch));
    sl_grpc_call_fail(stream->call, &why);
}

void sl_raise_note(struct sl_stream *stream, struct sl_route *route, int64_t lost_ns)
{
    if (route->is_cut || route->is_restarted) {
        route->lost_ns = lost_ns < route->lost_ns ? lost_ns : route->lost_ns;
        return;
    }
    route->lost_ns = lost_ns;
    end_epoch(stream, route);
}
