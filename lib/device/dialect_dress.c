/* dialect_dress.c - what is odd in the messages of each vendor, a small function each. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/dress.h"

/* ---- pieces ---- */

/* "" is what an empty string of protobuf-c is already, and is not to be freed. */
static void set_text(struct sl_device_dress *dress, char **field, const char *text)
{
    char *copy = sl_str_dup(sl_str_from(text));

    if (!copy) {
        dress->queue.failed = true;
        return;
    }
    if (**field) {
        free(*field);
    }
    *field = copy;
}

static void set_module(struct sl_device_dress *dress, char **name, const char *module)
{
    struct sl_buf joined = {.data = NULL};

    if (!strchr(*name, ':')) {
        sl_buf_printf(&joined, "%s:%s", module, *name);
        set_text(dress, name, sl_buf_text(&joined));
        dress->queue.failed = dress->queue.failed || joined.failed;
        sl_buf_fini(&joined);
    }
}

/* The module that OpenConfig has an element in, as far as names tell. */
static void set_own_module(struct sl_device_dress *dress, char **name)
{
    struct sl_buf module = {.data = NULL};

    sl_buf_printf(&module, "openconfig-%s", *name);
    set_module(dress, name, sl_buf_text(&module));
    dress->queue.failed = dress->queue.failed || module.failed;
    sl_buf_fini(&module);
}

typedef void (*path_fn)(struct sl_device_dress *dress, Gnmi__Path *path);

static void each_path(struct sl_device_dress *dress, Gnmi__Notification *notification, path_fn fn)
{
    for (size_t i = 0; i < notification->n_update; i++) {
        fn(dress, notification->update[i]->path);
    }
    for (size_t i = 0; i < notification->n_delete_; i++) {
        fn(dress, notification->delete_[i]);
    }
}

static void first_module(struct sl_device_dress *dress, Gnmi__Path *path)
{
    if (path->n_elem > 0 && !*path->origin) {
        set_own_module(dress, &path->elem[0]->name);
    }
}

static void drop_prefix(Gnmi__Notification *notification)
{
    if (notification->prefix) {
        gnmi__path__free_unpacked(notification->prefix, NULL);
        notification->prefix = NULL;
    }
}

static const char *origin_of(const Gnmi__Notification *notification)
{
    return notification->prefix ? notification->prefix->origin : "";
}

static int64_t whole_ms(int64_t time_ns)
{
    return time_ns - time_ns % SL_NS_PER_MS;
}

/* A response with parts of another one. */
static void emit_part(struct sl_device_dress *dress, const Gnmi__Notification *part)
{
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    Gnmi__Notification copy = *part;

    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = &copy;
    sl_device_dress_emit(dress, &response);
}

/* ---- Arista ---- */

/* Leaf by leaf, each with its time and without a prefix; what is gone together. */
void sl_device_dress_arista(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    const Gnmi__Notification *whole = response->update;
    const char *origin = origin_of(whole);

    for (size_t i = 0; i < whole->n_update; i++) {
        Gnmi__Notification leaf = GNMI__NOTIFICATION__INIT;

        if (*origin) {
            set_text(dress, &whole->update[i]->path->origin, origin);
        }
        leaf.timestamp = whole->timestamp + (int64_t)i * 1000;
        leaf.n_update = 1;
        leaf.update = &whole->update[i];
        emit_part(dress, &leaf);
    }
    if (whole->n_delete_ > 0) {
        Gnmi__Notification gone = *whole;

        gone.n_update = 0;
        emit_part(dress, &gone);
    }
}

/* ---- Cisco ---- */

void sl_device_dress_xr(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;
    const Gnmi__Path empty = GNMI__PATH__INIT;
    Gnmi__Path prefix = GNMI__PATH__INIT;
    Gnmi__Notification spurious = *notification;

    prefix.origin = notification->prefix && *notification->prefix->origin
                        ? notification->prefix->origin
                        : empty.origin;
    spurious.prefix = &prefix;
    spurious.timestamp = whole_ms(notification->timestamp);
    emit_part(dress, &spurious);
    spurious.timestamp = 0;
    emit_part(dress, &spurious);
}

