#include "roads.h"

#include <stdlib.h>
#include <string.h>

#include "sluice.pb-c.h"

#include "gnmi/path.h"
#include "protobuf.h"

/* ---- what the walk finds, against protobuf-c's objects ---- */

static bool is_bytes(struct sl_str found, const ProtobufCBinaryData *expected)
{
    return sl_str_eq(found, (struct sl_str){(const char *)expected->data, expected->len});
}

static void assert_elem(struct sl_gnmi_elem *elem, const Gnmi__PathElem *expected)
{
    struct sl_gnmi_key key;
    size_t keys = 0;

    SL_ASSERT(sl_str_eq_c(elem->name, expected->name));
    while (sl_gnmi_elem_next_key(elem, &key)) {
        SL_ASSERT(keys < expected->n_key);
        SL_ASSERT(sl_str_eq_c(key.name, expected->key[keys]->key));
        SL_ASSERT(sl_str_eq_c(key.value, expected->key[keys]->value));
        keys++;
    }
    SL_ASSERT(keys == expected->n_key);
}

/* A deprecated element: its name, and the keys behind it as they stand. */
static void assert_text_elem(struct sl_gnmi_elem *elem, const char *expected)
{
    struct sl_gnmi_key key;
    struct sl_buf text = {0};

    sl_buf_add_str(&text, elem->name);
    while (sl_gnmi_elem_next_key(elem, &key)) {
        sl_buf_add_byte(&text, '[');
        sl_buf_add_str(&text, key.name);
        sl_buf_add_byte(&text, '=');
        sl_buf_add_str(&text, key.value);
        sl_buf_add_byte(&text, ']');
    }
    SL_ASSERT(sl_str_eq_c(sl_buf_str(&text), expected));
    sl_buf_fini(&text);
}

static void assert_path(struct sl_str bytes, const Gnmi__Path *expected)
{
    struct sl_gnmi_path path;
    struct sl_gnmi_elem elem;
    size_t count = 0;

    sl_gnmi_path_read(bytes, &path);
    SL_ASSERT(sl_str_eq_c(path.origin, expected->origin));
    SL_ASSERT(sl_str_eq_c(path.target, expected->target));
    SL_ASSERT(path.has_elem == (expected->n_elem > 0));
    size_t end = path.has_elem ? expected->n_elem : expected->n_element;

    while (sl_gnmi_path_next(&path, &elem)) {
        SL_ASSERT(count < end);
        if (path.has_elem) {
            assert_elem(&elem, expected->elem[count]);
        } else {
            assert_text_elem(&elem, expected->element[count]);
        }
        count++;
    }
    SL_ASSERT(count == end);
}

static void assert_value(const struct sl_gnmi_value *value, const Gnmi__TypedValue *expected);

static void assert_elements(struct sl_str elements, const Gnmi__ScalarArray *expected)
{
    struct sl_gnmi_value value;
    size_t count = 0;

    while (sl_gnmi_next_element(&elements, &value)) {
        SL_ASSERT(count < expected->n_element);
        assert_value(&value, expected->element[count++]);
    }
    SL_ASSERT(count == expected->n_element);
}

/* The kind that each arm has; the numbers of the arms are those of the oneof. */
static enum sl_gnmi_value_kind kind_of(const Gnmi__TypedValue *expected)
{
    static const enum sl_gnmi_value_kind kinds[] = {
        SL_GNMI_VALUE_NONE,  SL_GNMI_VALUE_STRING,      SL_GNMI_VALUE_INT,
        SL_GNMI_VALUE_UINT,  SL_GNMI_VALUE_BOOL,        SL_GNMI_VALUE_BYTES,
        SL_GNMI_VALUE_FLOAT, SL_GNMI_VALUE_DECIMAL,     SL_GNMI_VALUE_LEAFLIST,
        SL_GNMI_VALUE_ANY,   SL_GNMI_VALUE_JSON,        SL_GNMI_VALUE_JSON_IETF,
        SL_GNMI_VALUE_ASCII, SL_GNMI_VALUE_PROTO_BYTES, SL_GNMI_VALUE_DOUBLE,
    };

