#include "normalise/telegraf_path.h"

#include <string.h>

#include "base/utf8.h"
#include "gnmi/path.h"
#include "normalise/text.h"

enum {
    KEPT_BYTES = 64 * 1024,
    NO_TEXT = 0xff, /* a byte that is in no UTF-8 */
};

/* ---- elements and tags ---- */

static void replace_dashes(struct sl_buf *buf, size_t from)
{
    for (; from < buf->len; from++) {
        buf->data[from] = buf->data[from] == '-' ? '_' : buf->data[from];
    }
}

static struct sl_telegraf_elem split(struct sl_str name)
{
    const char *colon = name.len ? memchr(name.data, ':', name.len) : NULL;
    struct sl_telegraf_elem elem = {.name = name};

    if (colon && colon == memrchr(name.data, ':', name.len)) {
        size_t len = (size_t)(colon - name.data);
        elem.module = (struct sl_str){name.data, len};
        elem.name = (struct sl_str){colon + 1, name.len - len - 1};
    }
    return elem;
}

/* A module in front of the first element becomes the origin. */
static void take_origin(struct sl_telegraf_path *path, struct sl_str *origin)
{
    if (path->elem_count && path->elems[0].module.len) {
        *origin = path->elems[0].module;
        path->elems[0].module.len = 0;
    }
}

/* Appends the elements from `from` on, each behind a '/'. */
static void add_elems(struct sl_buf *buf, const struct sl_telegraf_path *path, size_t from)
{
    for (size_t i = from; i < path->elem_count; i++) {
        sl_buf_add_byte(buf, '/');
        if (path->elems[i].module.len) {
            sl_buf_add_str(buf, path->elems[i].module);
            sl_buf_add_byte(buf, ':');
        }
        sl_buf_add_str(buf, path->elems[i].name);
    }
}

static struct sl_fragment_tag *find_tag(struct sl_telegraf_path *path, const struct sl_item *name)
{
    for (size_t i = 0; i < path->tag_count; i++) {
        if (sl_items_compare(&path->tags[i].name, name, path->words.data) == 0) {
            return &path->tags[i];
        }
    }
    return NULL;
}

static bool has_tag(struct sl_telegraf_path *path, const struct sl_item *name)
{
    return find_tag(path, name) != NULL;
}

static bool push_tag(struct sl_telegraf_path *path, size_t name_at, struct sl_str value)
{
    struct sl_item name = {.name_at = (uint32_t)name_at,
                           .name_len = (uint32_t)(path->words.len - name_at)};

    if (path->words.failed || path->tag_count == SL_FRAGMENT_MAX_TAGS) {
        return false;
    }
    path->tags[path->tag_count++] = (struct sl_fragment_tag){.name = name, .value = value};
    return true;
}

/* The name of a tag whose short name there is already: the elements so far, those of the prefix
 * without their modules once it is through. */
static void add_long_name(struct sl_telegraf_path *path, struct sl_str origin)
{
    struct sl_buf *words = &path->words;

    if (origin.len) {
        sl_buf_add_str(words, origin);
        sl_buf_add_byte(words, ':');
    }
    for (size_t i = 0; i < path->prefix_elems; i++) {
        sl_buf_add_byte(words, '/');
        sl_buf_add_str(words, path->elems[i].name);
    }
    add_elems(words, path, path->prefix_elems);
    sl_buf_add_byte(words, '/');
}

static bool add_key(struct sl_telegraf_path *path, struct sl_str origin,
                    const struct sl_gnmi_key *key)
{
    struct sl_buf *words = &path->words;
    size_t at = words->len;

    sl_buf_add_str(words, key->name);
    replace_dashes(words, at);
    struct sl_item name = {.name_at = (uint32_t)at, .name_len = (uint32_t)(words->len - at)};

    if (!words->failed && has_tag(path, &name)) {
        words->len = at;
        add_long_name(path, origin);
        size_t from = words->len;
        sl_buf_add_str(words, key->name);
        replace_dashes(words, from);
    }
    return push_tag(path, at, key->value);
}

