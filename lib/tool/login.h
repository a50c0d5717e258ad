/* login.h - the metadata of a target's requests: who asks. */
#ifndef SLUICE_TOOL_LOGIN_H
#define SLUICE_TOOL_LOGIN_H

#include <stdbool.h>

#include "base/base.h"
#include "tool/dial.h"

/* Asks for the password on the terminal where that is due, and makes the metadata of all targets.
 * False: what is wrong is said. */
bool sl_tool_login(struct sl_tool_run *run) SL_MUST_CHECK;

/* The password that this target is told; NULL: none. */
const char *sl_tool_password(const struct sl_tool_target *target);

#endif
