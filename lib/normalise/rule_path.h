/* rule_path.h - paths on their way into rules and out of them. For the engine alone; what kinds of
 * rules do with them is in rule.h. */
#ifndef SLUICE_NORMALISE_RULE_PATH_H
#define SLUICE_NORMALISE_RULE_PATH_H

#include "normalise/rule.h"

/* An empty path; not a byte more is touched than must be. */
void sl_rule_path_init(struct sl_rule_path *path, const struct sluice_map *target_labels,
                       bool is_delete);

/* Appends the elements of a Path (its bytes, which outlive the path). False: beyond a limit. */
bool sl_rule_path_add(struct sl_rule_path *path, struct sl_str bytes) SL_MUST_CHECK;

/* Whether the path begins with the elements of `prefix`, and can stand under it. */
bool sl_rule_path_is_below(const struct sl_rule_path *path, const struct sl_rule_path *prefix);

/* Appends the bytes of the Path of the elements from `from` on; as sl_gnmi_path_build_end. */
struct sl_str sl_rule_path_build(const struct sl_rule_path *path, size_t from, bool has_origin,
                                 bool has_target, bool has_labels, struct sl_buf *out);

#endif
