/* json.c - the single validating passes (of event, of Telegraf, of records) against jansson: the
 * same verdict, the same leaves, every number to its last digit.
 *
 * jansson cannot be given all that is legal here. So that it can be asked, bytes that are not UTF-8
 * and halves of surrogate pairs become U+FFFD before (json.h says that they do); nesting is limited
 * by our limit; and since it would round numbers, it gets them a second time as strings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "decimal.h"
#include "fuzz.h"
#include "gnmi/pack.h"
#include "gnmi/response.h"
#include "gnmi/wire.h"
#include "normalise/encoder.h"
#include "normalise/json.h"
#include "normalise/json_keyed.h"

enum {
    MOST_LEAVES = 4096,
    JANSSON_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL
};

static const struct sl_str replacement = {"\xef\xbf\xbd", 3};

/* ---- what jansson is given ---- */

/* RFC 3629, by its table: how many bytes the character at the front of `text` has, 0 if none. */
static size_t utf8_len(struct sl_str text)
{
    static const struct {
        uint8_t first, last, low, high, len;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const uint8_t *at = (const uint8_t *)text.data;

    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        if (at[0] < rows[i].first || at[0] > rows[i].last) {
            continue;
        }
        if (rows[i].len > text.len ||
            (rows[i].len > 1 && (at[1] < rows[i].low || at[1] > rows[i].high))) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].len; k++) {
            if (at[k] >> 6 != 2) {
                return 0;
            }
        }
        return rows[i].len;
    }
    return 0;
}

static int hex4(struct sl_str text)
{
    char digits[5] = "";

    if (text.len < 4 || strspn(memcpy(digits, text.data, 4), "0123456789abcdefABCDEF") != 4) {
        return -1;
    }
    return (int)strtol(digits, NULL, 16);
}

static struct sl_str behind(struct sl_str text, size_t len)
{
    return (struct sl_str){text.data + len, text.len - len};
}

/* The length of the escape at the front of `text`; `is_half`: of half a surrogate pair. */
static size_t escape_len(struct sl_str text, bool *is_half)
{
    int number = text.len > 2 && text.data[1] == 'u' ? hex4(behind(text, 2)) : -1;
    int second = number >= 0xd800 && number < 0xdc00 && text.len > 8 && text.data[6] == '\\' &&
                         text.data[7] == 'u'
                     ? hex4(behind(text, 8))
                     : -1;

    *is_half = false;
    if (number < 0xd800 || number > 0xdfff) {
        return sl_min_size(text.len, 2);
    }
    if (second >= 0xdc00 && second <= 0xdfff) {
        return 12;
    }
    *is_half = true;
    return 6;
}

static void make_legal(struct sl_str text, struct sl_buf *out)
{
    while (text.len) {
        bool is_half = false;
        size_t len = text.data[0] == '\\' ? escape_len(text, &is_half) : utf8_len(text);
        if (is_half || !len) {
            sl_buf_add_str(out, replacement);
            len = len ? len : 1;
        } else {
            sl_buf_add(out, text.data, len);
        }
        text = behind(text, len);
    }
}

static size_t string_len(struct sl_str text)
{
    size_t len = 1;

    while (len < text.len && text.data[len] != '"') {
        len += text.data[len] == '\\' ? 2 : 1;
    }
    return sl_min_size(len + 1, text.len);
}

static size_t number_len(struct sl_str text)
{
    size_t len = 0;

    while (len < text.len && text.data[len] && strchr("+-.0123456789eE", text.data[len])) {
        len++;
    }
    return len;
}

/* `text` is JSON: the same with each number as a string. */
static void quote_numbers(struct sl_str text, struct sl_buf *out)
{
    while (text.len) {
        bool is_number = text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9');
        size_t len = is_number ? number_len(text) : text.data[0] == '"' ? string_len(text) : 1;
        sl_buf_add_c(out, is_number ? "\"" : "");
        sl_buf_add(out, text.data, len);
        sl_buf_add_c(out, is_number ? "\"" : "");
        text = behind(text, len);
    }
}

/* How deep `text`, which is JSON, nests; an array of one null counts as its value. */
static size_t depth_of(struct sl_str text)
{
    size_t depth = 0;
    size_t deepest = 0;

    while (text.len) {
        size_t len = text.data[0] == '"' ? string_len(text) : 1;
        if (text.data[0] == '[') {
            size_t blanks = strspn(text.data + 1, " \t\r\n");
            size_t more = strncmp(text.data + 1 + blanks, "null", 4) == 0
                              ? strspn(text.data + 5 + blanks, " \t\r\n")
                              : 0;
            bool is_null = strncmp(text.data + 1 + blanks, "null", 4) == 0 &&
                           text.data[5 + blanks + more] == ']';
            len = is_null ? 6 + blanks + more : 1;
            depth += !is_null;
        }
        depth += text.data[0] == '{';
        deepest = depth > deepest ? depth : deepest;
        depth -= len == 1 && (text.data[0] == ']' || text.data[0] == '}');
        text = behind(text, len);
    }
    return deepest;
}

