#include "normalise/json_quick.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "gnmi/response.h"
#include "normalise/items.h"
#include "normalise/scan.h"
#include "normalise/text.h"

enum {
    WORD = 8,
    BETWEEN = 2,           /* bytes between a name and its value */
    SMALL_COUNT = 24,      /* members sorted by insertion */
    PLAIN_INTEGER = 15,    /* digits that any double keeps */
    INDEX_BYTES = 10,      /* of the index of an item */
    SORTED_BY_NATURE = 10, /* items whose indices are in order as text */
};

/* One member of an object under way: its name is in the source. */
struct member {
    uint64_t front; /* the first bytes of the name and what follows it, as a number */
    uint32_t at;
    uint32_t len;
    uint32_t from; /* its leaves */
    uint32_t to;
    char next; /* what follows the name in those of its leaves: '/', '.', or nothing */
};

struct quick {
    const char *at;
    const char *end;
    const char *source;
    struct sl_json *json;
    unsigned depth;
};

/* ---- bytes ---- */

/* Where what is plain ends. */
static const char *skip_plain(const char *at, const char *end)
{
    return at + sl_text_plain_len((struct sl_str){at, (size_t)(end - at)});
}

static void skip_blanks(struct quick *quick)
{
    const char *at = quick->at;

    while (at < quick->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) {
        at++;
    }
    quick->at = at;
}

static bool take(struct quick *quick, char byte)
{
    skip_blanks(quick);
    if (quick->at == quick->end || *quick->at != byte) {
        return false;
    }
    quick->at++;
    return true;
}

static bool is_at(const struct quick *quick, char byte)
{
    return quick->at < quick->end && *quick->at == byte;
}

/* ---- leaves ---- */

static uint32_t leaf_count(const struct quick *quick)
{
    return (uint32_t)(quick->json->leaves.len / sizeof(struct sl_item));
}

/* A leaf at the path under way, of which `len` bytes of value are to follow. */
static bool begin_leaf(struct quick *quick, size_t len)
{
    struct sl_buf *text = &quick->json->text;
    struct sl_buf *leaves = &quick->json->leaves;
    const struct sl_buf *path = &quick->json->path;

    if (!sl_buf_reserve(text, path->len + BETWEEN + len) ||
        !sl_buf_reserve(leaves, sizeof(struct sl_item))) {
        return false;
    }
    size_t from = text->len + path->len + BETWEEN;
    struct sl_item *leaf = (struct sl_item *)(void *)(leaves->data + leaves->len);

    leaf->name_at = (uint32_t)text->len;
    leaf->name_len = (uint32_t)path->len;
    leaf->from = (uint32_t)from;
    leaf->to = (uint32_t)(from + len);
    leaves->len += sizeof(*leaf);
    memcpy(text->data + text->len, path->data, path->len);
    memcpy(text->data + from - BETWEEN, "\":", BETWEEN);
    text->len = from;
    return true;
}

/* The leaf has so many bytes at `value`, as they are. */
static bool add_leaf(struct quick *quick, const char *value, size_t len)
{
    struct sl_buf *text = &quick->json->text;

    if (!begin_leaf(quick, len)) {
        return false;
    }
    memcpy(text->data + text->len, value, len);
    text->len += len;
    return true;
}

/* A string or a number that is not written as it stands. */
static bool add_rewritten_leaf(struct quick *quick)
{
    struct sl_buf *text = &quick->json->text;
    struct sl_scan scan = {
        .at = quick->at, .end = quick->end, .is_rounding = quick->json->is_rounding};
    bool is_string = is_at(quick, '"');

    if (!begin_leaf(quick, 0)) {
        return false;
    }
    if (is_string) {
        sl_buf_add_byte(text, '"');
    }
    if (!(is_string ? sl_scan_string(&scan, text, true) : sl_scan_number(&scan, text))) {
        return false;
    }
    if (is_string) {
        sl_buf_add_byte(text, '"');
    }
    struct sl_item *leaves = (struct sl_item *)(void *)quick->json->leaves.data;

    leaves[leaf_count(quick) - 1].to = (uint32_t)text->len;
    quick->at = scan.at;
    return !text->failed;
}

static bool read_string(struct quick *quick)
{
    const char *start = quick->at;
    const char *close = skip_plain(start + 1, quick->end);

    if (close == quick->end || *close != '"') {
        return add_rewritten_leaf(quick);
    }
    quick->at = close + 1;
    return add_leaf(quick, start, (size_t)(quick->at - start));
}

