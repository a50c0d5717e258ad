#include "admin/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"

enum { REAL_DIGITS = 15 };

/* Notes that memory is out. */
static json_t *checked(struct sl_json *json, json_t *value)
{
    json->failed = json->failed || !value;
    return value;
}

json_t *sl_json_object(struct sl_json *json)
{
    return json->failed ? NULL : checked(json, json_object());
}

json_t *sl_json_array(struct sl_json *json)
{
    return json->failed ? NULL : checked(json, json_array());
}

json_t *sl_json_u64(struct sl_json *json, uint64_t value)
{
    return checked(json, json_integer((json_int_t)sl_min_u64(value, INT64_MAX)));
}

json_t *sl_json_bool(struct sl_json *json, bool value)
{
    return checked(json, json_boolean(value));
}

json_t *sl_json_seconds(struct sl_json *json, int64_t ns)
{
    return checked(json, json_real((double)ns / (double)SL_NS_PER_S));
}

json_t *sl_json_number(struct sl_json *json, double value)
{
    return checked(json, isfinite(value) ? json_real(value) : json_null());
}

/* Nearly every text is UTF-8 as it is. */
static json_t *mended(struct sl_str text)
{
    struct sl_buf good = {0};

    for (size_t at = 0; at < text.len;) {
        struct sl_str rest = {text.data + at, text.len - at};
        uint32_t rune;
        size_t len = sl_utf8_decode(rest, &rune);
        sl_buf_add(&good, len ? rest.data : "?", len ? len : 1);
        at += len ? len : 1;
    }
    json_t *value = good.failed ? NULL : json_stringn_nocheck(sl_buf_text(&good), good.len);
    sl_buf_fini(&good);
    return value;
}

json_t *sl_json_str(struct sl_json *json, struct sl_str text)
{
    if (text.len == 0) {
        return checked(json, json_string_nocheck(""));
    }
    if (!sl_utf8_is_valid(text)) {
        return checked(json, mended(text));
    }
    return checked(json, json_stringn_nocheck(text.data, text.len));
}

json_t *sl_json_text(struct sl_json *json, const char *text)
{
    return text ? sl_json_str(json, sl_str_from(text)) : checked(json, json_null());
}

json_t *sl_json_time(struct sl_json *json, int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / SL_NS_PER_S);
    unsigned ms = (unsigned)(wall_ns % SL_NS_PER_S / SL_NS_PER_MS) % 1000;
    char text[SL_JSON_TIME_BYTES];
    char day[SL_JSON_TIME_BYTES - 8];
    struct tm utc;

    if (!gmtime_r(&seconds, &utc) || strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        return checked(json, json_null());
    }
    snprintf(text, sizeof(text), "%s.%03uZ", day, ms);
    return sl_json_text(json, text);
}

void sl_json_put(struct sl_json *json, json_t *object, const char *key, json_t *value)
{
    if (json->failed || !object || !value) {
        json->failed = true;
        json_decref(value);
    } else if (json_object_set_new_nocheck(object, key, value) != 0) {
        json->failed = true;
    }
}

void sl_json_add(struct sl_json *json, json_t *array, json_t *value)
{
    if (json->failed || !array || !value) {
        json->failed = true;
        json_decref(value);
    } else if (json_array_append_new(array, value) != 0) {
        json->failed = true;
    }
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
    struct sl_buf *out = arg;

    sl_buf_add(out, bytes, len);
    return out->failed ? -1 : 0;
}

bool sl_json_print(struct sl_json *json, json_t *root, struct sl_buf *out)
{
    size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS);
    bool is_whole = !json->failed && root && json_dump_callback(root, add_bytes, out, flags) == 0;

    json_decref(root);
    sl_buf_add_byte(out, '\n');
    return is_whole && !out->failed;
}
