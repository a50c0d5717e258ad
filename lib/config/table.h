/* table.h - whether a table of options is one: for tables that come from elsewhere.
 *
 * The readers of this module take a table as it is; one that came with a plugin is checked first.
 */
#ifndef SLUICE_CONFIG_TABLE_H
#define SLUICE_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"
#include "sluice_option.h"

enum {
    SL_CONFIG_MAX_ROWS = 256, /* of a table */
    SL_CONFIG_MAX_TABLES = 4, /* in each other */
    SL_CONFIG_MAX_WORDS = 64, /* of an ENUM */
    SL_CONFIG_MAX_OBJECT_BYTES = 1024 * 1024,
    SL_CONFIG_MAX_KEY_BYTES = 64,
};

/* Kebab-case, 1 to SL_CONFIG_MAX_KEY_BYTES long. */
bool sl_config_is_key(const char *text);

/* Whether every row of `table` (ends with a NULL name) has a name of its own, a type, words of doc,
 * a place within an object of `object_bytes`, bounds and words that are some, and a default that it
 * takes itself. NULL is an empty table. False: `why` names the row. */
bool sl_config_check_table(const struct sluice_option *table, size_t object_bytes,
                           struct sl_status *why) SL_MUST_CHECK;

#endif
