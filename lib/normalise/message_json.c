#include "normalise/message_json.h"

#include <math.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "gnmi/response.h"
#include "gnmi/wire.h"
#include "normalise/encoder.h"
#include "normalise/items.h"
#include "normalise/message_fields.h"
#include "normalise/number.h"
#include "normalise/text.h"

enum { MAP_KEY = 1, MAP_VALUE = 2, EXTENSION = 5 };

struct writer {
    struct sl_buf *out;
    size_t start; /* of the record in `out` */
    enum sl_message_style style;
    unsigned depth;
};

/* ---- scalars ---- */

/* "registered_ext" as registeredExt or RegisteredExt. */
static void add_camel(struct sl_buf *out, const char *name, bool is_upper)
{
    for (; *name; name++) {
        if (*name == '_') {
            is_upper = true;
            continue;
        }
        bool is_letter = *name >= 'a' && *name <= 'z';
        sl_buf_add_byte(out, (char)(is_upper && is_letter ? *name - 'a' + 'A' : *name));
        is_upper = false;
    }
}

static void add_string(const struct writer *writer, struct sl_str text)
{
    sl_buf_add_byte(writer->out, '"');
    if (writer->style == SL_MESSAGE_PROTOJSON) {
        sl_text_add_escaped_least(writer->out, text);
    } else {
        sl_text_add_escaped(writer->out, text);
    }
    sl_buf_add_byte(writer->out, '"');
}

static void add_long(const struct writer *writer, bool is_signed, uint64_t value)
{
    bool is_quoted = writer->style == SL_MESSAGE_PROTOJSON;

    sl_buf_add_c(writer->out, is_quoted ? "\"" : "");
    if (is_signed) {
        sl_buf_add_i64(writer->out, (int64_t)value);
    } else {
        sl_buf_add_u64(writer->out, value);
    }
    sl_buf_add_c(writer->out, is_quoted ? "\"" : "");
}

static void add_enum(const struct writer *writer, const ProtobufCEnumDescriptor *descriptor,
                     int32_t number)
{
    const ProtobufCEnumValue *value = writer->style == SL_MESSAGE_PROTOJSON
                                          ? protobuf_c_enum_descriptor_get_value(descriptor, number)
                                          : NULL;

    if (value) {
        add_string(writer, sl_str_from(value->name));
    } else {
        sl_buf_add_i64(writer->out, number);
    }
}

static void add_double(const struct writer *writer, uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    if (!sl_number_add_double(writer->out, value)) {
        sl_buf_add_c(writer->out, isnan(value) ? "\"NaN\""
                                  : value < 0  ? "\"-Infinity\""
                                               : "\"Infinity\"");
    }
}

static void add_float(const struct writer *writer, uint64_t bits)
{
    uint32_t word = (uint32_t)bits;
    float value;

    memcpy(&value, &word, sizeof(value));
    if (!sl_number_add_float(writer->out, value)) {
        sl_buf_add_c(writer->out, isnan(value) ? "\"NaN\""
                                  : value < 0  ? "\"-Infinity\""
                                               : "\"Infinity\"");
    }
}

static void add_base64(const struct writer *writer, struct sl_str bytes)
{
    sl_buf_add_byte(writer->out, '"');
    sl_text_add_base64(writer->out, bytes);
    sl_buf_add_byte(writer->out, '"');
}