static bool read_number(struct quick *quick)
{
    const char *start = quick->at;
    const char *at = start + (*start == '-');
    const char *first = at;

    while (at < quick->end && *at >= '0' && *at <= '9') {
        at++;
    }
    bool is_integer = at > first && (*first != '0' || at == first + 1) && at < quick->end &&
                      *at != '.' && *at != 'e' && *at != 'E' && at - start <= PLAIN_INTEGER;

    if (!is_integer) {
        return add_rewritten_leaf(quick);
    }
    quick->at = at;
    return add_leaf(quick, start, (size_t)(at - start));
}

static bool take_word(struct quick *quick, const char *word, size_t len)
{
    bool is_word = (size_t)(quick->end - quick->at) >= len && memcmp(quick->at, word, len) == 0;

    quick->at += is_word ? len : 0;
    return is_word;
}

static bool read_scalar(struct quick *quick)
{
    if (quick->at == quick->end) {
        return false;
    }
    switch (*quick->at) {
    case '"':
        return read_string(quick);
    case 't':
        return take_word(quick, "true", 4) && add_leaf(quick, "true", 4);
    case 'n':
        return take_word(quick, "null", 4) && add_leaf(quick, "true", 4);
    case 'f':
        return take_word(quick, "false", 5) && add_leaf(quick, "false", 5);
    default:
        return read_number(quick);
    }
}

/* ---- order ---- */

static int compare(const struct member *a, const struct member *b, const char *source)
{
    if (a->front != b->front) {
        return a->front < b->front ? -1 : 1;
    }
    uint32_t len = sl_min_u32(a->len, b->len);
    int order = len > WORD ? memcmp(source + a->at + WORD, source + b->at + WORD, len - WORD) : 0;

    if (order != 0) {
        return order;
    }
    unsigned char next_a = (unsigned char)(a->len > len ? source[a->at + len] : a->next);
    unsigned char next_b = (unsigned char)(b->len > len ? source[b->at + len] : b->next);

    return next_a - next_b;
}

/* Whether the two, neighbours in order, may be one name, or hide one between them. */
static bool is_doubtful(const struct member *a, const struct member *b, const char *source)
{
    const struct member *shorter = a->len <= b->len ? a : b;
    const struct member *longer = a->len <= b->len ? b : a;

    return (shorter->next || shorter->len == longer->len) &&
           memcmp(source + shorter->at, source + longer->at, shorter->len) == 0;
}

static void sort_small(struct member *members, size_t count, const char *source)
{
    for (size_t i = 1; i < count; i++) {
        struct member member = members[i];
        size_t at = i;
        for (; at > 0 && compare(&members[at - 1], &member, source) > 0; at--) {
            members[at] = members[at - 1];
        }
        members[at] = member;
    }
}

static void merge(const struct member *from, size_t left, size_t right, const char *source,
                  struct member *out)
{
    const struct member *a = from;
    const struct member *b = from + left;
    const struct member *a_end = b;
    const struct member *b_end = b + right;

    while (a < a_end || b < b_end) {
        bool takes_a = b == b_end || (a < a_end && compare(a, b, source) <= 0);
        *out++ = takes_a ? *a++ : *b++;
    }
}

/* `spare` has room for as many. */
static void sort_many(struct member *members, size_t count, const char *source,
                      struct member *spare)
{
    for (size_t at = 0; at < count; at += SMALL_COUNT) {
        sort_small(members + at, sl_min_size(SMALL_COUNT, count - at), source);
    }
    for (size_t width = SMALL_COUNT; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t left = sl_min_size(width, count - at);
            size_t right = sl_min_size(width, count - at - left);
            merge(members + at, left, right, source, spare + at);
        }
        memcpy(members, spare, count * sizeof(*members));
    }
}

static bool sort(struct quick *quick, struct member *members, size_t count)
{
    struct sl_buf *spare = &quick->json->spare;

    sl_buf_reset(spare);
    if (count <= SMALL_COUNT) {
        sort_small(members, count, quick->source);
        return true;
    }
    if (!sl_buf_reserve(spare, count * sizeof(*members))) {
        return false;
    }
    sort_many(members, count, quick->source, (struct member *)(void *)spare->data);
    return true;
}

