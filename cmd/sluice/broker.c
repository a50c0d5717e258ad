#include "commands.h"

int sl_command_broker(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return SL_EXIT_USAGE;
}
