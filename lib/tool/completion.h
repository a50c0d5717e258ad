/* completion.h - the words of a command line for shells, and the manual: made of the tables that
 * the tools are parsed by, so that they say the same.
 *
 * `tools` ends with NULL. A tool without groups has no flags but --help.
 */
#ifndef SLUICE_TOOL_COMPLETION_H
#define SLUICE_TOOL_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

#include "tool/options.h"

/* A script for the shell to read: `source <(sluice completion bash)`, or a file in
 * share/bash-completion/completions/sluice, share/zsh/site-functions/_sluice,
 * share/fish/vendor_completions.d/sluice.fish. False: there is no such shell ("bash", "zsh",
 * "fish"). */
bool sl_completion_print(const char *shell, const struct sl_tool *const *tools, FILE *out);

/* sluice(1), and sluice-NAME(1) of one of them, as mdoc(7). */
void sl_manual(const struct sl_tool *const *tools, FILE *out);
void sl_manual_of(const struct sl_tool *tool, FILE *out);

/* sluice.yaml(5), with the reference of its keys (sl_settings_reference) as it stands. */
void sl_manual_of_file(const char *reference, FILE *out);

#endif
