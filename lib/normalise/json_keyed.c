#include "normalise/json_keyed.h"

#include <string.h>

#include "gnmi/path_print.h"
#include "gnmi/response.h"
#include "normalise/items.h"

enum {
    KEPT_BYTES = 64 * 1024, /* of a working buffer from one value to the next */

};

/* One set of names, and what an item has under them: spans of `words`. */
struct wanted {
    struct sl_str names[SL_JSON_KEYED_MAX];
    struct sl_item values[SL_JSON_KEYED_MAX];
    bool has[SL_JSON_KEYED_MAX];
    size_t count;
};

static const char *const default_sets[] = {"identifier name", "name", "id", "index", "key", NULL};

const struct sluice_strings sl_json_default_keys = {default_sets, SL_ARRAY_LEN(default_sets) - 1};

/* ---- sets ---- */

/* False when there are too many names, or none. */
static bool read_set(const char *text, struct wanted *wanted)
{
    wanted->count = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        if (wanted->count == SL_JSON_KEYED_MAX) {
            return false;
        }
        wanted->names[wanted->count++] = (struct sl_str){text, len};
        text += len;
    }
    return wanted->count > 0;
}

bool sl_json_keys_check(const char *text)
{
    struct wanted wanted;

    return read_set(text, &wanted);
}

/* ---- looking ---- */

static bool skip_value(struct sl_scan *scan, struct sl_buf *words, unsigned depth);

static bool skip_string(struct sl_scan *scan, struct sl_buf *words)
{
    struct sl_str plain;
    size_t len = words->len;
    bool is_ok = sl_scan_plain_string(scan, &plain) ||
                 (sl_scan_is_at(scan, '"') && sl_scan_string(scan, words, false));

    words->len = len;
    return is_ok && !words->failed;
}

static bool skip_members(struct sl_scan *scan, struct sl_buf *words, unsigned depth, char close)
{
    if (sl_scan_take(scan, close)) {
        return true;
    }
    do {
        sl_scan_blanks(scan);
        if (close == '}' && !(skip_string(scan, words) && sl_scan_take(scan, ':'))) {
            return false;
        }
        if (!skip_value(scan, words, depth)) {
            return false;
        }
    } while (sl_scan_take(scan, ','));
    return sl_scan_take(scan, close);
}

/* Recursive as deep as JSON may nest. */
static bool skip_value(struct sl_scan *scan, struct sl_buf *words, unsigned depth)
{
    struct sl_str digits;

    sl_scan_blanks(scan);
    if (sl_scan_is_at(scan, '"')) {
        return skip_string(scan, words);
    }
    if (sl_scan_is_at(scan, '{') || sl_scan_is_at(scan, '[')) {
        char close = *scan->at++ == '{' ? '}' : ']';
        return depth < SL_GNMI_MAX_DEPTH && skip_members(scan, words, depth + 1, close);
    }
    return sl_scan_word(scan, SL_STR("true")) || sl_scan_word(scan, SL_STR("false")) ||
           sl_scan_word(scan, SL_STR("null")) || sl_scan_digits(scan, &digits);
}

/* The string that comes, behind the others in `words`. */
static bool read_word(struct sl_scan *scan, struct sl_buf *words, struct sl_item *span)
{
    span->name_at = (uint32_t)words->len;
    bool is_ok = sl_scan_string(scan, words, false) && !words->failed && !scan->is_replacing;

    span->name_len = (uint32_t)(words->len - span->name_at);
    return is_ok;
}

/* The value that comes, where it can be that of a key. */
static bool read_key(struct sl_scan *scan, struct sl_buf *words, struct sl_item *span)
{
    const char *start = scan->at;
    struct sl_str digits;

    if (sl_scan_is_at(scan, '"')) {
        return read_word(scan, words, span);
    }
    if (!sl_scan_word(scan, SL_STR("true")) && !sl_scan_word(scan, SL_STR("false")) &&
        !sl_scan_digits(scan, &digits)) {
        return false;
    }
    span->name_at = (uint32_t)words->len;
    span->name_len = (uint32_t)(scan->at - start);
    sl_buf_add(words, start, span->name_len);
    return !words->failed;
}

static struct sl_str without_module(struct sl_str name)
{
    const char *colon = name.len ? memchr(name.data, ':', name.len) : NULL;

    return colon ? (struct sl_str){colon + 1, (size_t)(name.data + name.len - colon - 1)} : name;
}

static size_t find_name(const struct wanted *wanted, struct sl_str name)
{
    size_t i = 0;

    while (i < wanted->count && !sl_str_eq(wanted->names[i], name)) {
        i++;
    }
    return i;
}

/* One member of an item. */
static bool read_member(struct sl_scan *scan, struct sl_buf *words, struct wanted *wanted)
{
    struct sl_str name;
    size_t len = words->len;
    size_t found = wanted->count;

    sl_scan_blanks(scan);
    if (sl_scan_plain_string(scan, &name)) {
        found = find_name(wanted, without_module(name));
    } else if (!skip_string(scan, words)) {
        return false;
    }
    if (!sl_scan_take(scan, ':')) {
        return false;
    }
    sl_scan_blanks(scan);
    words->len = len;
    if (found == wanted->count) {
        return skip_value(scan, words, 0);
    }
    wanted->has[found] = true; /* of two the later, as everywhere */
    return read_key(scan, words, &wanted->values[found]);
}