/* The types that are not used in our definitions (sint, 32-bit fixed) read as what is nearest. */
static void add_scalar(const struct writer *writer, const ProtobufCFieldDescriptor *known,
                       const struct sl_wire_field *field)
{
    switch (known->type) {
    case PROTOBUF_C_TYPE_STRING:
        add_string(writer, field->bytes);
        break;
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        add_base64(writer, field->bytes);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        add_float(writer, field->value);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        add_double(writer, field->value);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        sl_buf_add_c(writer->out, field->value ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        add_enum(writer, known->descriptor, (int32_t)field->value);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        add_long(writer, true, field->value);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        add_long(writer, false, field->value);
        break;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        sl_buf_add_i64(writer->out, (int32_t)field->value);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        sl_buf_add_u64(writer->out, (uint32_t)field->value);
        break;
    }
}

/* ---- messages ---- */

static bool add_message(struct writer *writer, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message);

static bool has_room(const struct writer *writer)
{
    return !writer->out->failed && writer->out->len - writer->start <= SL_ENCODER_MAX_RECORD_BYTES;
}

static bool add_value(struct writer *writer, const ProtobufCFieldDescriptor *known,
                      const struct sl_wire_field *field)
{
    if (known->type == PROTOBUF_C_TYPE_MESSAGE) {
        return add_message(writer, known->descriptor, field->bytes);
    }
    add_scalar(writer, known, field);
    return has_room(writer);
}

static bool add_list(struct writer *writer, const ProtobufCFieldDescriptor *known,
                     struct sl_wire wire)
{
    struct sl_message_walk walk = {.wire = wire};
    struct sl_wire_field field;
    const char *before = "[";

    while (sl_message_next(&walk, known, &field)) {
        sl_buf_add_c(writer->out, before);
        before = ",";
        if (!add_value(writer, known, &field)) {
            return false;
        }
    }
    sl_buf_add_byte(writer->out, ']');
    return true;
}

static bool read_entry(struct sl_str entry, const char *base, struct sl_item *item)
{
    struct sl_wire wire = sl_wire_of(entry);
    struct sl_wire_field field;

    *item = (struct sl_item){0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, MAP_KEY, SL_WIRE_BYTES)) {
            item->name_at = (uint32_t)(field.bytes.data - base);
            item->name_len = (uint32_t)field.bytes.len;
        } else if (sl_wire_is(&field, MAP_VALUE, SL_WIRE_BYTES)) {
            item->from = (uint32_t)(field.bytes.data - base);
            item->to = item->from + (uint32_t)field.bytes.len;
        }
    }
    return sl_message_is_whole(entry);
}

static bool add_items(const struct writer *writer, struct sl_buf *entries, const char *base)
{
    struct sl_item *items = (struct sl_item *)(void *)entries->data;
    size_t count = entries->len / sizeof(*items);

    if (entries->failed || !sl_items_sort(items, count, base)) {
        writer->out->failed = true;
        return false;
    }
    count = sl_items_drop_repeated(items, count, base, NULL);
    for (size_t i = 0; i < count && has_room(writer); i++) {
        sl_buf_add_byte(writer->out, i == 0 ? '{' : ',');
        add_string(writer, (struct sl_str){base + items[i].name_at, items[i].name_len});
        sl_buf_add_byte(writer->out, ':');
        add_string(writer, (struct sl_str){base + items[i].from, items[i].to - items[i].from});
    }
    sl_buf_add_byte(writer->out, '}');
    return has_room(writer);
}

/* A map of strings, sorted by name; of two entries with one name the later counts. */
static bool add_map(const struct writer *writer, const ProtobufCFieldDescriptor *known,
                    struct sl_wire wire)
{
    const char *base = (const char *)wire.at;
    struct sl_buf entries = {0};
    struct sl_message_walk walk = {.wire = wire};
    struct sl_wire_field field;
    bool is_ok = true;

    while (is_ok && sl_message_next(&walk, known, &field)) {
        struct sl_item item;
        is_ok = read_entry(field.bytes, base, &item);
        sl_buf_add(&entries, &item, sizeof(item));
    }
    is_ok = is_ok && add_items(writer, &entries, base);
    sl_buf_fini(&entries);
    return is_ok;
}

/* A message that came in several pieces: behind one another they are the merged one. */
static bool add_merged(struct writer *writer, const ProtobufCFieldDescriptor *known,
                       struct sl_wire wire)
{
    struct sl_buf joined = {0};
    struct sl_message_walk walk = {.wire = wire};
    struct sl_wire_field field = {0};

    while (sl_message_next(&walk, known, &field)) {
        sl_buf_add_str(&joined, field.bytes);
    }
    writer->out->failed = writer->out->failed || joined.failed;
    bool is_ok = !joined.failed && add_message(writer, known->descriptor, sl_buf_str(&joined));

    sl_buf_fini(&joined);
    return is_ok;
}

