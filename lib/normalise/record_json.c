#include "normalise/record_json.h"

#include <string.h>

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

/* The fields of a Value: `head`, then `tail`, which is text of the value or of json->text. */
struct scalar {
    char head[SL_PACK_VARINT_BYTES + 2];
    size_t head_len;
    struct sl_str tail;
};

static void put_number(struct scalar *scalar, enum sl_record_value arm, uint64_t number)
{
    char *end = sl_pack_put_varint(scalar->head, (uint64_t)arm << 3 | SL_WIRE_VARINT);

    scalar->head_len = (size_t)(sl_pack_put_varint(end, number) - scalar->head);
}

static void put_text(struct scalar *scalar, enum sl_record_value arm, struct sl_str text)
{
    scalar->head[0] = (char)(arm << 3 | SL_WIRE_BYTES);
    scalar->head_len = (size_t)(sl_pack_put_varint(scalar->head + 1, text.len) - scalar->head);
    scalar->tail = text;
}

/* Digits alone, and within 64 bits: an integer. Anything else keeps its text. */
static void put_digits(struct scalar *scalar, struct sl_str text)
{
    bool is_negative = text.data[0] == '-';
    struct sl_str digits = {text.data + is_negative, text.len - is_negative};
    uint64_t magnitude;

    if (!sl_str_to_u64(digits, &magnitude) ||
        (is_negative && (magnitude == 0 || magnitude > (uint64_t)INT64_MAX + 1))) {
        put_text(scalar, SL_RECORD_NUMBER, text);
    } else if (is_negative) {
        put_number(scalar, SL_RECORD_INT, 0 - magnitude);
    } else {
        put_number(scalar, SL_RECORD_UINT, magnitude);
    }
}

/* The string that comes, in the text or in json->text. False also when it holds what is no
 * character. */
static bool read_string(struct walk *walk, struct sl_str *string)
{
    struct sl_buf *text = &walk->json->text;

    if (sl_scan_plain_string(&walk->scan, string)) {
        return true;
    }
    sl_buf_reset(text);
    if (!sl_scan_string(&walk->scan, text, false) || text->failed || walk->scan.is_replacing) {
        return false;
    }
    *string = sl_buf_str(text);
    return true;
}

/* What comes: anything but an array or an object. */
static bool read_scalar(struct walk *walk, struct scalar *scalar)
{
    struct sl_str text;

    scalar->tail = (struct sl_str){0};
    if (sl_scan_is_at(&walk->scan, '"')) {
        if (!read_string(walk, &text)) {
            return false;
        }
        put_text(scalar, SL_RECORD_STRING, text);
    } else if (sl_scan_word(&walk->scan, SL_STR("true"))) {
        put_number(scalar, SL_RECORD_BOOL, true);
    } else if (sl_scan_word(&walk->scan, SL_STR("false"))) {
        put_number(scalar, SL_RECORD_BOOL, false);
    } else if (sl_scan_word(&walk->scan, SL_STR("null"))) {
        put_number(scalar, SL_RECORD_JSON, SL_RECORD_NULL);
    } else {
        if (!sl_scan_digits(&walk->scan, &text)) {
            return false;
        }
        put_digits(scalar, text);
    }
    return true;
}

/* ---- leaves ---- */

static char *put(char *at, struct sl_str bytes)
{
    if (bytes.len) {
        memcpy(at, bytes.data, bytes.len);
    }
    return at + bytes.len;
}

static char *put_head(char *at, uint32_t number, size_t len)
{
    *at++ = (char)(number << 3 | SL_WIRE_BYTES);
    return sl_pack_put_varint(at, len);
}

/* What stands in an Update between its Value and what all leaves have. */
static char *put_encoding(char *at, const struct walk *walk)
{
    bool is_ietf = walk->update->value.kind == SL_GNMI_VALUE_JSON_IETF;

    if (walk->leaves == 0 && walk->update->duplicates) {
        *at++ = SL_RECORD_UPDATE_DUPLICATES << 3 | SL_WIRE_VARINT;
        at = sl_pack_put_varint(at, walk->update->duplicates);
    }
    *at++ = SL_RECORD_UPDATE_ENCODING << 3 | SL_WIRE_VARINT;
    *at++ = is_ietf ? SL_RECORD_FROM_JSON_IETF : SL_RECORD_FROM_JSON;
    return at;
}

/* The leaf at the path under way, with that value. False: there is no room. */
static bool add_leaf(struct walk *walk, const struct scalar *scalar)
{
    static const char continued[] = {SL_RECORD_UPDATE_CONTINUED << 3 | SL_WIRE_VARINT, true};
    struct sl_str path = sl_buf_str(&walk->json->path);
    struct sl_buf *out = walk->pass->out;
    char encoding[LEAF_BYTES];
    size_t encoding_len = (size_t)(put_encoding(encoding, walk) - encoding);
    size_t continued_len = walk->leaves > 0 ? sizeof(continued) : 0;
    size_t value_len = scalar->head_len + scalar->tail.len;
    size_t len = 2 + sl_pack_varint_len(path.len) + path.len + sl_pack_varint_len(value_len) +
                 value_len + encoding_len + walk->beside.len + continued_len;

    if (walk->json->path.failed || !sl_pass_fits(walk->pass, len + LEAF_BYTES) ||
        !sl_buf_reserve(out, len + LEAF_BYTES)) {
        return false;
    }
    char *at = put_head(out->data + out->len, SL_RECORD_UPDATES, len);

    at = put(put_head(at, SL_RECORD_UPDATE_PATH, path.len), path);
    at = put_head(at, SL_RECORD_UPDATE_VALUE, value_len);
    at = put(at, (struct sl_str){scalar->head, scalar->head_len});
    at = put(at, scalar->tail);
    at = put(at, (struct sl_str){encoding, encoding_len});
    at = put(at, walk->beside);
    at = put(at, (struct sl_str){continued, continued_len});
    out->len = (size_t)(at - out->data);
    SL_ASSERT(out->len <= out->cap);
    walk->leaves++;
    return true;
}

