#include "normalise/fragment.h"

#include <string.h>

#include "gnmi/path.h"
#include "normalise/text.h"

enum { KEPT_BYTES = 64 * 1024 };

/* The tags from `from` on are those of one Path, or all. */
static struct sl_fragment_tag *find(struct sl_fragment_builder *builder, size_t from, size_t to,
                                    const struct sl_item *name)
{
    for (size_t i = from; i < to; i++) {
        if (sl_items_compare(&builder->tags[i].name, name, builder->words.data) == 0) {
            return &builder->tags[i];
        }
    }
    return NULL;
}

/* Appends `first`, and `second` behind an underscore when there is one, to the names. */
static struct sl_item add_name(struct sl_fragment_builder *builder, struct sl_str first,
                               const struct sl_str *second)
{
    struct sl_item name = {.name_at = (uint32_t)builder->words.len};

    sl_buf_add_str(&builder->words, first);
    if (second) {
        sl_buf_add_byte(&builder->words, '_');
        sl_buf_add_str(&builder->words, *second);
    }
    name.name_len = (uint32_t)builder->words.len - name.name_at;
    return name;
}

/* Sets the tag among those from `from` on. False: there is no room. */
static bool set(struct sl_fragment_builder *builder, size_t from, struct sl_item name,
                struct sl_str value)
{
    if (builder->words.failed) {
        return false;
    }
    struct sl_fragment_tag *tag = find(builder, from, builder->tag_count, &name);

    if (!tag) {
        if (builder->tag_count == SL_FRAGMENT_MAX_TAGS) {
            return false;
        }
        tag = &builder->tags[builder->tag_count++];
        tag->name = name;
    }
    tag->value = value;
    return true;
}

/* ---- one Path ---- */

static struct sl_str without_module(struct sl_str name)
{
    const char *colon = name.len ? memrchr(name.data, ':', name.len) : NULL;

    if (colon) {
        size_t before = (size_t)(colon + 1 - name.data);
        name = (struct sl_str){name.data + before, name.len - before};
    }
    return name;
}

static bool set_keys(struct sl_fragment_builder *builder, size_t from, struct sl_gnmi_elem *elem)
{
    struct sl_str bare = without_module(elem->name);
    struct sl_gnmi_key key;

    while (sl_gnmi_elem_next_key(elem, &key)) {
        struct sl_item name =
            elem->name.len ? add_name(builder, bare, &key.name) : add_name(builder, key.name, NULL);
        if (!set(builder, from, name, key.value)) {
            return false;
        }
    }
    return true;
}

static bool set_labels(struct sl_fragment_builder *builder, size_t from, struct sl_gnmi_path *path)
{
    struct sl_gnmi_key label;

    while (sl_gnmi_path_next_label(path, &label)) {
        if (!set(builder, from, add_name(builder, label.name, NULL), label.value)) {
            return false;
        }
    }
    return true;
}

/* Appends the text of a Path to builder->path, and its tags to the list. */
static bool add_path(struct sl_fragment_builder *builder, struct sl_str bytes)
{
    size_t from = builder->tag_count;
    struct sl_gnmi_path path;
    struct sl_gnmi_elem elem;

    sl_gnmi_path_read(bytes, &path);
    if (path.origin.len) {
        sl_buf_add_str(&builder->path, path.origin);
        sl_buf_add_byte(&builder->path, ':');
    }
    while (sl_gnmi_path_next(&path, &elem)) {
        if (elem.name.len) {
            sl_buf_add_byte(&builder->path, '/');
            sl_buf_add_str(&builder->path, elem.name);
        }
        if (!set_keys(builder, from, &elem)) {
            return false;
        }
    }
    return (!path.target.len ||
            set(builder, from, add_name(builder, SL_STR("target"), NULL), path.target)) &&
           set_labels(builder, from, &path);
}

/* The path's text goes behind the prefix's, with one '/' in between. */
static bool join(struct sl_fragment_builder *builder, struct sl_str path)
{
    struct sl_buf *text = &builder->path;

    sl_buf_add_byte(text, '/');
    size_t start = text->len;

    if (!add_path(builder, path) || text->failed) {
        return false;
    }
    size_t slashes = 0;

    while (start + slashes < text->len && text->data[start + slashes] == '/') {
        slashes++;
    }
    memmove(text->data + start, text->data + start + slashes, text->len - start - slashes);
    text->len -= slashes;
    return true;
}

/* ---- all tags ---- */

/* The tags of the path, which stand behind those of the prefix, join them. */
static bool merge_tags(struct sl_fragment_builder *builder)
{
    size_t own = builder->prefix_tag_count;
    size_t end = builder->tag_count;

    SL_ASSERT(own <= end && end <= SL_FRAGMENT_MAX_TAGS);
    builder->tag_count = own;
    for (size_t i = own; i < end; i++) {
        struct sl_fragment_tag tag = builder->tags[i]; /* the list may grow over it, not past it */
        const struct sl_fragment_tag *other = find(builder, 0, builder->tag_count, &tag.name);

        if (other && !sl_str_eq(other->value, tag.value)) {
            /* Reserved first: the name's own bytes move with the buffer. */
            size_t more = builder->path.len + 1 + tag.name.name_len;
            if (!sl_buf_reserve(&builder->words, more)) {
                return false;
            }
            struct sl_str name = {builder->words.data + tag.name.name_at, tag.name.name_len};
            tag.name = add_name(builder, sl_buf_str(&builder->path), &name);
            other = NULL;
        }
        if (!other && !set(builder, 0, tag.name, tag.value)) {
            return false;
        }
    }
    return true;
}