void sl_device_dress_xe(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    drop_prefix(response->update);
    each_path(dress, response->update, first_module);
    sl_device_dress_emit(dress, response);
}

/* ---- Juniper ---- */

enum {
    HEADER_SYSTEM = 0x0a, /* tags of GnmiJuniperTelemetryHeaderExtension */
    HEADER_COMPONENT_ID = 0x10,
    HEADER_SENSOR = 0x22,
    HEADER_COMPONENT = 0x3a,
    HEADER_SEQUENCE = 0x40,
    HEADER_EOM = 0x70,
};

static void add_varint(struct sl_buf *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        sl_buf_add_byte(out, (char)(value | 0x80));
    }
    sl_buf_add_byte(out, (char)value);
}

static void add_text(struct sl_buf *out, char tag, const char *text)
{
    sl_buf_add_byte(out, tag);
    add_varint(out, strlen(text));
    sl_buf_add_c(out, text);
}

static uint64_t next_sequence(struct sl_device_dress *dress)
{
    dress->sequence++;
    if (dress->lose_every > 0 && dress->sequence % dress->lose_every == 0) {
        dress->sequence++;
    }
    return dress->sequence;
}

static void emit_with_header(struct sl_device_dress *dress, Gnmi__Notification *notification,
                             bool is_end)
{
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__Extension *extensions[] = {&extension};
    GnmiExt__RegisteredExtension registered = GNMI_EXT__REGISTERED_EXTENSION__INIT;
    struct sl_buf header = {.data = NULL};

    add_text(&header, HEADER_SYSTEM, "sim:127.0.0.1");
    sl_buf_add_byte(&header, HEADER_COMPONENT_ID);
    add_varint(&header, 65535);
    add_text(&header, HEADER_SENSOR, "sensor_1000_1_1:/interfaces/:/interfaces/:mib2d");
    add_text(&header, HEADER_COMPONENT, "mib2d");
    sl_buf_add_byte(&header, HEADER_SEQUENCE);
    add_varint(&header, next_sequence(dress));
    sl_buf_add_byte(&header, HEADER_EOM);
    add_varint(&header, is_end);
    registered.id = (GnmiExt__ExtensionID)1;
    registered.msg.data = (uint8_t *)header.data;
    registered.msg.len = header.len;
    extension.ext_case = GNMI_EXT__EXTENSION__EXT_REGISTERED_EXT;
    extension.registered_ext = &registered;
    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = notification;
    response.n_extension = 1;
    response.extension = extensions;
    dress->queue.failed = dress->queue.failed || header.failed;
    sl_device_dress_emit(dress, &response);
    sl_buf_fini(&header);
}

/* Behind each element with keys one that has them and no name. */
static void part_keys(struct sl_device_dress *dress, Gnmi__Path *path)
{
    Gnmi__PathElem **elems = calloc(2 * path->n_elem + 1, sizeof(*elems));
    size_t count = 0;

    for (size_t i = 0; elems && i < path->n_elem; i++) {
        Gnmi__PathElem *named = path->elem[i];
        Gnmi__PathElem *keys = named->n_key > 0 ? malloc(sizeof(*keys)) : NULL;

        elems[count++] = named;
        dress->queue.failed = dress->queue.failed || (named->n_key > 0 && !keys);
        if (keys) {
            gnmi__path_elem__init(keys);
            keys->n_key = named->n_key;
            keys->key = named->key;
            named->n_key = 0;
            named->key = NULL;
            elems[count++] = keys;
        }
    }
    if (!elems) {
        dress->queue.failed = true;
        return;
    }
    free(path->elem);
    path->elem = elems;
    path->n_elem = count;
}

/* An update of a leaf of one or two elements, on the caller's stack. */
struct small_update {
    Gnmi__Update update;
    Gnmi__Path path;
    Gnmi__PathElem elems[2];
    Gnmi__PathElem *pointers[2];
    Gnmi__TypedValue value;
};

static char junos_time[] = "__timestamp__";
static char junos_system[] = "system";
static char junos_load[] = "load";

