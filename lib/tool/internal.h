/* internal.h - what the files of a run share. */
#ifndef SLUICE_TOOL_INTERNAL_H
#define SLUICE_TOOL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"
#include "net/net.h"
#include "tool/dial.h"

struct sl_tool_dial {
    struct sl_tls *tls; /* of every --address; NULL: plaintext */
    struct sl_proxy proxy;
    bool has_proxy;
    const char *password;           /* of the command line, or of the terminal */
    char *asked;                    /* the latter */
    size_t open_targets;            /* channels that are not gone */
    struct sl_device_replay replay; /* of --replay */
    char *replayed;                 /* whose capture that is */
    char *replayed_as;              /* of which subscription */
    struct sl_signal *interrupt;
    struct sl_signal *terminate;
};

/* The class of an outcome, and what to try; NULL: nothing comes to mind. (failure.c) */
enum sl_tool_exit sl_tool_class(const struct sl_tool_target *target,
                                const struct sl_status *status);
const char *sl_tool_hint(const struct sl_tool_target *target, const struct sl_status *status);

#endif
