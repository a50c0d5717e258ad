#include "notify.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "gnmi/path.h"
#include "gnmi/path_print.h"

enum { MOST_PATHS = 64 };

static Gnmi__Path *path_of(const char *text)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);

    assert_non_null(path);
    return path;
}

static Gnmi__Update *update_of(const char *path, const struct notify *what)
{
    Gnmi__Update *update = calloc(1, sizeof(*update));

    gnmi__update__init(update);
    update->path = path_of(path);
    update->val = calloc(1, sizeof(*update->val));
    gnmi__typed_value__init(update->val);
    if (what->text) {
        update->val->value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
        update->val->string_val = strdup(what->text);
    } else {
        update->val->value_case = GNMI__TYPED_VALUE__VALUE_INT_VAL;
        update->val->int_val = what->value;
    }
    return update;
}

struct sl_str notify_bytes(const struct notify *what)
{
    static uint8_t bytes[NOTIFY_BYTES];
    Gnmi__SubscribeResponse *response = calloc(1, sizeof(*response));
    Gnmi__Notification *notification = calloc(1, sizeof(*notification));

    gnmi__subscribe_response__init(response);
    gnmi__notification__init(notification);
    response->response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response->update = notification;
    notification->timestamp = 42;
    notification->atomic = what->is_atomic;
    notification->prefix = what->prefix ? path_of(what->prefix) : NULL;
    if (what->target) {
        notification->prefix->target = strdup(what->target);
    }
    notification->update = calloc(MOST_PATHS, sizeof(Gnmi__Update *));
    notification->delete_ = calloc(MOST_PATHS, sizeof(Gnmi__Path *));
    for (const char *const *path = what->updates; path && *path; path++) {
        notification->update[notification->n_update++] = update_of(*path, what);
    }
    for (const char *const *path = what->deletes; path && *path; path++) {
        notification->delete_[notification->n_delete_++] = path_of(*path);
    }
    assert_true(gnmi__subscribe_response__get_packed_size(response) <= NOTIFY_BYTES);
    size_t len = gnmi__subscribe_response__pack(response, bytes);
    gnmi__subscribe_response__free_unpacked(response, NULL);
    return (struct sl_str){(const char *)bytes, len};
}

static void print_value(const struct sl_gnmi_value *value, struct sl_buf *text)
{
    sl_buf_add_byte(text, '=');
    if (value->kind == SL_GNMI_VALUE_INT) {
        sl_buf_add_i64(text, value->of.i64);
    } else {
        sl_buf_add_str(text, value->of.bytes);
    }
}

static void print_path(const struct sl_gnmi_response *response, struct sl_str path,
                       struct sl_buf *text)
{
    assert_true(sl_gnmi_path_print(response->prefix, path, text));
}

void notify_print(const struct sl_gnmi_response *response, struct sl_buf *text)
{
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(response);
    struct sl_gnmi_cursor deletes = updates;
    struct sl_gnmi_update update;
    struct sl_str path;

    if (response->is_sync) {
        sl_buf_add_c(text, "sync");
        return;
    }
    size_t start = text->len;

    if (response->is_atomic) {
        sl_buf_add_byte(text, '!');
        print_path(response, (struct sl_str){NULL, 0}, text);
    }
    while (sl_gnmi_next_delete(&deletes, &path)) {
        sl_buf_add_c(text, text->len > start ? " -" : "-");
        print_path(response, path, text);
    }
    while (sl_gnmi_next_update(&updates, &update)) {
        sl_buf_add_c(text, text->len > start ? " " : "");
        print_path(response, update.path, text);
        print_value(&update.value, text);
    }
}