static json_t *load(struct sl_str text, json_error_t *why)
{
    return json_loadb(text.len ? text.data : "", text.len, JANSSON_FLAGS, why);
}

/* ---- comparing ---- */

static struct sl_str string_of(const json_t *string)
{
    return (struct sl_str){json_string_value(string), json_string_length(string)};
}

static bool is_number(struct sl_str text)
{
    return text.len > 0 && text.len == number_len(text) && text.data[text.len - 1] >= '0' &&
           text.data[text.len - 1] <= '9';
}

static bool is_null_array(const json_t *value)
{
    return json_array_size(value) == 1 && json_is_null(json_array_get(value, 0));
}

static bool is_same(const json_t *found, const json_t *expected, bool keeps_null);

static bool is_same_object(const json_t *found, const json_t *expected, bool keeps_null)
{
    const char *before = NULL;
    const char *key;
    json_t *value;

    if (!json_is_object(found) || json_object_size(found) != json_object_size(expected)) {
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)found, key, value)
    {
        if ((before && strcmp(before, key) >= 0) ||
            !is_same(value, json_object_get(expected, key), keeps_null)) {
            return false;
        }
        before = key;
    }
    return true;
}

/* Numbers are strings in both. */
static bool is_same(const json_t *found, const json_t *expected, bool keeps_null)
{
    if (!found || !expected) {
        return false;
    }
    if (!keeps_null && (json_is_null(expected) || is_null_array(expected))) {
        return json_is_true(found);
    }
    if (json_is_object(expected)) {
        return is_same_object(found, expected, keeps_null);
    }
    if (json_is_array(expected)) {
        bool is_equal = json_array_size(found) == json_array_size(expected);
        for (size_t i = 0; is_equal && i < json_array_size(expected); i++) {
            is_equal = is_same(json_array_get(found, i), json_array_get(expected, i), keeps_null);
        }
        return is_equal;
    }
    if (json_is_string(expected) && json_is_string(found)) {
        struct sl_str a = string_of(found);
        struct sl_str b = string_of(expected);
        return sl_str_eq(a, b) || (is_number(a) && is_number(b) && decimal_eq(a, b));
    }
    return json_equal(found, expected);
}

/* Whether the JSON text that we made says what is expected. */
static bool says(struct sl_str text, const json_t *expected, bool keeps_null)
{
    struct sl_buf quoted = {0};
    json_error_t why;
    json_t *plain = load(text, &why);

    quote_numbers(text, &quoted);
    json_t *found = load(sl_buf_str(&quoted), &why);
    bool is_equal = plain && is_same(found, expected, keeps_null);

    json_decref(plain);
    json_decref(found);
    sl_buf_fini(&quoted);
    return is_equal;
}

/* ---- leaves ---- */

struct leaves {
    struct sl_str names[MOST_LEAVES]; /* each in memory of its own */
    const json_t *values[MOST_LEAVES];
    size_t count;
};

/* How the leaves of a pass are called: the rule of json.h, or of sl_json_flatten_all. */
enum form { GNMIC, TELEGRAF };

static void collect(struct leaves *leaves, const struct sl_buf *path, const json_t *value,
                    enum form form)
{
    struct sl_buf name = {0};
    const char *key;
    json_t *inner;

    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            sl_buf_reset(&name);
            sl_buf_add_str(&name, sl_buf_str(path));
            if (*key || form == GNMIC) {
                sl_buf_add_byte(&name, '/');
            }
            sl_buf_add_c(&name, key);
            collect(leaves, &name, inner, form);
        }
    } else if (json_is_array(value) && (form == TELEGRAF || !is_null_array(value))) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            sl_buf_reset(&name);
            sl_buf_add_str(&name, sl_buf_str(path));
            sl_buf_printf(&name, form == GNMIC ? ".%zu" : "/%zu", i);
            collect(leaves, &name, json_array_get(value, i), form);
        }
    } else if (leaves->count < MOST_LEAVES) {
        leaves->names[leaves->count] = (struct sl_str){sl_str_dup(sl_buf_str(path)), path->len};
        leaves->values[leaves->count++] = value;
    }
    sl_buf_fini(&name);
}

