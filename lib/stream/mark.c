#include "stream/mark.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "normalise/marker.h"
#include "stream/internal.h"

/* A marker that waits for its sink. */
struct mark {
    struct sl_list node;
    struct sl_route_place *place;
    uint64_t epoch;
    uint64_t seq;
    uint32_t lines; /* numbers that it takes, from `seq` on */
    int64_t time_ns;
    struct sl_buf payload;
};

/* ---- making ---- */

static void mark_free(struct mark *mark)
{
    sl_buf_fini(&mark->payload);
    free(mark);
}

static struct mark *mark_new(struct sl_stream *stream, struct sl_route *route,
                             struct sl_route_place *place, const struct sl_marker *marker,
                             uint64_t seq, uint32_t lines)
{
    struct mark *mark = calloc(1, sizeof(*mark));

    if (!mark) {
        return NULL;
    }
    sl_list_init(&mark->node);
    mark->place = place;
    mark->epoch = stream->view.epoch;
    mark->seq = seq;
    mark->lines = lines;
    mark->time_ns = sl_loop_wall_ns();
    const struct sl_encoder_context context = {
        .epoch = mark->epoch,
        .seq = mark->seq,
        .received_ns = mark->time_ns,
        .is_synced = stream->view.is_synced,
    };

    if (!sl_encoder_mark(route->encoder, marker, &context, &mark->payload)) {
        mark_free(mark);
        return NULL;
    }
    return mark;
}

static void add(struct sl_stream *stream, struct sl_route *route, struct sl_route_place *place,
                const struct sl_marker *marker)
{
    if (!route->config.has_markers || route->is_restarted) {
        return;
    }
    /* lines before it leave first: should a processor keep them, their numbers are free again */
    (void)sl_batch_leave(stream, route);
    if (!sl_route_has_room(route)) {
        route->marks.made++;
        route->marks.dropped++;
        route->is_gap_owed = true;
        return;
    }
    struct mark *mark = place ? mark_new(stream, route, place, marker, route->seq + 1, 1) : NULL;

    route->marks.made++;
    if (!mark) {
        route->marks.dropped++;
        return;
    }
    route->seq++;
    route->last_place = place;
    sl_list_append(&route->waiting, &mark->node);
}

void sl_mark_fill(struct sl_stream *stream, struct sl_route *route, struct sl_route_place *place,
                  uint64_t seq, uint32_t lines)
{
    const struct sl_marker marker = {
        .kind = SL_MARKER_GAP,
        .reason = SL_STR("filtered"),
        .to_ns = stream->received_ns,
    };
    struct mark *mark = mark_new(stream, route, place, &marker, seq, lines);

    route->marks.made++;
    route->marks.dropped += !mark;
    if (mark) {
        sl_list_append(route->waiting.next, &mark->node); /* before what was numbered behind it */
    }
}

/* ---- giving ---- */

/* False: the sink is full. */
static bool offer(struct sl_stream *stream, struct sl_route *route, struct mark *mark,
                  struct sl_delivery *delivery)
{
    struct sluice_record record;

    *delivery = (struct sl_delivery){
        .stream = stream,
        .route = route,
        .place = mark->place,
        .cost_bytes = sl_stream_record_cost(route, malloc_usable_size(mark->payload.data)),
        .payload_bytes = (uint32_t)mark->payload.len,
        .received_ns = mark->time_ns,
        .is_extra = true,
        .is_mark = true,
    };
    sl_stream_describe(stream, route, mark->place, &record);
    record.payload = mark->payload.data;
    record.payload_len = mark->payload.len;
    record.timestamp_ns = mark->time_ns;
    record.received_ns = mark->time_ns;
    record.epoch = mark->epoch;
    record.seq = mark->seq;
    record.lines = mark->lines;
    record.kind = (struct sluice_str){"marker", strlen("marker")};
    delivery->token = (struct sl_token){.owner = delivery};
    enum sl_sink_answer answer = sl_sink_accept(route->sink, &record, &delivery->token);
    if (answer == SL_SINK_FULL) {
        return false;
    }
    mark->payload = (struct sl_buf){0};
    if (answer != SL_SINK_TAKEN) {
        route->marks.dropped++;
        free(delivery);
        return true;
    }
    delivery->cost_bytes += (uint64_t)delivery->token.grown_bytes;
    mark->place->held_bytes += delivery->payload_bytes;
    sl_route_cost_add(stream, route, delivery->cost_bytes);
    sl_stream_count_sent(stream, route);
    return true;
}

