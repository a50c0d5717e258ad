/* dial.h - a tool's targets: one channel each, all at once on one loop.
 *
 * Who the targets are: each --address, or with -c FILE those of the file that --target names (a
 * glob may; all of them where nobody is named), with the file's address, TLS, proxy, login,
 * dial-timeout, and a device of its own where it replays a capture. What the command line says of
 * the login, --metadata, --timeout and --gzip goes before the file.
 *
 * A run connects to all of them together. As soon as one's connection stands its `begin` is called,
 * which starts calls on target->channel by sl_grpc_channel_call and the request of
 * sl_tool_request. When the target is through, sl_tool_finish says how it ended; when all are, the
 * run ends and has an exit code. A slow target holds up nobody. Everything on one thread, the one
 * that runs the loop.
 *
 * Errors go to standard error, a line for each target: what happened, and what to try.
 */
#ifndef SLUICE_TOOL_DIAL_H
#define SLUICE_TOOL_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "daemon/settings.h"
#include "grpc/call.h"
#include "grpc/channel.h"
#include "loop/loop.h"
#include "tool/options.h"
#include "tool/outlet.h"

enum { SL_TOOL_MAX_TARGETS = 10 * 1000, SL_TOOL_MAX_METADATA = 64 };

/* For scripts. Where targets failed in different ways it is FAILED; where all that failed did so in
 * one way, that way; where others answered well, PARTIAL. */
enum sl_tool_exit {
    SL_TOOL_EXIT_OK = 0,
    SL_TOOL_EXIT_FAILED = 1, /* and all that has no number of its own */
    SL_TOOL_EXIT_USAGE = 2,  /* words or files that are wrong; nobody was asked */
    SL_TOOL_EXIT_CONNECTION =
        3,                    /* no connection: name, refused, certificate, HTTP/2; or it broke */
    SL_TOOL_EXIT_LOGIN = 4,   /* UNAUTHENTICATED, PERMISSION_DENIED */
    SL_TOOL_EXIT_REFUSED = 5, /* the device said no, with another status */
    SL_TOOL_EXIT_TIMEOUT = 6, /* connected, and no answer within --timeout */
    SL_TOOL_EXIT_PARTIAL = 7, /* of several targets some answered well */
};

struct sl_tool_run;

struct sl_tool_target {
    struct sl_tool_run *run;
    const char *name;                          /* as --address has it, or the file's */
    const struct sl_target_settings *settings; /* of the file; NULL: an --address, or --replay */
    const char *subscription;                  /* of --replay, that of the capture; else NULL */
    const struct sl_device_replay *replay;     /* a capture that it replays; NULL: none */
    struct sl_address address;
    struct sl_grpc_channel *channel; /* NULL: none yet, or gone */
    struct sl_grpc_field *metadata;  /* the login, then --metadata */
    size_t metadata_count;
    bool has_begun;
    bool is_finished;
    struct sl_status status; /* once it is finished */
    enum sl_tool_exit exit;
    void *user;              /* the tool's */
    struct sl_buf login;     /* what metadata points at; dial.c's, like all that follows */
    struct sl_deferred turn; /* the connection stands, or cannot be made */
    bool is_closing;
    struct sl_device_fleet *fleet; /* its device, where it replays a capture */
};

struct sl_tool_work {
    /* The connection stands. False: memory is out. */
    bool (*begin)(struct sl_tool_target *target, void *arg);
    /* SIGINT or SIGTERM came: how the targets that are not finished end. OK: well, as a tool that
     * runs until then. NULL: as CANCELLED, "interrupted". */
    struct sl_status (*on_interrupt)(struct sl_tool_target *target, void *arg);
    /* A first connection that cannot be made is said, and tried again after so long. 0: it is the
     * target's end. */
    uint64_t retry_ns;
    void *arg;
};

struct sl_tool_run {
    const struct sl_tool_options *options;
    struct sl_loop *loop;
    struct sl_settings *settings; /* of -c; NULL: none */
    struct sl_tool_target *targets;
    size_t target_count;
    bool is_interrupted;
    struct sl_outlet *outlet; /* where targets' output goes; NULL: straight to standard output */
    const struct sl_tool_work *work;
    struct sl_tool_dial *dial; /* dial.c's */
};

/* Works out who the targets are and reads all files that they need; connects to nobody yet. False:
 * the error is printed and the exit code is SL_TOOL_EXIT_USAGE. fini is due in either case.
 * `options` outlive the run. Asks for the password where there is a terminal and it is missing. */
bool sl_tool_run_init(struct sl_tool_run *run, const struct sl_tool_options *options) SL_MUST_CHECK;
void sl_tool_run_fini(struct sl_tool_run *run);

/* Connects, runs until every target is finished, closes the channels, and returns the exit code. */
enum sl_tool_exit sl_tool_run(struct sl_tool_run *run, const struct sl_tool_work *work);

/* A request of this target's: login and metadata, gzip, --timeout as its deadline where
 * `has_deadline`. Lives as long as the run. */
struct sl_grpc_request sl_tool_request(struct sl_tool_target *target,
                                       const struct sl_grpc_method *method, bool has_deadline);

/* The target is through, well or not; anything else than OK is printed. From within events of the
 * target's calls, or later; its calls that go on end as CANCELLED. The first one counts. */
void sl_tool_finish(struct sl_tool_target *target, const struct sl_status *status);

/* The same from on_status: what the device said is printed whole, where a status cuts it off. */
void sl_tool_finish_call(struct sl_tool_target *target, const struct sl_grpc_call *call,
                         const struct sl_status *status);

/* One unary call at each target, and the whole life of a tool that does nothing else: the input is
 * the same for all, `take` gets each answer as bytes that are a whole message of the method's
 * output. A status that is not OK finishes the target. */
struct sl_tool_ask {
    const struct sl_grpc_method *method;
    /* The request of this target, borrowed for the call; NULL: `why`. */
    const ProtobufCMessage *(*request)(struct sl_tool_target *target, void *arg,
                                       struct sl_status *why);
    struct sl_status (*take)(struct sl_tool_target *target, struct sl_str answer, void *arg);
    void *arg;
};

enum sl_tool_exit sl_tool_ask(const struct sl_tool_options *options, struct sl_tool_ask *ask);

/* Writes bytes as they are to standard output, at once. Errors as below. */
struct sl_status sl_tool_write_bytes(const struct sl_tool_target *target,
                                     struct sl_str bytes) SL_MUST_CHECK;

/* Writes `text`, whole lines, for a target (NULL: nobody's) to standard output, at once; each with
 * "[name] " in front where there are several targets, `is_named`, and nobody said --no-prefix. An
 * error is one that finishes the target; "output-closed" (whoever read it is gone) does so well. */
struct sl_status sl_tool_write(const struct sl_tool_target *target, struct sl_str text,
                               bool is_named) SL_MUST_CHECK;

#endif
