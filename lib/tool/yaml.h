/* yaml.h - YAML, and so JSON, as the JSON that a device is sent.
 *
 * Maps are objects, lists arrays. A scalar in quotes is a string; one without is a number where
 * JSON's grammar has it for one, true, false or null, and else a string. Every digit stays.
 */
#ifndef SLUICE_TOOL_YAML_H
#define SLUICE_TOOL_YAML_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"

/* Appends the node; false when memory is out. NULL is null. */
bool sl_yaml_add_json(struct sl_buf *out, const struct sl_config_node *node) SL_MUST_CHECK;

#endif