/* Of several with one name ("a/b" beside "b" in "a") one. */
static bool has_leaf(const struct leaves *leaves, const struct sl_json_leaf *leaf, enum form form)
{
    for (size_t i = 0; i < leaves->count; i++) {
        if (sl_str_eq(leaves->names[i], leaf->name) &&
            says(leaf->value, leaves->values[i], form == TELEGRAF)) {
            return true;
        }
    }
    return false;
}

static size_t count_names(const struct leaves *leaves)
{
    size_t count = 0;

    for (size_t i = 0; i < leaves->count; i++) {
        size_t j = 0;
        while (!sl_str_eq(leaves->names[i], leaves->names[j])) {
            j++;
        }
        count += i == j;
    }
    return count;
}

static void assert_leaves(const struct sl_json *json, const json_t *expected, enum form form)
{
    static struct leaves leaves;
    struct sl_buf path = {0};
    struct sl_str before = {0};

    leaves.count = 0;
    collect(&leaves, &path, expected, form);
    SL_ASSERT(leaves.count < MOST_LEAVES);
    SL_ASSERT(sl_json_leaf_count(json) == count_names(&leaves));
    for (size_t i = 0; i < sl_json_leaf_count(json); i++) {
        struct sl_json_leaf leaf = sl_json_leaf(json, i);
        SL_ASSERT(i == 0 || sl_str_cmp(before, leaf.name) < 0);
        SL_ASSERT(has_leaf(&leaves, &leaf, form));
        before = leaf.name;
    }
    for (size_t i = 0; i < leaves.count; i++) {
        free((char *)(uintptr_t)leaves.names[i].data);
    }
}

/* ---- the whole ---- */

static void check_flatten(struct sl_str source, const json_t *expected, bool is_legal)
{
    struct sl_json json;
    struct sl_str value;

    sl_json_init(&json);
    switch (sl_json_flatten(&json, source, &value)) {
    case SL_JSON_VALUE:
        SL_ASSERT(is_legal && !json_is_object(expected) && says(value, expected, false));
        break;
    case SL_JSON_LEAVES:
        SL_ASSERT(is_legal && json_is_object(expected));
        assert_leaves(&json, expected, GNMIC);
        break;
    case SL_JSON_BROKEN:
        SL_ASSERT(!is_legal);
        break;
    case SL_JSON_NO_ROOM:
        SL_ASSERT(false);
    }
    sl_json_fini(&json);
}

static void check_rewrite(struct sl_str source, const json_t *expected, bool is_legal)
{
    struct sl_json json;
    struct sl_str value;

    sl_json_init(&json);
    enum sl_json_result result = sl_json_rewrite(&json, source, &value);

    /* here an array of one null is an array, and may be the one that is too deep */
    SL_ASSERT(result == SL_JSON_VALUE || result == SL_JSON_BROKEN);
    SL_ASSERT(is_legal || result == SL_JSON_BROKEN);
    SL_ASSERT(result != SL_JSON_VALUE || says(value, expected, true));
    sl_json_fini(&json);
}

/* As Telegraf has it: any value is leaves. */
static void check_flatten_all(struct sl_str source, const json_t *expected, bool is_legal)
{
    struct sl_json json;

    sl_json_init(&json);
    enum sl_json_result result = sl_json_flatten_all(&json, source);

    SL_ASSERT(result == SL_JSON_LEAVES || result == SL_JSON_BROKEN);
    SL_ASSERT(is_legal || result == SL_JSON_BROKEN);
    if (result == SL_JSON_LEAVES) {
        assert_leaves(&json, expected, TELEGRAF);
    }
    sl_json_fini(&json);
}

/* ---- records ---- */

static size_t count_values(const json_t *value)
{
    const char *key;
    json_t *inner;
    size_t count = 0;
    bool is_list = true;

    if (json_is_object(value) && json_object_size(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, inner)
        {
            count += count_values(inner);
        }
        return count;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        is_list = is_list && !json_is_object(item) && !json_is_array(item);
        count += count_values(item);
    }
    return json_array_size(value) && !is_list ? count : 1;
}

/* Members that come twice are one in jansson's, and two in the records. */
static bool has_repeats(struct sl_str text)
{
    json_error_t why;
    json_t *strict = json_loadb(text.data, text.len, JANSSON_FLAGS | JSON_REJECT_DUPLICATES, &why);

    json_decref(strict);
    return !strict;
}

