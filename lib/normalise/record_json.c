#include "normalise/record_json.h"

#include "gnmi/pack.h"
#include "gnmi/path_print.h"
#include "normalise/record_fields.h"
#include "normalise/record_path.h"
#include "normalise/record_value.h"
#include "normalise/scan.h"

enum {
    KEPT_BYTES = 64 * 1024,            /* of a working buffer from one value to the next */
    MAX_TEXT_BYTES = 32 * 1024 * 1024, /* of a string */
    LEAF_BYTES = 64,                   /* what a leaf has beside its path and its text */
};

/* One value on its way into leaves. */
struct walk {
    struct sl_record_json *json;
    struct sl_pass *pass;
    const struct sl_gnmi_update *update;
    struct sl_scan scan;
    unsigned depth;
    size_t root_len;      /* of the path, when it is that of the root: "/" or "origin:/"; else 0 */
    struct sl_str beside; /* path_target and labels, which each leaf has; or nothing */
    size_t leaves;
};

/* ---- values ---- */

/* Digits alone, and within 64 bits: an integer. Anything else keeps its text. */
static void add_number(struct sl_buf *out, struct sl_str text)
{
    bool is_negative = text.data[0] == '-';
    struct sl_str digits = {text.data + is_negative, text.len - is_negative};
    uint64_t magnitude;

    if (!sl_str_to_u64(digits, &magnitude) ||
        (is_negative && (magnitude == 0 || magnitude > (uint64_t)INT64_MAX + 1))) {
        sl_pack_bytes(out, SL_RECORD_NUMBER, text);
    } else if (is_negative) {
        sl_pack_varint(out, SL_RECORD_INT, 0 - magnitude);
    } else {
        sl_pack_varint(out, SL_RECORD_UINT, magnitude);
    }
}

/* The string that comes, in json->text. False also when it holds what is no character. */
static bool read_string(struct walk *walk)
{
    struct sl_buf *text = &walk->json->text;

    sl_buf_reset(text);
    return sl_scan_string(&walk->scan, text, false) && !text->failed && !walk->scan.is_replacing;
}

static bool add_string(struct walk *walk)
{
    struct sl_buf *text = &walk->json->text;

    if (!read_string(walk) || !sl_pass_fits(walk->pass, text->len)) {
        return false;
    }
    sl_pack_bytes(walk->pass->out, SL_RECORD_STRING, sl_buf_str(text));
    return true;
}

/* The fields of the Value of what comes: anything but an array or an object. */
static bool add_scalar(struct walk *walk)
{
    struct sl_buf *out = walk->pass->out;
    struct sl_str digits;

    if (sl_scan_is_at(&walk->scan, '"')) {
        return add_string(walk);
    }
    if (sl_scan_word(&walk->scan, SL_STR("true"))) {
        sl_pack_varint(out, SL_RECORD_BOOL, true);
    } else if (sl_scan_word(&walk->scan, SL_STR("false"))) {
        sl_pack_varint(out, SL_RECORD_BOOL, false);
    } else if (sl_scan_word(&walk->scan, SL_STR("null"))) {
        sl_pack_varint(out, SL_RECORD_JSON, SL_RECORD_NULL);
    } else {
        if (!sl_scan_digits(&walk->scan, &digits)) {
            return false;
        }
        add_number(out, digits);
    }
    return true;
}

/* ---- leaves ---- */

struct leaf {
    size_t update; /* where its Update began */
    size_t value;  /* where the fields of its Value begin */
};

/* The leaf at the path under way. False: there is no room. */
static bool begin_leaf(struct walk *walk, struct leaf *leaf)
{
    const struct sl_buf *path = &walk->json->path;
    struct sl_buf *out = walk->pass->out;

    if (path->failed || out->failed || !sl_pass_fits(walk->pass, path->len + LEAF_BYTES)) {
        return false;
    }
    leaf->update = sl_pack_begin(out, SL_RECORD_UPDATES);
    sl_pack_bytes(out, SL_RECORD_UPDATE_PATH, sl_buf_str(path));
    leaf->value = sl_pack_begin(out, SL_RECORD_UPDATE_VALUE);
    return true;
}

