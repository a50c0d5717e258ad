/* flatten.h - a container of JSON as an update for each leaf, for rules that look at paths in it.
 *
 *     /interfaces/interface json_ietf [..] stays what it is: an array is no container here
 *     /interfaces json_ietf {"interface":[{"name":"e1","mtu":"9000"}]} becomes
 *     /interfaces/interface[name=e1]/name json_ietf "e1"
 *     /interfaces/interface[name=e1]/mtu json_ietf "9000"
 *
 * A leaf is a scalar, an empty object, or an array that is no list of objects; its value is the
 * text as it stood in the container, still JSON of the same arm. Items of lists get their keys
 * (json_keyed.h); where they have none, or the same twice, the key `index` with their number. Names
 * keep their modules. Members that come twice come twice.
 */
#ifndef SLUICE_NORMALISE_FLATTEN_H
#define SLUICE_NORMALISE_FLATTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "gnmi/rewrite.h"
#include "normalise/json_keyed.h"

/* The working memory, kept from one value to the next. */
struct sl_flatten {
    struct sl_buf path; /* bytes of the Path of the leaf under way */
    struct sl_buf name; /* of the member under way */
    struct sl_json_keyed keyed;
};

void sl_flatten_init(struct sl_flatten *flatten);
void sl_flatten_fini(struct sl_flatten *flatten);

/* Whether it is JSON with an object in it: what sl_flatten_add takes. */
bool sl_flatten_is_container(const struct sl_gnmi_value *value);

/* Adds the leaves of `update`, under its path; duplicates are on the first. `count` is how many
 * there are. False, with nothing added, where the text is not JSON, nests deeper than
 * SL_GNMI_MAX_DEPTH, has a name that is not Unicode, or finds no room: then it must go as it is. */
bool sl_flatten_add(struct sl_flatten *flatten, struct sl_gnmi_rewrite *rewrite,
                    const struct sl_gnmi_update *update, uint32_t *count) SL_MUST_CHECK;

#endif
