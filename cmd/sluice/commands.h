/* commands.h - the subcommands of the one binary, one file each.
 *
 * Each takes its own arguments (argv[0] is its name) and returns the exit code: 0, 1 for an outcome
 * that is not good, 2 for words that it does not understand; those that ask devices tell more
 * (tool/dial.h). The tables of their flags (tool/options.h) are what --help, completion and man
 * pages are made of.
 */
#ifndef SLUICE_CMD_COMMANDS_H
#define SLUICE_CMD_COMMANDS_H

enum { SL_EXIT_OK = 0, SL_EXIT_FAILED = 1, SL_EXIT_USAGE = 2 };

struct sl_tool;

int sl_command_run(int argc, char **argv);
int sl_command_check(int argc, char **argv);
int sl_command_sim(int argc, char **argv);
int sl_command_broker(int argc, char **argv);
int sl_command_capture(int argc, char **argv);
int sl_command_capabilities(int argc, char **argv);
int sl_command_ctl(int argc, char **argv);
int sl_command_get(int argc, char **argv);
int sl_command_path(int argc, char **argv);
int sl_command_reload(int argc, char **argv);
int sl_command_plan(int argc, char **argv);
int sl_command_rules(int argc, char **argv);
int sl_command_import(int argc, char **argv);
int sl_command_set(int argc, char **argv);
int sl_command_subscribe(int argc, char **argv);
int sl_command_top(int argc, char **argv);

extern const struct sl_tool sl_tool_broker;
extern const struct sl_tool sl_tool_capabilities;
extern const struct sl_tool sl_tool_capture;
extern const struct sl_tool sl_tool_check;
extern const struct sl_tool sl_tool_ctl;
extern const struct sl_tool sl_tool_get;
extern const struct sl_tool sl_tool_path;
extern const struct sl_tool sl_tool_reload;
extern const struct sl_tool sl_tool_plan;
extern const struct sl_tool sl_tool_rules;
extern const struct sl_tool sl_tool_import;
extern const struct sl_tool sl_tool_run_command;
extern const struct sl_tool sl_tool_set;
extern const struct sl_tool sl_tool_subscribe;
extern const struct sl_tool sl_tool_top;

/* The same of `sim`, which has a table of its own. */
const struct sl_tool *sl_tool_sim(void);

#endif
