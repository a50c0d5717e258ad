/* Their life: what comes is printed as long as standard output takes it; polls, retries, ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "subscribe.h"

static struct sl_status no_memory(void)
{
    return sl_status_because("out-of-memory",
                             sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
}

/* ---- the end of a target ---- */

static bool is_through(const struct subscribe *tool, const struct sl_tool_target *target)
{
    for (size_t i = 0; i < tool->rpc_count; i++) {
        if (tool->rpcs[i].target == target && !tool->rpcs[i].is_over) {
            return false;
        }
    }
    return true;
}

/* The first outcome that is not good. */
static struct sl_status outcome(const struct subscribe *tool, const struct sl_tool_target *target)
{
    for (size_t i = 0; i < tool->rpc_count; i++) {
        const struct subscribe_rpc *rpc = &tool->rpcs[i];
        if (rpc->target == target && !sl_status_is_ok(&rpc->why)) {
            return rpc->why;
        }
    }
    if (tool->broken) {
        return sl_status_because("broken-message",
                                 sl_status_error(SL_DATA_LOSS,
                                                 "%llu messages were no SubscribeResponse",
                                                 (unsigned long long)tool->broken));
    }
    return sl_status_ok();
}

/* All that goes on at the target ends well. */
static void end_target(struct subscribe *tool, struct sl_tool_target *target)
{
    struct sl_status ok = sl_status_ok();

    for (size_t i = 0; i < tool->rpc_count; i++) {
        struct subscribe_rpc *rpc = &tool->rpcs[i];
        if (rpc->target != target || rpc->is_over) {
            continue;
        }
        if (sl_tool_watch_is_open(&rpc->watch)) {
            sl_tool_watch_end(&rpc->watch, &ok);
        } else {
            rpc->is_over = true; /* it waits for its next beginning */
            sl_timer_stop(rpc->timer);
        }
    }
    if (is_through(tool, target)) {
        ok = outcome(tool, target);
        sl_tool_finish(target, &ok);
    }
}

static void end_all(struct subscribe *tool, const struct sl_status *status)
{
    for (size_t t = 0; t < tool->run.target_count; t++) {
        sl_tool_finish(&tool->run.targets[t], status);
    }
}

/* ---- responses ---- */

static void show_extensions(struct subscribe_rpc *rpc, const struct sl_gnmi_response *response)
{
    enum sl_tool_format format = sl_tool_format(&rpc->tool->common);
    struct sl_buf lines = {0};

    if (format != SL_TOOL_EVENT && format != SL_TOOL_JSON) {
        return; /* these have them */
    }
    sl_tool_add_extension_lines(&lines, response->message, &gnmi__subscribe_response__descriptor);
    if (lines.len && !lines.failed) {
        fprintf(stderr, "%s: %.*s", rpc->target->name, (int)lines.len, lines.data);
    }
    sl_buf_fini(&lines);
}

static struct sl_status print(struct subscribe_rpc *rpc, const struct sl_gnmi_response *response)
{
    if (rpc->tool->way) {
        return rpc->tool->way->take(rpc, response->message);
    }
    if (rpc->tool->quiet) {
        return sl_status_ok();
    }
    show_extensions(rpc, response);
    return sl_printer_response(rpc->printer, response);
}

static void count_notification(struct subscribe_rpc *rpc)
{
    struct subscribe *tool = rpc->tool;
    uint64_t *counted = &tool->counted[rpc->target - tool->run.targets];

    if (++*counted == (uint64_t)tool->count) {
        end_target(tool, rpc->target);
    }
}

/* A round of a POLL is through. */
static void await_poll(struct subscribe_rpc *rpc)
{
    const struct subscribe *tool = rpc->tool;
    bool has_all = tool->poll_count && rpc->polls == (uint64_t)tool->poll_count;
    struct sl_status ok = sl_status_ok();

    if (rpc->wanted) {
        rpc->wanted--;
        sl_timer_start(rpc->timer, 0);
    } else if (has_all || (tool->is_deaf && !tool->poll_count && !tool->poll_interval_ns)) {
        sl_tool_watch_end(&rpc->watch, &ok);
    } else if (tool->poll_count || tool->poll_interval_ns) {
        sl_timer_start(rpc->timer, (uint64_t)(tool->poll_interval_ns / SL_NS_PER_MS));
    }
}

