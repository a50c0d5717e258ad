/* ctl.h - `sluice ctl`: what its commands share. */
#ifndef SLUICE_CMD_CTL_H
#define SLUICE_CMD_CTL_H

#include "tool/admin_client.h"
#include "tool/options.h"

enum ctl_format { CTL_AUTO, CTL_TABLE, CTL_JSON };

struct ctl {
    struct sl_tool_options common;
    const char *target;
    const char *subscription;
    const char *state;
    const char *filter;
    const char *sort;
    int order;
    int64_t limit;
    int64_t offset;
    int64_t after;
    bool follow;
    const char *output;
    int64_t duration_ns;
    const char *max_bytes_text;
    struct sl_admin_client *client;
};

/* ctl.c */

/* Prints and frees it; the exit code. */
int ctl_print_out(const struct ctl *ctl, struct sl_buf *out);

/* Asks, waits, and frees the path; what went wrong is printed. */
const struct sl_admin_reply *ctl_ask(const struct ctl *ctl, const char *method, struct sl_buf *path,
                                     const char *body, int64_t timeout_ns);

/* ctl_capture.c: begins a capture of a target's stream, waits for its end, or ends it on SIGINT,
 * and writes the file. The exit code. */
int ctl_capture(const struct ctl *ctl, const char *target);

#endif