static bool end_leaf(struct walk *walk, const struct leaf *leaf)
{
    bool is_ietf = walk->update->value.kind == SL_GNMI_VALUE_JSON_IETF;
    struct sl_buf *out = walk->pass->out;

    sl_pack_end(out, leaf->value);
    if (walk->leaves == 0 && walk->update->duplicates) {
        sl_pack_varint(out, SL_RECORD_UPDATE_DUPLICATES, walk->update->duplicates);
    }
    sl_pack_varint(out, SL_RECORD_UPDATE_ENCODING,
                   is_ietf ? SL_RECORD_FROM_JSON_IETF : SL_RECORD_FROM_JSON);
    sl_buf_add_str(out, walk->beside);
    if (walk->leaves > 0) {
        sl_pack_varint(out, SL_RECORD_UPDATE_CONTINUED, true);
    }
    sl_pack_end(out, leaf->update);
    walk->leaves++;
    return true;
}

static bool add_scalar_leaf(struct walk *walk)
{
    struct leaf leaf;

    return begin_leaf(walk, &leaf) && add_scalar(walk) && end_leaf(walk, &leaf);
}

static bool add_empty_leaf(struct walk *walk, enum sl_record_nothing nothing)
{
    struct leaf leaf;

    if (!begin_leaf(walk, &leaf)) {
        return false;
    }
    sl_pack_varint(walk->pass->out, SL_RECORD_JSON, nothing);
    return end_leaf(walk, &leaf);
}

/* ---- containers ---- */

static bool walk_value(struct walk *walk);

/* Goes one level down. Every level up again ends in leave(). */
static bool enter(struct walk *walk)
{
    walk->scan.at++;
    return ++walk->depth <= SL_GNMI_MAX_DEPTH;
}

static bool leave(struct walk *walk)
{
    SL_ASSERT(walk->depth > 0);
    walk->depth--;
    return true;
}

static bool is_container_next(struct walk *walk)
{
    sl_scan_blanks(&walk->scan);
    return sl_scan_is_at(&walk->scan, '{') || sl_scan_is_at(&walk->scan, '[');
}

/* Scalars up to the end of the array. `is_list` is false when there is something else among them;
 * the result is false when it cannot be JSON, or finds no room. */
static bool add_elements(struct walk *walk, bool *is_list)
{
    struct sl_buf *out = walk->pass->out;

    do {
        *is_list = !is_container_next(walk);
        if (!*is_list) {
            return true;
        }
        size_t element = sl_pack_begin(out, SL_RECORD_LIST_ELEMENT);
        if (out->failed || !sl_pass_fits(walk->pass, LEAF_BYTES) || !add_scalar(walk)) {
            return false;
        }
        sl_pack_end(out, element);
    } while (sl_scan_take(&walk->scan, ','));
    return sl_scan_take(&walk->scan, ']');
}

/* The array as one leaf; where that does not do, nothing is taken and nothing appended. */
static bool add_list_leaf(struct walk *walk, bool *is_list)
{
    struct sl_buf *out = walk->pass->out;
    const char *at = walk->scan.at;
    size_t len = out->len;
    struct leaf leaf;

    if (!begin_leaf(walk, &leaf)) {
        return false;
    }
    size_t list = sl_pack_begin(out, SL_RECORD_LEAFLIST);

    if (!add_elements(walk, is_list)) {
        return false;
    }
    if (!*is_list) {
        out->len = len;
        walk->scan.at = at;
        return true;
    }
    sl_pack_end(out, list);
    return end_leaf(walk, &leaf);
}

static bool walk_items(struct walk *walk)
{
    struct sl_buf *path = &walk->json->path;
    size_t path_len = path->len;

    for (uint64_t index = 0; index == 0 || sl_scan_take(&walk->scan, ','); index++) {
        sl_buf_add_byte(path, '[');
        sl_buf_add_u64(path, index);
        sl_buf_add_byte(path, ']');
        if (!walk_value(walk)) {
            return false;
        }
        path->len = path_len;
    }
    return sl_scan_take(&walk->scan, ']');
}

