/* unary.h - the tools that ask every target the same thing once: capabilities, get and set. */
#ifndef SLUICE_CMD_UNARY_H
#define SLUICE_CMD_UNARY_H

#include <stdbool.h>

#include "tool/dial.h"
#include "tool/options.h"

/* What a tool's own structure begins with. */
struct unary {
    struct sl_tool_options common;
    bool dry_run;              /* print the request, ask nobody */
    ProtobufCMessage *request; /* made by `make_request`; NULL: not yet */
};

struct unary_kind {
    const struct sl_tool *tool;
    const struct sl_grpc_method *method;
    /* Out of the command line. False: it complained. */
    bool (*make_request)(struct unary *unary);
    /* An answer: as sl_tool_ask's, with `arg` the struct unary. */
    struct sl_status (*take)(struct sl_tool_target *target, struct sl_str answer, void *arg);
};

/* The whole of a command, whose exit code it returns. */
int unary_main(struct unary *unary, const struct unary_kind *kind, int argc, char **argv);

#endif
