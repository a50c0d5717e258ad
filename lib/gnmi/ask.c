#include "gnmi/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/build.h"
#include "gnmi/path.h"

enum {
    GET_NOTIFICATION = 1, /* field number of GetResponse, and of the update of SubscribeResponse */
    MAX_NUMBER_BYTES = 64,
    MAX_PRECISION = 18, /* of a decimal64 */
};

/* ---- Capabilities ---- */

Gnmi__CapabilityRequest *sl_gnmi_capabilities_new(const struct sl_gnmi_extension *extensions,
                                                  size_t extension_count, struct sl_status *why)
{
    Gnmi__CapabilityRequest *request = malloc(sizeof(*request));

    if (!request) {
        (void)sl_gnmi_build_no_memory(why);
        return NULL;
    }
    gnmi__capability_request__init(request);
    if (!sl_gnmi_build_extensions(&request->extension, &request->n_extension, extensions,
                                  extension_count, why)) {
        gnmi__capability_request__free_unpacked(request, NULL);
        return NULL;
    }
    return request;
}

/* ---- Get ---- */

static bool set_paths(Gnmi__GetRequest *request, const char *const *paths, struct sl_status *why)
{
    size_t count = 0;

    while (paths[count]) {
        count++;
    }
    request->path = calloc(count + 1, sizeof(Gnmi__Path *));
    if (!request->path) {
        return sl_gnmi_build_no_memory(why);
    }
    for (; request->n_path < count; request->n_path++) {
        request->path[request->n_path] =
            sl_gnmi_path_parse(sl_str_from(paths[request->n_path]), why);
        if (!request->path[request->n_path]) {
            return false;
        }
    }
    return true;
}

Gnmi__GetRequest *sl_gnmi_get_new(const struct sl_gnmi_get *get, struct sl_status *why)
{
    Gnmi__GetRequest *request = malloc(sizeof(*request));

    if (!request) {
        (void)sl_gnmi_build_no_memory(why);
        return NULL;
    }
    gnmi__get_request__init(request);
    request->type = (Gnmi__GetRequest__DataType)get->type;
    request->encoding = (Gnmi__Encoding)get->encoding;
    if (!set_paths(request, get->paths, why) ||
        !sl_gnmi_build_prefix(&request->prefix, get->prefix, get->target, why) ||
        !sl_gnmi_build_models(&request->use_models, &request->n_use_models, get->models,
                              get->model_count, why) ||
        !sl_gnmi_build_extensions(&request->extension, &request->n_extension, get->extensions,
                                  get->extension_count, why)) {
        gnmi__get_request__free_unpacked(request, NULL);
        return NULL;
    }
    return request;
}

bool sl_gnmi_next_notification(struct sl_wire *wire, struct sl_str *response)
{
    const uint8_t *begin = wire->at;
    struct sl_wire_field field;

    for (; sl_wire_next(wire, &field); begin = wire->at) {
        if (field.number == GET_NOTIFICATION && field.type == SL_WIRE_BYTES) {
            *response = (struct sl_str){(const char *)begin, (size_t)(wire->at - begin)};
            return true;
        }
    }
    return false;
}

/* ---- Set ---- */

static bool set_bytes(ProtobufCBinaryData *field, struct sl_str bytes, struct sl_status *why)
{
    field->data = malloc(bytes.len + 1);
    if (!field->data) {
        return sl_gnmi_build_no_memory(why);
    }
    if (bytes.len > 0) {
        memcpy(field->data, bytes.data, bytes.len);
    }
    field->len = bytes.len;
    return true;
}

static bool set_string(char **field, struct sl_str text, struct sl_status *why)
{
    *field = sl_str_dup(text);
    return *field || sl_gnmi_build_no_memory(why);
}

static bool set_decimal(Gnmi__TypedValue *value, const struct sl_gnmi_value *given,
                        struct sl_status *why)
{
    value->decimal_val = malloc(sizeof(*value->decimal_val));
    if (!value->decimal_val) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__decimal64__init(value->decimal_val);
    value->decimal_val->digits = given->of.decimal.digits;
    value->decimal_val->precision = given->of.decimal.precision;
    return true;
}

static bool broken(struct sl_status *why)
{
    *why = sl_status_error(SL_INVALID_ARGUMENT,
                           "the value is not the message that it stands for, or memory is out");
    return false;
}

static bool set_leaflist(Gnmi__TypedValue *value, struct sl_str bytes, struct sl_status *why)
{
    value->leaflist_val = gnmi__scalar_array__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    return value->leaflist_val || broken(why);
}

static bool set_any(Gnmi__TypedValue *value, struct sl_str bytes, struct sl_status *why)
{
    value->any_val = google__protobuf__any__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);
    return value->any_val || broken(why);
}