static bool walk_array(struct walk *walk)
{
    bool is_list = false;

    if (!enter(walk)) {
        return false;
    }
    if (sl_scan_take(&walk->scan, ']')) {
        return add_empty_leaf(walk, SL_RECORD_EMPTY_ARRAY) && leave(walk);
    }
    return add_list_leaf(walk, &is_list) && (is_list || walk_items(walk)) && leave(walk);
}

/* `"name":`, the name behind the path. */
static bool read_name(struct walk *walk)
{
    struct sl_buf *path = &walk->json->path;

    sl_scan_blanks(&walk->scan);
    if (!read_string(walk) || !sl_scan_take(&walk->scan, ':')) {
        return false;
    }
    if (path->len != walk->root_len) {
        sl_buf_add_byte(path, '/');
    }
    sl_gnmi_print_name(path, sl_buf_str(&walk->json->text));
    if (!walk->json->text.len) {
        sl_buf_add_c(path, "[]");
    }
    return !path->failed;
}

static bool walk_object(struct walk *walk)
{
    struct sl_buf *path = &walk->json->path;
    size_t path_len = path->len;

    if (!enter(walk)) {
        return false;
    }
    if (sl_scan_take(&walk->scan, '}')) {
        return add_empty_leaf(walk, SL_RECORD_EMPTY_OBJECT) && leave(walk);
    }
    do {
        if (!read_name(walk) || !walk_value(walk)) {
            return false;
        }
        path->len = path_len;
    } while (sl_scan_take(&walk->scan, ','));
    return sl_scan_take(&walk->scan, '}') && leave(walk);
}

/* Recursive with the depth that enter() allows. */
static bool walk_value(struct walk *walk)
{
    sl_scan_blanks(&walk->scan);
    if (sl_scan_is_at(&walk->scan, '{')) {
        return walk_object(walk);
    }
    return sl_scan_is_at(&walk->scan, '[') ? walk_array(walk) : add_scalar_leaf(walk);
}

/* ---- the whole ---- */

/* Only the text of the root ends in a '/' that no backslash stands in front of. */
static size_t root_len(struct sl_str path)
{
    SL_ASSERT(path.len > 0);
    bool is_root =
        path.data[path.len - 1] == '/' && (path.len == 1 || path.data[path.len - 2] != '\\');

    return is_root ? path.len : 0;
}

static bool walk_all(struct walk *walk)
{
    if (!walk_value(walk)) {
        return false;
    }
    sl_scan_blanks(&walk->scan);
    return walk->scan.at == walk->scan.end;
}

void sl_record_json_init(struct sl_record_json *json)
{
    *json = (struct sl_record_json){0};
    sl_buf_init(&json->path, SL_RECORD_PATH_MAX_BYTES);
    sl_buf_init(&json->text, MAX_TEXT_BYTES);
}

void sl_record_json_fini(struct sl_record_json *json)
{
    sl_buf_fini(&json->path);
    sl_buf_fini(&json->text);
}

bool sl_record_json_add(struct sl_record_json *json, struct sl_pass *pass,
                        const struct sl_fragment *fragment, const struct sl_gnmi_update *update)
{
    struct sl_str source = update->value.of.bytes;
    struct sl_str path = {fragment->text + fragment->key_at, fragment->key_len};
    size_t fixed = fragment->key_at + fragment->key_len;
    size_t start = pass->out->len;
    struct walk walk = {
        .json = json,
        .pass = pass,
        .update = update,
        .scan = {.at = source.data, .end = source.data},
        .root_len = root_len(path),
        .beside = {fragment->text + fixed, fragment->len - fixed},
    };

    if (!source.len || pass->wasted_bytes > SL_ENCODER_MAX_RECORD_BYTES) {
        return false;
    }
    walk.scan.end += source.len;
    sl_buf_trim(&json->path, KEPT_BYTES);
    sl_buf_trim(&json->text, KEPT_BYTES);
    sl_buf_add_str(&json->path, path);
    if (walk_all(&walk)) {
        return true;
    }
    pass->wasted_bytes += pass->out->len - start;
    pass->out->len = start;
    return false;
}
