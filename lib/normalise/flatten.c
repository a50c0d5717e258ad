#include "normalise/flatten.h"

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/path_build.h"
#include "normalise/scan.h"

enum {
    KEPT_BYTES = 64 * 1024, /* of a working buffer from one value to the next */
    MOST_BYTES = 8 * 1024 * 1024,
    /* field numbers: of Path, of PathElem, of an entry of its map */
    PATH_ELEM = 3,
    ELEM_NAME = 1,
    ELEM_KEY = 2,
    ENTRY_NAME = 1,
    ENTRY_VALUE = 2,
};

/* One value on its way into updates. */
struct walk {
    struct sl_flatten *flatten;
    struct sl_gnmi_rewrite *rewrite;
    const struct sl_gnmi_update *update;
    struct sl_scan scan;
    unsigned depth;
    uint32_t leaves;
};

static bool walk_object(struct walk *walk);

/* ---- paths ---- */

static void add_key(struct sl_buf *out, struct sl_str name, struct sl_str value)
{
    size_t start = sl_pack_begin(out, ELEM_KEY);

    sl_pack_bytes(out, ENTRY_NAME, name);
    sl_pack_bytes(out, ENTRY_VALUE, value);
    sl_pack_end(out, start);
}

/* One more element: elements stand one behind the other, so that it can come at the end. `keys` are
 * fields of PathElem. */
static void add_elem(struct sl_buf *path, struct sl_str name, struct sl_str keys)
{
    size_t start = sl_pack_begin(path, PATH_ELEM);

    sl_pack_bytes(path, ELEM_NAME, name);
    sl_buf_add_str(path, keys);
    sl_pack_end(path, start);
}

/* A path with deprecated elements, as one with others. */
static void add_old_path(struct sl_gnmi_path *read, struct sl_buf *out)
{
    struct sl_gnmi_path_build build;
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;

    sl_gnmi_path_build_begin(&build, out);
    sl_gnmi_path_build_origin(&build, read->origin);
    sl_gnmi_path_build_target(&build, read->target);
    while (sl_gnmi_path_next(read, &elem)) {
        sl_gnmi_path_build_elem(&build, elem.name);
        while (sl_gnmi_elem_next_key(&elem, &key)) {
            sl_gnmi_path_build_key(&build, key.name, key.value);
        }
    }
    (void)sl_gnmi_path_build_end(&build);
}

static void begin_path(struct sl_flatten *flatten, struct sl_str path)
{
    struct sl_gnmi_path read;

    sl_buf_trim(&flatten->path, KEPT_BYTES);
    sl_gnmi_path_read(path, &read);
    if (read.has_elem) {
        sl_buf_add_str(&flatten->path, path);
    } else {
        add_old_path(&read, &flatten->path);
    }
}

/* ---- values ---- */

static bool skip_string(struct walk *walk)
{
    struct sl_str plain;

    sl_buf_reset(&walk->flatten->name);
    return sl_scan_plain_string(&walk->scan, &plain) ||
           (sl_scan_is_at(&walk->scan, '"') &&
            sl_scan_string(&walk->scan, &walk->flatten->name, false));
}

static bool skip_value(struct walk *walk);

static bool skip_members(struct walk *walk, char close)
{
    if (sl_scan_take(&walk->scan, close)) {
        return true;
    }
    do {
        sl_scan_blanks(&walk->scan);
        if (close == '}' && !(skip_string(walk) && sl_scan_take(&walk->scan, ':'))) {
            return false;
        }
        if (!skip_value(walk)) {
            return false;
        }
    } while (sl_scan_take(&walk->scan, ','));
    return sl_scan_take(&walk->scan, close);
}

/* Recursive with the depth that is allowed. */
static bool skip_value(struct walk *walk)
{
    struct sl_scan *scan = &walk->scan;
    struct sl_str digits;

    sl_scan_blanks(scan);
    if (sl_scan_is_at(scan, '"')) {
        return skip_string(walk);
    }
    if (!sl_scan_is_at(scan, '{') && !sl_scan_is_at(scan, '[')) {
        return sl_scan_word(scan, SL_STR("true")) || sl_scan_word(scan, SL_STR("false")) ||
               sl_scan_word(scan, SL_STR("null")) || sl_scan_digits(scan, &digits);
    }
    char close = *scan->at++ == '{' ? '}' : ']';

    if (++walk->depth > SL_GNMI_MAX_DEPTH || !skip_members(walk, close)) {
        return false;
    }
    walk->depth--;
    return true;
}

/* What comes is a leaf, whatever it is. */
static bool add_leaf(struct walk *walk)
{
    struct sl_gnmi_value value = {.kind = walk->update->value.kind};
    const char *start = walk->scan.at;
    const struct sl_buf *path = &walk->flatten->path;

    if (!skip_value(walk) || path->failed || walk->rewrite->out->failed) {
        return false;
    }
    value.of.bytes = (struct sl_str){start, (size_t)(walk->scan.at - start)};
    sl_gnmi_rewrite_add_update_value(walk->rewrite, sl_buf_str(path), &value,
                                     walk->leaves == 0 ? walk->update->duplicates : 0);
    walk->leaves++;
    return true;
}

/* ---- containers ---- */

/* Whether the array that comes has an object in front. */
static bool is_list(const struct walk *walk)
{
    struct sl_scan ahead = walk->scan;

    return sl_scan_take(&ahead, '[') && sl_scan_take(&ahead, '{');
}

static bool is_empty_object(const struct walk *walk)
{
    struct sl_scan ahead = walk->scan;

    return sl_scan_take(&ahead, '{') && sl_scan_take(&ahead, '}');
}

