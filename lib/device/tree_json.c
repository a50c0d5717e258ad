#include "device/tree_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/path.h"
#include "normalise/number.h"
#include "normalise/scan.h"
#include "normalise/text.h"

enum {
    MAX_ITEMS = 4096,  /* of a leaf-list */
    MAX_NESTING = 128, /* of what is stepped over */
};

/* ---- in ---- */

/* Reads JSON into an edit. What was wrong first is in `status`. */
struct reader {
    struct sl_scan scan;
    struct sl_device_edit *edit;
    struct sl_device_place *place;
    struct sl_status status;
};

static bool refuse(struct reader *reader, struct sl_status status)
{
    if (sl_status_is_ok(&reader->status)) {
        reader->status = status;
    }
    return false;
}

static bool broken(struct reader *reader)
{
    return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "the value is not JSON"));
}

static bool no_memory(struct reader *reader)
{
    return refuse(reader, sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
}

/* The string that comes, on the heap; NULL: refused. */
static char *read_string(struct reader *reader)
{
    struct sl_buf text = {.data = NULL};
    char *taken = NULL;
    size_t len;

    sl_scan_blanks(&reader->scan);
    if (!sl_scan_string(&reader->scan, &text, false) && !text.failed) {
        (void)broken(reader);
    } else if (!text.failed && text.len > 0 && memchr(text.data, '\0', text.len)) {
        (void)refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a string has a NUL in it"));
    } else {
        sl_buf_add_byte(&text, '\0');
        taken = sl_buf_take(&text, &len);
        if (!taken) {
            (void)no_memory(reader);
        }
    }
    sl_buf_fini(&text);
    return taken;
}

static bool set_number(struct reader *reader, struct sl_str text, Gnmi__TypedValue *value)
{
    char digits[64];
    char *end;

    if (text.len >= sizeof(digits)) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a number is too long"));
    }
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    errno = 0;
    if (strpbrk(digits, ".eE")) {
        value->value_case = GNMI__TYPED_VALUE__VALUE_DOUBLE_VAL;
        value->double_val = strtod(digits, &end);
    } else if (*digits == '-') {
        value->value_case = GNMI__TYPED_VALUE__VALUE_INT_VAL;
        value->int_val = strtoll(digits, &end, 10);
    } else {
        value->value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
        value->uint_val = strtoull(digits, &end, 10);
    }
    if (errno == ERANGE || *end != '\0') {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a number is out of range"));
    }
    return true;
}

/* A string, number or bool; null is a value without an arm. A string's text is on the heap. */
static bool read_scalar(struct reader *reader, Gnmi__TypedValue *value)
{
    struct sl_scan *scan = &reader->scan;
    struct sl_str digits;

    gnmi__typed_value__init(value);
    sl_scan_blanks(scan);
    if (sl_scan_is_at(scan, '"')) {
        value->value_case = GNMI__TYPED_VALUE__VALUE_STRING_VAL;
        value->string_val = read_string(reader);
        return value->string_val != NULL;
    }
    if (sl_scan_word(scan, SL_STR("true")) || sl_scan_word(scan, SL_STR("false"))) {
        value->value_case = GNMI__TYPED_VALUE__VALUE_BOOL_VAL;
        value->bool_val = scan->at[-2] == 'u';
        return true;
    }
    if (sl_scan_word(scan, SL_STR("null"))) {
        return true;
    }
    return sl_scan_digits(scan, &digits) ? set_number(reader, digits, value) : broken(reader);
}

static void free_scalar(Gnmi__TypedValue *value)
{
    if (value->value_case == GNMI__TYPED_VALUE__VALUE_STRING_VAL) {
        free(value->string_val);
    }
}

static bool put(struct reader *reader, const Gnmi__TypedValue *value)
{
    struct sl_status status = sl_device_edit_put(reader->edit, reader->place, value);

    return sl_status_is_ok(&status) || refuse(reader, status);
}

static bool read_leaf(struct reader *reader)
{
    Gnmi__TypedValue value;
    bool is_read = read_scalar(reader, &value);

    if (is_read && value.value_case == GNMI__TYPED_VALUE__VALUE__NOT_SET) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "null is no value"));
    }
    is_read = is_read && put(reader, &value);
    free_scalar(&value);
    return is_read;
}