static enum sl_grpc_take on_response(struct sl_tool_watch *watch,
                                     const struct sl_gnmi_response *response, void *arg)
{
    struct subscribe_rpc *rpc = arg;
    struct subscribe *tool = rpc->tool;

    if (!tool->quiet && !tool->way && !sl_outlet_has_room(&tool->outlet)) {
        rpc->is_held = true;
        sl_outlet_await(&tool->outlet);
        return SL_GRPC_HOLD;
    }
    struct sl_status status = print(rpc, response);

    if (strcmp(sl_status_reason(&status), "output-closed") == 0) {
        end_all(tool, &status);
    } else if (!sl_status_is_ok(&status)) {
        sl_tool_watch_end(watch, &status);
    } else if (response->kind == SL_GNMI_UPDATE) {
        count_notification(rpc);
    } else if (response->kind == SL_GNMI_SYNC && response->is_sync && watch->mode == SL_GNMI_POLL) {
        await_poll(rpc);
    }
    return SL_GRPC_TAKEN;
}

static void on_broken(struct sl_tool_watch *watch, struct sl_str message,
                      const struct sl_status *why, void *arg)
{
    struct subscribe_rpc *rpc = arg;

    if (rpc->tool->way) {
        struct sl_status status = rpc->tool->way->take(rpc, message);
        if (!sl_status_is_ok(&status)) {
            sl_tool_watch_end(watch, &status);
        }
    } else {
        rpc->tool->broken++;
    }
    sl_tool_complain(&rpc->tool->common, "%s: a message that is no SubscribeResponse: %s",
                     rpc->target->name, why->text);
}

/* ---- ends and beginnings ---- */

static bool may_retry(const struct subscribe_rpc *rpc, bool is_ours)
{
    return rpc->tool->retry_ns && !is_ours && !rpc->target->is_finished &&
           !rpc->tool->run.is_interrupted;
}

static void retry_later(struct subscribe_rpc *rpc, const struct sl_status *status)
{
    const struct subscribe *tool = rpc->tool;

    sl_tool_complain(&tool->common, "%s: %s: %s: %s; again in %lld s", rpc->target->name, rpc->name,
                     sl_code_name(status->code), status->text,
                     (long long)((tool->retry_ns + SL_NS_PER_S - 1) / SL_NS_PER_S));
    sl_timer_start(rpc->timer, sl_max_u64((uint64_t)(tool->retry_ns / SL_NS_PER_MS), 1));
}

/* A replay: after the end of a call comes the capture's next one, if there is any; else `status` is
 * how the file ended, and one that was cut off has ended well. */
static bool goes_on(struct subscribe_rpc *rpc, struct sl_status *status)
{
    struct sl_status said = *status;
    bool is_over = sl_device_fleet_is_over(rpc->target->fleet, status);

    if (!is_over || sl_status_is_ok(status) || status->code == SL_DATA_LOSS) {
        if (!sl_status_is_ok(&said)) {
            sl_tool_complain(&rpc->tool->common, "%s: %s: the captured call ended: %s: %s",
                             rpc->target->name, rpc->name, sl_code_name(said.code), said.text);
        }
        if (!sl_status_is_ok(status)) {
            sl_tool_complain(&rpc->tool->common, "%s: %s", rpc->target->name, status->text);
        }
        *status = sl_status_ok();
    }
    if (!is_over) {
        sl_timer_start(rpc->timer, 0);
    }
    return !is_over;
}

/* `call`: NULL where it was ended here. */
static void on_end(struct sl_tool_watch *watch, const struct sl_grpc_call *call,
                   const struct sl_status *status, void *arg)
{
    struct subscribe_rpc *rpc = arg;
    struct subscribe *tool = rpc->tool;
    struct sl_status played = *status;

    (void)watch;
    rpc->is_held = false;
    sl_timer_stop(rpc->timer);
    bool is_theirs = call && !rpc->target->is_finished && !tool->run.is_interrupted;
    if (is_theirs && tool->way) {
        tool->way->end(rpc, call, status);
    }
    if (is_theirs && rpc->target->fleet) {
        if (goes_on(rpc, &played)) {
            return;
        }
        status = &played;
    } else if (may_retry(rpc, call == NULL)) {
        retry_later(rpc, status);
        return;
    }
    rpc->is_over = true;
    rpc->why = *status;
    if (!is_through(tool, rpc->target)) {
        if (!sl_status_is_ok(status)) {
            sl_tool_complain(&tool->common, "%s: %s: %s: %s", rpc->target->name, rpc->name,
                             sl_code_name(status->code), status->text);
        }
    } else if (call && !sl_status_is_ok(status)) {
        sl_tool_finish_call(rpc->target, call, status);
    } else {
        struct sl_status why = outcome(tool, rpc->target);
        sl_tool_finish(rpc->target, &why);
    }
}

