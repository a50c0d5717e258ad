#include "device/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/tree_json.h"

enum {
    RESPONSE_NOTIFICATION_TAG = 0x0a, /* field numbers and wire types of gnmi.proto */
    NOTIFICATION_TIMESTAMP_TAG = 0x08,
    NOTIFICATION_PREFIX_TAG = 0x12,
    NOTIFICATION_UPDATE_TAG = 0x22,
};

static struct sl_status no_memory(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

/* protobuf-c takes strings that it will not write to without const. */
static char *borrowed(const char *text)
{
    union {
        const char *given;
        char *taken;
    } pointer = {.given = text};

    return pointer.taken;
}

static void add_varint(struct sl_buf *out, uint64_t value)
{
    while (value >= 0x80) {
        sl_buf_add_byte(out, (char)(value | 0x80));
        value >>= 7;
    }
    sl_buf_add_byte(out, (char)value);
}

static void pack(struct sl_buf *out, const ProtobufCMessage *message, size_t size)
{
    if (sl_buf_reserve(out, size)) {
        out->len += protobuf_c_message_pack(message, (uint8_t *)out->data + out->len);
    }
}

void sl_device_add_message(struct sl_buf *out, char tag, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);

    sl_buf_add_byte(out, tag);
    add_varint(out, size);
    pack(out, message, size);
}

void sl_device_add_bytes(struct sl_buf *out, char tag, struct sl_str bytes)
{
    sl_buf_add_byte(out, tag);
    add_varint(out, bytes.len);
    sl_buf_add_str(out, bytes);
}

void sl_device_add_head(struct sl_buf *out, int64_t timestamp_ns, const char *target,
                        const char *origin)
{
    Gnmi__Path prefix = GNMI__PATH__INIT;

    sl_buf_add_byte(out, NOTIFICATION_TIMESTAMP_TAG);
    add_varint(out, (uint64_t)timestamp_ns);
    if (*target || *origin) {
        prefix.target = borrowed(target);
        prefix.origin = borrowed(origin);
        sl_device_add_message(out, NOTIFICATION_PREFIX_TAG, &prefix.base);
    }
}

/* Bare words and digits; lists as JSON. */
static void add_text(struct sl_buf *out, const Gnmi__TypedValue *value)
{
    if (value->value_case == GNMI__TYPED_VALUE__VALUE_STRING_VAL) {
        sl_buf_add_c(out, value->string_val);
    } else {
        sl_device_json_add_value(out, value, false);
    }
}

/* `text` in the arm that the encoding has for it. */
static Gnmi__TypedValue text_value(struct sl_buf *text, Gnmi__Encoding encoding)
{
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    const ProtobufCBinaryData bytes = {text->len, (uint8_t *)text->data};

    if (encoding == GNMI__ENCODING__ASCII) {
        value.value_case = GNMI__TYPED_VALUE__VALUE_ASCII_VAL;
        value.ascii_val = borrowed(sl_buf_text(text));
    } else if (encoding == GNMI__ENCODING__BYTES) {
        value.value_case = GNMI__TYPED_VALUE__VALUE_BYTES_VAL;
        value.bytes_val = bytes;
    } else if (encoding == GNMI__ENCODING__JSON_IETF) {
        value.value_case = GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL;
        value.json_ietf_val = bytes;
    } else {
        value.value_case = GNMI__TYPED_VALUE__VALUE_JSON_VAL;
        value.json_val = bytes;
    }
    return value;
}

static bool is_json(Gnmi__Encoding encoding)
{
    return encoding == GNMI__ENCODING__JSON || encoding == GNMI__ENCODING__JSON_IETF;
}

void sl_device_add_update(struct sl_buf *out, const struct sl_device_leaf *leaf,
                          Gnmi__Encoding encoding)
{
    Gnmi__Update update = GNMI__UPDATE__INIT;
    struct sl_buf text = {.data = NULL};
    Gnmi__TypedValue value;

    update.path = leaf->path;
    update.val = leaf->value;
    if (encoding != GNMI__ENCODING__PROTO) {
        if (is_json(encoding)) {
            sl_device_json_add_value(&text, leaf->value, encoding == GNMI__ENCODING__JSON_IETF);
        } else {
            add_text(&text, leaf->value);
        }
        value = text_value(&text, encoding);
        update.val = &value;
    }
    sl_device_add_message(out, NOTIFICATION_UPDATE_TAG, &update.base);
    out->failed = out->failed || text.failed;
    sl_buf_fini(&text);
}