static bool add_found(struct writer *writer, const ProtobufCFieldDescriptor *known,
                      const struct sl_message_found *found)
{
    if (sl_message_is_map(known)) {
        return add_map(writer, known, found->from);
    }
    if (known->label == PROTOBUF_C_LABEL_REPEATED) {
        return add_list(writer, known, found->from);
    }
    if (known->type == PROTOBUF_C_TYPE_MESSAGE && found->count > 1) {
        return add_merged(writer, known, found->from);
    }
    return add_value(writer, known, &found->field);
}

/* What Go calls the oneofs of gnmi_ext; protobuf-c does not keep their names. */
static const char *oneof_name(const ProtobufCMessageDescriptor *descriptor)
{
    if (descriptor == &gnmi_ext__extension__descriptor) {
        return "Ext";
    }
    return descriptor == &gnmi_ext__history__descriptor ? "Request" : "Action";
}

static void add_comma(const struct writer *writer, bool *is_first)
{
    if (!*is_first) {
        sl_buf_add_byte(writer->out, ',');
    }
    *is_first = false;
}

/* "Name":{"Member":value} in the place of the first member. */
static bool add_go_oneof(struct writer *writer, const ProtobufCMessageDescriptor *descriptor,
                         const struct sl_message_found *found, unsigned index, bool *is_first)
{
    const ProtobufCFieldDescriptor *fields = descriptor->fields;

    if (index > 0 && sl_message_are_rivals(&fields[index - 1], &fields[index])) {
        return true;
    }
    add_comma(writer, is_first);
    sl_buf_printf(writer->out, "\"%s\":", oneof_name(descriptor));
    for (unsigned i = index;
         i < descriptor->n_fields && sl_message_are_rivals(&fields[i], &fields[index]); i++) {
        if (found[i].count) {
            sl_buf_add_c(writer->out, "{\"");
            add_camel(writer->out, fields[i].name, true);
            sl_buf_add_c(writer->out, "\":");
            bool is_ok = add_found(writer, &fields[i], &found[i]);
            sl_buf_add_byte(writer->out, '}');
            return is_ok;
        }
    }
    sl_buf_add_c(writer->out, "null");
    return true;
}

static bool add_field(struct writer *writer, const ProtobufCFieldDescriptor *known,
                      const struct sl_message_found *found, bool *is_first)
{
    bool is_single = known->label != PROTOBUF_C_LABEL_REPEATED;

    if (!found->count || (is_single && !sl_message_is_member(known) &&
                          sl_message_is_default(known, &found->field))) {
        return true;
    }
    add_comma(writer, is_first);
    sl_buf_add_byte(writer->out, '"');
    if (writer->style == SL_MESSAGE_GO) {
        sl_buf_add_c(writer->out, known->name);
    } else {
        add_camel(writer->out, known->name, false);
    }
    sl_buf_add_c(writer->out, "\":");
    return add_found(writer, known, found);
}

/* The members, without the braces. */
static bool add_members(struct writer *writer, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message, bool is_first)
{
    struct sl_message_found found[SL_MESSAGE_MAX_FIELDS] = {0};
    bool is_ok = writer->depth < SL_GNMI_MAX_DEPTH && sl_message_find(descriptor, message, found);

    writer->depth++;
    for (unsigned i = 0; i < descriptor->n_fields && is_ok; i++) {
        const ProtobufCFieldDescriptor *known = &descriptor->fields[i];
        is_ok = writer->style == SL_MESSAGE_GO && sl_message_is_member(known)
                    ? add_go_oneof(writer, descriptor, found, i, &is_first)
                    : add_field(writer, known, &found[i], &is_first);
    }
    writer->depth--;
    return is_ok && has_room(writer);
}

/* ---- the messages that the mapping treats specially ---- */

static const ProtobufCMessageDescriptor *message_named(struct sl_str type_url)
{
    static const ProtobufCMessageDescriptor *const known[] = {
        &gnmi__path__descriptor,         &gnmi__path_elem__descriptor,
        &gnmi__notification__descriptor, &gnmi__update__descriptor,
        &gnmi__typed_value__descriptor,  &gnmi__scalar_array__descriptor,
        &gnmi__decimal64__descriptor,    &gnmi__value__descriptor,
        &gnmi__error__descriptor,        &gnmi_ext__extension__descriptor,
    };
    const char *slash = type_url.len ? memrchr(type_url.data, '/', type_url.len) : NULL;
    struct sl_str name = type_url;

    if (slash) {
        size_t before = (size_t)(slash + 1 - type_url.data);
        name = (struct sl_str){type_url.data + before, type_url.len - before};
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(known); i++) {
        if (sl_str_eq_c(name, known[i]->name)) {
            return known[i];
        }
    }
    return NULL;
}

