#include "normalise/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gnmi/response.h"
#include "normalise/items.h"
#include "normalise/json_quick.h"
#include "normalise/scan.h"
#include "normalise/text.h"

enum { KEPT_BYTES = 64 * 1024 }; /* of a working buffer from one value to the next */

struct reader {
    struct sl_json *json;
    struct sl_scan scan;
    unsigned depth;
    bool keeps_null;
    bool is_flat; /* sl_json_flatten_all */
};

/* Anything but an array or an object. */
static bool read_scalar(struct reader *reader)
{
    static const struct sl_str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    struct sl_buf *text = &reader->json->text;

    if (sl_scan_is_at(&reader->scan, '"')) {
        sl_buf_add_byte(text, '"');
        bool is_ok = sl_scan_string(&reader->scan, text, true);
        sl_buf_add_byte(text, '"');
        return is_ok;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (sl_scan_word(&reader->scan, words[i])) {
            bool is_null = words[i].data[0] == 'n' && !reader->keeps_null;
            sl_buf_add_str(text, is_null ? words[0] : words[i]);
            return true;
        }
    }
    return sl_scan_number(&reader->scan, text);
}

/* Takes "[null]" as a whole, if that is what comes. */
static bool take_null_array(struct reader *reader)
{
    const char *start = reader->scan.at;

    if (!reader->keeps_null && sl_scan_take(&reader->scan, '[')) {
        sl_scan_blanks(&reader->scan);
        if (sl_scan_word(&reader->scan, SL_STR("null")) && sl_scan_take(&reader->scan, ']')) {
            return true;
        }
    }
    reader->scan.at = start;
    return false;
}

/* Goes one level down. Every level up again ends in leave(). */
static bool enter(struct reader *reader)
{
    reader->scan.at++;
    return ++reader->depth <= SL_GNMI_MAX_DEPTH;
}

static bool leave(struct reader *reader)
{
    SL_ASSERT(reader->depth > 0);
    reader->depth--;
    return true;
}

/* ---- one value, rewritten ---- */

static bool read_value(struct reader *reader);

static bool read_array(struct reader *reader)
{
    struct sl_buf *text = &reader->json->text;

    if (!enter(reader)) {
        return false;
    }
    sl_buf_add_byte(text, '[');
    if (!sl_scan_take(&reader->scan, ']')) {
        do {
            if (!read_value(reader)) {
                return false;
            }
            sl_buf_add_byte(text, ',');
        } while (sl_scan_take(&reader->scan, ','));
        text->len -= !text->failed; /* the last comma */
        if (!sl_scan_take(&reader->scan, ']')) {
            return false;
        }
    }
    sl_buf_add_byte(text, ']');
    return leave(reader);
}

/* `"name":`, the name on the stack of names. */
static bool read_name(struct reader *reader, struct sl_item *member)
{
    struct sl_buf *names = &reader->json->names;

    sl_scan_blanks(&reader->scan);
    member->name_at = (uint32_t)names->len;
    if (!sl_scan_string(&reader->scan, names, false) || !sl_scan_take(&reader->scan, ':')) {
        return false;
    }
    member->name_len = (uint32_t)names->len - member->name_at;
    return true;
}

/* Puts the members, whose text stands from `start` on, in order. */
static void reorder(struct sl_json *json, size_t start, struct sl_item *members, size_t count)
{
    struct sl_buf *spare = &json->spare;

    if (!sl_items_sort(members, count, json->names.data)) {
        json->text.failed = true;
        return;
    }
    count = sl_items_drop_repeated(members, count, json->names.data, NULL);
    sl_buf_reset(spare);
    for (size_t i = 0; i < count; i++) {
        sl_buf_add(spare, json->text.data + members[i].from, members[i].to - members[i].from);
        sl_buf_add_byte(spare, ',');
    }
    json->text.failed = json->text.failed || spare->failed;
    if (!json->text.failed) {
        json->text.len = start;
        sl_buf_add(&json->text, spare->data, spare->len);
    }
}

/* The members of one object while they are read: the top of the stack. */
struct members {
    size_t names_len; /* of the stacks, before */
    size_t members_len;
    bool is_sorted; /* so far each name is larger than the one before */
};

