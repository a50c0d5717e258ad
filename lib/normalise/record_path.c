#include "normalise/record_path.h"

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "normalise/record_fields.h"

enum { KEPT_BYTES = 64 * 1024 };

/* ---- fields ---- */

static void add_field(struct sl_buf *fields, uint32_t number, struct sl_str text)
{
    if (text.len) {
        size_t start = sl_pack_begin(fields, number);
        sl_gnmi_print_word(fields, text);
        sl_pack_end(fields, start);
    }
}

/* The whole text of a path whose elements are `elems`, and where it stands. */
static void add_text(struct sl_record_path *path, uint32_t number, struct sl_str origin,
                     struct sl_fragment *fragment)
{
    struct sl_buf *fields = &path->fields;
    size_t start = sl_pack_begin(fields, number);

    sl_gnmi_print_origin(fields, origin);
    if (path->elems.len) {
        sl_buf_add_str(fields, sl_buf_str(&path->elems));
    } else {
        sl_buf_add_byte(fields, '/');
    }
    fragment->key_len = (uint32_t)(fields->len - start);
    sl_pack_end(fields, start);
    fragment->key_at = (uint32_t)fields->len - fragment->key_len;
}

static void add_labels(struct sl_buf *fields, struct sl_gnmi_path *path)
{
    struct sl_gnmi_key label;

    while (sl_gnmi_path_next_label(path, &label)) {
        size_t start = sl_pack_begin(fields, SL_RECORD_UPDATE_LABELS);
        add_field(fields, SL_RECORD_LABEL_NAME, label.name);
        add_field(fields, SL_RECORD_LABEL_TEXT, label.value);
        sl_pack_end(fields, start);
    }
}

static bool end_fields(struct sl_record_path *path, struct sl_fragment *fragment)
{
    fragment->text = path->fields.data;
    fragment->len = (uint32_t)path->fields.len;
    fragment->tags_len = 0;
    return !path->fields.failed;
}

/* ---- public ---- */

void sl_record_path_init(struct sl_record_path *path)
{
    *path = (struct sl_record_path){0};
    sl_buf_init(&path->fields, SL_RECORD_PATH_MAX_BYTES);
    sl_buf_init(&path->elems, SL_RECORD_PATH_MAX_BYTES);
}

void sl_record_path_fini(struct sl_record_path *path)
{
    sl_buf_fini(&path->fields);
    sl_buf_fini(&path->elems);
}

bool sl_record_path_begin(struct sl_record_path *path, struct sl_str prefix)
{
    struct sl_gnmi_path read;

    sl_buf_trim(&path->fields, KEPT_BYTES);
    sl_buf_trim(&path->elems, KEPT_BYTES);
    sl_gnmi_path_read(prefix, &read);
    path->origin = read.origin;
    bool is_ok = sl_gnmi_print_elems(&path->elems, &read);

    path->prefix_len = path->elems.len;
    return is_ok;
}

bool sl_record_path_prefix(struct sl_record_path *path, struct sl_str prefix,
                           struct sl_fragment *fragment)
{
    struct sl_gnmi_path read;

    if (!sl_record_path_begin(path, prefix)) {
        return false;
    }
    sl_gnmi_path_read(prefix, &read);
    add_text(path, SL_RECORD_PREFIX, read.origin, fragment);
    add_field(&path->fields, SL_RECORD_PREFIX_TARGET, read.target);
    add_field(&path->fields, SL_RECORD_PREFIX_ORIGIN, read.origin);
    return end_fields(path, fragment);
}

bool sl_record_path_build(struct sl_record_path *path, struct sl_str bytes,
                          struct sl_fragment *fragment)
{
    struct sl_gnmi_path read;

    SL_ASSERT(path->elems.len >= path->prefix_len);
    sl_buf_trim(&path->fields, KEPT_BYTES);
    path->elems.len = path->prefix_len;
    path->elems.failed = false;
    sl_gnmi_path_read(bytes, &read);
    if (!sl_gnmi_print_elems(&path->elems, &read)) {
        return false;
    }
    add_text(path, SL_RECORD_UPDATE_PATH, read.origin.len ? read.origin : path->origin, fragment);
    add_field(&path->fields, SL_RECORD_UPDATE_PATH_TARGET, read.target);
    add_labels(&path->fields, &read);
    return end_fields(path, fragment);
}

size_t sl_record_path_cost(const struct sl_record_path *path)
{
    return path->fields.len + (path->elems.len - path->prefix_len);
}