void sl_device_add_sync_done(struct sl_buf *out, const char *commit_id, uint64_t number)
{
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__Extension *extensions[] = {&extension};
    GnmiExt__ConfigSubscription subscription = GNMI_EXT__CONFIG_SUBSCRIPTION__INIT;
    GnmiExt__ConfigSubscriptionSyncDone done = GNMI_EXT__CONFIG_SUBSCRIPTION_SYNC_DONE__INIT;
    char digits[24];

    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    done.commit_confirm_id = borrowed(commit_id);
    done.server_commit_id = digits;
    done.done = true;
    subscription.action_case = GNMI_EXT__CONFIG_SUBSCRIPTION__ACTION_SYNC_DONE;
    subscription.sync_done = &done;
    extension.ext_case = GNMI_EXT__EXTENSION__EXT_CONFIG_SUBSCRIPTION;
    extension.config_subscription = &subscription;
    response.n_extension = 1;
    response.extension = extensions;
    pack(out, &response.base, gnmi__subscribe_response__get_packed_size(&response));
}

uint32_t sl_device_depth(GnmiExt__Extension *const *extensions, size_t count)
{
    uint32_t level = 0;

    for (size_t i = 0; i < count; i++) {
        if (extensions[i]->ext_case == GNMI_EXT__EXTENSION__EXT_DEPTH) {
            level = extensions[i]->depth->level;
        }
    }
    return level;
}

/* ---- Capabilities ---- */

static const char organization[] = "OpenConfig working group";

static const struct model {
    const char *name;
    const char *version;
} models[] = {{"openconfig-interfaces", "3.0.0"},
              {"openconfig-system", "0.17.0"},
              {"openconfig-platform", "0.24.0"}};

enum { MODELS = SL_ARRAY_LEN(models) };

bool sl_device_knows_model(const Gnmi__ModelData *asked)
{
    for (size_t i = 0; i < MODELS; i++) {
        if (strcmp(asked->name, models[i].name) == 0) {
            return (!*asked->organization || strcmp(asked->organization, organization) == 0) &&
                   (!*asked->version || strcmp(asked->version, models[i].version) == 0);
        }
    }
    return false;
}

struct sl_status sl_device_answer_capabilities(const Gnmi__CapabilityRequest *request,
                                               struct sl_buf *out)
{
    Gnmi__Encoding encodings[] = {GNMI__ENCODING__JSON, GNMI__ENCODING__BYTES,
                                  GNMI__ENCODING__PROTO, GNMI__ENCODING__ASCII,
                                  GNMI__ENCODING__JSON_IETF};
    Gnmi__CapabilityResponse response = GNMI__CAPABILITY_RESPONSE__INIT;
    Gnmi__ModelData supported[MODELS];
    Gnmi__ModelData *pointers[MODELS];

    if (sl_device_depth(request->extension, request->n_extension) > 0) {
        return sl_status_error(SL_INVALID_ARGUMENT, "a depth has no meaning in Capabilities");
    }
    for (size_t i = 0; i < MODELS; i++) {
        gnmi__model_data__init(&supported[i]);
        supported[i].name = borrowed(models[i].name);
        supported[i].organization = borrowed(organization);
        supported[i].version = borrowed(models[i].version);
        pointers[i] = &supported[i];
    }
    response.n_supported_models = MODELS;
    response.supported_models = pointers;
    response.n_supported_encodings = SL_ARRAY_LEN(encodings);
    response.supported_encodings = encodings;
    response.gnmi_version = borrowed("0.10.0");
    pack(out, &response.base, gnmi__capability_response__get_packed_size(&response));
    return out->failed ? no_memory() : sl_status_ok();
}

/* ---- Get ---- */

struct getting {
    const struct sl_device_tree *tree;
    const Gnmi__GetRequest *request;
    uint32_t depth;
    struct sl_device_place place;
    struct sl_device_leaf **found; /* of one path; room for all */
    size_t *consumed;              /* of each: how many elements the path named */
};

