/* pattern.h - a path as it was asked for, held against those that come.
 *
 * A pattern is the text of a prefix and of a path (path.h). "*" stands for any name or key value,
 * "..." for any elements; a key that is not named stands for all its values. What is asked for is
 * the whole subtree (gnmi-specification.md 2.4.2 and 3.5.1.3).
 *
 * Devices write what they were asked for in other words: so an origin counts only where both sides
 * have one, and a module's name before an element's ("oc-if:interfaces") only where both have it.
 */
#ifndef SLUICE_GNMI_PATTERN_H
#define SLUICE_GNMI_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/path.h"

enum { SL_GNMI_MAX_PLACE_ELEMS = 128 }; /* of a path that comes; the rest is not looked at */

struct sl_gnmi_pattern;

/* `prefix` may be NULL. NULL: `why`. */
struct sl_gnmi_pattern *sl_gnmi_pattern_new(const char *prefix, const char *path,
                                            struct sl_status *why) SL_MUST_CHECK;
void sl_gnmi_pattern_free(struct sl_gnmi_pattern *pattern);

/* Whether one path could come that both ask for. Rather yes than no where "..." is in one. */
bool sl_gnmi_patterns_overlap(const struct sl_gnmi_pattern *a, const struct sl_gnmi_pattern *b);

/* A path that came: the elements of its prefix and its own. */
struct sl_gnmi_place {
    struct sl_str origin;
    size_t count;
    struct sl_gnmi_elem elems[SL_GNMI_MAX_PLACE_ELEMS];
};

/* The bytes of two Paths that sl_gnmi_response_read has passed, which are borrowed. */
void sl_gnmi_place_read(struct sl_gnmi_place *place, struct sl_str prefix, struct sl_str path);

enum sl_gnmi_relation {
    SL_GNMI_APART,
    SL_GNMI_ABOVE, /* the place is an ancestor of something that was asked for */
    SL_GNMI_ASKED, /* it is what was asked for, or beneath it */
};

/* `weight`: of several patterns for which the place is ASKED, the heaviest says it best: the one
 * with the most elements, of these the one with the fewest wildcards. */
enum sl_gnmi_relation sl_gnmi_pattern_relation(const struct sl_gnmi_pattern *pattern,
                                               const struct sl_gnmi_place *place, uint32_t *weight);

#endif
