/* watch.h - one Subscribe call of a tool at one target.
 *
 * The owner gives the request's bytes and takes each response as it was read, in place. What it
 * does not take (SL_GRPC_HOLD) waits at the device: the call returns no window meanwhile, so
 * nothing is read ahead but what HTTP/2 gave at first. The watch ends once: when the device ends
 * the call, when a ONCE is through (its sync_response), when nothing came for `patience_ns`, or by
 * sl_tool_watch_end. On the loop's thread, as the call's events are.
 */
#ifndef SLUICE_TOOL_WATCH_H
#define SLUICE_TOOL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/request.h"
#include "gnmi/response.h"
#include "grpc/call.h"
#include "loop/loop.h"
#include "tool/dial.h"

struct sl_tool_watch;

struct sl_tool_watch_events {
    /* A SubscribeResponse, borrowed until return. */
    enum sl_grpc_take (*on_response)(struct sl_tool_watch *watch,
                                     const struct sl_gnmi_response *response, void *arg);
    /* A message that is none, borrowed; the watch goes on. */
    void (*on_broken)(struct sl_tool_watch *watch, struct sl_str message,
                      const struct sl_status *why, void *arg);
    /* The last event: the watch may be opened again, or be forgotten. OK: it ended as it should.
     * `call` for what the device said (sl_tool_finish_call). */
    void (*on_end)(struct sl_tool_watch *watch, const struct sl_grpc_call *call,
                   const struct sl_status *status, void *arg);
};

/* Zeroed storage, with the members up to `arg` set, is ready to be opened. */
struct sl_tool_watch {
    struct sl_tool_target *target;
    struct sl_str request; /* the SubscribeRequest's bytes; outlive the watch */
    enum sl_gnmi_list_mode mode;
    uint64_t patience_ns; /* between two messages of a ONCE or of a poll; 0: any */
    const struct sl_tool_watch_events *events;
    void *arg;

    bool is_synced; /* a sync_response has come since the call began, or since the last poll */
    uint64_t messages;
    struct sl_grpc_call *call; /* watch.c's, like all that follows */
    struct sl_buf scratch;
    struct sl_timer *timer;
    struct sl_status why; /* how it ends, where that was decided here */
    bool has_why;
};

/* Opens the call and sends the request. False: memory is out, and there is no event. */
bool sl_tool_watch_open(struct sl_tool_watch *watch) SL_MUST_CHECK;

/* POLL: asks again. */
void sl_tool_watch_poll(struct sl_tool_watch *watch);

/* After HOLD: offers the response again. */
void sl_tool_watch_resume(struct sl_tool_watch *watch);

/* We have enough: the call is cancelled, and on_end comes with `status`. Nothing where there is no
 * call. */
void sl_tool_watch_end(struct sl_tool_watch *watch, const struct sl_status *status);

/* Whether a call is open. */
bool sl_tool_watch_is_open(const struct sl_tool_watch *watch);

/* Frees what it holds; no call is open. */
void sl_tool_watch_fini(struct sl_tool_watch *watch);

#endif