/* The case is set first: what is freed after a failure is then what is there. */
static bool set_value(Gnmi__TypedValue *value, const struct sl_gnmi_value *given,
                      struct sl_status *why)
{
    switch (given->kind) {
    case SL_GNMI_VALUE_NONE:
        return true;
    case SL_GNMI_VALUE_STRING:
        value->value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
        return set_string(&value->string_val, given->of.bytes, why);
    case SL_GNMI_VALUE_INT:
        value->value_case = GNMI__TYPED_VALUE__VALUE_INT_VAL;
        value->int_val = given->of.i64;
        return true;
    case SL_GNMI_VALUE_UINT:
        value->value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
        value->uint_val = given->of.u64;
        return true;
    case SL_GNMI_VALUE_BOOL:
        value->value_case = GNMI__TYPED_VALUE__VALUE_BOOL_VAL;
        value->bool_val = given->of.boolean;
        return true;
    case SL_GNMI_VALUE_BYTES:
        value->value_case = GNMI__TYPED_VALUE__VALUE_BYTES_VAL;
        return set_bytes(&value->bytes_val, given->of.bytes, why);
    case SL_GNMI_VALUE_FLOAT:
        value->value_case = GNMI__TYPED_VALUE__VALUE_FLOAT_VAL;
        value->float_val = given->of.f32;
        return true;
    case SL_GNMI_VALUE_DOUBLE:
        value->value_case = GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL;
        value->double_val = given->of.f64;
        return true;
    case SL_GNMI_VALUE_DECIMAL:
        value->value_case = GNMI__TYPED_VALUE__VALUE_DECIMAL_VAL;
        return set_decimal(value, given, why);
    case SL_GNMI_VALUE_LEAFLIST:
        value->value_case = GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL;
        return set_leaflist(value, given->of.bytes, why);
    case SL_GNMI_VALUE_ANY:
        value->value_case = GNMI__TYPED_VALUE__VALUE_ANY_VAL;
        return set_any(value, given->of.bytes, why);
    case SL_GNMI_VALUE_JSON:
        value->value_case = GNMI__TYPED_VALUE__VALUE_JSON_VAL;
        return set_bytes(&value->json_val, given->of.bytes, why);
    case SL_GNMI_VALUE_JSON_IETF:
        value->value_case = GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL;
        return set_bytes(&value->json_ietf_val, given->of.bytes, why);
    case SL_GNMI_VALUE_ASCII:
        value->value_case = GNMI__TYPED_VALUE__VALUE_ASCII_VAL;
        return set_string(&value->ascii_val, given->of.bytes, why);
    case SL_GNMI_VALUE_PROTO_BYTES:
        value->value_case = GNMI__TYPED_VALUE__VALUE_PROTO_BYTES;
        return set_bytes(&value->proto_bytes, given->of.bytes, why);
    }
    return true;
}

static bool add_update(Gnmi__Update **updates, size_t *count, const struct sl_gnmi_write *write,
                       struct sl_status *why)
{
    Gnmi__Update *update = malloc(sizeof(*update));

    if (!update) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__update__init(update);
    updates[(*count)++] = update;
    update->path = sl_gnmi_path_parse(sl_str_from(write->path), why);
    if (!update->path) {
        return false;
    }
    update->val = malloc(sizeof(*update->val));
    if (!update->val) {
        return sl_gnmi_build_no_memory(why);
    }
    gnmi__typed_value__init(update->val);
    return set_value(update->val, &write->value, why);
}

static bool add_write(Gnmi__SetRequest *request, const struct sl_gnmi_write *write,
                      struct sl_status *why)
{
    switch (write->operation) {
    case SL_GNMI_DELETE:
        request->delete_[request->n_delete_] = sl_gnmi_path_parse(sl_str_from(write->path), why);
        if (!request->delete_[request->n_delete_]) {
            return false;
        }
        request->n_delete_++;
        return true;
    case SL_GNMI_REPLACE:
        return add_update(request->replace, &request->n_replace, write, why);
    case SL_GNMI_UPDATE_PATH:
        return add_update(request->update, &request->n_update, write, why);
    case SL_GNMI_UNION:
        break;
    }
    return add_update(request->union_replace, &request->n_union_replace, write, why);
}

static bool add_writes(Gnmi__SetRequest *request, const struct sl_gnmi_set *set,
                       struct sl_status *why)
{
    size_t room = set->write_count + 1;

    request->delete_ = calloc(room, sizeof(Gnmi__Path *));
    request->replace = calloc(room, sizeof(Gnmi__Update *));
    request->update = calloc(room, sizeof(Gnmi__Update *));
    request->union_replace = calloc(room, sizeof(Gnmi__Update *));
    if (!request->delete_ || !request->replace || !request->update || !request->union_replace) {
        return sl_gnmi_build_no_memory(why);
    }
    for (size_t i = 0; i < set->write_count; i++) {
        if (!add_write(request, &set->writes[i], why)) {
            return false;
        }
    }
    return true;
}

