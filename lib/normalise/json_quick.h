/* json_quick.h - an object as leaves, as sl_json_flatten makes them, where it is written the way
 * that devices write: names of plain ASCII without '/' and '.', none of them twice in an object.
 *
 * Members are sorted object by object while the leaves are made, by what follows a name as well
 * ("a" of a container as "a/"): with such names that is the order of the leaves, too. All else is
 * json.c's, which begins anew.
 */
#ifndef SLUICE_NORMALISE_JSON_QUICK_H
#define SLUICE_NORMALISE_JSON_QUICK_H

#include <stdbool.h>

#include "base/base.h"
#include "base/str.h"
#include "normalise/json.h"

/* True with the leaves, sorted. False when json.c has to do it: the object is written in another
 * way, is none, or memory is out; the buffers then hold anything. They are empty to begin with. */
bool sl_json_quick(struct sl_json *json, struct sl_str source) SL_MUST_CHECK;

#endif