static void fill_small(struct small_update *small, char *first, char *second, uint64_t number)
{
    gnmi__update__init(&small->update);
    gnmi__path__init(&small->path);
    gnmi__typed_value__init(&small->value);
    for (size_t i = 0; i < 2; i++) {
        gnmi__path_elem__init(&small->elems[i]);
        small->pointers[i] = &small->elems[i];
    }
    small->elems[0].name = first;
    small->elems[1].name = second ? second : small->elems[1].name;
    small->path.n_elem = second ? 2 : 1;
    small->path.elem = small->pointers;
    small->value.value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
    small->value.uint_val = number;
    small->update.path = &small->path;
    small->update.val = &small->value;
}

static void emit_stamped(struct sl_device_dress *dress, const Gnmi__Notification *notification)
{
    Gnmi__Update **updates = calloc(notification->n_update + 1, sizeof(*updates));
    Gnmi__Notification stamped = *notification;
    struct small_update stamp;

    if (!updates) {
        dress->queue.failed = true;
        return;
    }
    fill_small(&stamp, junos_time, NULL, (uint64_t)(notification->timestamp / SL_NS_PER_MS));
    updates[0] = &stamp.update;
    for (size_t i = 0; i < notification->n_update; i++) {
        updates[i + 1] = notification->update[i];
    }
    stamped.n_update = notification->n_update + 1;
    stamped.update = updates;
    emit_with_header(dress, &stamped, true);
    free(updates);
}

static void emit_unasked(struct sl_device_dress *dress, int64_t timestamp_ns)
{
    Gnmi__Notification unasked = GNMI__NOTIFICATION__INIT;
    struct small_update load;
    Gnmi__Update *updates[] = {&load.update};

    fill_small(&load, junos_system, junos_load, dress->dressed);
    unasked.timestamp = timestamp_ns;
    unasked.n_update = 1;
    unasked.update = updates;
    emit_with_header(dress, &unasked, false);
}

void sl_device_dress_junos(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;

    if (notification->prefix && *notification->prefix->origin) {
        set_text(dress, &notification->prefix->origin, "");
    }
    notification->timestamp = whole_ms(notification->timestamp);
    each_path(dress, notification, part_keys);
    emit_unasked(dress, notification->timestamp);
    emit_stamped(dress, notification);
}

/* ---- Nokia ---- */

static bool is_long_number(const Gnmi__TypedValue *value)
{
    const ProtobufCBinaryData *text = &value->json_val;

    if (value->value_case != GNMI__TYPED_VALUE__VALUE_JSON_VAL || text->len < 10) {
        return false;
    }
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return false;
        }
    }
    return true;
}

static void quote(struct sl_device_dress *dress, ProtobufCBinaryData *text)
{
    uint8_t *quoted = malloc(text->len + 2);

    if (!quoted) {
        dress->queue.failed = true;
        return;
    }
    quoted[0] = '"';
    memcpy(quoted + 1, text->data, text->len);
    quoted[text->len + 1] = '"';
    free(text->data);
    text->data = quoted;
    text->len += 2;
}

/* The bytes of a schema that nobody has: those of the value itself stand for it. */
static void emit_opaque(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;

    for (size_t i = 0; i < notification->n_update; i++) {
        Gnmi__TypedValue *value = notification->update[i]->val;
        size_t size = gnmi__typed_value__get_packed_size(value);
        uint8_t *bytes = malloc(size + 1);

        if (!bytes) {
            dress->queue.failed = true;
            return;
        }
        gnmi__typed_value__pack(value, bytes);
        gnmi__typed_value__free_unpacked(value, NULL);
        value = malloc(sizeof(*value));
        notification->update[i]->val = value;
        if (!value) {
            free(bytes);
            dress->queue.failed = true;
            return;
        }
        gnmi__typed_value__init(value);
        value->value_case = GNMI__TYPED_VALUE__VALUE_PROTO_BYTES;
        value->proto_bytes.data = bytes;
        value->proto_bytes.len = size;
    }
    sl_device_dress_emit(dress, response);
}