Gnmi__SetRequest *sl_gnmi_set_new(const struct sl_gnmi_set *set, struct sl_status *why)
{
    Gnmi__SetRequest *request = malloc(sizeof(*request));

    if (!request) {
        (void)sl_gnmi_build_no_memory(why);
        return NULL;
    }
    gnmi__set_request__init(request);
    if (!add_writes(request, set, why) ||
        !sl_gnmi_build_prefix(&request->prefix, set->prefix, set->target, why) ||
        !sl_gnmi_build_extensions(&request->extension, &request->n_extension, set->extensions,
                                  set->extension_count, why)) {
        gnmi__set_request__free_unpacked(request, NULL);
        return NULL;
    }
    return request;
}

/* ---- values ---- */

static bool parse_int(const char *text, struct sl_gnmi_value *value)
{
    char *end;

    errno = 0;
    value->kind = SL_GNMI_VALUE_INT;
    value->of.i64 = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_uint(const char *text, struct sl_gnmi_value *value)
{
    value->kind = SL_GNMI_VALUE_UINT;
    return sl_str_to_u64(sl_str_from(text), &value->of.u64);
}

static bool parse_bool(const char *text, struct sl_gnmi_value *value)
{
    value->kind = SL_GNMI_VALUE_BOOL;
    value->of.boolean = strcmp(text, "true") == 0;
    return value->of.boolean || strcmp(text, "false") == 0;
}

static bool parse_float(const char *text, struct sl_gnmi_value *value)
{
    char *end;

    value->kind = SL_GNMI_VALUE_FLOAT;
    value->of.f32 = strtof(text, &end);
    return *end == '\0';
}

static bool parse_double(const char *text, struct sl_gnmi_value *value)
{
    char *end;

    value->kind = SL_GNMI_VALUE_DOUBLE;
    value->of.f64 = strtod(text, &end);
    return *end == '\0';
}

/* Digits with at most one point among them, exactly. */
static bool parse_decimal(const char *text, struct sl_gnmi_value *value)
{
    const char *point = strchr(text, '.');
    char digits[MAX_NUMBER_BYTES];
    size_t before = point ? (size_t)(point - text) : strlen(text);
    size_t behind = point ? strlen(point + 1) : 0;
    char *end;

    value->kind = SL_GNMI_VALUE_DECIMAL;
    if (behind > MAX_PRECISION || (point && behind == 0)) {
        return false;
    }
    memcpy(digits, text, before);
    memcpy(digits + before, point ? point + 1 : "", behind + 1);
    errno = 0;
    value->of.decimal.digits = strtoll(digits, &end, 10);
    value->of.decimal.precision = (uint32_t)behind;
    return errno == 0 && *end == '\0' && end != digits && !strpbrk(text + before, "+-");
}

static const struct type {
    const char *name;
    enum sl_gnmi_value_kind kind; /* of a text that stays as it is */
    bool (*parse)(const char *text, struct sl_gnmi_value *value); /* NULL: of such a text */
} types[] = {
    {"json", SL_GNMI_VALUE_JSON, NULL},
    {"json_ietf", SL_GNMI_VALUE_JSON_IETF, NULL},
    {"string", SL_GNMI_VALUE_STRING, NULL},
    {"ascii", SL_GNMI_VALUE_ASCII, NULL},
    {"bytes", SL_GNMI_VALUE_BYTES, NULL},
    {"int", SL_GNMI_VALUE_NONE, parse_int},
    {"uint", SL_GNMI_VALUE_NONE, parse_uint},
    {"bool", SL_GNMI_VALUE_NONE, parse_bool},
    {"float", SL_GNMI_VALUE_NONE, parse_float},
    {"double", SL_GNMI_VALUE_NONE, parse_double},
    {"decimal", SL_GNMI_VALUE_NONE, parse_decimal},
};

/* Without blanks, which C's functions would step over. */
static bool parse_number(const struct type *type, struct sl_str text, struct sl_gnmi_value *value)
{
    char word[MAX_NUMBER_BYTES];

    if (text.len == 0 || text.len >= sizeof(word) || memchr(text.data, '\0', text.len) ||
        memchr(" \t\n\v\f\r", text.data[0], 6)) {
        return false;
    }
    memcpy(word, text.data, text.len);
    word[text.len] = '\0';
    return type->parse(word, value);
}

struct sl_status sl_gnmi_value_parse(struct sl_str type, struct sl_str text,
                                     struct sl_gnmi_value *value)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (!sl_str_eq_c(type, types[i].name)) {
            continue;
        }
        *value = (struct sl_gnmi_value){.kind = types[i].kind};
        value->of.bytes = text;
        if (types[i].parse && !parse_number(&types[i], text, value)) {
            return sl_status_quote(SL_INVALID_ARGUMENT, "the value is not of its type", type);
        }
        return sl_status_ok();
    }
    return sl_status_quote(SL_INVALID_ARGUMENT, "there is no such type of values", type);
}