    SL_ASSERT((size_t)expected->value_case < SL_ARRAY_LEN(kinds));
    return kinds[expected->value_case];
}

static bool is_scalar(const struct sl_gnmi_value *value, const Gnmi__TypedValue *expected)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_NONE:
        return true;
    case SL_GNMI_VALUE_STRING:
        return sl_str_eq_c(value->of.bytes, expected->string_val);
    case SL_GNMI_VALUE_INT:
        return value->of.i64 == expected->int_val;
    case SL_GNMI_VALUE_UINT:
        return value->of.u64 == expected->uint_val;
    case SL_GNMI_VALUE_BOOL:
        return value->of.boolean == (expected->bool_val != 0);
    case SL_GNMI_VALUE_BYTES:
        return is_bytes(value->of.bytes, &expected->bytes_val);
    case SL_GNMI_VALUE_FLOAT:
        return memcmp(&value->of.f32, &expected->float_val, sizeof(float)) == 0;
    case SL_GNMI_VALUE_DOUBLE:
        return memcmp(&value->of.f64, &expected->double_val, sizeof(double)) == 0;
    case SL_GNMI_VALUE_DECIMAL:
        return value->of.decimal.digits == expected->decimal_val->digits &&
               value->of.decimal.precision == expected->decimal_val->precision;
    case SL_GNMI_VALUE_JSON:
        return is_bytes(value->of.bytes, &expected->json_val);
    case SL_GNMI_VALUE_JSON_IETF:
        return is_bytes(value->of.bytes, &expected->json_ietf_val);
    case SL_GNMI_VALUE_ASCII:
        return sl_str_eq_c(value->of.bytes, expected->ascii_val);
    case SL_GNMI_VALUE_PROTO_BYTES:
        return is_bytes(value->of.bytes, &expected->proto_bytes);
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
        break;
    }
    return false;
}

static void assert_value(const struct sl_gnmi_value *value, const Gnmi__TypedValue *expected)
{
    SL_ASSERT(value->kind == kind_of(expected));
    if (value->kind == SL_GNMI_VALUE_LEAFLIST) {
        assert_elements(value->of.bytes, expected->leaflist_val);
    } else if (value->kind != SL_GNMI_VALUE_ANY) {
        SL_ASSERT(is_scalar(value, expected));
    }
}

static void assert_update(const struct sl_gnmi_update *update, const Gnmi__Update *expected)
{
    bool has_val = expected->val && expected->val->value_case != GNMI__TYPED_VALUE__VALUE__NOT_SET;

    SL_ASSERT(update->duplicates == expected->duplicates);
    SL_ASSERT(update->has_path == (expected->path != NULL));
    if (update->has_path) {
        assert_path(update->path, expected->path);
    }
    if (has_val) {
        assert_value(&update->value, expected->val);
    } else if (!expected->value) {
        SL_ASSERT(update->value.kind == SL_GNMI_VALUE_NONE);
    } else {
        SL_ASSERT(is_bytes(update->value.of.bytes, &expected->value->value));
    }
}

static void assert_notification(const struct sl_gnmi_response *response,
                                const Gnmi__Notification *expected)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;
    struct sl_str path;
    size_t count = 0;

    SL_ASSERT(response->timestamp_ns == expected->timestamp);
    SL_ASSERT(response->is_atomic == (expected->atomic != 0));
    SL_ASSERT(response->has_prefix == (expected->prefix != NULL));
    SL_ASSERT(response->updates == expected->n_update && response->deletes == expected->n_delete_);
    if (response->has_prefix) {
        assert_path(response->prefix, expected->prefix);
    }
    while (sl_gnmi_next_update(&cursor, &update)) {
        assert_update(&update, expected->update[count++]);
    }
    SL_ASSERT(count == expected->n_update);
    cursor = sl_gnmi_response_begin(response);
    for (count = 0; sl_gnmi_next_delete(&cursor, &path); count++) {
        assert_path(path, expected->delete_[count]);
    }
    SL_ASSERT(count == expected->n_delete_);
}

