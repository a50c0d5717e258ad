/* settings_rules.h - lists of rules in a configuration. */
#ifndef SLUICE_DAEMON_SETTINGS_RULES_H
#define SLUICE_DAEMON_SETTINGS_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "config/config.h"
#include "normalise/rules.h"

struct sl_rule_list {
    const char *name;
    struct sl_rule **items;
    size_t count;
};

/* Fills `list`, whose name is set, from a list of rules, or from one. What is wrong is told to
 * `config`, in which the list's memory is; its rules are to be freed in any case. False when memory
 * is out. */
bool sl_settings_read_rule_list(struct sl_config *config, const struct sl_config_node *node,
                                struct sl_rule_list *list) SL_MUST_CHECK;
void sl_settings_free_rule_list(struct sl_rule_list *list);

#endif
