/* A stream's row: one table of fields, by which rows are written and sorted. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/api_internal.h"

enum field_type {
    FIELD_TEXT,
    FIELD_NAME, /* a text with numbers in it */
    FIELD_U64,
    FIELD_SECONDS,
    FIELD_LAG,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_HOLDER
};

struct sl_api_order {
    const char *name; /* NULL ends the table */
    enum field_type type;
    size_t offset; /* in struct sl_api_stream */
};

#define AT(field) offsetof(struct sl_api_stream, field)

/* In the order in which they are written. */
static const struct sl_api_order fields[] = {
    {"target", FIELD_NAME, AT(target)},
    {"subscription", FIELD_TEXT, AT(subscription)},
    {"worker", FIELD_U64, AT(worker)},
    {"state", FIELD_TEXT, AT(state)},
    {"condition", FIELD_TEXT, AT(condition)},
    {"level", FIELD_TEXT, AT(level)},
    {"synced", FIELD_BOOL, AT(is_synced)},
    {"epoch", FIELD_U64, AT(epoch)},
    {"limit_bytes", FIELD_U64, AT(limit_bytes)},
    {"granted_bytes", FIELD_U64, AT(granted_bytes)},
    {"held_bytes", FIELD_U64, AT(held_bytes)},
    {"assembling_bytes", FIELD_U64, AT(assembling_bytes)},
    {"pending_bytes", FIELD_U64, AT(pending_bytes)},
    {"free_bytes", FIELD_U64, AT(free_bytes)},
    {"blocked", FIELD_BOOL, AT(is_blocked)},
    {"blocked_s", FIELD_SECONDS, AT(blocked_ns)},
    {"limited", FIELD_TEXT, AT(limited)},
    {"stalled", FIELD_BOOL, AT(is_stalled)},
    {"stale", FIELD_BOOL, AT(is_stale)},
    {"messages", FIELD_U64, AT(messages)},
    {"message_bytes", FIELD_U64, AT(message_bytes)},
    {"received", FIELD_U64, AT(received)},
    {"received_per_s", FIELD_NUMBER, AT(received_per_s)},
    {"published", FIELD_U64, AT(published)},
    {"filtered", FIELD_U64, AT(filtered)},
    {"dropped", FIELD_U64, AT(dropped)},
    {"held", FIELD_U64, AT(held)},
    {"lag_s", FIELD_LAG, AT(lag_ns)},
    {"last_error", FIELD_TEXT, AT(last_error)},
    {.name = NULL},
};

/* By which rows are sorted beside them; the first of a name is the one. */
static const struct sl_api_order orders[] = {
    {"id", FIELD_NAME, AT(target)},
    {"level", FIELD_U64, AT(rank)},
    {"held_by", FIELD_HOLDER, AT(holder)},
    {"held_share", FIELD_NUMBER, AT(held_share)},
    {.name = NULL},
};

static const void *value_at(const struct sl_api_stream *stream, const struct sl_api_order *field)
{
    return (const char *)stream + field->offset;
}

static uint64_t u64_at(const struct sl_api_stream *stream, const struct sl_api_order *field)
{
    uint64_t value;

    memcpy(&value, value_at(stream, field), sizeof(value));
    return value;
}

static double number_at(const struct sl_api_stream *stream, const struct sl_api_order *field)
{
    double value;

    memcpy(&value, value_at(stream, field), sizeof(value));
    return value;
}

static const char *text_at(const struct sl_api_stream *stream, const struct sl_api_order *field)
{
    const char *text;

    memcpy(&text, value_at(stream, field), sizeof(text));
    return text;
}

static bool bool_at(const struct sl_api_stream *stream, const struct sl_api_order *field)
{
    return *(const bool *)value_at(stream, field);
}

/* ---- flat ---- */

uint64_t sl_api_dropped(const struct sl_route_counts *counts)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < SL_DROP_REASONS; i++) {
        sum += counts->dropped[i];
    }
    return sum;
}

static void take_credit(struct sl_api_stream *stream, const struct sl_stream_view *view)
{
    stream->limit_bytes = view->limit_bytes;
    stream->granted_bytes = view->granted_bytes;
    stream->held_bytes = view->held_bytes;
    stream->assembling_bytes = view->assembling_bytes;
    stream->pending_bytes = view->pending_bytes;
    uint64_t used = stream->granted_bytes + stream->held_bytes + stream->assembling_bytes +
                    stream->pending_bytes;
    stream->free_bytes = used < stream->limit_bytes ? stream->limit_bytes - used : 0;
}