bool sl_mark_give(struct sl_stream *stream, struct sl_route *route)
{
    if (route->is_cut) {
        return false;
    }
    if (sl_list_is_empty(&route->waiting)) {
        return true;
    }
    if (!sl_route_has_room(route) || !sl_batch_leave(stream, route)) {
        return false;
    }
    while (!sl_list_is_empty(&route->waiting)) {
        struct mark *mark = SL_CONTAINER_OF(route->waiting.next, struct mark, node);
        struct sl_delivery *delivery = malloc(sizeof(*delivery));
        if (delivery && !offer(stream, route, mark, delivery)) {
            free(delivery);
            return false;
        }
        route->marks.dropped += !delivery;
        sl_list_remove(&mark->node);
        mark_free(mark);
    }
    return true;
}

bool sl_mark_give_all(struct sl_stream *stream)
{
    bool is_given = true;

    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        is_given = (sl_mark_give(stream, route) || !sl_route_is_required(route)) && is_given;
    }
    return is_given;
}

void sl_mark_give_up(struct sl_route *route)
{
    for (struct sl_list *node; (node = sl_list_pop(&route->waiting));) {
        route->marks.dropped++;
        mark_free(SL_CONTAINER_OF(node, struct mark, node));
    }
}

void sl_mark_drop(struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (stream->routes[i].encoder) {
            sl_mark_give_up(&stream->routes[i]);
        }
    }
}

/* ---- losses ---- */

/* What is lost for a reason. Of messages that nobody could read nobody knows whose they are: the
 * ledger counts them once, and every route tells them. */
static uint64_t lost_by(const struct sl_route *route, enum sl_drop_reason reason)
{
    return reason == SL_DROP_DECODE ? route->undecodable : route->counts.dropped[reason];
}

/* A record that a sink gave up was made at any time before. */
static int64_t begin_of(const struct sl_route *route, enum sl_drop_reason reason)
{
    return reason == SL_DROP_SINK ? 0 : route->told.at_ns;
}

static void tell(struct sl_stream *stream, struct sl_route *route, const char *reason,
                 uint64_t count, int64_t from_ns)
{
    const struct sl_marker marker = {
        .kind = SL_MARKER_GAP,
        .reason = sl_str_from(reason),
        .count = count,
        .from_ns = from_ns,
        .to_ns = stream->received_ns,
    };

    add(stream, route, sl_route_place_of(route, &(struct sl_gnmi_response){0}), &marker);
}

/* All that the route has lost and not told; later, while its sink is not required and has no room.
 */
static void tell_losses(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_route_told *told = &route->told;

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        enum sl_drop_reason reason = (enum sl_drop_reason)i;
        uint64_t lost = lost_by(route, reason);
        uint64_t count = lost - told->dropped[i];
        bool is_owed = reason == SL_DROP_SINK_FULL && route->is_gap_owed;
        if ((count || is_owed) && !sl_optional_is_ready(stream, route)) {
            return;
        }
        if (count || is_owed) {
            route->is_gap_owed = route->is_gap_owed && !is_owed;
            tell(stream, route, sl_drop_reason_name(reason), count, begin_of(route, reason));
        }
        told->dropped[i] = lost;
    }
    if (route->duplicates != told->duplicates) {
        if (!sl_optional_is_ready(stream, route)) {
            return;
        }
        tell(stream, route, "duplicates", route->duplicates - told->duplicates, told->at_ns);
    }
    told->duplicates = route->duplicates;
    told->at_ns = stream->received_ns;
}

/* Counts as told what the route has lost and not told, returns how much it is. */
static uint64_t note_losses(struct sl_route *route)
{
    uint64_t sum = 0;

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        uint64_t lost = lost_by(route, (enum sl_drop_reason)i);
        sum += lost - route->told.dropped[i];
        route->told.dropped[i] = lost;
    }
    return sum;
}

void sl_mark_gaps(struct sl_stream *stream)
{
    for (size_t i = 0; stream->is_connected && i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        if (route->config.has_markers && !sl_stall_is_on(route) && sl_mark_give(stream, route)) {
            tell_losses(stream, route);
            (void)sl_mark_give(stream, route);
        }
    }
}

/* ---- what happens to a stream ---- */

/* All that lies between the epoch before and this one. Where that ended because its sink had to
 * start anew, whatever was lost of it is told by this one marker. */