/* Appends a field of bytes with what `inner` has; that is empty then. */
static void wrap(struct sl_buf *out, uint32_t number, struct sl_buf *inner)
{
    sl_pack_bytes(out, number, sl_buf_str(inner));
    sl_buf_fini(inner);
}

/* A SubscribeResponse with the JSON as the value of /a. */
static void make_message(struct sl_str source, struct sl_buf *message)
{
    struct sl_buf elem = {0};
    struct sl_buf path = {0};
    struct sl_buf value = {0};
    struct sl_buf update = {0};
    struct sl_buf notification = {0};

    sl_pack_bytes(&elem, 1, SL_STR("a"));
    wrap(&path, 3, &elem);
    wrap(&update, 1, &path);
    sl_pack_bytes(&value, 10, source);
    wrap(&update, 3, &value);
    wrap(&notification, 4, &update);
    wrap(message, 1, &notification);
}

/* How many updates a record of sluice.v1 has, and how many of them were JSON that stayed whole. */
static size_t count_updates(struct sl_str record, size_t *whole)
{
    struct sl_wire wire = sl_wire_of(record);
    struct sl_wire_field field;
    size_t count = 0;

    *whole = 0;
    while (sl_wire_next(&wire, &field)) {
        if (!sl_wire_is(&field, 14, SL_WIRE_BYTES)) {
            continue;
        }
        struct sl_wire update = sl_wire_of(field.bytes);
        struct sl_wire_field inner;
        bool has_encoding = false;
        count++;
        while (sl_wire_next(&update, &inner)) {
            has_encoding = has_encoding || inner.number == 4;
        }
        *whole += !has_encoding;
    }
    SL_ASSERT(wire.at == wire.end);
    return count;
}

/* A leaf for each value, or the JSON as it came; with keys as many. Here a number may be beyond a
 * double's range: `is_huge`. */
static void check_record(struct sl_str source, const json_t *expected, bool is_huge,
                         bool has_names_twice)
{
    const struct sl_encoder_context context = {.epoch = 1, .seq = 1};
    struct sl_gnmi_response response;
    struct sl_buf scratch = {0};
    struct sl_buf message = {0};

    make_message(source, &message);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);

    SL_ASSERT(sl_status_is_ok(&status));
    for (int keyed = 0; keyed < 2; keyed++) {
        struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
        struct sl_encoder_config config = {.format = SL_FORMAT_SLUICE_V1,
                                           .json_keys = keyed ? &sl_json_default_keys : NULL,
                                           .memory = &memory};
        struct sl_encoder *encoder = sl_encoder_new(&config);
        struct sl_buf out = {0};
        struct sl_encoded encoded;
        size_t whole;
        SL_ASSERT(encoder && sl_encoder_encode(encoder, &response, &context, &out, &encoded));
        size_t count = count_updates(sl_buf_str(&out), &whole);
        SL_ASSERT(encoded.published == 1 && (whole == 0 || (whole == 1 && count == 1)));
        SL_ASSERT(expected || is_huge || whole == 1);
        SL_ASSERT(whole || !expected || has_names_twice || count == count_values(expected));
        sl_buf_fini(&out);
        sl_encoder_free(encoder);
    }
    sl_buf_fini(&message);
    sl_buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str source = {(const char *)data, size};
    struct sl_buf legal = {0};
    struct sl_buf quoted = {0};
    json_error_t why;
    json_t *expected = NULL;

    make_legal(source, &legal);
    const char *text = sl_buf_text(&legal); /* ends with a NUL */
    json_t *plain = json_loadb(text, legal.len, JANSSON_FLAGS, &why);

    if (!plain && json_error_code(&why) == json_error_null_byte_in_key) {
        goto out; /* only jansson minds */
    }
    bool is_huge = !plain && json_error_code(&why) == json_error_numeric_overflow;

    /* jansson loses a zero byte behind a number; JSON has none anywhere */
    bool is_legal =
        plain && !memchr(text, 0, legal.len) && depth_of(sl_buf_str(&legal)) <= SL_GNMI_MAX_DEPTH;
    if (is_legal) {
        quote_numbers(sl_buf_str(&legal), &quoted);
        expected = load(sl_buf_str(&quoted), &why);
        SL_ASSERT(expected);
    }
    check_flatten(source, expected, is_legal);
    check_rewrite(source, expected, is_legal);
    check_flatten_all(source, expected, is_legal);
    check_record(source, expected, is_huge, is_legal && has_repeats(sl_buf_str(&legal)));
out:
    json_decref(plain);
    json_decref(expected);
    sl_buf_fini(&legal);
    sl_buf_fini(&quoted);
    return 0;
}
