#include "tool/admin_json.h"

#include <math.h>

const json_t *sl_admin_get(const json_t *object, const char *key)
{
    return object ? json_object_get(object, key) : NULL;
}

const char *sl_admin_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(sl_admin_get(object, key));

    return text ? text : "";
}

double sl_admin_number(const json_t *object, const char *key)
{
    const json_t *value = sl_admin_get(object, key);

    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

double sl_admin_count(const json_t *object, const char *key)
{
    double number = sl_admin_number(object, key);

    return number > 0 ? number : 0;
}

bool sl_admin_is(const json_t *object, const char *key)
{
    return json_is_true(sl_admin_get(object, key));
}

size_t sl_admin_length(const json_t *object, const char *key)
{
    return json_array_size(sl_admin_get(object, key));
}

const json_t *sl_admin_at(const json_t *object, const char *key, size_t i)
{
    return json_array_get(sl_admin_get(object, key), i);
}
