#include "normalise/rule_kinds.h"

const struct sl_rule_kind *const sl_rule_kinds[] = {
    &sl_rule_keep,  &sl_rule_drop,         &sl_rule_rename,       &sl_rule_strip,
    &sl_rule_label, &sl_rule_key_to_label, &sl_rule_label_to_key, &sl_rule_convert,
    &sl_rule_scale, &sl_rule_unit,         &sl_rule_map,          &sl_rule_rate,
    &sl_rule_delta, &sl_rule_rate_limit,   &sl_rule_deduplicate,  &sl_rule_timestamp,
    NULL,
};