static void assert_response(const struct sl_gnmi_response *response,
                            const Gnmi__SubscribeResponse *expected)
{
    switch (response->kind) {
    case SL_GNMI_EMPTY:
        SL_ASSERT(expected->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE__NOT_SET);
        break;
    case SL_GNMI_UPDATE:
        SL_ASSERT(expected->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE);
        assert_notification(response, expected->update);
        break;
    case SL_GNMI_SYNC:
        SL_ASSERT(expected->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_SYNC_RESPONSE);
        SL_ASSERT(response->is_sync == (expected->sync_response != 0));
        break;
    case SL_GNMI_ERROR:
        SL_ASSERT(expected->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_ERROR);
        break;
    }
}

static void walk(struct sl_str message, const Gnmi__SubscribeResponse *expected)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    SL_ASSERT(sl_status_is_ok(&status));
    assert_response(&response, expected);
    sl_buf_fini(&scratch);
}

/* ---- the two roads ---- */

static const struct sl_encoder_context context = {.epoch = 7, .seq = 1, .received_ns = 1};

void road_travel(struct sl_encoder *encoder, struct sl_str message, struct road *road)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    char *copy = malloc(message.len ? message.len : 1);

    SL_ASSERT(copy);
    if (message.len) {
        memcpy(copy, message.data, message.len);
    }
    struct sl_status status =
        sl_gnmi_response_read((struct sl_str){copy, message.len}, &scratch, &response);

    *road = (struct road){.is_ok = sl_status_is_ok(&status)};
    if (road->is_ok) {
        bool is_encoded =
            sl_encoder_encode(encoder, &response, &context, &road->record, &road->encoded);
        SL_ASSERT(is_encoded);
        SL_ASSERT(road->encoded.published + road->encoded.dropped ==
                  response.updates + response.deletes);
    }
    free(copy);
    sl_buf_fini(&scratch);
}

/* Extensions stay as they came, and protobuf-c packs them anew: a record of sluice.v1 without them.
 */
static void drop_extensions(struct road *road)
{
    Sluice__V1__Record *record =
        sluice__v1__record__unpack(NULL, road->record.len, (const uint8_t *)road->record.data);

    SL_ASSERT(record && record->base.n_unknown_fields == 0);
    for (size_t i = 0; i < record->n_extensions; i++) {
        free(record->extensions[i].data);
    }
    record->n_extensions = 0;
    road->record.len = sluice__v1__record__pack(record, (uint8_t *)road->record.data);
    sluice__v1__record__free_unpacked(record, NULL);
}

static void assert_same_record(struct sl_encoder *encoder, enum sl_format format,
                               struct road *direct, const struct protobuf_reading *reading)
{
    struct sl_buf packed = {0};
    struct road again;

    protobuf_pack(reading, &packed);
    road_travel(encoder, sl_buf_str(&packed), &again);
    SL_ASSERT(again.is_ok);
    if (format == SL_FORMAT_SLUICE_V1 && direct->record.len && again.record.len) {
        drop_extensions(direct);
        drop_extensions(&again);
    }
    SL_ASSERT(sl_str_eq(sl_buf_str(&direct->record), sl_buf_str(&again.record)));
    SL_ASSERT(direct->encoded.published == again.encoded.published);
    sl_buf_fini(&again.record);
    sl_buf_fini(&packed);
}

bool roads_meet(struct sl_encoder *encoder, enum sl_format format, struct sl_str message)
{
    struct protobuf_reading reading;
    struct road direct;

    protobuf_read(message, &reading);
    road_travel(encoder, message, &direct);
    SL_ASSERT(direct.is_ok == reading.is_valid);
    bool is_compared = direct.is_ok && reading.is_comparable;

    if (is_compared && format == SL_FORMAT_SLUICE_V1_JSON) { /* their bytes are in the record */
        is_compared = reading.response->n_extension == 0;
    }

    if (is_compared) {
        walk(message, reading.response);
        assert_same_record(encoder, format, &direct, &reading);
    }
    sl_buf_fini(&direct.record);
    protobuf_fini(&reading);
    return is_compared;
}