static bool add_labels(struct sl_telegraf_path *path, struct sl_gnmi_path *read)
{
    struct sl_gnmi_key label;

    while (sl_gnmi_path_next_label(read, &label)) {
        size_t at = path->words.len;
        sl_buf_add_str(&path->words, label.name);
        struct sl_item name = {.name_at = (uint32_t)at, .name_len = (uint32_t)label.name.len};
        struct sl_fragment_tag *tag = path->words.failed ? NULL : find_tag(path, &name);
        if (tag) {
            tag->value = label.value;
        } else if (!push_tag(path, at, label.value)) {
            return false;
        }
    }
    return true;
}

/* An element of nothing but a module counts in the names of tags behind it, and no longer. */
static void drop_nameless(struct sl_telegraf_path *path)
{
    size_t kept = path->prefix_elems;

    for (size_t i = kept; i < path->elem_count; i++) {
        if (path->elems[i].name.len) {
            path->elems[kept++] = path->elems[i];
        }
    }
    path->elem_count = kept;
}

/* `origin` is that in the names of tags, and `own` becomes the path's where it has one. */
static bool add_path(struct sl_telegraf_path *path, struct sl_str bytes, struct sl_str origin,
                     struct sl_str *own)
{
    struct sl_gnmi_key keys[SL_GNMI_MAX_KEYS];
    struct sl_gnmi_path read;
    struct sl_gnmi_elem elem;

    sl_gnmi_path_read(bytes, &read);
    *own = read.origin.len ? read.origin : *own;
    path->has_elems = false;
    while (sl_gnmi_path_next(&read, &elem)) {
        struct sl_telegraf_elem one = split(elem.name);
        size_t count;
        path->has_elems = true;
        if (elem.name.len && path->elem_count == SL_TELEGRAF_MAX_ELEMS) {
            return false;
        }
        if (elem.name.len) {
            path->elems[path->elem_count++] = one;
        }
        if (!sl_gnmi_elem_sort_keys(&elem, keys, &count)) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!add_key(path, origin, &keys[i])) {
                return false;
            }
        }
    }
    drop_nameless(path);
    return add_labels(path, &read);
}

static bool add_own_tag(struct sl_telegraf_path *path, struct sl_str name, struct sl_str value)
{
    size_t at = path->words.len;

    sl_buf_add_str(&path->words, name);
    struct sl_item item = {.name_at = (uint32_t)at, .name_len = (uint32_t)name.len};

    return path->words.failed || has_tag(path, &item) || push_tag(path, at, value);
}

/* ---- names ---- */

enum match { MATCH_NONE, MATCH_DEEPER, MATCH_LEADS };

static bool is_elem(const struct sl_telegraf_elem *root, const struct sl_telegraf_elem *elem)
{
    bool is_other = root->module.len && elem->module.len && !sl_str_eq(root->module, elem->module);

    return !is_other && sl_str_eq(root->name, elem->name);
}

/* Whether the subscription's path leads to this one (`count`: how many elements it has), or would
 * lead to something beneath it. */
static enum match match_root(const Gnmi__Path *root, const struct sl_telegraf_path *path,
                             struct sl_str origin, size_t *count)
{
    struct sl_str own = sl_str_from(root->origin);
    enum match match = MATCH_LEADS;

    *count = 0;
    for (size_t i = 0; i < root->n_elem && match == MATCH_LEADS; i++) {
        struct sl_telegraf_elem elem = split(sl_str_from(root->elem[i]->name));
        if (!elem.name.len) {
            continue;
        }
        if (*count == 0 && elem.module.len) {
            own = elem.module;
            elem.module.len = 0;
        }
        if (*count == path->elem_count) {
            match = MATCH_DEEPER;
        } else if (!is_elem(&elem, &path->elems[(*count)++])) {
            return MATCH_NONE;
        }
    }
    return own.len && origin.len && !sl_str_eq(own, origin) ? MATCH_NONE : match;
}

struct root {
    bool is_found;
    size_t count;       /* elements of the subscription's path that leads to this one */
    bool may_be_deeper; /* one leads to something beneath it */
};

