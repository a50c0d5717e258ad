/* import_diff.h - sluice import --diff: the records of the new configuration beside the old ones.
 */
#ifndef SLUICE_CMD_IMPORT_DIFF_H
#define SLUICE_CMD_IMPORT_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "import/import.h"
#include "tool/options.h"

struct import_diff {
    const struct sl_tool_options *common;
    const char *file; /* the old collector's configuration, and what stands in it */
    const struct sl_config *config;
    bool is_telegraf;
    struct sl_import_options options; /* its replay, target, subscription and output: what was
                                         asked for, NULL: nothing was */
    const char *old;                  /* the old collector's records; "-": standard input */
    const struct sl_tool_list *ignored;
    int64_t limit; /* of groups that are printed; 0: none */
};

/* Runs the new configuration with a capture, compares and prints. The exit code: 0 the same, 1
 * something differs, 2 it cannot be compared, and why is told. */
int import_diff(const struct import_diff *diff);

#endif