/* Behind the bracket, and there is an item. */
static bool read_items(struct reader *reader, Gnmi__ScalarArray *array)
{
    do {
        Gnmi__TypedValue *item;

        if (array->n_element == MAX_ITEMS) {
            return refuse(reader,
                          sl_status_error(SL_RESOURCE_EXHAUSTED,
                                          "a leaf-list has more than %d items", (int)MAX_ITEMS));
        }
        item = calloc(1, sizeof(*item));
        if (!item) {
            return no_memory(reader);
        }
        array->element[array->n_element++] = item;
        if (!read_scalar(reader, item)) {
            return false;
        }
    } while (sl_scan_take(&reader->scan, ','));
    return sl_scan_take(&reader->scan, ']') || broken(reader);
}

static bool read_leaf_list(struct reader *reader)
{
    Gnmi__ScalarArray array = GNMI__SCALAR_ARRAY__INIT;
    Gnmi__TypedValue value = GNMI__TYPED_VALUE__INIT;
    bool is_read;

    array.element = calloc(MAX_ITEMS, sizeof(Gnmi__TypedValue *));
    if (!array.element) {
        return no_memory(reader);
    }
    value.value_case = GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL;
    value.leaflist_val = &array;
    is_read = read_items(reader, &array) && put(reader, &value);
    for (size_t i = 0; i < array.n_element; i++) {
        free_scalar(array.element[i]);
        free(array.element[i]);
    }
    free(array.element);
    return is_read;
}

/* Steps over one value: brackets are counted, and what is between them is read when it is its turn.
 */
static bool skip_value(struct reader *reader)
{
    struct sl_scan *scan = &reader->scan;
    size_t nesting = 0;

    do {
        sl_scan_blanks(scan);
        if (scan->at == scan->end) {
            return broken(reader);
        }
        if (*scan->at == '"') {
            char *text = read_string(reader);
            if (!text) {
                return false;
            }
            free(text);
            continue;
        }
        nesting += *scan->at == '{' || *scan->at == '[';
        nesting -= nesting > 0 && (*scan->at == '}' || *scan->at == ']');
        if (nesting > MAX_NESTING) {
            return broken(reader);
        }
        if (nesting == 0 && !strchr("}]", *scan->at)) {
            Gnmi__TypedValue value;
            return read_scalar(reader, &value);
        }
        scan->at++;
    } while (nesting > 0);
    return true;
}

/* The keys of a list's entry, while what is below it is read. */
struct keys {
    Gnmi__PathElem__KeyEntry entries[SL_DEVICE_MAX_TREE_KEYS];
    Gnmi__PathElem__KeyEntry *pointers[SL_DEVICE_MAX_TREE_KEYS];
    size_t count;
    bool is_openconfig; /* the entry has a container config or state */
};

static void free_keys(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->entries[i].key);
        free(keys->entries[i].value);
    }
    free(keys);
}

/* In a reader's place the name without its module; what is returned is part of `name`. */
static char *bare_name(const struct reader *reader, char *name)
{
    char *colon = strchr(name, ':');

    return *reader->place->origin == '\0' && colon && colon[1] ? colon + 1 : name;
}

static char *scalar_text(const Gnmi__TypedValue *value)
{
    struct sl_buf text = {.data = NULL};
    char *taken;
    size_t len;

    if (value->value_case == GNMI__TYPED_VALUE__VALUE_STRING_VAL) {
        return strdup(value->string_val);
    }
    sl_device_json_add_value(&text, value, false);
    sl_buf_add_byte(&text, '\0');
    taken = sl_buf_take(&text, &len);
    sl_buf_fini(&text);
    return taken;
}

static bool add_key(struct reader *reader, struct keys *keys, const char *name)
{
    Gnmi__PathElem__KeyEntry *entry;
    Gnmi__TypedValue value;
    bool is_added = false;

    if (keys->count == SL_DEVICE_MAX_TREE_KEYS) {
        return skip_value(reader);
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->entries[i].key, name) == 0) {
            return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT,
                                                  "a member comes twice in a list's entry"));
        }
    }
    if (!read_scalar(reader, &value)) {
        return false;
    }
    entry = &keys->entries[keys->count];
    gnmi__path_elem__key_entry__init(entry);
    entry->key = strdup(name);
    entry->value = scalar_text(&value);
    if (entry->key && entry->value) {
        keys->pointers[keys->count++] = entry;
        is_added = true;
    } else {
        free(entry->key);
        free(entry->value);
        (void)no_memory(reader);
    }
    free_scalar(&value);
    return is_added;
}

