/* log.c - a log line of any fields: one line of printable ASCII from which nobody can forge a
 * field; its JSON form is JSON and says the same.
 *
 * Input: for each field its length (0: a number), then its bytes; a length counts eightfold from
 * 128 on. */
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "fuzz.h"

enum { FIELDS = 6 };

static const char *const keys[FIELDS] = {"peer", "reason", "why", "path", "name", "count"};

static size_t read_fields(struct fuzz_input *input, struct sl_log_field fields[FIELDS])
{
    size_t count = 0;

    for (; count < FIELDS && input->at < input->end; count++) {
        uint8_t len = fuzz_byte(input);
        if (len == 0) {
            fields[count] = sl_log_u64(keys[count], (uint64_t)fuzz_byte(input) << 56);
        } else {
            size_t bytes = len < 128 ? len : 8u * len;
            fields[count] = sl_log_str(keys[count], fuzz_bytes(input, bytes));
        }
    }
    return count;
}

static void assert_printable(const char *line, size_t len)
{
    SL_ASSERT(len < SL_LOG_LINE_BYTES && strlen(line) == len);
    for (size_t i = 0; i < len; i++) {
        SL_ASSERT(line[i] >= ' ' && line[i] <= '~');
    }
}

/* Steps over one key=value; the key, or NULL where this is not one. */
static const char *next_key(const char *at, size_t *key_len, const char **value)
{
    *key_len = strcspn(at, "= \"");
    if (!*key_len || at[*key_len] != '=') {
        return NULL;
    }
    *value = at + *key_len + 1;
    return at;
}

static const char *value_end(const char *value)
{
    if (*value != '"') {
        return value + strcspn(value, " \"=\\");
    }
    for (value++; *value && *value != '"'; value++) {
        value += *value == '\\' && value[1];
    }
    return *value == '"' ? value + 1 : NULL;
}

/* The line has the keys that were given, in their order and nothing else; some may be left out
 * where the line is full. */
static void assert_logfmt(const char *at, const struct sl_log_field *fields, size_t count,
                          bool is_full)
{
    size_t next = 0; /* of the fields */
    size_t own = 0;  /* level, target, msg */
    static const char *const first[] = {"level", "target", "msg"};

    while (*at) {
        size_t len;
        const char *value;
        const char *key = next_key(at, &len, &value);
        SL_ASSERT(key);
        struct sl_str name = {key, len};
        if (own < SL_ARRAY_LEN(first)) {
            SL_ASSERT(sl_str_eq_c(name, first[own]));
            own++;
        } else {
            while (next < count && !sl_str_eq_c(name, fields[next].key)) {
                SL_ASSERT(is_full);
                next++;
            }
            SL_ASSERT(next < count);
            next++;
        }
        at = value_end(value);
        SL_ASSERT(at && (*at == ' ' || *at == '\0'));
        at += *at == ' ';
    }
    SL_ASSERT(own == SL_ARRAY_LEN(first) && (next == count || is_full));
}

/* Each byte stands for the character of its number. */
static bool says(const char *text, size_t text_len, struct sl_str expected, bool is_full)
{
    size_t at = 0;

    for (size_t i = 0; i < expected.len && at < text_len; i++) {
        unsigned char byte = (unsigned char)expected.data[i];
        if (byte < 0x80) {
            if ((unsigned char)text[at++] != byte) {
                return false;
            }
        } else if (text_len - at < 2 || (unsigned char)text[at] != (0xc0 | byte >> 6) ||
                   (unsigned char)text[at + 1] != (0x80 | (byte & 0x3f))) {
            return false;
        } else {
            at += 2;
        }
    }
    return at == text_len && (is_full || expected.len == 0 || text_len >= expected.len);
}

static void assert_json(const char *line, const struct sl_log_field *fields, size_t count,
                        bool is_full)
{
    json_t *root =
        json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);

    SL_ASSERT(root && json_is_object(root));
    SL_ASSERT(json_object_size(root) <= count + 3);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(root, fields[i].key);
        SL_ASSERT(value || is_full);
        if (value && fields[i].is_number) {
            SL_ASSERT(json_is_real(value) && json_real_value(value) == (double)fields[i].number);
        } else if (value) {
            SL_ASSERT(json_is_string(value));
            SL_ASSERT(
                says(json_string_value(value), json_string_length(value), fields[i].text, is_full));
        }
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    struct sl_log_field fields[FIELDS];
    struct sl_log_field who = sl_log_str("target", fuzz_bytes(&input, fuzz_byte(&input) % 16));
    struct sl_log_subject subject;
    char line[SL_LOG_LINE_BYTES];
    size_t count = read_fields(&input, fields);
    /* six bytes for each at most: less than this is never cut off */
    bool is_full = 6 * size + 200 > SL_LOG_LINE_BYTES;

    sl_log_subject_init(&subject, &who, 1);
    size_t len =
        sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_WARN, &subject, "connection lost", fields, count);
    assert_printable(line, len);
    assert_logfmt(line, fields, count, is_full);
    len = sl_log_format(SL_LOG_JSON, line, SL_LOG_WARN, &subject, "connection lost", fields, count);
    assert_printable(line, len);
    assert_json(line, fields, count, is_full);
    return 0;
}
