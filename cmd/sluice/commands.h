/* commands.h - the subcommands of the one binary, one file each.
 *
 * Each takes its own arguments (argv[0] is its name) and returns the exit code: 0, 1 for an outcome
 * that is not good, 2 for words that it does not understand.
 */
#ifndef SLUICE_CMD_COMMANDS_H
#define SLUICE_CMD_COMMANDS_H

enum { SL_EXIT_OK = 0, SL_EXIT_FAILED = 1, SL_EXIT_USAGE = 2 };

int sl_command_run(int argc, char **argv);
int sl_command_check(int argc, char **argv);
int sl_command_sim(int argc, char **argv);
int sl_command_broker(int argc, char **argv);

#endif