static bool find_key(struct reader *reader, struct keys *keys, const char *name)
{
    sl_scan_blanks(&reader->scan);
    if (sl_scan_is_at(&reader->scan, '{')) {
        keys->is_openconfig =
            keys->is_openconfig || strcmp(name, "config") == 0 || strcmp(name, "state") == 0;
        return skip_value(reader);
    }
    return sl_scan_is_at(&reader->scan, '[') ? skip_value(reader) : add_key(reader, keys, name);
}

/* Looks through the members of the object that comes, and comes back to its beginning. */
static bool find_keys(struct reader *reader, struct keys *keys)
{
    const char *begin = reader->scan.at;
    bool is_found = sl_scan_take(&reader->scan, '{') || broken(reader);

    if (is_found && sl_scan_take(&reader->scan, '}')) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a list's entry has no key"));
    }
    do {
        char *name = is_found ? read_string(reader) : NULL;

        is_found = name && (sl_scan_take(&reader->scan, ':') || broken(reader)) &&
                   find_key(reader, keys, bare_name(reader, name));
        free(name);
    } while (is_found && sl_scan_take(&reader->scan, ','));
    reader->scan.at = begin;
    if (is_found && keys->count == 0) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a list's entry has no key"));
    }
    return is_found;
}

static bool read_value(struct reader *reader);

static bool read_entry(struct reader *reader)
{
    Gnmi__PathElem *elem = &reader->place->elems[reader->place->count - 1];
    struct keys *keys = calloc(1, sizeof(*keys));
    bool is_read;

    if (!keys) {
        return no_memory(reader);
    }
    is_read = find_keys(reader, keys);
    elem->n_key = keys->is_openconfig ? keys->count : 1;
    elem->key = keys->pointers;
    is_read = is_read && read_value(reader);
    elem->n_key = 0;
    elem->key = NULL;
    free_keys(keys);
    return is_read;
}

/* Behind the bracket, and an object comes. */
static bool read_list(struct reader *reader)
{
    size_t count = reader->place->count;

    if (count == 0 || reader->place->elems[count - 1].n_key > 0) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "there is no list here"));
    }
    do {
        sl_scan_blanks(&reader->scan);
        if (!read_entry(reader)) {
            return false;
        }
    } while (sl_scan_take(&reader->scan, ','));
    return sl_scan_take(&reader->scan, ']') || broken(reader);
}

static bool read_member(struct reader *reader, char *name)
{
    struct sl_device_place *place = reader->place;
    Gnmi__PathElem *elem;
    bool is_read;

    if (*name == '\0' || place->count == SL_DEVICE_MAX_TREE_ELEMS) {
        return refuse(reader, sl_status_error(SL_INVALID_ARGUMENT,
                                              "a member without a name, or nested too deep"));
    }
    elem = &place->elems[place->count++];
    gnmi__path_elem__init(elem);
    elem->name = bare_name(reader, name);
    is_read = read_value(reader);
    place->count--;
    return is_read;
}

/* Behind the brace. */
static bool read_object(struct reader *reader)
{
    bool is_read = true;

    if (sl_scan_take(&reader->scan, '}')) {
        return true;
    }
    do {
        char *name = read_string(reader);

        is_read = name && (sl_scan_take(&reader->scan, ':') || broken(reader)) &&
                  read_member(reader, name);
        free(name);
    } while (is_read && sl_scan_take(&reader->scan, ','));
    return is_read && (sl_scan_take(&reader->scan, '}') || broken(reader));
}

/* Nests with the elements of the place, of which there is a limit. */
static bool read_value(struct reader *reader)
{
    if (sl_scan_take(&reader->scan, '{')) {
        return read_object(reader);
    }
    if (!sl_scan_take(&reader->scan, '[')) {
        return read_leaf(reader);
    }
    if (sl_scan_take(&reader->scan, ']')) {
        return true;
    }
    sl_scan_blanks(&reader->scan);
    return sl_scan_is_at(&reader->scan, '{') ? read_list(reader) : read_leaf_list(reader);
}

static struct reader reader_of(struct sl_device_edit *edit, struct sl_device_place *place,
                               struct sl_str text)
{
    return (struct reader){
        .scan = {.at = text.data, .end = text.data + text.len},
        .edit = edit,
        .place = place,
        .status = sl_status_ok(),
    };
}