/* One item: an object with all of the names. */
static bool read_item(struct sl_scan *scan, struct sl_buf *words, struct wanted *wanted)
{
    memset(wanted->has, 0, sizeof(wanted->has));
    sl_buf_reset(words);
    if (!sl_scan_take(scan, '{') || sl_scan_take(scan, '}')) {
        return false;
    }
    do {
        if (!read_member(scan, words, wanted)) {
            return false;
        }
    } while (sl_scan_take(scan, ','));
    for (size_t i = 0; i < wanted->count; i++) {
        if (!wanted->has[i]) {
            return false;
        }
    }
    return sl_scan_take(scan, '}');
}

static void note_item(struct sl_json_keyed *keyed, const struct wanted *wanted)
{
    struct sl_item item = {.name_at = (uint32_t)keyed->text.len};
    const char *words = keyed->words.data ? keyed->words.data : "";

    for (size_t i = 0; i < wanted->count; i++) {
        keyed->add(&keyed->text, wanted->names[i],
                   (struct sl_str){words + wanted->values[i].name_at, wanted->values[i].name_len});
    }
    item.name_len = (uint32_t)(keyed->text.len - item.name_at);
    sl_buf_add(&keyed->items, &item, sizeof(item));
}

static bool look(struct sl_json_keyed *keyed, struct sl_scan *scan, struct wanted *wanted)
{
    do {
        const char *start = scan->at;
        bool is_item = read_item(scan, &keyed->words, wanted);
        keyed->looked_bytes += (size_t)(scan->at - start);
        if (!is_item || keyed->looked_bytes > keyed->most_bytes) {
            return false;
        }
        note_item(keyed, wanted);
        if (keyed->text.failed || keyed->items.failed) {
            return false;
        }
    } while (sl_scan_take(scan, ','));
    return sl_scan_take(scan, ']');
}

/* Whether no two items of the array are the same. */
static bool are_distinct(struct sl_json_keyed *keyed, size_t from)
{
    struct sl_buf *order = &keyed->order;
    size_t count = (keyed->items.len - from) / sizeof(struct sl_item);

    sl_buf_reset(order);
    sl_buf_add(order, keyed->items.data + from, keyed->items.len - from);
    struct sl_item *items = (struct sl_item *)(void *)order->data;

    if (order->failed || !sl_items_sort(items, count, keyed->text.data)) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (sl_items_compare(&items[i - 1], &items[i], keyed->text.data) == 0) {
            return false;
        }
    }
    return true;
}

/* ---- public ---- */

void sl_json_key_as_text(struct sl_buf *out, struct sl_str name, struct sl_str value)
{
    sl_buf_add_byte(out, '[');
    sl_buf_add_str(out, name);
    sl_buf_add_byte(out, '=');
    sl_gnmi_print_word(out, value);
    sl_buf_add_byte(out, ']');
}

void sl_json_keyed_init(struct sl_json_keyed *keyed, const struct sluice_strings *keys,
                        sl_json_key_fn add)
{
    *keyed = (struct sl_json_keyed){.keys = keys, .add = add};
    sl_buf_init(&keyed->text, SL_JSON_KEYED_MOST_BYTES);
    sl_buf_init(&keyed->items, SL_JSON_KEYED_MOST_BYTES);
    sl_buf_init(&keyed->order, SL_JSON_KEYED_MOST_BYTES);
    sl_buf_init(&keyed->words, SL_JSON_KEYED_MOST_BYTES);
}

void sl_json_keyed_fini(struct sl_json_keyed *keyed)
{
    sl_buf_fini(&keyed->text);
    sl_buf_fini(&keyed->items);
    sl_buf_fini(&keyed->order);
    sl_buf_fini(&keyed->words);
}

void sl_json_keyed_start(struct sl_json_keyed *keyed, size_t len)
{
    sl_buf_trim(&keyed->text, KEPT_BYTES);
    sl_buf_trim(&keyed->items, KEPT_BYTES);
    sl_buf_trim(&keyed->order, KEPT_BYTES);
    sl_buf_trim(&keyed->words, KEPT_BYTES);
    keyed->looked_bytes = 0;
    keyed->most_bytes = len * SL_JSON_KEYED_LOOKS;
}

void sl_json_keyed_end(struct sl_json_keyed *keyed, const struct sl_json_keyed_array *array)
{
    SL_ASSERT(keyed->text.len >= array->text_len && keyed->items.len >= array->items_len);
    keyed->text.len = array->text_len;
    keyed->items.len = array->items_len;
    keyed->text.failed = keyed->items.failed = false;
}

bool sl_json_keyed_begin(struct sl_json_keyed *keyed, const struct sl_scan *scan,
                         struct sl_json_keyed_array *array)
{
    *array = (struct sl_json_keyed_array){keyed->text.len, keyed->items.len};
    for (size_t i = 0; i < keyed->keys->count && keyed->looked_bytes <= keyed->most_bytes; i++) {
        struct sl_scan ahead = *scan;
        struct wanted wanted;
        if (read_set(keyed->keys->items[i], &wanted) && look(keyed, &ahead, &wanted) &&
            are_distinct(keyed, array->items_len)) {
            return true;
        }
        sl_json_keyed_end(keyed, array);
    }
    return false;
}

struct sl_str sl_json_keyed_item(const struct sl_json_keyed *keyed,
                                 const struct sl_json_keyed_array *array, size_t index)
{
    const struct sl_item *items =
        (const struct sl_item *)(const void *)(keyed->items.data + array->items_len);

    SL_ASSERT(array->items_len + (index + 1) * sizeof(*items) <= keyed->items.len);
    return (struct sl_str){keyed->text.data + items[index].name_at, items[index].name_len};
}