static bool add_any(struct writer *writer, struct sl_str any)
{
    struct sl_gnmi_any parts = sl_gnmi_any_of(any);
    if (!sl_message_is_whole(any)) {
        return false;
    }
    if (!parts.type_url.len && !parts.value.len) {
        sl_buf_add_c(writer->out, "{}");
        return true;
    }
    const ProtobufCMessageDescriptor *descriptor = message_named(parts.type_url);

    if (!descriptor) {
        return false;
    }
    sl_buf_add_c(writer->out, "{\"@type\":");
    add_string(writer, parts.type_url);
    if (!add_members(writer, descriptor, parts.value, false)) {
        return false;
    }
    sl_buf_add_byte(writer->out, '}');
    return true;
}

/* "1.500s": no decimals, or three, six or nine. */
static bool add_duration(const struct writer *writer, struct sl_str duration)
{
    struct sl_wire wire = sl_wire_of(duration);
    struct sl_wire_field field;
    int64_t seconds = 0;
    int32_t nanos = 0;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_VARINT)) {
            seconds = (int64_t)field.value;
        } else if (sl_wire_is(&field, 2, SL_WIRE_VARINT)) {
            nanos = (int32_t)field.value;
        }
    }
    uint32_t decimals = (nanos < 0 ? 0 - (uint32_t)nanos : (uint32_t)nanos) % 1000000000;
    uint64_t whole = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;

    sl_buf_add_c(writer->out, seconds < 0 || nanos < 0 ? "\"-" : "\"");
    sl_buf_add_u64(writer->out, whole);
    if (decimals % 1000) {
        sl_buf_printf(writer->out, ".%09u", decimals);
    } else if (decimals % 1000000) {
        sl_buf_printf(writer->out, ".%06u", decimals / 1000);
    } else if (decimals) {
        sl_buf_printf(writer->out, ".%03u", decimals / 1000000);
    }
    sl_buf_add_c(writer->out, "s\"");
    return sl_message_is_whole(duration);
}

/* Recursive with the depth that add_members allows. */
static bool add_message(struct writer *writer, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message)
{
    if (writer->style == SL_MESSAGE_PROTOJSON) {
        if (descriptor == &google__protobuf__any__descriptor) {
            return add_any(writer, message);
        }
        if (descriptor == &google__protobuf__duration__descriptor) {
            return add_duration(writer, message);
        }
    }
    sl_buf_add_byte(writer->out, '{');
    if (!add_members(writer, descriptor, message, true)) {
        return false;
    }
    sl_buf_add_byte(writer->out, '}');
    return true;
}

bool sl_message_json_add(struct sl_buf *out, size_t start, enum sl_message_style style,
                         const ProtobufCMessageDescriptor *descriptor, struct sl_str message)
{
    struct writer writer = {.out = out, .start = start, .style = style};

    SL_ASSERT(start <= out->len);
    return add_message(&writer, descriptor, message) && has_room(&writer);
}

void sl_message_json_add_extensions(struct sl_buf *out, size_t start, enum sl_message_style style,
                                    struct sl_str response)
{
    struct sl_wire wire = sl_wire_of(response);
    struct sl_wire_field field;
    bool is_any = false;

    while (sl_wire_next(&wire, &field)) {
        size_t before = out->len;
        if (out->failed || !sl_wire_is(&field, EXTENSION, SL_WIRE_BYTES)) {
            continue;
        }
        if (is_any) {
            sl_buf_add_byte(out, ',');
        } else {
            sl_buf_add_c(out, out->data[out->len - 1] == '{' ? "" : ",");
            sl_buf_add_c(out, style == SL_MESSAGE_GO ? "\"extensions\":[" : "\"extension\":[");
        }
        if (sl_message_json_add(out, start, style, &gnmi_ext__extension__descriptor, field.bytes)) {
            is_any = true;
        } else {
            out->len = before;
        }
    }
    sl_buf_add_c(out, is_any ? "]" : "");
}
