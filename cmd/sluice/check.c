#include "commands.h"

int sl_command_check(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return SL_EXIT_USAGE;
}