static const struct sl_tool_watch_events watch_events = {on_response, on_broken, on_end};

static bool open_rpc(struct subscribe_rpc *rpc)
{
    rpc->polls = 0;
    return sl_tool_watch_open(&rpc->watch);
}

static void on_timer(void *arg)
{
    struct subscribe_rpc *rpc = arg;

    if (sl_tool_watch_is_open(&rpc->watch)) {
        rpc->polls++;
        sl_tool_watch_poll(&rpc->watch);
    } else if (!rpc->target->is_finished && !open_rpc(rpc)) {
        struct sl_status why = no_memory();
        sl_tool_finish(rpc->target, &why);
    }
}

bool subscribe_begin(struct subscribe *tool, const struct sl_tool_target *target)
{
    for (size_t i = 0; i < tool->rpc_count; i++) {
        struct subscribe_rpc *rpc = &tool->rpcs[i];
        if (rpc->target == target && !open_rpc(rpc)) {
            return false;
        }
    }
    return true;
}

static bool begin(struct sl_tool_target *target, void *arg)
{
    struct subscribe *tool = arg;

    return tool->way ? tool->way->greet(tool, target) : subscribe_begin(tool, target);
}

/* A ONCE that is interrupted has not done what it was asked for. */
static struct sl_status on_interrupt(struct sl_tool_target *target, void *arg)
{
    const struct subscribe *tool = arg;

    for (size_t i = 0; i < tool->rpc_count; i++) {
        if (tool->rpcs[i].target == target && tool->rpcs[i].watch.mode == SL_GNMI_ONCE) {
            return sl_status_because("cancelled-here",
                                     sl_status_error(SL_CANCELLED, "interrupted"));
        }
    }
    return outcome(tool, target);
}

/* ---- standard output and input, and the time ---- */

static void on_outlet(void *arg)
{
    struct subscribe *tool = arg;
    struct sl_status gone = sl_status_because(
        "output-closed", sl_status_error(SL_CANCELLED, "nobody reads standard output"));

    if (sl_outlet_error(&tool->outlet) == EPIPE) {
        end_all(tool, &gone);
        return;
    }
    if (sl_outlet_error(&tool->outlet)) {
        gone = sl_status_because("output-failed",
                                 sl_status_error(SL_DATA_LOSS, "standard output: %s",
                                                 strerror(sl_outlet_error(&tool->outlet))));
        end_all(tool, &gone);
        return;
    }
    for (size_t i = 0; i < tool->rpc_count; i++) {
        struct subscribe_rpc *rpc = &tool->rpcs[i];
        if (rpc->is_held) {
            rpc->is_held = false;
            sl_tool_watch_resume(&rpc->watch);
        }
    }
}

static void on_duration(void *arg)
{
    struct subscribe *tool = arg;

    for (size_t t = 0; t < tool->run.target_count; t++) {
        struct sl_tool_target *target = &tool->run.targets[t];
        if (target->has_begun) {
            end_target(tool, target);
        } else {
            sl_tool_finish(target, sl_grpc_channel_last_error(target->channel));
        }
    }
}

static void be_deaf(struct subscribe *tool)
{
    sl_watch_free(tool->keyboard);
    tool->keyboard = NULL;
    tool->is_deaf = true;
    for (size_t i = 0; i < tool->rpc_count; i++) {
        struct subscribe_rpc *rpc = &tool->rpcs[i];
        if (rpc->watch.is_synced && sl_tool_watch_is_open(&rpc->watch) &&
            !sl_timer_is_armed(rpc->timer)) {
            await_poll(rpc);
        }
    }
}

