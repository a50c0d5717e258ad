/* glob.h - which paths a rule is for, as text.
 *
 *     openconfig:/interfaces/interface[name=eth*]/state/...
 *
 * A path's text (gnmi/path.h) in which `*` in a name or in the value of a key stands for any
 * characters and `?` for one, an element `*` for any one element, and `...` or `**` for any number
 * of elements, none too. The whole path must match: /a/... is /a and everything below it. Keys that
 * are not named may be there or not; an origin that is not named may be any. A name without a
 * module matches with any: `interfaces` is also openconfig-interfaces:interfaces.
 */
#ifndef SLUICE_NORMALISE_GLOB_H
#define SLUICE_NORMALISE_GLOB_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "normalise/rule.h"

enum { SL_GLOB_MAX_ELEMS = 62 };

struct sl_glob;

/* NULL with what is wrong, and at which byte, in `why`. */
struct sl_glob *sl_glob_new(struct sl_str text, struct sl_status *why) SL_MUST_CHECK;
void sl_glob_free(struct sl_glob *glob);

bool sl_glob_matches(const struct sl_glob *glob, const struct sl_rule_path *path);

/* Whether some path at or below this one matches; keys that it does not name are left open. */
bool sl_glob_reaches(const struct sl_glob *glob, const struct sl_rule_path *path);

/* Whether some path below this one matches, likewise. */
bool sl_glob_reaches_below(const struct sl_glob *glob, const struct sl_rule_path *path);

/* A single word with `*` and `?`. */
bool sl_glob_word_matches(const char *pattern, struct sl_str word);

#endif
