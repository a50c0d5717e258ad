#include "daemon/snapshot.h"

#include <stdlib.h>

static bool copy_places(struct sl_route_row *row, const struct sl_route *route)
{
    row->places = calloc(route->place_count ? route->place_count : 1, sizeof(*row->places));
    if (!row->places) {
        return false;
    }
    SL_LIST_FOR_EACH(node, &route->places)
    {
        const struct sl_route_place *place = SL_CONTAINER_OF(node, struct sl_route_place, node);
        row->places[row->place_count++] =
            (struct sl_place_row){.destination = place->destination, .held = place->held};
    }
    return true;
}

static bool copy_members(struct sl_stream_row *row, const struct sl_stream *stream)
{
    row->members = calloc(row->view.member_count, sizeof(*row->members));
    for (size_t i = 0; row->members && i < row->view.member_count; i++) {
        struct sl_member_row *member = &row->members[row->member_count++];
        member->subscription = row->view.members[i].subscription;
        member->quarantined = sl_stream_quarantined(stream, i, member->paths, SL_SNAPSHOT_PATHS);
    }
    row->view.members = NULL;
    return row->members != NULL;
}

bool sl_stream_row_init(struct sl_stream_row *row, const struct sl_stream *stream,
                        const struct sl_target *target)
{
    *row = (struct sl_stream_row){.routes = NULL};
    sl_stream_view(stream, &row->view);
    sl_target_view(target, &row->target);
    sl_stream_mended(stream, &row->mended);
    row->is_first = sl_target_stream(target, 0) == stream;
    row->routes = calloc(row->view.route_count, sizeof(*row->routes));
    for (size_t i = 0; row->routes && i < row->view.route_count; i++) {
        const struct sl_route *route = &row->view.routes[i];
        row->routes[i].subscription = route->config.values.subscription;
        row->routes[i].sink = route->spec;
        row->routes[i].counts = route->counts;
        row->routes[i].marks = route->marks;
        row->route_count++;
        if (!copy_places(&row->routes[i], route)) {
            return false;
        }
    }
    row->view.routes = NULL;
    return row->routes != NULL && copy_members(row, stream);
}

void sl_snapshot_fini(struct sl_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->stream_count; i++) {
        struct sl_stream_row *row = &snapshot->streams[i];
        for (size_t j = 0; j < row->route_count; j++) {
            free(row->routes[j].places);
        }
        free(row->routes);
        free(row->members);
    }
    free(snapshot->streams);
    free(snapshot->sinks);
    *snapshot = (struct sl_snapshot){.streams = NULL};
}