static void take_counts(struct sl_api_stream *stream, const struct sl_stream_row *row)
{
    struct sl_route_counts sum = {0};

    for (size_t i = 0; i < row->route_count; i++) {
        sl_route_counts_add(&sum, &row->routes[i].counts);
    }
    stream->received = sum.received;
    stream->published = sum.published;
    stream->filtered = sum.filtered;
    stream->dropped = sl_api_dropped(&sum);
    stream->held = sum.held;
}

/* Why its last RPC ended; while it waits for a connection, why there is none. */
static const char *last_error(const struct sl_stream_row *row)
{
    bool is_waiting = row->view.state == SL_STREAM_WAITING && row->target.last_reason;

    return is_waiting ? row->target.last_reason : row->view.last_reason;
}

void sl_api_stream_init(struct sl_api_stream *stream, const struct sl_stream_row *row,
                        unsigned worker)
{
    const struct sl_stream_view *view = &row->view;

    *stream = (struct sl_api_stream){
        .row = row,
        .target = view->target,
        .subscription = view->subscription,
        .state = sl_stream_state_name(view->state),
        .limited = sl_limited_name(view->limited),
        .last_error = last_error(row),
        .worker = worker,
        .epoch = view->epoch,
        .messages = view->messages,
        .message_bytes = view->message_bytes,
        .blocked_ns = view->blocked_ns,
        .lag_ns = view->lag_ns,
        .is_synced = view->is_synced,
        .is_blocked = view->is_blocked,
        .is_stalled = view->is_stalled,
        .is_stale = view->is_stale,
    };
    take_credit(stream, view);
    take_counts(stream, row);
    sl_api_condition(stream);
}

/* ---- JSON ---- */

static json_t *field_json(struct sl_json *json, const struct sl_api_stream *stream,
                          const struct sl_api_order *field)
{
    switch (field->type) {
    case FIELD_TEXT:
    case FIELD_NAME:
    case FIELD_HOLDER:
        return sl_json_text(json, text_at(stream, field));
    case FIELD_U64:
        return sl_json_u64(json, u64_at(stream, field));
    case FIELD_SECONDS:
        return sl_json_seconds(json, (int64_t)u64_at(stream, field));
    case FIELD_LAG: /* 0: not known yet */
        return u64_at(stream, field) ? sl_json_seconds(json, (int64_t)u64_at(stream, field))
                                     : sl_json_text(json, NULL);
    case FIELD_NUMBER:
        return sl_json_number(json, number_at(stream, field));
    case FIELD_BOOL:
        break;
    }
    return sl_json_bool(json, bool_at(stream, field));
}

json_t *sl_api_id_json(struct sl_json *json, const struct sl_stream_row *row)
{
    struct sl_buf id = {0};

    sl_buf_printf(&id, "%s/%s", row->view.target, row->view.subscription);
    json_t *value = sl_json_text(json, sl_buf_text(&id));
    json->failed = json->failed || id.failed;
    sl_buf_fini(&id);
    return value;
}

/* Where records are that nobody acknowledged yet. */
static json_t *held_by_json(struct sl_json *json, const struct sl_stream_row *row)
{
    json_t *array = sl_json_array(json);

    for (size_t i = 0; i < row->route_count; i++) {
        const struct sl_route_row *route = &row->routes[i];
        for (size_t j = 0; j < route->place_count; j++) {
            if (route->places[j].held == 0) {
                continue;
            }
            json_t *object = sl_json_object(json);
            sl_json_put(json, object, "sink", sl_json_text(json, route->sink->name));
            sl_json_put(json, object, "destination",
                        sl_json_str(json, route->places[j].destination));
            sl_json_put(json, object, "held", sl_json_u64(json, route->places[j].held));
            sl_json_add(json, array, object);
        }
    }
    return array;
}

void sl_api_put_counts(struct sl_json *json, json_t *object, const struct sl_route_counts *counts)
{
    json_t *dropped = sl_json_object(json);

    for (int i = 0; i < SL_DROP_REASONS; i++) {
        if (counts->dropped[i] > 0) {
            sl_json_put(json, dropped, sl_drop_reason_name((enum sl_drop_reason)i),
                        sl_json_u64(json, counts->dropped[i]));
        }
    }
    sl_json_put(json, object, "received", sl_json_u64(json, counts->received));
    sl_json_put(json, object, "published", sl_json_u64(json, counts->published));
    sl_json_put(json, object, "filtered", sl_json_u64(json, counts->filtered));
    sl_json_put(json, object, "dropped", dropped);
    sl_json_put(json, object, "held", sl_json_u64(json, counts->held));
}