/* An item of a list under `name`, whose keys are `keys`. */
static bool walk_item(struct walk *walk, struct sl_str name, struct sl_str keys)
{
    struct sl_buf *path = &walk->flatten->path;
    size_t len = path->len;

    sl_scan_blanks(&walk->scan);
    add_elem(path, name, keys);
    bool is_ok = sl_scan_is_at(&walk->scan, '{') && !is_empty_object(walk) ? walk_object(walk)
                                                                           : add_leaf(walk);

    path->len = len;
    return is_ok;
}

static bool walk_items(struct walk *walk, struct sl_str name,
                       const struct sl_json_keyed_array *array)
{
    for (uint64_t index = 0; index == 0 || sl_scan_take(&walk->scan, ','); index++) {
        char digits[32];
        char room[64];
        struct sl_buf number = {.data = digits, .cap = sizeof(digits)};
        struct sl_buf keys = {.data = room, .cap = sizeof(room)};
        if (!array) {
            sl_buf_add_u64(&number, index);
            add_key(&keys, SL_STR("index"), sl_buf_str(&number));
        }
        if (!walk_item(walk, name,
                       array ? sl_json_keyed_item(&walk->flatten->keyed, array, index)
                             : sl_buf_str(&keys))) {
            return false;
        }
    }
    return sl_scan_take(&walk->scan, ']');
}

static bool walk_list(struct walk *walk, struct sl_str name)
{
    struct sl_json_keyed *keyed = &walk->flatten->keyed;
    struct sl_json_keyed_array array;

    walk->scan.at++;
    if (++walk->depth > SL_GNMI_MAX_DEPTH) {
        return false;
    }
    bool is_keyed = sl_json_keyed_begin(keyed, &walk->scan, &array);
    bool is_ok = walk_items(walk, name, is_keyed ? &array : NULL);

    if (is_keyed) {
        sl_json_keyed_end(keyed, &array);
    }
    walk->depth--;
    return is_ok;
}

static bool walk_member(struct walk *walk, struct sl_str name)
{
    struct sl_buf *path = &walk->flatten->path;
    size_t len = path->len;
    bool is_ok;

    sl_scan_blanks(&walk->scan);
    if (is_list(walk)) {
        return walk_list(walk, name);
    }
    add_elem(path, name, (struct sl_str){0});
    is_ok = sl_scan_is_at(&walk->scan, '{') && !is_empty_object(walk) ? walk_object(walk)
                                                                      : add_leaf(walk);
    path->len = len;
    return is_ok;
}

/* The name of the member that comes, on the heap where it is not in the text: it must outlive the
 * members within. */
static bool read_name(struct walk *walk, struct sl_str *name, struct sl_buf *own)
{
    sl_scan_blanks(&walk->scan);
    if (sl_scan_plain_string(&walk->scan, name)) {
        return true;
    }
    bool is_ok = sl_scan_is_at(&walk->scan, '"') && sl_scan_string(&walk->scan, own, false) &&
                 !own->failed && !walk->scan.is_replacing;

    *name = sl_buf_str(own);
    return is_ok;
}

/* Recursive with the depth that is allowed. */
static bool walk_object(struct walk *walk)
{
    bool is_ok = ++walk->depth <= SL_GNMI_MAX_DEPTH;

    walk->scan.at++;
    while (is_ok) {
        struct sl_buf own = {0};
        struct sl_str name;
        is_ok = read_name(walk, &name, &own) && sl_scan_take(&walk->scan, ':') &&
                walk_member(walk, name);
        sl_buf_fini(&own);
        if (is_ok && !sl_scan_take(&walk->scan, ',')) {
            break;
        }
    }
    walk->depth--;
    return is_ok && sl_scan_take(&walk->scan, '}');
}

/* ---- public ---- */

void sl_flatten_init(struct sl_flatten *flatten)
{
    sl_buf_init(&flatten->path, MOST_BYTES);
    sl_buf_init(&flatten->name, SL_JSON_KEYED_MOST_BYTES);
    sl_json_keyed_init(&flatten->keyed, &sl_json_default_keys, add_key);
}

void sl_flatten_fini(struct sl_flatten *flatten)
{
    sl_buf_fini(&flatten->path);
    sl_buf_fini(&flatten->name);
    sl_json_keyed_fini(&flatten->keyed);
}

static struct sl_scan scan_of(struct sl_str text)
{
    struct sl_scan scan = {.at = text.data, .end = text.data + text.len};

    sl_scan_blanks(&scan);
    return scan;
}

bool sl_flatten_is_container(const struct sl_gnmi_value *value)
{
    if ((value->kind != SL_GNMI_VALUE_JSON && value->kind != SL_GNMI_VALUE_JSON_IETF) ||
        !value->of.bytes.len) {
        return false;
    }
    struct sl_scan scan = scan_of(value->of.bytes);

    return sl_scan_take(&scan, '{') && !sl_scan_take(&scan, '}');
}

bool sl_flatten_add(struct sl_flatten *flatten, struct sl_gnmi_rewrite *rewrite,
                    const struct sl_gnmi_update *update, uint32_t *count)
{
    const struct sl_gnmi_rewrite before = *rewrite;
    size_t len = rewrite->out->len;
    struct walk walk = {.flatten = flatten,
                        .rewrite = rewrite,
                        .update = update,
                        .scan = scan_of(update->value.of.bytes)};

    SL_ASSERT(sl_flatten_is_container(&update->value));
    begin_path(flatten, update->path);
    sl_json_keyed_start(&flatten->keyed, update->value.of.bytes.len);
    bool is_ok = walk_object(&walk);

    sl_scan_blanks(&walk.scan);
    *count = walk.leaves;
    if (is_ok && walk.scan.at == walk.scan.end && !rewrite->out->failed) {
        return true;
    }
    *rewrite = before;
    rewrite->out->len = len;
    rewrite->out->failed = false;
    return false;
}