static struct root find_root(const struct sl_telegraf_names *names,
                             const struct sl_telegraf_path *path, struct sl_str origin)
{
    struct root root = {0};

    for (size_t i = 0; i < names->root_count; i++) {
        size_t count;
        enum match match = match_root(names->roots[i], path, origin, &count);
        if (match == MATCH_LEADS && (!root.is_found || count > root.count)) {
            root.count = count;
            root.is_found = true;
        }
        root.may_be_deeper = root.may_be_deeper || match == MATCH_DEEPER;
    }
    return root;
}

static const char *control_text(uint32_t rune)
{
    switch (rune) {
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    case '\f':
        return "\\f";
    default:
        return NULL;
    }
}

void sl_telegraf_add_escaped(struct sl_buf *buf, struct sl_str text, const char *specials)
{
    while (text.len && text.data[text.len - 1] == '\\') {
        text.len--; /* one at the end would escape what comes */
    }
    while (text.len) {
        uint32_t rune;
        size_t len = sl_utf8_decode(text, &rune);
        rune = len ? rune : SL_TEXT_REPLACEMENT;
        if (control_text(rune)) {
            sl_buf_add_c(buf, control_text(rune));
        } else {
            if (rune && rune < 0x80 && strchr(specials, (int)rune)) {
                sl_buf_add_byte(buf, '\\');
            }
            sl_utf8_add(buf, rune);
        }
        len = len ? len : 1;
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

static struct sl_str tag_name(const struct sl_telegraf_path *path,
                              const struct sl_fragment_tag *tag)
{
    return (struct sl_str){path->words.data + tag->name.name_at, tag->name.name_len};
}

static bool write_tags(struct sl_telegraf_path *path, bool is_influx)
{
    struct sl_item order[SL_FRAGMENT_MAX_TAGS];
    struct sl_buf *text = &path->text;

    for (size_t i = 0; i < path->tag_count; i++) {
        order[i] = path->tags[i].name;
        order[i].from = (uint32_t)i;
    }
    if (!sl_items_sort(order, path->tag_count, path->words.data)) {
        return false;
    }
    for (size_t i = 0; i < path->tag_count; i++) {
        const struct sl_fragment_tag *tag = &path->tags[order[i].from];
        struct sl_str name = tag_name(path, tag);
        if (!is_influx) {
            sl_buf_add_c(text, i == 0 ? "" : ",");
            sl_text_add_quoted(text, name);
            sl_buf_add_byte(text, ':');
            sl_text_add_quoted(text, tag->value);
        } else if (name.len && tag->value.len) {
            sl_buf_add_byte(text, ',');
            sl_telegraf_add_escaped(text, name, ", =");
            sl_buf_add_byte(text, '=');
            sl_telegraf_add_escaped(text, tag->value, ", =");
        }
    }
    for (size_t i = 0; is_influx && i < path->tag_count; i++) {
        const struct sl_fragment_tag *tag = &path->tags[order[i].from];
        if (!tag->value.len) {
            sl_buf_add_byte(text, (char)NO_TEXT);
            sl_buf_add_str(text, tag_name(path, tag));
        }
    }
    return true;
}

struct sl_str sl_telegraf_series_text(struct sl_str series)
{
    const char *end = memchr(series.data, NO_TEXT, series.len);

    return end ? (struct sl_str){series.data, (size_t)(end - series.data)} : series;
}

static bool write_series(struct sl_telegraf_path *path, const struct sl_telegraf_names *names,
                         bool has_name)
{
    struct sl_buf *text = &path->text;

    if (names->is_influx) {
        if (!has_name) {
            return true;
        }
        sl_telegraf_add_escaped(text, names->name, ", ");
        return write_tags(path, true);
    }
    sl_buf_add_c(text, "\"name\":");
    sl_text_add_quoted(text, has_name ? names->name : SL_STR(""));
    sl_buf_add_c(text, ",\"tags\":{");
    bool is_ok = write_tags(path, false);

    sl_buf_add_byte(text, '}');
    return is_ok;
}

/* ---- public ---- */

void sl_telegraf_path_init(struct sl_telegraf_path *path)
{
    path->elem_count = 0;
    path->tag_count = 0;
    sl_buf_init(&path->text, SL_FRAGMENT_MAX_BYTES);
    sl_buf_init(&path->words, SL_FRAGMENT_MAX_BYTES);
}

void sl_telegraf_path_fini(struct sl_telegraf_path *path)
{
    sl_buf_fini(&path->text);
    sl_buf_fini(&path->words);
}

/* Puts the tag `path` behind the names; false when there is none. */
static bool add_prefix_text(struct sl_telegraf_path *path, struct sl_str origin)
{
    if (!path->elem_count) {
        return false;
    }
    if (origin.len) {
        sl_buf_add_str(&path->words, origin);
        sl_buf_add_byte(&path->words, ':');
    }
    add_elems(&path->words, path, 0);
    return true;
}

/* The collector's own tags, where the path has none of these names. The prefix's text stands in the
 * words, which may grow: its room is reserved first. */
static bool add_own_tags(struct sl_telegraf_path *path, const struct sl_telegraf_names *names,
                         bool has_prefix, size_t prefix_at, size_t prefix_len)
{
    if ((names->host.data && !add_own_tag(path, SL_STR("host"), names->host)) ||
        !add_own_tag(path, SL_STR("source"), names->source)) {
        return false;
    }
    return !has_prefix || (sl_buf_reserve(&path->words, 16) &&
                           add_own_tag(path, SL_STR("path"),
                                       (struct sl_str){path->words.data + prefix_at, prefix_len}));
}

/* The field's name, and what the JSON of such a path has to know. */
static void add_field(struct sl_telegraf_path *path, const struct root *root, bool is_leaf,
                      struct sl_fragment *fragment)
{
    struct sl_buf *text = &path->text;
    bool is_root = root->count > 0 && root->count == path->elem_count;
    bool has_module = path->elem_count && path->elems[0].module.len;
    bool has_leaves = path->elem_count ? has_module || root->may_be_deeper : path->has_elems;

    fragment->tags_len = (uint32_t)text->len;
    fragment->key_at = (uint32_t)text->len + (path->elem_count > 0);
    add_elems(text, path, root->count - is_root); /* a field has a name */
    fragment->key_len = path->elem_count ? (uint32_t)text->len - fragment->key_at : 0;
    replace_dashes(text, fragment->tags_len);
    if (!is_leaf && has_leaves) {
        sl_buf_add_byte(text, SL_TELEGRAF_LEAVES);
    } else if (!is_leaf && is_root) {
        sl_buf_add_byte(text, SL_TELEGRAF_ROOT);
    }
    fragment->text = text->data;
    fragment->len = (uint32_t)text->len;
}

bool sl_telegraf_path_build(struct sl_telegraf_path *path, const struct sl_telegraf_names *names,
                            struct sl_str bytes, bool is_leaf, struct sl_fragment *fragment)
{
    struct sl_buf *text = &path->text;
    struct sl_gnmi_path prefix;
    struct sl_str origin = {0};

    sl_buf_trim(text, KEPT_BYTES);
    sl_buf_trim(&path->words, KEPT_BYTES);
    path->elem_count = path->tag_count = path->prefix_elems = 0;
    sl_gnmi_path_read(path->prefix, &prefix);
    if (!sl_buf_reserve(&path->words, 1) || !sl_buf_reserve(text, 1) ||
        !add_path(path, path->prefix, prefix.origin, &origin)) {
        return false;
    }
    take_origin(path, &origin);
    path->prefix_elems = path->elem_count;
    size_t prefix_at = path->words.len;
    bool has_prefix = add_prefix_text(path, origin);
    size_t prefix_len = path->words.len - prefix_at;

    if (!add_path(path, bytes, origin, &origin) ||
        !add_own_tags(path, names, has_prefix, prefix_at, prefix_len)) {
        return false;
    }
    if (is_leaf) {
        take_origin(path, &origin);
    }
    struct root root = find_root(names, path, origin);

    if (!write_series(path, names, root.is_found && names->name.len)) {
        return false;
    }
    add_field(path, &root, is_leaf, fragment);
    return !text->failed && !path->words.failed;
}
