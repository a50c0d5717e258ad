/* optional.c - routes of sinks that are not required. Nobody waits for them: no message, no credit,
 * no subscribing and no draining. */
#include "stream/internal.h"

void sl_route_cost_add(struct sl_stream *stream, struct sl_route *route, uint64_t bytes)
{
    if (sl_route_is_required(route)) {
        sl_stream_cost_add(stream, bytes);
    } else {
        sl_sink_cost_add(route->sink, bytes);
    }
}

void sl_route_cost_sub(struct sl_stream *stream, struct sl_route *route, uint64_t bytes)
{
    if (sl_route_is_required(route)) {
        sl_stream_cost_sub(stream, bytes);
    } else {
        sl_sink_cost_sub(route->sink, bytes);
    }
}

bool sl_optional_is_ready(struct sl_stream *stream, struct sl_route *route)
{
    return sl_route_is_required(route) ||
           (sl_batch_leave(stream, route) && sl_route_has_room(route));
}

/* What has no update in it says something all the same: the baseline's end. */
void sl_optional_drop(struct sl_route *route, uint64_t updates)
{
    SL_ASSERT(!sl_route_is_required(route));
    sl_route_drop(route, SL_DROP_SINK_FULL, updates);
    route->is_gap_owed = true;
}
