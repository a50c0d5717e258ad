#include "features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const double EARTH_RADIUS_M = 6371000;
static const double UNITS_A_DEGREE = 1e7;

static bool read_degrees(const json_t *entry, const char *key, double limit, int32_t *value)
{
    const json_t *number = json_object_get(entry, key);
    double degrees = json_number_value(number);

    if (!json_is_number(number) || fabs(degrees) > limit) {
        return false;
    }
    *value = (int32_t)lround(degrees * UNITS_A_DEGREE);
    return true;
}

static bool read_feature(const json_t *entry, struct feature *feature)
{
    const char *name = json_string_value(json_object_get(entry, "name"));

    if (!name || !read_degrees(entry, "latitude", 90, &feature->point.latitude) ||
        !read_degrees(entry, "longitude", 180, &feature->point.longitude)) {
        return false;
    }
    feature->name = strdup(name);
    return feature->name != NULL;
}

bool features_init(struct features *features, const char *file, struct sl_status *why)
{
    json_error_t error;
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    size_t size = json_array_size(root);

    *why = sl_status_ok();
    *features = (struct features){.list = calloc(size + 1, sizeof(struct feature))};
    if (!root) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "%s:%d: %s", file, error.line, error.text);
    } else if (!json_is_array(root) || !features->list) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "%s: expected a list of features", file);
    }
    for (; sl_status_is_ok(why) && features->count < size; features->count++) {
        if (!read_feature(json_array_get(root, features->count),
                          &features->list[features->count])) {
            *why = sl_status_error(SL_INVALID_ARGUMENT,
                                   "%s: feature %zu wants a name, latitude and longitude", file,
                                   features->count + 1);
        }
    }
    json_decref(root);
    if (!sl_status_is_ok(why)) {
        features_fini(features);
    }
    return sl_status_is_ok(why);
}

void features_fini(struct features *features)
{
    for (size_t i = 0; i < features->count; i++) {
        free(features->list[i].name);
    }
    free(features->list);
}

const struct feature *features_find(const struct features *features, struct point point)
{
    for (size_t i = 0; i < features->count; i++) {
        const struct point *at = &features->list[i].point;
        if (at->latitude == point.latitude && at->longitude == point.longitude) {
            return &features->list[i];
        }
    }
    return NULL;
}

static double radians(double units)
{
    return units / UNITS_A_DEGREE * M_PI / 180;
}

double metres_between(struct point a, struct point b)
{
    double north = sin((radians(b.latitude) - radians(a.latitude)) / 2);
    double east = sin((radians(b.longitude) - radians(a.longitude)) / 2);
    double square =
        north * north + cos(radians(a.latitude)) * cos(radians(b.latitude)) * east * east;

    return 2 * EARTH_RADIUS_M * asin(fmin(1, sqrt(square)));
}