static bool add_scalar_leaf(struct walk *walk)
{
    struct scalar scalar;

    return read_scalar(walk, &scalar) && add_leaf(walk, &scalar);
}

static bool add_empty_leaf(struct walk *walk, enum sl_record_nothing nothing)
{
    struct scalar scalar = {.head_len = 0};

    put_number(&scalar, SL_RECORD_JSON, nothing);
    return add_leaf(walk, &scalar);
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

/* Scalars up to the end of the array, in json->list. `is_list` is false when there is something
 * else among them; the result is false when it cannot be JSON, or finds no room. */
static bool read_elements(struct walk *walk, bool *is_list)
{
    struct sl_buf *list = &walk->json->list;
    struct scalar scalar;

    sl_buf_reset(list);
    do {
        *is_list = !is_container_next(walk);
        if (!*is_list) {
            return true;
        }
        if (!read_scalar(walk, &scalar)) {
            return false;
        }
        size_t len = scalar.head_len + scalar.tail.len;
        if (!sl_pass_fits(walk->pass, list->len + len + LEAF_BYTES) ||
            !sl_buf_reserve(list, len + LEAF_BYTES)) {
            return false;
        }
        char *at = put_head(list->data + list->len, SL_RECORD_LIST_ELEMENT, len);
        at = put(at, (struct sl_str){scalar.head, scalar.head_len});
        at = put(at, scalar.tail);
        list->len = (size_t)(at - list->data);
    } while (sl_scan_take(&walk->scan, ','));
    return sl_scan_take(&walk->scan, ']');
}

/* The array as one leaf; where that does not do, nothing is taken and nothing appended. */
static bool add_list_leaf(struct walk *walk, bool *is_list)
{
    const char *at = walk->scan.at;
    struct scalar scalar;

    if (!read_elements(walk, is_list)) {
        return false;
    }
    if (!*is_list) {
        walk->scan.at = at;
        return true;
    }
    put_text(&scalar, SL_RECORD_LEAFLIST, sl_buf_str(&walk->json->list));
    return add_leaf(walk, &scalar);
}

/* `keyed`: what the items are called, or NULL. */
static bool walk_items(struct walk *walk, const struct sl_json_keyed_array *keyed)
{
    struct sl_buf *path = &walk->json->path;
    size_t path_len = path->len;

    for (uint64_t index = 0; index == 0 || sl_scan_take(&walk->scan, ','); index++) {
        if (keyed) {
            sl_buf_add_str(path, sl_json_keyed_item(walk->json->keyed, keyed, index));
        } else {
            sl_buf_add_byte(path, '[');
            sl_buf_add_u64(path, index);
            sl_buf_add_byte(path, ']');
        }
        if (!walk_value(walk)) {
            return false;
        }
        path->len = path_len;
    }
    return sl_scan_take(&walk->scan, ']');
}

static bool walk_named_items(struct walk *walk)
{
    struct sl_json_keyed *keyed = walk->json->keyed;
    struct sl_json_keyed_array array;

    if (!keyed || !sl_json_keyed_begin(keyed, &walk->scan, &array)) {
        return walk_items(walk, NULL);
    }
    bool is_ok = walk_items(walk, &array);

    sl_json_keyed_end(keyed, &array);
    return is_ok;
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
    return add_list_leaf(walk, &is_list) && (is_list || walk_named_items(walk)) && leave(walk);
}

/* `"name":`, the name behind the path. */
static bool read_name(struct walk *walk)
{
    struct sl_buf *path = &walk->json->path;
    struct sl_str name;

    sl_scan_blanks(&walk->scan);
    if (!read_string(walk, &name) || !sl_scan_take(&walk->scan, ':')) {
        return false;
    }
    if (path->len != walk->root_len) {
        sl_buf_add_byte(path, '/');
    }
    sl_gnmi_print_name(path, name);
    if (!name.len) {
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
    sl_buf_init(&json->list, MAX_TEXT_BYTES);
}

void sl_record_json_fini(struct sl_record_json *json)
{
    sl_buf_fini(&json->path);
    sl_buf_fini(&json->text);
    sl_buf_fini(&json->list);
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
    sl_buf_trim(&json->list, KEPT_BYTES);
    sl_buf_add_str(&json->path, path);
    if (json->keyed) {
        sl_json_keyed_start(json->keyed, source.len);
    }
    if (walk_all(&walk)) {
        return true;
    }
    pass->wasted_bytes += pass->out->len - start;
    pass->out->len = start;
    return false;
}