void sl_device_dress_sros(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;

    if (dress->list->encoding == GNMI__ENCODING__PROTO) {
        emit_opaque(dress, response);
        return;
    }
    for (size_t i = 0; i < notification->n_update; i++) {
        Gnmi__TypedValue *value = notification->update[i]->val;
        if (is_long_number(value)) {
            quote(dress, &value->json_val);
        }
    }
    sl_device_dress_emit(dress, response);
}

void sl_device_dress_srl(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;
    const char *asked = origin_of(notification);
    const char *origin = *asked ? asked : "openconfig";

    for (size_t i = 0; i < notification->n_update; i++) {
        set_text(dress, &notification->update[i]->path->origin, origin);
    }
    for (size_t i = 0; i < notification->n_delete_; i++) {
        set_text(dress, &notification->delete_[i]->origin, origin);
    }
    if (*asked) {
        set_text(dress, &notification->prefix->origin, "");
    }
    sl_device_dress_emit(dress, response);
}

/* ---- others ---- */

/* Nobody can say what time it was: none, seconds, 1970, years ahead, and sometimes the time. */
void sl_device_dress_sonic(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    int64_t now_ns = response->update->timestamp;
    const int64_t times[] = {0, now_ns / SL_NS_PER_S, 12345 * SL_NS_PER_S,
                             now_ns + INT64_C(10) * 365 * 24 * 3600 * SL_NS_PER_S, now_ns};

    response->update->timestamp = times[dress->dressed % SL_ARRAY_LEN(times)];
    sl_device_dress_emit(dress, response);
}

static void emit_beside_deletes(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;
    Gnmi__Update **updates = calloc(notification->n_update + 1, sizeof(*updates));
    Gnmi__Notification more = *notification;
    Gnmi__Update empty = GNMI__UPDATE__INIT;

    if (!updates) {
        dress->queue.failed = true;
        return;
    }
    updates[0] = &empty;
    for (size_t i = 0; i < notification->n_update; i++) {
        updates[i + 1] = notification->update[i];
    }
    more.n_update = notification->n_update + 1;
    more.update = updates;
    emit_part(dress, &more);
    free(updates);
}

void sl_device_dress_huawei(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    response->update->timestamp /= SL_NS_PER_MS;
    each_path(dress, response->update, first_module);
    if (response->update->n_delete_ > 0) {
        emit_beside_deletes(dress, response);
    } else {
        sl_device_dress_emit(dress, response);
    }
}

static void all_modules(struct sl_device_dress *dress, Gnmi__Path *path)
{
    struct sl_buf module = {.data = NULL};

    sl_buf_printf(&module, "openconfig-%s", path->n_elem > 0 ? path->elem[0]->name : "");
    for (size_t i = 0; i < path->n_elem; i++) {
        set_module(dress, &path->elem[i]->name, sl_buf_text(&module));
    }
    dress->queue.failed = dress->queue.failed || module.failed;
    sl_buf_fini(&module);
}

/* 18 digits behind the point, where they fit. */
static void set_decimal(struct sl_device_dress *dress, Gnmi__TypedValue *value)
{
    double number = value->double_val;
    Gnmi__Decimal64 *decimal;

    if (value->value_case != GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL || !(fabs(number) < 9)) {
        return;
    }
    decimal = malloc(sizeof(*decimal));
    if (!decimal) {
        dress->queue.failed = true;
        return;
    }
    gnmi__decimal64__init(decimal);
    decimal->digits = (int64_t)(number * 1e18);
    decimal->precision = 18;
    value->value_case = GNMI__TYPED_VALUE__VALUE_DECIMAL_VAL;
    value->decimal_val = decimal;
}

void sl_device_dress_generic(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response)
{
    Gnmi__Notification *notification = response->update;
    Gnmi__Path *prefix = notification->prefix;

    if (!prefix) {
        prefix = malloc(sizeof(*prefix));
        if (!prefix) {
            dress->queue.failed = true;
            return;
        }
        gnmi__path__init(prefix);
        notification->prefix = prefix;
    }
    set_text(dress, &prefix->origin, "Ciena");
    each_path(dress, notification, all_modules);
    for (size_t i = 0; i < notification->n_update; i++) {
        set_decimal(dress, notification->update[i]->val);
    }
    sl_device_dress_emit(dress, response);
}