static struct members begin_members(const struct sl_json *json)
{
    return (struct members){json->names.len, json->members.len, true};
}

static struct sl_item *members_of(const struct sl_json *json, const struct members *members,
                                  size_t *count)
{
    *count = (json->members.len - members->members_len) / sizeof(struct sl_item);
    return json->members.data
               ? (struct sl_item *)(void *)(json->members.data + members->members_len)
               : NULL;
}

static void add_member(struct sl_json *json, struct members *members, const struct sl_item *member)
{
    size_t count;
    const struct sl_item *items = members_of(json, members, &count);

    if (count && !json->names.failed &&
        sl_items_compare(&items[count - 1], member, json->names.data) >= 0) {
        members->is_sorted = false;
    }
    sl_buf_add(&json->members, member, sizeof(*member));
}

static void end_members(struct sl_json *json, const struct members *members)
{
    SL_ASSERT(members->names_len <= json->names.len && members->members_len <= json->members.len);
    json->names.len = members->names_len;
    json->members.len = members->members_len;
}

static bool is_out_of_room(const struct sl_json *json)
{
    return json->text.failed || json->leaves.failed || json->names.failed || json->members.failed ||
           json->path.failed;
}

static bool read_object_members(struct reader *reader, struct members *members)
{
    struct sl_json *json = reader->json;
    size_t start = json->text.len;
    size_t count;

    do {
        struct sl_item member;
        if (!read_name(reader, &member) || is_out_of_room(json)) {
            return false;
        }
        member.from = (uint32_t)json->text.len;
        sl_text_add_quoted(&json->text,
                           (struct sl_str){json->names.data + member.name_at, member.name_len});
        sl_buf_add_byte(&json->text, ':');
        if (!read_value(reader) || is_out_of_room(json)) {
            return false;
        }
        member.to = (uint32_t)json->text.len;
        sl_buf_add_byte(&json->text, ',');
        add_member(json, members, &member);
    } while (sl_scan_take(&reader->scan, ','));
    if (is_out_of_room(json) || !sl_scan_take(&reader->scan, '}')) {
        return false;
    }
    struct sl_item *items = members_of(json, members, &count);

    if (!members->is_sorted) {
        reorder(json, start, items, count);
    }
    json->text.len -= !json->text.failed; /* the last comma */
    return true;
}

static bool read_object(struct reader *reader)
{
    struct sl_json *json = reader->json;
    struct members members = begin_members(json);

    if (!enter(reader)) {
        return false;
    }
    sl_buf_add_byte(&json->text, '{');
    if (!sl_scan_take(&reader->scan, '}') && !read_object_members(reader, &members)) {
        return false;
    }
    sl_buf_add_byte(&json->text, '}');
    end_members(json, &members);
    return leave(reader);
}

/* Recursive with the depth that enter() allows. */
static bool read_value(struct reader *reader)
{
    sl_scan_blanks(&reader->scan);
    if (sl_scan_is_at(&reader->scan, '{')) {
        return read_object(reader);
    }
    if (sl_scan_is_at(&reader->scan, '[')) {
        if (take_null_array(reader)) {
            sl_buf_add_c(&reader->json->text, "true");
            return true;
        }
        return read_array(reader);
    }
    return read_scalar(reader);
}

/* ---- an object, as leaves ---- */

static bool read_leaves(struct reader *reader);

static uint32_t leaf_count(const struct sl_json *json)
{
    return (uint32_t)(json->leaves.len / sizeof(struct sl_item));
}

static struct sl_item *leaves_of(const struct sl_json *json)
{
    return (struct sl_item *)(void *)json->leaves.data;
}

/* The leaf under way: its name, then its value, both in `text`. */
static bool add_leaf(struct reader *reader, bool is_null)
{
    struct sl_json *json = reader->json;
    struct sl_item leaf = {.name_at = (uint32_t)json->text.len,
                           .name_len = (uint32_t)json->path.len,
                           .from = (uint32_t)(json->text.len + json->path.len)};

    sl_buf_add_str(&json->text, sl_buf_str(&json->path));
    if (is_null) {
        sl_buf_add_c(&json->text, "true");
    } else if (!read_scalar(reader)) {
        return false;
    }
    leaf.to = (uint32_t)json->text.len;
    sl_buf_add(&json->leaves, &leaf, sizeof(leaf));
    return true;
}

