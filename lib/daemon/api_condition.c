/* What a person makes of a stream: its condition in a word, how much that wants eyes, who holds it.
 */
#include <math.h>
#include <string.h>

#include "daemon/api_internal.h"

static const char *const level_names[SL_API_LEVELS] = {
    [SL_API_OK] = "ok", [SL_API_WAIT] = "wait", [SL_API_HELD] = "held", [SL_API_BAD] = "bad"};

/* A device that merely uses its whole window is not held. */
static bool is_held(const struct sl_stream_view *view)
{
    return view->state == SL_STREAM_HELD || view->is_stalled ||
           (view->is_blocked &&
            (view->limited == SL_LIMITED_SINK || view->limited == SL_LIMITED_MEMORY));
}

static enum sl_api_level look(const struct sl_stream_view *view, bool has_error,
                              const char **condition)
{
    bool is_flowing = view->state == SL_STREAM_FLOWING;

    *condition = sl_stream_state_name(view->state);
    if (is_held(view)) {
        *condition = is_flowing ? "held back" : *condition;
        return SL_API_HELD;
    }
    if (is_flowing && view->is_stale) {
        *condition = "stale";
        return SL_API_WAIT;
    }
    if (is_flowing) {
        *condition = view->is_synced ? *condition : "syncing";
        return view->is_synced ? SL_API_OK : SL_API_WAIT;
    }
    return view->state == SL_STREAM_BACKOFF || (view->state == SL_STREAM_WAITING && has_error)
               ? SL_API_BAD
               : SL_API_WAIT;
}

/* The destination that has most of it, and its sink. */
static void find_holder(struct sl_api_stream *stream)
{
    uint64_t most = 0;

    for (size_t i = 0; i < stream->row->route_count; i++) {
        const struct sl_route_row *route = &stream->row->routes[i];
        for (size_t j = 0; j < route->place_count; j++) {
            if (route->places[j].held > most) {
                most = route->places[j].held;
                stream->holder = route->sink->name;
                stream->holder_place = route->places[j].destination;
            }
        }
    }
}

void sl_api_condition(struct sl_api_stream *stream)
{
    const struct sl_stream_view *view = &stream->row->view;
    uint64_t held_bytes = stream->held_bytes + stream->assembling_bytes;

    stream->rank = look(view, stream->last_error != NULL, &stream->condition);
    stream->level = level_names[stream->rank];
    stream->held_share =
        stream->limit_bytes > 0 ? (double)held_bytes / (double)stream->limit_bytes : 0;
    stream->received_per_s = (double)NAN;
    find_holder(stream);
}