static struct sl_marker gap_between(const struct sl_stream *stream, struct sl_route *route)
{
    struct sl_marker gap = {
        .kind = SL_MARKER_GAP,
        .reason = stream->was_stalled ? SL_STR("stalled")
                  : stream->seen_ns   ? SL_STR("reconnect")
                                      : SL_STR("start"),
        .from_ns = stream->seen_ns, /* 0: who wrote before knows since when */
        .to_ns = stream->received_ns,
    };

    if (route->is_restarted) {
        gap.reason = SL_STR("sink-restart");
        gap.from_ns = route->lost_ns;
        gap.count = note_losses(route);
    }
    return gap;
}

static void connect(struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    const struct sl_marker connected = {.kind = SL_MARKER_CONNECTED};

    stream->is_connected = true;
    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        struct sl_route_place *place =
            route->config.has_markers ? sl_route_place_of(route, response) : NULL;
        const struct sl_marker gap = gap_between(stream, route);
        route->is_restarted = false;
        add(stream, route, place, &connected);
        add(stream, route, place, &gap);
        route->told.at_ns = stream->received_ns;
        route->is_stale_told = false;
    }
    stream->was_stalled = false;
}

void sl_mark_message(struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    if (!stream->is_connected) {
        connect(stream, response);
    }
    stream->seen_ns = stream->received_ns;
}

void sl_mark_synced_late(struct sl_stream *stream, struct sl_route *route)
{
    const struct sl_marker marker = {.kind = SL_MARKER_SYNCED};

    if (!sl_format_marks_sync(route->config.encoder.format)) {
        add(stream, route, route->last_place, &marker);
    }
}

void sl_mark_synced(struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        if (sl_stall_is_on(route)) {
            sl_stall_note_synced(route);
        } else {
            sl_mark_synced_late(stream, route);
        }
    }
}

/* Not where something is kept that came before. */
void sl_mark_stale(struct sl_stream *stream, int64_t since_ns)
{
    const struct sl_marker marker = {.kind = SL_MARKER_STALE, .from_ns = since_ns};

    for (size_t i = 0; stream->is_connected && i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        if (!sl_stall_is_on(route)) {
            add(stream, route, route->last_place, &marker);
            route->is_stale_told = true;
            (void)sl_mark_give(stream, route);
        }
    }
}

static void resume(struct sl_stream *stream, struct sl_route *route, int64_t since_ns)
{
    const struct sl_marker marker = {.kind = SL_MARKER_RESUMED, .from_ns = since_ns};

    if (route->is_stale_told && !sl_stall_is_on(route)) {
        add(stream, route, route->last_place, &marker);
        route->is_stale_told = false;
    }
}

void sl_mark_resumed(struct sl_stream *stream, int64_t since_ns)
{
    for (size_t i = 0; stream->is_connected && i < stream->config.route_count; i++) {
        resume(stream, &stream->routes[i], since_ns);
    }
}

static void disconnect(struct sl_stream *stream, struct sl_route *route,
                       const struct sl_status *why)
{
    const struct sl_marker marker = {
        .kind = SL_MARKER_DISCONNECTED,
        .reason = sl_str_from(sl_status_reason(why)),
        .code = sl_str_from(sl_code_name(why->code)),
        .text = sl_str_from(why->text),
    };

    if (route->config.has_markers && !route->is_restarted) {
        tell_losses(stream, route);
    }
    add(stream, route, route->last_place, &marker);
}

void sl_mark_disconnected(struct sl_stream *stream, const struct sl_status *why)
{
    if (!stream->is_connected) {
        return;
    }
    for (size_t i = 0; i < stream->config.route_count; i++) {
        if (!sl_stall_is_on(&stream->routes[i])) {
            disconnect(stream, &stream->routes[i], why);
        }
    }
    stream->is_connected = false;
    (void)sl_mark_give_all(stream);
}

void sl_mark_stall_over(struct sl_stream *stream, struct sl_route *route, bool owes_sync,
                        const struct sl_status *end)
{
    if (owes_sync) {
        sl_mark_synced_late(stream, route);
    }
    if (end) {
        disconnect(stream, route, end);
    } else if (stream->is_connected) {
        if (!stream->view.is_stale) {
            resume(stream, route, stream->seen_ns);
        }
        if (route->config.has_markers) {
            tell_losses(stream, route);
        }
    }
    (void)sl_mark_give(stream, route);
}