static bool set_meta(struct sl_fragment_builder *builder, struct sl_str name, struct sl_str value)
{
    static const struct sl_str meta = {"meta", 4};
    struct sl_item item = add_name(builder, name, NULL);

    if (!builder->words.failed && find(builder, 0, builder->tag_count, &item)) {
        item = add_name(builder, meta, &name);
    }
    return set(builder, 0, item, value);
}

static bool add_meta(struct sl_fragment_builder *builder, const struct sl_fragment_meta *meta)
{
    return set_meta(builder, SL_STR("source"), meta->source) &&
           set_meta(builder, SL_STR("subscription-name"), meta->subscription) &&
           (!meta->subscription_target.len ||
            set_meta(builder, SL_STR("subscription-target"), meta->subscription_target));
}

static bool write_tags(struct sl_fragment_builder *builder)
{
    struct sl_item order[SL_FRAGMENT_MAX_TAGS];
    struct sl_buf *text = &builder->text;

    for (size_t i = 0; i < builder->tag_count; i++) {
        order[i] = builder->tags[i].name;
        order[i].from = (uint32_t)i;
    }
    if (!sl_items_sort(order, builder->tag_count, builder->words.data)) {
        return false;
    }
    for (size_t i = 0; i < builder->tag_count; i++) {
        const struct sl_fragment_tag *tag = &builder->tags[order[i].from];
        sl_buf_add_c(text, i == 0 ? "\"tags\":{" : ",");
        sl_text_add_quoted(
            text, (struct sl_str){builder->words.data + tag->name.name_at, tag->name.name_len});
        sl_buf_add_byte(text, ':');
        sl_text_add_quoted(text, tag->value);
    }
    sl_buf_add_byte(text, '}');
    return !text->failed;
}

void sl_fragment_init(struct sl_fragment_builder *builder)
{
    builder->tag_count = 0;
    sl_buf_init(&builder->text, SL_FRAGMENT_MAX_BYTES);
    sl_buf_init(&builder->path, SL_FRAGMENT_MAX_BYTES);
    sl_buf_init(&builder->words, SL_FRAGMENT_MAX_BYTES);
}

void sl_fragment_fini(struct sl_fragment_builder *builder)
{
    sl_buf_fini(&builder->text);
    sl_buf_fini(&builder->path);
    sl_buf_fini(&builder->words);
}

bool sl_fragment_begin(struct sl_fragment_builder *builder, struct sl_str prefix)
{
    struct sl_buf *path = &builder->path;

    sl_buf_trim(path, KEPT_BYTES);
    sl_buf_trim(&builder->words, KEPT_BYTES);
    builder->tag_count = 0;
    /* The names are never NULL, so that the empty name has a place. */
    if (!sl_buf_reserve(&builder->words, 1) || !add_path(builder, prefix)) {
        return false;
    }
    while (path->len && path->data[path->len - 1] == '/') {
        path->len--;
    }
    builder->prefix_path_len = path->len;
    builder->prefix_words_len = builder->words.len;
    builder->prefix_tag_count = builder->tag_count;
    return !path->failed && !builder->words.failed;
}

/* Forgets the path before; the prefix stays. */
static void rewind_to_prefix(struct sl_fragment_builder *builder)
{
    SL_ASSERT(builder->path.len >= builder->prefix_path_len);
    sl_buf_trim(&builder->text, KEPT_BYTES);
    builder->path.len = builder->prefix_path_len;
    builder->path.failed = false;
    builder->words.len = builder->prefix_words_len;
    builder->words.failed = false;
    builder->tag_count = builder->prefix_tag_count;
}

bool sl_fragment_build(struct sl_fragment_builder *builder, const struct sl_fragment_meta *meta,
                       struct sl_str path, struct sl_fragment *fragment)
{
    struct sl_buf *text = &builder->text;

    rewind_to_prefix(builder);
    if (!join(builder, path) || !merge_tags(builder) || !add_meta(builder, meta) ||
        !write_tags(builder)) {
        return false;
    }
    fragment->tags_len = (uint32_t)text->len;
    sl_buf_add_c(text, ",\"values\":{\"");
    fragment->key_at = (uint32_t)text->len;
    sl_text_add_escaped(text, sl_buf_str(&builder->path));
    fragment->key_len = (uint32_t)text->len - fragment->key_at;
    sl_buf_add_c(text, "\":");
    fragment->text = text->data;
    fragment->len = (uint32_t)text->len;
    return !text->failed;
}

size_t sl_fragment_cost(const struct sl_fragment_builder *builder)
{
    return builder->text.len + (builder->path.len - builder->prefix_path_len) +
           (builder->words.len - builder->prefix_words_len);
}
