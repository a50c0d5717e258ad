/* subscribe.h - what the files of `sluice subscribe` share, and `sluice capture`, which is the same
 * but for where responses go.
 *
 * One RPC for the paths of the command line, or for each subscription of the file, at each target.
 * Each has its own printer, its own end and, with --retry, its next beginning; a target is through
 * when all of its RPCs are.
 */
#ifndef SLUICE_CMD_SUBSCRIBE_H
#define SLUICE_CMD_SUBSCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "gnmi/request.h"
#include "loop/loop.h"
#include "tool/dial.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/outlet.h"
#include "tool/print.h"
#include "tool/watch.h"

struct subscribe;
struct subscribe_rpc;

/* Where responses go instead of to standard output. */
struct subscribe_way {
    /* Whether the words of the command line go together; else what is wrong is said. */
    bool (*check)(struct subscribe *tool);
    /* Before anybody is asked, once all RPCs are known. False: what is wrong is said. */
    bool (*open)(struct subscribe *tool);
    /* The target's connection stands: subscribe_begin is to be called, now or later. False: memory
     * is out. */
    bool (*greet)(struct subscribe *tool, struct sl_tool_target *target);
    /* A message as it came, also one that is no SubscribeResponse. Else than OK: the RPC ends with
     * that. */
    struct sl_status (*take)(struct subscribe_rpc *rpc, struct sl_str message);
    /* The device ended the call, or it broke. */
    void (*end)(struct subscribe_rpc *rpc, const struct sl_grpc_call *call,
                const struct sl_status *status);
    /* After all of it, with the exit code so far; also after an open that failed. */
    enum sl_tool_exit (*close)(struct subscribe *tool, enum sl_tool_exit code);
};

struct subscribe_rpc {
    struct subscribe *tool;
    struct sl_tool_target *target;
    const char *name; /* of the subscription */
    struct sl_buf request;
    struct sl_tool_watch watch;
    struct sl_printer *printer;
    struct sl_timer *timer; /* to the next poll, or to the next beginning */
    uint64_t polls;
    uint64_t wanted; /* polls that somebody pressed Enter for, and that wait for the last one */
    bool is_held;    /* a response waits for room on standard output */
    bool is_over;
    struct sl_status why; /* how it ended */
};

struct subscribe {
    struct sl_tool_options common;

    /* the command line's */
    struct sl_tool_list paths;
    struct sl_tool_list models;
    struct sl_tool_list names;
    const char *prefix;
    int mode;        /* enum sl_gnmi_list_mode */
    int stream_mode; /* enum sl_gnmi_stream_mode */
    int64_t sample_interval_ns;
    int64_t heartbeat_interval_ns;
    bool suppress_redundant;
    bool updates_only;
    bool set_target;
    int64_t qos;
    const char *snapshot;
    const char *start;
    const char *end;
    int64_t depth;
    bool config_subscription;
    int64_t count; /* of notifications, from each target */
    int64_t duration_ns;
    int64_t poll_interval_ns;
    int64_t poll_count;
    int64_t retry_ns;
    bool quiet;
    bool dry_run;

    /* what follows from it */
    struct sl_tool_extensions extensions;
    struct sl_gnmi_model *model_items;
    struct sl_tool_run run;
    struct subscribe_rpc *rpcs;
    size_t rpc_count;
    const struct subscribe_way *way; /* NULL: standard output */
    uint64_t *counted;               /* notifications, of each target */
    uint64_t broken;                 /* messages that are no SubscribeResponse */
    struct sl_outlet outlet;
    struct sl_timer *duration;
    struct sl_watch *keyboard;
    bool is_deaf; /* nobody will press Enter (any more) */
};

/* Rows of struct subscribe: what to subscribe to, and how. (subscribe.c) */
extern const struct sl_flag subscribe_what_flags[];
extern const struct sl_flag subscribe_how_flags[];

/* A whole tool, from its command line to its exit code: `subscribe` is zeroed but for `way`, and
 * the rows of the tool may fill what stands behind it. (subscribe.c) */
int subscribe_main(const struct sl_tool *tool, struct subscribe *subscribe, int argc, char **argv);

/* Works out every RPC of every target of `run`, their requests packed. False: what is wrong is
 * said. (subscribe_request.c) */
bool subscribe_build(struct subscribe *tool) SL_MUST_CHECK;

/* Opens the target's RPCs. False: memory is out. (subscribe_run.c) */
bool subscribe_begin(struct subscribe *tool, const struct sl_tool_target *target) SL_MUST_CHECK;

/* Runs them all. (subscribe_run.c) */
enum sl_tool_exit subscribe_follow(struct subscribe *tool);

#endif