static bool has_elem(const struct sl_device_leaf *leaf, const char *name)
{
    for (size_t i = 0; i < leaf->path->n_elem; i++) {
        if (strcmp(leaf->path->elem[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The leaf of a key, which an entry has in every view of it. */
static bool is_key(const struct sl_device_leaf *leaf)
{
    const Gnmi__Path *path = leaf->path;
    const Gnmi__PathElem *entry = path->n_elem > 1 ? path->elem[path->n_elem - 2] : NULL;

    for (size_t i = 0; entry && i < entry->n_key; i++) {
        if (strcmp(entry->key[i]->key, path->elem[path->n_elem - 1]->name) == 0) {
            return true;
        }
    }
    return false;
}

/* OPERATIONAL is state that mirrors no configuration, as far as names tell: counters. */
static bool is_of_type(const struct sl_device_leaf *leaf, Gnmi__GetRequest__DataType type)
{
    switch ((int)type) {
    case GNMI__GET_REQUEST__DATA_TYPE__CONFIG:
        return !leaf->is_state;
    case GNMI__GET_REQUEST__DATA_TYPE__STATE:
        return leaf->is_state || is_key(leaf);
    case GNMI__GET_REQUEST__DATA_TYPE__OPERATIONAL:
        return (leaf->is_state && has_elem(leaf, "counters")) || is_key(leaf);
    default:
        return true;
    }
}

static size_t find(struct getting *getting)
{
    size_t count = 0;

    for (size_t i = 0; i < getting->tree->count; i++) {
        struct sl_device_leaf *leaf = getting->tree->leaves[i];
        size_t consumed;

        if (sl_device_place_selects(&getting->place, leaf, &consumed) &&
            is_of_type(leaf, getting->request->type) &&
            (getting->depth == 0 || leaf->path->n_elem - consumed <= getting->depth)) {
            getting->consumed[count] = consumed;
            getting->found[count++] = leaf;
        }
    }
    return count;
}

/* How many of the found, from the first on, the path names as one thing. */
static size_t group_len(const struct getting *getting, size_t first, size_t count)
{
    size_t len = 1;

    while (first + len < count && getting->consumed[first + len] == getting->consumed[first] &&
           sl_device_leaf_common(getting->found[first], getting->found[first + len]) >=
               getting->consumed[first]) {
        len++;
    }
    return len;
}

void sl_device_add_subtree(struct sl_buf *out, struct sl_device_leaf *const *leaves, size_t count,
                           size_t above, Gnmi__Encoding encoding)
{
    Gnmi__Path path = *leaves[0]->path;
    Gnmi__Update update = GNMI__UPDATE__INIT;
    struct sl_buf text;
    Gnmi__TypedValue value;

    sl_buf_init(&text, SL_DEVICE_MAX_ANSWER_BYTES);
    sl_device_json_add_object(&text, leaves, count, above, encoding == GNMI__ENCODING__JSON_IETF);
    value = text_value(&text, encoding);
    path.n_elem = above;
    update.path = &path;
    update.val = &value;
    sl_device_add_message(out, NOTIFICATION_UPDATE_TAG, &update.base);
    out->failed = out->failed || text.failed;
    sl_buf_fini(&text);
}

static void add_found(struct sl_buf *out, const struct getting *getting, size_t count)
{
    Gnmi__Encoding encoding = getting->request->encoding;
    size_t len;

    for (size_t i = 0; i < count && !out->failed; i += len) {
        len = group_len(getting, i, count);
        if (is_json(encoding) && getting->consumed[i] < getting->found[i]->path->n_elem) {
            sl_device_add_subtree(out, getting->found + i, len, getting->consumed[i], encoding);
        } else {
            len = 1;
            sl_device_add_update(out, getting->found[i], encoding);
        }
    }
}

/* The Notification of one path. */
static struct sl_status get_path(struct getting *getting, const Gnmi__Path *path, int64_t now_ns,
                                 struct sl_buf *out)
{
    const Gnmi__Path *prefix = getting->request->prefix;
    struct sl_status status = sl_device_place_init(&getting->place, prefix, path);
    const char *origin = prefix && *prefix->origin ? prefix->origin : path ? path->origin : "";
    struct sl_buf notification;
    size_t count;

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    count = find(getting);
    if (count == 0 && sl_device_place_is_concrete(&getting->place) && getting->place.count > 0) {
        const char *last = getting->place.elems[getting->place.count - 1].name;
        return sl_status_quote(SL_NOT_FOUND, "a path names nothing", sl_str_from(last));
    }
    sl_buf_init(&notification, SL_DEVICE_MAX_ANSWER_BYTES);
    sl_device_add_head(&notification, now_ns, prefix ? prefix->target : "", origin);
    add_found(&notification, getting, count);
    if (!notification.failed) {
        sl_device_add_bytes(out, RESPONSE_NOTIFICATION_TAG, sl_buf_str(&notification));
    }
    if (notification.failed || out->failed || out->len > SL_DEVICE_MAX_ANSWER_BYTES) {
        status = sl_status_error(SL_RESOURCE_EXHAUSTED,
                                 "the answer would have more than %d bytes, or memory is out",
                                 (int)SL_DEVICE_MAX_ANSWER_BYTES);
    }
    sl_buf_fini(&notification);
    return status;
}

static struct sl_status check_get(const Gnmi__GetRequest *request)
{
    if (request->encoding > GNMI__ENCODING__JSON_IETF) {
        return sl_status_error(SL_UNIMPLEMENTED, "encoding %u is not supported",
                               (unsigned)request->encoding);
    }
    if (request->type > GNMI__GET_REQUEST__DATA_TYPE__OPERATIONAL) {
        return sl_status_error(SL_INVALID_ARGUMENT, "the type of data is not known");
    }
    for (size_t i = 0; i < request->n_use_models; i++) {
        if (!sl_device_knows_model(request->use_models[i])) {
            return sl_status_error(SL_INVALID_ARGUMENT,
                                   "a model is not known: Capabilities tells which are");
        }
    }
    if (request->n_path > SL_DEVICE_MAX_GET_PATHS) {
        return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d paths",
                               (int)SL_DEVICE_MAX_GET_PATHS);
    }
    return sl_status_ok();
}

struct sl_status sl_device_answer_get(const struct sl_device_tree *tree,
                                      const Gnmi__GetRequest *request, int64_t now_ns,
                                      struct sl_buf *out)
{
    struct getting getting = {.tree = tree, .request = request};
    struct sl_status status = check_get(request);

    if (!sl_status_is_ok(&status)) {
        return status;
    }
    getting.depth = sl_device_depth(request->extension, request->n_extension);
    getting.found = calloc(tree->count + 1, sizeof(struct sl_device_leaf *));
    getting.consumed = calloc(tree->count + 1, sizeof(*getting.consumed));
    if (!getting.found || !getting.consumed) {
        status = no_memory();
    } else if (request->n_path == 0 && request->prefix) {
        status = get_path(&getting, NULL, now_ns, out);
    }
    for (size_t i = 0; i < request->n_path && sl_status_is_ok(&status); i++) {
        status = get_path(&getting, request->path[i], now_ns, out);
    }
    free(getting.found);
    free(getting.consumed);
    return status;
}

/* ---- Set ---- */

/* What was done, in the order in which it was. */
struct results {
    Gnmi__UpdateResult *results;
    Gnmi__UpdateResult **pointers;
    size_t count;
};

static void add_result(struct results *results, Gnmi__Path *path, Gnmi__UpdateResult__Operation op)
{
    Gnmi__UpdateResult *result = &results->results[results->count];

    gnmi__update_result__init(result);
    result->path = path;
    result->op = op;
    results->pointers[results->count++] = result;
}

static void add_results(struct results *results, const Gnmi__SetRequest *request)
{
    for (size_t i = 0; i < request->n_delete_; i++) {
        add_result(results, request->delete_[i], GNMI__UPDATE_RESULT__OPERATION__DELETE);
    }
    for (size_t i = 0; i < request->n_replace; i++) {
        add_result(results, request->replace[i]->path, GNMI__UPDATE_RESULT__OPERATION__REPLACE);
    }
    for (size_t i = 0; i < request->n_update; i++) {
        add_result(results, request->update[i]->path, GNMI__UPDATE_RESULT__OPERATION__UPDATE);
    }
    for (size_t i = 0; i < request->n_union_replace; i++) {
        add_result(results, request->union_replace[i]->path,
                   GNMI__UPDATE_RESULT__OPERATION__UNION_REPLACE);
    }
}

struct sl_status sl_device_answer_set(const Gnmi__SetRequest *request, int64_t now_ns,
                                      struct sl_buf *out)
{
    size_t room =
        request->n_delete_ + request->n_replace + request->n_update + request->n_union_replace + 1;
    Gnmi__SetResponse response = GNMI__SET_RESPONSE__INIT;
    struct results results = {
        .results = calloc(room, sizeof(*results.results)),
        .pointers = calloc(room, sizeof(Gnmi__UpdateResult *)),
    };
    struct sl_status status = no_memory();

    if (results.results && results.pointers) {
        add_results(&results, request);
        response.prefix = request->prefix;
        response.timestamp = now_ns;
        response.n_response = results.count;
        response.response = results.pointers;
        pack(out, &response.base, gnmi__set_response__get_packed_size(&response));
        status = out->failed ? no_memory() : sl_status_ok();
    }
    free(results.results);
    free(results.pointers);
    return status;
}