static void add_index(struct reader *reader, uint64_t index)
{
    struct sl_buf *path = &reader->json->path;

    sl_buf_add_byte(path, reader->is_flat ? '/' : '.');
    sl_buf_add_u64(path, index);
}

/* The items behind a '['; `keyed`: what they are called, or NULL. */
static bool read_item_leaves(struct reader *reader, const struct sl_json_keyed_array *keyed)
{
    struct sl_buf *path = &reader->json->path;
    size_t path_len = path->len;

    for (uint64_t index = 0; index == 0 || sl_scan_take(&reader->scan, ','); index++) {
        if (keyed) {
            sl_buf_add_str(path, sl_json_keyed_item(reader->json->keyed, keyed, index));
        } else {
            add_index(reader, index);
        }
        if (!read_leaves(reader)) {
            return false;
        }
        path->len = path_len;
    }
    return sl_scan_take(&reader->scan, ']');
}

static bool read_array_leaves(struct reader *reader)
{
    struct sl_json_keyed *keyed = reader->json->keyed;
    struct sl_json_keyed_array array;

    if (!enter(reader)) {
        return false;
    }
    if (sl_scan_take(&reader->scan, ']')) {
        return leave(reader);
    }
    if (!keyed || !sl_json_keyed_begin(keyed, &reader->scan, &array)) {
        return read_item_leaves(reader, NULL) && leave(reader);
    }
    bool is_ok = read_item_leaves(reader, &array);

    sl_json_keyed_end(keyed, &array);
    return is_ok && leave(reader);
}

static bool read_member_leaves(struct reader *reader, struct members *members)
{
    struct sl_json *json = reader->json;
    size_t path_len = json->path.len;

    do {
        struct sl_item member;
        if (!read_name(reader, &member) || is_out_of_room(json)) {
            return false;
        }
        member.from = leaf_count(json);
        if (member.name_len || !reader->is_flat) {
            sl_buf_add_byte(&json->path, '/');
        }
        sl_buf_add(&json->path, json->names.data + member.name_at, member.name_len);
        if (!read_leaves(reader)) {
            return false;
        }
        json->path.len = path_len;
        member.to = leaf_count(json);
        add_member(json, members, &member);
    } while (sl_scan_take(&reader->scan, ','));
    return !is_out_of_room(json) && sl_scan_take(&reader->scan, '}');
}

/* Of members with one name only the last one's leaves stay. */
static void drop_repeated_members(struct sl_json *json, const struct members *members)
{
    size_t count;
    struct sl_item *items = members_of(json, members, &count);

    if (!members->is_sorted) {
        if (!sl_items_sort(items, count, json->names.data)) {
            json->text.failed = true;
            return;
        }
        (void)sl_items_drop_repeated(items, count, json->names.data, leaves_of(json));
    }
}

static bool read_object_leaves(struct reader *reader)
{
    struct sl_json *json = reader->json;
    struct members members = begin_members(json);

    if (!enter(reader)) {
        return false;
    }
    if (!sl_scan_take(&reader->scan, '}')) {
        if (!read_member_leaves(reader, &members)) {
            return false;
        }
        drop_repeated_members(json, &members);
    }
    end_members(json, &members);
    return leave(reader);
}

/* Recursive with the depth that enter() allows. */
static bool read_leaves(struct reader *reader)
{
    sl_scan_blanks(&reader->scan);
    if (is_out_of_room(reader->json)) {
        return false;
    }
    if (sl_scan_is_at(&reader->scan, '{')) {
        return read_object_leaves(reader);
    }
    if (sl_scan_is_at(&reader->scan, '[')) {
        return take_null_array(reader) ? add_leaf(reader, true) : read_array_leaves(reader);
    }
    return add_leaf(reader, false);
}

/* ---- the whole ---- */

static void empty_all(struct sl_json *json)
{
    struct sl_buf *bufs[] = {&json->text,    &json->leaves, &json->names,
                             &json->members, &json->path,   &json->spare};

    for (size_t i = 0; i < SL_ARRAY_LEN(bufs); i++) {
        sl_buf_trim(bufs[i], KEPT_BYTES);
    }
}

