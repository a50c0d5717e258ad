/* json.h - answers as JSON: jansson's values, put together with one failure that sticks.
 *
 * Every function takes the values it is given, and makes nothing once `failed` is set: who builds
 * an answer looks at the end. Texts are bytes of anybody; what is not UTF-8 of them becomes '?'.
 */
#ifndef SLUICE_ADMIN_JSON_H
#define SLUICE_ADMIN_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum { SL_JSON_TIME_BYTES = 32 };

struct sl_json {
    bool failed; /* memory is out: what was built is not whole */
};

json_t *sl_json_object(struct sl_json *json);
json_t *sl_json_array(struct sl_json *json);

/* Values. Seconds are a number with a fraction; a time is RFC 3339 in UTC with milliseconds, of
 * nanoseconds since 1970; a NULL text and what is no finite number are null. */
json_t *sl_json_u64(struct sl_json *json, uint64_t value);
json_t *sl_json_bool(struct sl_json *json, bool value);
json_t *sl_json_number(struct sl_json *json, double value);
json_t *sl_json_seconds(struct sl_json *json, int64_t ns);
json_t *sl_json_text(struct sl_json *json, const char *text);
json_t *sl_json_str(struct sl_json *json, struct sl_str text);
json_t *sl_json_time(struct sl_json *json, int64_t wall_ns);

/* Puts `value` into an object, or behind the others of an array. */
void sl_json_put(struct sl_json *json, json_t *object, const char *key, json_t *value);
void sl_json_add(struct sl_json *json, json_t *array, json_t *value);

/* The value as compact text; `root` is released. False: it failed, or `out` has. */
bool sl_json_print(struct sl_json *json, json_t *root, struct sl_buf *out) SL_MUST_CHECK;

#endif