static bool is_at_end(struct reader *reader)
{
    sl_scan_blanks(&reader->scan);
    return reader->scan.at == reader->scan.end || broken(reader);
}

struct sl_status sl_device_json_put(struct sl_device_edit *edit,
                                    const struct sl_device_place *place, struct sl_str text)
{
    struct sl_device_place own = *place;
    struct reader reader = reader_of(edit, &own, text);

    if (text.len == 0) {
        (void)broken(&reader);
    } else if (read_value(&reader)) {
        (void)is_at_end(&reader);
    }
    return reader.status;
}

/* A member of a file's root that is a path. */
static bool read_path(struct reader *reader, const char *name)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(name), &why);
    struct sl_device_place *root = reader->place;
    struct sl_device_place place;
    bool is_read = false;

    if (!path) {
        return refuse(reader, why);
    }
    why = sl_device_place_init(&place, NULL, path);
    if (!sl_status_is_ok(&why)) {
        (void)refuse(reader, why);
    } else if (!sl_device_place_is_concrete(&place)) {
        (void)refuse(reader, sl_status_error(SL_INVALID_ARGUMENT, "a path has a wildcard"));
    } else {
        reader->place = &place;
        is_read = read_value(reader);
        reader->place = root;
    }
    gnmi__path__free_unpacked(path, NULL);
    return is_read;
}

static bool read_file(struct reader *reader)
{
    bool is_read = sl_scan_take(&reader->scan, '{') || broken(reader);

    if (!is_read || sl_scan_take(&reader->scan, '}')) {
        return is_read && is_at_end(reader);
    }
    do {
        char *name = read_string(reader);

        is_read = name && (sl_scan_take(&reader->scan, ':') || broken(reader)) &&
                  (strchr(name, '/') ? read_path(reader, name) : read_member(reader, name));
        free(name);
    } while (is_read && sl_scan_take(&reader->scan, ','));
    return is_read && (sl_scan_take(&reader->scan, '}') || broken(reader)) && is_at_end(reader);
}

static size_t line_of(const struct reader *reader, const char *begin)
{
    size_t line = 1;

    for (const char *at = begin; at < reader->scan.at; at++) {
        line += *at == '\n';
    }
    return line;
}

struct sl_device_tree *sl_device_json_read(struct sl_str text, int64_t now_ns,
                                           struct sl_status *why)
{
    struct sl_device_place root = {.origin = "", .count = 0};
    struct sl_device_edit edit;
    struct reader reader = reader_of(&edit, &root, text);

    if (!sl_device_edit_init(&edit, NULL, now_ns)) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    if (text.len == 0 || !read_file(&reader)) {
        (void)broken(&reader);
        *why = sl_status_error(reader.status.code, "line %zu: %.200s", line_of(&reader, text.data),
                               reader.status.text);
        sl_device_edit_fini(&edit);
        return NULL;
    }
    return sl_device_edit_done(&edit, why);
}

/* ---- out ---- */

static void add_quotable(struct sl_buf *out, bool is_quoted, const struct sl_buf *text)
{
    if (is_quoted) {
        sl_buf_add_byte(out, '"');
    }
    sl_buf_add_str(out, sl_buf_str(text));
    if (is_quoted) {
        sl_buf_add_byte(out, '"');
    }
    out->failed = out->failed || text->failed;
}

/* Numbers; what is none of JSON's (NaN, the infinities) as a string of its name. */
static void add_number(struct sl_buf *out, const Gnmi__TypedValue *value, bool is_ietf)
{
    struct sl_buf text = {.data = NULL};
    bool is_quoted = is_ietf;

    switch ((int)value->value_case) {
    case GNMI__TYPED_VALUE__VALUE_INT_VAL:
        sl_buf_add_i64(&text, value->int_val);
        is_quoted = is_ietf && (value->int_val < INT32_MIN || value->int_val > INT32_MAX);
        break;
    case GNMI__TYPED_VALUE__VALUE_UINT_VAL:
        sl_buf_add_u64(&text, value->uint_val);
        is_quoted = is_ietf && value->uint_val > UINT32_MAX;
        break;
    case GNMI__TYPED_VALUE__VALUE_DECIMAL_VAL:
        sl_number_add_decimal(&text, value->decimal_val->digits, value->decimal_val->precision);
        break;
    case GNMI__TYPED_VALUE__VALUE_FLOAT_VAL:
        if (!sl_number_add_float(&text, value->float_val)) {
            sl_buf_printf(&text, "%f", (double)value->float_val);
            is_quoted = true;
        }
        break;
    default:
        if (!sl_number_add_double(&text, value->double_val)) {
            sl_buf_printf(&text, "%f", value->double_val);
            is_quoted = true;
        }
        break;
    }
    add_quotable(out, is_quoted, &text);
    sl_buf_fini(&text);
}

