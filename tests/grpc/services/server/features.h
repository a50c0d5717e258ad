/* features.h - the places that the route guide knows, read from a file, and how far they are apart.
 *
 * The file is JSON: [{"name": "Fuji", "latitude": 35.3606, "longitude": 138.7274}, …], degrees. */
#ifndef SLUICE_SERVICES_FEATURES_H
#define SLUICE_SERVICES_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct point { /* degrees times 10,000,000 */
    int32_t latitude;
    int32_t longitude;
};

struct feature {
    struct point point;
    char *name;
};

struct features {
    struct feature *list;
    size_t count;
};

/* False: `why` says what is wrong with the file. */
bool features_init(struct features *features, const char *file,
                   struct sl_status *why) SL_MUST_CHECK;
void features_fini(struct features *features);

/* NULL when there is nothing at this very point. */
const struct feature *features_find(const struct features *features, struct point point);

/* Along a great circle, by the haversine formula; the Earth is a ball of 6,371 km. */
double metres_between(struct point a, struct point b);

#endif