/* What was gathered in `spare` takes the place of the leaves from `first` on. */
static bool put_leaves(struct quick *quick, uint32_t first)
{
    const struct sl_buf *spare = &quick->json->spare;
    struct sl_buf *leaves = &quick->json->leaves;
    size_t at = first * sizeof(struct sl_item);

    if (spare->failed) {
        return false;
    }
    SL_ASSERT(at + spare->len == leaves->len);
    if (spare->len) {
        memcpy(leaves->data + at, spare->data, spare->len);
    }
    return true;
}

static void gather(struct quick *quick, uint32_t from, uint32_t to)
{
    if (to > from) {
        sl_buf_add(&quick->json->spare, quick->json->leaves.data + from * sizeof(struct sl_item),
                   (to - from) * sizeof(struct sl_item));
    }
}

/* ---- objects ---- */

static bool read_value(struct quick *quick);

/* Whether one of the first `len` bytes is '.' or '/', which differ in their last bit. */
static bool has_separator_within(uint64_t word, size_t len)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t slashes = (word | ones) ^ ones * '/';
    uint64_t found = (slashes - ones) & ~slashes & (ones << 7);

    return (len < WORD ? found & ((UINT64_C(1) << (8 * len)) - 1) : found) != 0;
}

static uint64_t load(const char *at, const char *end)
{
    uint64_t word = 0;

    if (end - at >= WORD) {
        memcpy(&word, at, WORD);
    } else {
        memcpy(&word, at, (size_t)(end - at));
    }
    return word;
}

static bool has_separator(const struct quick *quick, const char *at, size_t len)
{
    for (; len > WORD; len -= WORD, at += WORD) {
        if (has_separator_within(le64toh(load(at, quick->end)), WORD)) {
            return true;
        }
    }
    return has_separator_within(le64toh(load(at, quick->end)), len);
}

/* The first bytes as a number that sorts like them. */
static uint64_t front_of(const struct quick *quick, const char *name, size_t len, char next)
{
    uint64_t front = be64toh(load(name, quick->end));

    if (len >= WORD) {
        return front;
    }
    unsigned bits = (unsigned)(WORD - len) * 8;

    return (front >> bits << bits) | (uint64_t)(unsigned char)next << (bits - 8);
}

/* `"name":`, and the name behind the path. */
static bool read_name(struct quick *quick, struct member *member)
{
    struct sl_buf *path = &quick->json->path;

    if (!take(quick, '"')) {
        return false;
    }
    const char *name = quick->at;
    const char *close = skip_plain(name, quick->end);
    size_t len = (size_t)(close - name);

    if (close == quick->end || *close != '"' || !len || has_separator(quick, name, len)) {
        return false;
    }
    quick->at = close + 1;
    if (!take(quick, ':') || !sl_buf_reserve(path, len + 1)) {
        return false;
    }
    path->data[path->len++] = '/';
    memcpy(path->data + path->len, name, len);
    path->len += len;
    member->at = (uint32_t)(name - quick->source);
    member->len = (uint32_t)len;
    skip_blanks(quick);
    member->next = (char)(is_at(quick, '{') ? '/' : is_at(quick, '[') ? '.' : '\0');
    member->front = front_of(quick, name, len, member->next);
    return true;
}

static struct member *members_from(const struct quick *quick, size_t start)
{
    return (struct member *)(void *)(quick->json->members.data + start);
}

/* Puts the members from `start` on in order, and their leaves. False: one may be there twice. */
static bool settle_members(struct quick *quick, size_t start, uint32_t first_leaf, bool is_sorted)
{
    size_t count = (quick->json->members.len - start) / sizeof(struct member);
    struct member *members = members_from(quick, start);

    if (!is_sorted && !sort(quick, members, count)) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (is_doubtful(&members[i - 1], &members[i], quick->source)) {
            return false;
        }
    }
    if (is_sorted) {
        return true;
    }
    sl_buf_reset(&quick->json->spare);
    for (size_t i = 0; i < count; i++) {
        gather(quick, members[i].from, members[i].to);
    }
    return put_leaves(quick, first_leaf);
}

/* One more member, to be filled in where it lies: a copy would have to wait for its stores. NULL:
 * memory is out. */
static struct member *push_member(struct quick *quick)
{
    struct sl_buf *stack = &quick->json->members;

    if (!sl_buf_reserve(stack, sizeof(struct member))) {
        return NULL;
    }
    stack->len += sizeof(struct member);
    return members_from(quick, stack->len) - 1;
}