static void add_scalar(struct sl_buf *out, const Gnmi__TypedValue *value, bool is_ietf)
{
    switch ((int)value->value_case) {
    case GNMI__TYPED_VALUE__VALUE_STRING_VAL:
        sl_text_add_quoted(out, sl_str_from(value->string_val));
        break;
    case GNMI__TYPED_VALUE__VALUE_BOOL_VAL:
        sl_buf_add_c(out, value->bool_val ? "true" : "false");
        break;
    case GNMI__TYPED_VALUE__VALUE_BYTES_VAL:
        sl_buf_add_byte(out, '"');
        sl_text_add_base64(
            out, (struct sl_str){(const char *)value->bytes_val.data, value->bytes_val.len});
        sl_buf_add_byte(out, '"');
        break;
    case GNMI__TYPED_VALUE__VALUE__NOT_SET:
        sl_buf_add_c(out, "null");
        break;
    default:
        add_number(out, value, is_ietf);
        break;
    }
}

void sl_device_json_add_value(struct sl_buf *out, const Gnmi__TypedValue *value, bool is_ietf)
{
    const Gnmi__ScalarArray *list;

    if (value->value_case != GNMI__TYPED_VALUE__VALUE_LEAFLIST_VAL) {
        add_scalar(out, value, is_ietf);
        return;
    }
    list = value->leaflist_val;
    sl_buf_add_byte(out, '[');
    for (size_t i = 0; i < list->n_element; i++) {
        if (i > 0) {
            sl_buf_add_byte(out, ',');
        }
        add_scalar(out, list->element[i], is_ietf);
    }
    sl_buf_add_byte(out, ']');
}

/* Ends the objects of the elements from `from` on, innermost first; the list of the first of them
 * goes on where `is_same_list`. */
static void close_elems(struct sl_buf *out, const Gnmi__Path *path, size_t from, bool is_same_list)
{
    for (size_t i = path->n_elem - 1; i-- > from;) {
        sl_buf_add_byte(out, '}');
        if (path->elem[i]->n_key > 0 && !(i == from && is_same_list)) {
            sl_buf_add_byte(out, ']');
        }
    }
}

static void open_elems(struct sl_buf *out, const Gnmi__Path *path, size_t from, bool is_same_list)
{
    for (size_t i = from; i < path->n_elem; i++) {
        if (!(i == from && is_same_list)) {
            sl_text_add_quoted(out, sl_str_from(path->elem[i]->name));
            sl_buf_add_byte(out, ':');
        }
        if (i + 1 == path->n_elem) {
            break;
        }
        sl_buf_add_c(out, path->elem[i]->n_key == 0 || (i == from && is_same_list) ? "{" : "[{");
    }
}

void sl_device_json_add_object(struct sl_buf *out, struct sl_device_leaf *const *leaves,
                               size_t count, size_t above, bool is_ietf)
{
    const Gnmi__Path *before = NULL;

    sl_buf_add_byte(out, '{');
    for (size_t i = 0; i < count; i++) {
        const Gnmi__Path *path = leaves[i]->path;
        size_t common = above;
        bool is_same_list = false;

        if (before) {
            common = sl_device_leaf_common(leaves[i - 1], leaves[i]);
            is_same_list = before->elem[common]->n_key > 0 &&
                           strcmp(before->elem[common]->name, path->elem[common]->name) == 0;
            close_elems(out, before, common, is_same_list);
            sl_buf_add_byte(out, ',');
        }
        open_elems(out, path, common, is_same_list);
        sl_device_json_add_value(out, leaves[i]->value, is_ietf);
        before = path;
    }
    if (before) {
        close_elems(out, before, above, false);
    }
    sl_buf_add_byte(out, '}');
}
