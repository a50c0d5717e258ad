#include "normalise/marker.h"

#include "gnmi/pack.h"
#include "normalise/text.h"

/* Fields of gnmi.proto. */
enum {
    RESPONSE_UPDATE = 1,
    NOTIFICATION_TIMESTAMP = 1,
    NOTIFICATION_UPDATE = 4,
    UPDATE_PATH = 1,
    UPDATE_VALUE = 3,
    PATH_ELEM = 3,
    ELEM_NAME = 1,
    ELEM_KEY = 2,
    KEY_NAME = 1,
    KEY_VALUE = 2,
    VALUE_STRING = 1,
    VALUE_UINT = 3,
    VALUE_JSON = 10,
};

enum { MOST_MEMBERS = 8 };

const char *sl_marker_kind_name(enum sl_marker_kind kind)
{
    switch (kind) {
    case SL_MARKER_CONNECTED:
        return "connected";
    case SL_MARKER_SYNCED:
        return "synced";
    case SL_MARKER_GAP:
        return "gap";
    case SL_MARKER_STALE:
        return "stale";
    case SL_MARKER_RESUMED:
        return "resumed";
    case SL_MARKER_DISCONNECTED:
        return "disconnected";
    }
    return "unknown";
}

/* ---- members ---- */

struct member {
    const char *name;
    struct sl_str text; /* data NULL: a number */
    uint64_t number;
};

static size_t list_members(const struct sl_marker *marker, const struct sl_encoder_context *context,
                           struct member *members)
{
    const bool has_time = marker->kind == SL_MARKER_GAP || marker->from_ns;
    size_t count = 0;

    members[count++] = (struct member){"kind", sl_str_from(sl_marker_kind_name(marker->kind)), 0};
    members[count++] = (struct member){"epoch", {NULL, 0}, context->epoch};
    members[count++] = (struct member){"seq", {NULL, 0}, context->seq};
    if (marker->reason.len) {
        members[count++] = (struct member){"reason", marker->reason, 0};
    }
    if (marker->kind == SL_MARKER_GAP) {
        members[count++] = (struct member){"count", {NULL, 0}, marker->count};
    }
    if (has_time) {
        members[count++] = (struct member){"from", {NULL, 0}, (uint64_t)marker->from_ns};
    }
    if (marker->kind == SL_MARKER_GAP) {
        members[count++] = (struct member){"to", {NULL, 0}, (uint64_t)marker->to_ns};
    }
    if (marker->kind == SL_MARKER_DISCONNECTED) {
        members[count++] = (struct member){"code", marker->code, 0};
        members[count++] = (struct member){"text", marker->text, 0};
    }
    SL_ASSERT(count <= MOST_MEMBERS);
    return count;
}

/* ---- the response ---- */

static void add_elem(struct sl_buf *out, const char *name, struct sl_str subscription)
{
    size_t elem = sl_pack_begin(out, PATH_ELEM);

    sl_pack_bytes(out, ELEM_NAME, sl_str_from(name));
    if (subscription.len) {
        size_t key = sl_pack_begin(out, ELEM_KEY);
        sl_pack_bytes(out, KEY_NAME, SL_STR("subscription"));
        sl_pack_bytes(out, KEY_VALUE, subscription);
        sl_pack_end(out, key);
    }
    sl_pack_end(out, elem);
}

/* /sluice/marker; of a metric /sluice/marker[subscription=…]/member. */
static void add_path(struct sl_buf *out, const char *member, struct sl_str subscription)
{
    const struct sl_str none = {NULL, 0};
    size_t path = sl_pack_begin(out, UPDATE_PATH);

    add_elem(out, "sluice", none);
    add_elem(out, "marker", member ? subscription : none);
    if (member) {
        add_elem(out, member, none);
    }
    sl_pack_end(out, path);
}

static void add_fields(struct sl_buf *out, const struct member *members, size_t count,
                       struct sl_str subscription)
{
    for (size_t i = 0; i < count; i++) {
        size_t update = sl_pack_begin(out, NOTIFICATION_UPDATE);
        add_path(out, members[i].name, subscription);
        size_t value = sl_pack_begin(out, UPDATE_VALUE);
        if (members[i].text.data) {
            sl_pack_bytes(out, VALUE_STRING, members[i].text);
        } else {
            sl_pack_varint(out, VALUE_UINT, members[i].number);
        }
        sl_pack_end(out, value);
        sl_pack_end(out, update);
    }
}

static void add_object(struct sl_buf *out, const struct member *members, size_t count)
{
    size_t update = sl_pack_begin(out, NOTIFICATION_UPDATE);
    add_path(out, NULL, (struct sl_str){NULL, 0});
    size_t value = sl_pack_begin(out, UPDATE_VALUE);
    size_t json = sl_pack_begin(out, VALUE_JSON);

    for (size_t i = 0; i < count; i++) {
        sl_buf_add_c(out, i ? "," : "{");
        sl_text_add_quoted(out, sl_str_from(members[i].name));
        sl_buf_add_byte(out, ':');
        if (members[i].text.data) {
            sl_text_add_quoted(out, members[i].text);
        } else {
            sl_buf_add_u64(out, members[i].number);
        }
    }
    sl_buf_add_byte(out, '}');
    sl_pack_end(out, json);
    sl_pack_end(out, value);
    sl_pack_end(out, update);
}

void sl_marker_respond(const struct sl_marker *marker, const struct sl_encoder_context *context,
                       struct sl_str subscription, bool is_metric, struct sl_buf *out)
{
    struct member members[MOST_MEMBERS];
    size_t count = list_members(marker, context, members);
    size_t notification = sl_pack_begin(out, RESPONSE_UPDATE);

    sl_pack_varint(out, NOTIFICATION_TIMESTAMP, (uint64_t)context->received_ns);
    if (is_metric) {
        add_fields(out, members, count, subscription);
    } else {
        add_object(out, members, count);
    }
    sl_pack_end(out, notification);
}