static void want_poll(struct subscribe_rpc *rpc)
{
    bool is_open = sl_tool_watch_is_open(&rpc->watch);

    if (is_open && rpc->watch.is_synced && !sl_timer_is_armed(rpc->timer)) {
        on_timer(rpc);
    } else {
        rpc->wanted++;
    }
}

/* Each Enter polls everybody. */
static void on_keyboard(void *arg)
{
    struct subscribe *tool = arg;
    char keys[256];
    ssize_t len = read(STDIN_FILENO, keys, sizeof(keys));

    if (len == 0) {
        be_deaf(tool);
        return;
    }
    for (ssize_t k = 0; k < len; k++) {
        for (size_t i = 0; keys[k] == '\n' && i < tool->rpc_count; i++) {
            want_poll(&tool->rpcs[i]);
        }
    }
}

static void listen_to_keyboard(struct subscribe *tool)
{
    bool polls = false;

    for (size_t i = 0; i < tool->rpc_count; i++) {
        polls = polls || tool->rpcs[i].watch.mode == SL_GNMI_POLL;
    }
    if (polls && !tool->poll_count && !tool->poll_interval_ns) {
        tool->keyboard = sl_watch_new(tool->run.loop, STDIN_FILENO, on_keyboard, tool);
        if (tool->keyboard && isatty(STDIN_FILENO)) {
            fputs("sluice subscribe: Enter polls again, Ctrl-D ends\n", stderr);
        }
    }
    tool->is_deaf = !tool->keyboard;
}

/* ---- the whole ---- */

static bool prepare_rpc(struct subscribe_rpc *rpc)
{
    struct subscribe *tool = rpc->tool;

    rpc->watch = (struct sl_tool_watch){
        .target = rpc->target,
        .request = sl_buf_str(&rpc->request),
        .mode = rpc->watch.mode,
        .patience_ns = (uint64_t)tool->common.timeout_ns,
        .events = &watch_events,
        .arg = rpc,
    };
    rpc->why = sl_status_ok();
    rpc->timer = sl_timer_new(tool->run.loop, on_timer, rpc);
    return rpc->timer != NULL;
}

static bool prepare(struct subscribe *tool)
{
    bool is_ok = sl_outlet_open(&tool->outlet, tool->run.loop, STDOUT_FILENO, on_outlet, tool);

    tool->run.outlet = &tool->outlet;
    tool->counted = calloc(tool->run.target_count, sizeof(*tool->counted));
    tool->duration = sl_timer_new(tool->run.loop, on_duration, tool);
    for (size_t i = 0; i < tool->rpc_count; i++) {
        is_ok = prepare_rpc(&tool->rpcs[i]) && is_ok;
    }
    return (is_ok && tool->counted && tool->duration) ||
           sl_tool_complain(&tool->common, "out of memory or descriptors");
}

static void release(struct subscribe *tool)
{
    for (size_t i = 0; i < tool->rpc_count; i++) {
        struct subscribe_rpc *rpc = &tool->rpcs[i];
        sl_tool_watch_fini(&rpc->watch);
        sl_timer_free(rpc->timer);
    }
    tool->run.outlet = NULL;
    sl_outlet_close(&tool->outlet);
    sl_timer_free(tool->duration);
    sl_watch_free(tool->keyboard);
    free(tool->counted);
}

enum sl_tool_exit subscribe_follow(struct subscribe *tool)
{
    const struct sl_tool_work work = {.begin = begin,
                                      .on_interrupt = on_interrupt,
                                      .retry_ns = (uint64_t)tool->retry_ns,
                                      .arg = tool};
    enum sl_tool_exit code = SL_TOOL_EXIT_FAILED;
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    if (prepare(tool)) {
        listen_to_keyboard(tool);
        if (tool->duration_ns) {
            sl_timer_start(tool->duration, (uint64_t)(tool->duration_ns / SL_NS_PER_MS));
        }
        code = sl_tool_run(&tool->run, &work);
        sl_outlet_drain(&tool->outlet, !tool->run.is_interrupted);
    }
    release(tool);
    if (flags >= 0) {
        (void)fcntl(STDIN_FILENO, F_SETFL, flags); /* others share the terminal */
    }
    return code;
}
