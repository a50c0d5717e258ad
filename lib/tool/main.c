#include <stdio.h>

#include "tool/dial.h"
#include "tool/options.h"

int sl_tool_main(const struct sl_tool *tool, int argc, char **argv, struct sl_tool_options *options,
                 int (*run)(struct sl_tool_options *options))
{
    int code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_parse(tool, argc, argv, options)) {
        if (options->wants_help) {
            sl_tool_print_help(tool, stdout);
            code = SL_TOOL_EXIT_OK;
        } else {
            code = run(options);
        }
    }
    sl_tool_fini(options);
    return code;
}