/* Nothing but blanks may be left behind the value. */
static enum sl_json_result finish(struct reader *reader, bool is_ok, enum sl_json_result result)
{
    if (is_out_of_room(reader->json)) {
        return SL_JSON_NO_ROOM;
    }
    sl_scan_blanks(&reader->scan);
    return is_ok && reader->scan.at == reader->scan.end ? result : SL_JSON_BROKEN;
}

/* The text and the names are never NULL, so that the empty name has a place. */
static struct reader reader_of(struct sl_json *json, struct sl_str source)
{
    struct reader reader = {.json = json,
                            .scan = {.at = source.data,
                                     .end = source.data + source.len,
                                     .is_rounding = json->is_rounding}};

    empty_all(json);
    json->text.failed = !sl_buf_reserve(&json->text, 1) || !sl_buf_reserve(&json->names, 1);
    sl_scan_blanks(&reader.scan);
    return reader;
}

/* Sorts the leaves and drops those that something later replaces. */
static bool settle_leaves(struct sl_json *json)
{
    size_t count = sl_items_drop_dead(leaves_of(json), leaf_count(json));

    if (!sl_items_sort(leaves_of(json), count, json->text.data)) {
        return false;
    }
    count = sl_items_drop_repeated(leaves_of(json), count, json->text.data, NULL);
    json->leaves.len = count * sizeof(struct sl_item);
    return true;
}

void sl_json_init(struct sl_json *json)
{
    *json = (struct sl_json){0};
    sl_buf_init(&json->text, SL_JSON_MAX_BYTES);
    sl_buf_init(&json->leaves, SL_JSON_MAX_BYTES);
    sl_buf_init(&json->names, SL_JSON_MAX_BYTES);
    sl_buf_init(&json->members, SL_JSON_MAX_BYTES);
    sl_buf_init(&json->path, SL_JSON_MAX_BYTES);
    sl_buf_init(&json->spare, SL_JSON_MAX_BYTES);
}

void sl_json_fini(struct sl_json *json)
{
    sl_buf_fini(&json->text);
    sl_buf_fini(&json->leaves);
    sl_buf_fini(&json->names);
    sl_buf_fini(&json->members);
    sl_buf_fini(&json->path);
    sl_buf_fini(&json->spare);
}

enum sl_json_result sl_json_flatten(struct sl_json *json, struct sl_str source,
                                    struct sl_str *value)
{
    struct reader reader = reader_of(json, source);
    enum sl_json_result result;

    json->has_plain_names = !json->keyed && sl_json_quick(json, source);
    if (json->has_plain_names) {
        return SL_JSON_LEAVES;
    }
    reader = reader_of(json, source);
    if (json->keyed) {
        sl_json_keyed_start(json->keyed, source.len);
    }
    if (!sl_scan_is_at(&reader.scan, '{')) {
        result = finish(&reader, read_value(&reader), SL_JSON_VALUE);
        *value = sl_buf_str(&json->text);
        return result;
    }
    result = finish(&reader, read_leaves(&reader), SL_JSON_LEAVES);
    if (result == SL_JSON_LEAVES && !settle_leaves(json)) {
        result = SL_JSON_NO_ROOM;
    }
    return result;
}

enum sl_json_result sl_json_rewrite(struct sl_json *json, struct sl_str source,
                                    struct sl_str *value)
{
    struct reader reader = reader_of(json, source);

    reader.keeps_null = true;
    enum sl_json_result result = finish(&reader, read_value(&reader), SL_JSON_VALUE);

    *value = sl_buf_str(&json->text);
    return result;
}

enum sl_json_result sl_json_flatten_all(struct sl_json *json, struct sl_str source)
{
    struct reader reader = reader_of(json, source);

    json->has_plain_names = false;
    json->keyed = NULL;
    reader.keeps_null = true;
    reader.is_flat = true;
    enum sl_json_result result = finish(&reader, read_leaves(&reader), SL_JSON_LEAVES);

    return result == SL_JSON_LEAVES && !settle_leaves(json) ? SL_JSON_NO_ROOM : result;
}
