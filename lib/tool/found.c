#include "tool/found.h"

#include <string.h>

#include "device/tree_json.h"
#include "gnmi/path_print.h"
#include "grpc/message.h"

bool sl_found_init(struct sl_found *found)
{
    *found = (struct sl_found){0};
    found->is_editing = sl_device_edit_init(&found->edit, NULL, 0);
    return found->is_editing;
}

void sl_found_fini(struct sl_found *found)
{
    if (found->is_editing) {
        sl_device_edit_fini(&found->edit);
    }
    sl_device_tree_release(found->tree);
    *found = (struct sl_found){0};
}

/* ---- into the tree ---- */

static struct sl_str json_of(const Gnmi__TypedValue *value)
{
    if (value && value->value_case == GNMI__TYPED_VALUE__VALUE_JSON_VAL) {
        return (struct sl_str){(const char *)value->json_val.data, value->json_val.len};
    }
    if (value && value->value_case == GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL) {
        return (struct sl_str){(const char *)value->json_ietf_val.data, value->json_ietf_val.len};
    }
    return (struct sl_str){0};
}

/* The path alone counts; a leaf that is a key of the entry above has the key's value, as the tree
 * wants it. */
static struct sl_status put_leaf(struct sl_found *found, const struct sl_device_place *place)
{
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    const char *key = NULL;

    if (place->count > 1) {
        key = sl_device_key_value(&place->elems[place->count - 2],
                                  place->elems[place->count - 1].name);
    }
    value.value_case =
        key ? GNMI__TYPED_VALUE__VALUE_STRING_VAL : GNMI__TYPED_VALUE__VALUE_BOOL_VAL;
    if (key) {
        value.string_val = (char *)(uintptr_t)key;
    } else {
        value.bool_val = true;
    }
    return sl_device_edit_put(&found->edit, place, &value);
}

static struct sl_status put_update(struct sl_found *found, const Gnmi__Path *prefix,
                                   const Gnmi__Update *update)
{
    struct sl_str json = json_of(update->val);
    struct sl_device_place place;
    struct sl_status status = sl_device_place_init(&place, prefix, update->path);

    if (sl_status_is_ok(&status)) {
        status =
            json.len ? sl_device_json_put(&found->edit, &place, json) : put_leaf(found, &place);
    }
    if (status.code == SL_INVALID_ARGUMENT) {
        found->skipped++;
        return sl_status_ok();
    }
    return status;
}

static struct sl_status put_notification(struct sl_found *found,
                                         const Gnmi__Notification *notification)
{
    struct sl_status status = sl_status_ok();

    for (size_t i = 0; i < notification->n_update && sl_status_is_ok(&status); i++) {
        status = put_update(found, notification->prefix, notification->update[i]);
    }
    return status;
}

struct sl_status sl_found_add_response(struct sl_found *found, struct sl_str message)
{
    struct sl_status status = sl_status_ok();
    ProtobufCMessage *unpacked =
        sl_grpc_message_unpack_kept(&gnmi__subscribe_response__descriptor,
                                    (const uint8_t *)message.data, (uint32_t)message.len, &status);

    if (!unpacked) {
        return status;
    }
    const Gnmi__SubscribeResponse *response = (const Gnmi__SubscribeResponse *)unpacked;
    if (response->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE) {
        status = put_notification(found, response->update);
    }
    protobuf_c_message_free_unpacked(unpacked, NULL);
    return status;
}

struct sl_status sl_found_read(struct sl_found *found, struct sl_str text)
{
    struct sl_status status = sl_status_ok();

    found->tree = sl_device_json_read(text, 0, &status);
    return status;
}

struct sl_status sl_found_end(struct sl_found *found)
{
    struct sl_status status = sl_status_ok();

    if (!found->tree) {
        found->is_editing = false; /* the edit is used up either way */
        found->tree = sl_device_edit_done(&found->edit, &status);
    }
    return status;
}

/* ---- out of it ---- */

/* The leaf's first `count` elements, behind the origin as it was asked for. */
static bool add_line(const struct sl_device_leaf *leaf, const char *origin, size_t count,
                     struct sl_buf *out)
{
    Gnmi__Path path = *leaf->path;
    struct sl_buf bytes = {0};

    path.origin = (char *)(uintptr_t)(*leaf->origin ? leaf->origin : origin);
    path.n_elem = count;
    bool is_ok = sl_grpc_message_pack(&path.base, &bytes) &&
                 sl_gnmi_path_print((struct sl_str){0}, sl_buf_str(&bytes), out);

    sl_buf_add_byte(out, '\n');
    sl_buf_fini(&bytes);
    return is_ok && !out->failed;
}

struct sl_status sl_found_match(const struct sl_found *found, const Gnmi__Path *prefix,
                                const Gnmi__Path *path, struct sl_buf *out, size_t *count)
{
    struct sl_device_place place;
    struct sl_status status = sl_device_place_init(&place, prefix, path);
    const char *origin = *path->origin ? path->origin : prefix ? prefix->origin : "";
    struct sl_str last = {0};

    *count = 0;
    for (size_t i = 0; sl_status_is_ok(&status) && i < found->tree->count; i++) {
        const struct sl_device_leaf *leaf = found->tree->leaves[i];
        size_t consumed;
        size_t start = out->len;
        if (!sl_device_place_selects(&place, leaf, &consumed)) {
            continue;
        }
        if (!add_line(leaf, origin, consumed, out)) {
            return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        }
        struct sl_str line = {out->data + start, out->len - start};
        last = (struct sl_str){out->data + start - last.len, last.len};
        if (*count && sl_str_eq(line, last)) {
            out->len = start;
        } else {
            last = line;
            ++*count;
        }
    }
    return status;
}
