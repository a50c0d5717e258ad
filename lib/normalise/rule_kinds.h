/* rule_kinds.h - the kinds that there are; what a kind is, is in rule.h. */
#ifndef SLUICE_NORMALISE_RULE_KINDS_H
#define SLUICE_NORMALISE_RULE_KINDS_H

#include "normalise/rule.h"

/* rule_flow.c: what goes on, and when. */
extern const struct sl_rule_kind sl_rule_keep;
extern const struct sl_rule_kind sl_rule_drop;
extern const struct sl_rule_kind sl_rule_rate_limit;
extern const struct sl_rule_kind sl_rule_deduplicate;
extern const struct sl_rule_kind sl_rule_timestamp;

/* rule_names.c: what paths are called. */
extern const struct sl_rule_kind sl_rule_rename;
extern const struct sl_rule_kind sl_rule_strip;

/* The options of a `strip` of modules and nothing else. */
const void *sl_rule_strip_modules(void);

extern const struct sl_rule_kind sl_rule_label;
extern const struct sl_rule_kind sl_rule_key_to_label;
extern const struct sl_rule_kind sl_rule_label_to_key;

/* rule_values.c: what values are. */
extern const struct sl_rule_kind sl_rule_convert;
extern const struct sl_rule_kind sl_rule_scale;
extern const struct sl_rule_kind sl_rule_unit;
extern const struct sl_rule_kind sl_rule_map;

/* rule_counter.c: what counters grow by. */
extern const struct sl_rule_kind sl_rule_rate;
extern const struct sl_rule_kind sl_rule_delta;

#endif