static bool read_members(struct quick *quick)
{
    struct sl_buf *stack = &quick->json->members;
    struct sl_buf *path = &quick->json->path;
    size_t start = stack->len;
    size_t path_len = path->len;
    uint32_t first_leaf = leaf_count(quick);
    bool is_sorted = true;

    do {
        bool is_first = stack->len == start;
        struct member *member = push_member(quick);
        if (!member || !read_name(quick, member)) {
            return false;
        }
        member->from = leaf_count(quick);
        is_sorted = is_sorted && (is_first || compare(member - 1, member, quick->source) < 0);
        size_t behind = stack->len;
        if (!read_value(quick)) {
            return false;
        }
        path->len = path_len;
        members_from(quick, behind)[-1].to = leaf_count(quick); /* it may have moved */
    } while (take(quick, ','));
    bool is_ok = take(quick, '}') && settle_members(quick, start, first_leaf, is_sorted);

    stack->len = start;
    return is_ok;
}

static bool read_object(struct quick *quick)
{
    quick->at++;
    if (++quick->depth > SL_GNMI_MAX_DEPTH) {
        return false;
    }
    bool is_ok = take(quick, '}') || read_members(quick);

    quick->depth--;
    return is_ok;
}

/* ---- arrays ---- */

/* The index that follows `index` when those below `count` are sorted as text. */
static uint32_t next_index(uint32_t index, uint32_t count)
{
    if (index && index * UINT64_C(10) < count) {
        return index * 10;
    }
    if (index + 1 >= count) {
        index /= 10;
    }
    for (index++; index % 10 == 0; index /= 10) {
    }
    return index;
}

/* `starts` are where the leaves of each item begin, and where the last one's end. */
static bool settle_items(struct quick *quick, const uint32_t *starts, uint32_t count)
{
    uint32_t index = 0;

    sl_buf_reset(&quick->json->spare);
    for (uint32_t i = 0; i < count; i++) {
        gather(quick, starts[index], starts[index + 1]);
        index = next_index(index, count);
    }
    return put_leaves(quick, starts[0]);
}

static bool add_start(struct quick *quick)
{
    uint32_t start = leaf_count(quick);

    sl_buf_add(&quick->json->names, &start, sizeof(start));
    return !quick->json->names.failed;
}

static bool read_items(struct quick *quick)
{
    struct sl_buf *path = &quick->json->path;
    struct sl_buf *stack = &quick->json->names;
    size_t start = stack->len;
    size_t path_len = path->len;
    uint32_t count = 0;

    do {
        if (!add_start(quick) || !sl_buf_reserve(path, 1 + INDEX_BYTES)) {
            return false;
        }
        path->data[path->len++] = '.';
        sl_buf_add_u64(path, count);
        if (!read_value(quick)) {
            return false;
        }
        path->len = path_len;
        count++;
    } while (take(quick, ','));
    if (!take(quick, ']') || !add_start(quick)) {
        return false;
    }
    bool is_ok = count <= SORTED_BY_NATURE ||
                 settle_items(quick, (const uint32_t *)(void *)(stack->data + start), count);

    stack->len = start;
    return is_ok;
}

/* [null], as YANG's empty is written. */
static bool take_null(struct quick *quick)
{
    const char *start = quick->at;

    quick->at++;
    skip_blanks(quick);
    if (take_word(quick, "null", 4) && take(quick, ']')) {
        return true;
    }
    quick->at = start;
    return false;
}

static bool read_array(struct quick *quick)
{
    if (take_null(quick)) {
        return add_leaf(quick, "true", 4);
    }
    quick->at++;
    if (++quick->depth > SL_GNMI_MAX_DEPTH) {
        return false;
    }
    bool is_ok = take(quick, ']') || read_items(quick);

    quick->depth--;
    return is_ok;
}

/* Recursive with the depth that is allowed. */
static bool read_value(struct quick *quick)
{
    skip_blanks(quick);
    if (is_at(quick, '{')) {
        return read_object(quick);
    }
    return is_at(quick, '[') ? read_array(quick) : read_scalar(quick);
}

bool sl_json_quick(struct sl_json *json, struct sl_str source)
{
    struct quick quick = {
        .at = source.data, .end = source.data + source.len, .source = source.data, .json = json};

    if (!source.len || source.len > SL_JSON_MAX_BYTES) {
        return false;
    }
    skip_blanks(&quick);
    if (!is_at(&quick, '{') || !read_object(&quick)) {
        return false;
    }
    skip_blanks(&quick);
    return quick.at == quick.end;
}