static json_t *route_json(struct sl_json *json, const struct sl_route_row *route)
{
    json_t *object = sl_json_object(json);
    json_t *destinations = sl_json_array(json);

    sl_json_put(json, object, "subscription", sl_json_text(json, route->subscription));
    sl_json_put(json, object, "sink", sl_json_text(json, route->sink->name));
    sl_api_put_counts(json, object, &route->counts);
    for (size_t i = 0; i < route->place_count; i++) {
        json_t *place = sl_json_object(json);
        sl_json_put(json, place, "name", sl_json_str(json, route->places[i].destination));
        sl_json_put(json, place, "held", sl_json_u64(json, route->places[i].held));
        sl_json_add(json, destinations, place);
    }
    sl_json_put(json, object, "destinations", destinations);
    return object;
}

static json_t *member_json(struct sl_json *json, const struct sl_member_row *member)
{
    json_t *object = sl_json_object(json);
    json_t *paths = sl_json_array(json);

    for (size_t i = 0; i < sl_min_size(member->quarantined, SL_SNAPSHOT_PATHS); i++) {
        sl_json_add(json, paths, sl_json_text(json, member->paths[i]));
    }
    sl_json_put(json, object, "subscription", sl_json_text(json, member->subscription));
    sl_json_put(json, object, "quarantined", paths);
    sl_json_put(json, object, "quarantined_paths", sl_json_u64(json, member->quarantined));
    return object;
}

static void put_parts(struct sl_json *json, json_t *object, const struct sl_stream_row *row)
{
    json_t *members = sl_json_array(json);
    json_t *routes = sl_json_array(json);

    for (size_t i = 0; i < row->member_count; i++) {
        sl_json_add(json, members, member_json(json, &row->members[i]));
    }
    for (size_t i = 0; i < row->route_count; i++) {
        sl_json_add(json, routes, route_json(json, &row->routes[i]));
    }
    sl_json_put(json, object, "members", members);
    sl_json_put(json, object, "routes", routes);
}

json_t *sl_api_stream_json(struct sl_json *json, const struct sl_api_stream *stream, bool is_whole)
{
    json_t *object = sl_json_object(json);

    sl_json_put(json, object, "id", sl_api_id_json(json, stream->row));
    for (const struct sl_api_order *field = fields; field->name; field++) {
        sl_json_put(json, object, field->name, field_json(json, stream, field));
    }
    sl_json_put(json, object, "held_by", held_by_json(json, stream->row));
    if (is_whole) {
        put_parts(json, object, stream->row);
    }
    return object;
}

/* ---- order ---- */

static const struct sl_api_order *find_order(const struct sl_api_order *table, const char *name)
{
    for (const struct sl_api_order *field = table; field->name; field++) {
        if (strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

const struct sl_api_order *sl_api_order_find(const char *name)
{
    const struct sl_api_order *order = find_order(orders, name);

    return order ? order : find_order(fields, name);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static int compare_u64s(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* What is not known is less than all. */
static int compare_numbers(double a, double b)
{
    return isnan(a) || isnan(b) ? isnan(b) - isnan(a) : (a > b) - (a < b);
}

/* What nobody holds comes last. */
static int compare_holders(const struct sl_api_stream *a, const struct sl_api_stream *b)
{
    int result;

    if (!a->holder || !b->holder) {
        return !a->holder - !b->holder;
    }
    result = strverscmp(a->holder, b->holder);
    return result ? result : sl_str_cmp(a->holder_place, b->holder_place);
}

static int compare_fields(const struct sl_api_order *order, const struct sl_api_stream *a,
                          const struct sl_api_stream *b)
{
    switch (order->type) {
    case FIELD_TEXT:
        return strcmp(or_empty(text_at(a, order)), or_empty(text_at(b, order)));
    case FIELD_NAME:
        return strverscmp(text_at(a, order), text_at(b, order));
    case FIELD_NUMBER:
        return compare_numbers(number_at(a, order), number_at(b, order));
    case FIELD_HOLDER:
        return compare_holders(a, b);
    case FIELD_BOOL:
        return bool_at(a, order) - bool_at(b, order);
    case FIELD_U64:
    case FIELD_SECONDS: /* no duration of ours is below 0 */
    case FIELD_LAG:
        break;
    }
    return compare_u64s(u64_at(a, order), u64_at(b, order));
}

int sl_api_order_compare(const struct sl_api_order *order, bool is_descending,
                         const struct sl_api_stream *a, const struct sl_api_stream *b)
{
    int result = compare_fields(order, a, b);

    result = result || order != &orders[0] ? result : strcmp(a->subscription, b->subscription);
    if (result) {
        return is_descending ? -result : result;
    }
    result = strverscmp(a->target, b->target);
    return result ? result : strcmp(a->subscription, b->subscription);
}
