#include "daemon/worker_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/worker_internal.h"

struct sl_worker_capture {
    struct sl_list node;
    struct sl_worker *worker;
    char *target;
    char stream[SL_CAPTURE_NAME_BYTES];
    struct sl_recording *recording;
    struct sl_timer *timer; /* until it is over, and then until it is dropped */
    int64_t duration_ns;
    int64_t expires_ns;
    bool is_kept; /* the time that it has after its end runs */
    bool has_begin;
};

/* For its stream. */
static bool is_over(const struct sl_worker_capture *capture)
{
    struct sl_recording_view view;

    sl_recording_view(capture->recording, &view);
    return view.reason != NULL;
}

/* ---- the end ---- */

/* Whichever stream has it: streams come and go. */
static void stop(const struct sl_worker_capture *capture, const char *reason)
{
    const struct sl_worker *worker = capture->worker;

    for (size_t i = 0; i < worker->target_count; i++) {
        const struct sl_target *target = worker->targets[i].target;
        for (size_t j = 0; j < sl_target_streams(target); j++) {
            if (sl_stream_capture_stop(sl_target_stream(target, j), capture->recording, reason)) {
                return;
            }
        }
    }
}

static void capture_free(struct sl_worker_capture *capture)
{
    if (capture->recording) {
        stop(capture, "dropped");
    }
    sl_recording_release(capture->recording);
    sl_timer_free(capture->timer);
    sl_list_remove(&capture->node);
    free(capture->target);
    free(capture);
}

/* From now on it is kept for a while. */
static void end(struct sl_worker_capture *capture, const char *reason)
{
    stop(capture, reason);
    capture->is_kept = true;
    capture->expires_ns = sl_loop_wall_ns() + SL_CAPTURE_KEPT_S * SL_NS_PER_S;
    sl_timer_start(capture->timer, SL_CAPTURE_KEPT_S * UINT64_C(1000));
}

static void on_timer(void *arg)
{
    struct sl_worker_capture *capture = arg;

    if (capture->is_kept) {
        capture_free(capture);
    } else {
        end(capture, "duration");
    }
}

/* ---- the beginning ---- */

static struct sl_worker_capture *find_capture(struct sl_worker *worker, const char *target)
{
    SL_LIST_FOR_EACH(node, &worker->captures)
    {
        struct sl_worker_capture *capture = SL_CONTAINER_OF(node, struct sl_worker_capture, node);
        if (strcmp(capture->target, target) == 0) {
            return capture;
        }
    }
    return NULL;
}

static struct sl_target *find_target(const struct sl_worker *worker, const char *name)
{
    for (size_t i = 0; i < worker->target_count; i++) {
        struct sl_target_view view;
        sl_target_view(worker->targets[i].target, &view);
        if (!worker->targets[i].is_going && strcmp(view.name, name) == 0) {
            return worker->targets[i].target;
        }
    }
    return NULL;
}

/* By the name of one of its subscriptions, or of all of them as one. */
static bool has_subscription(const struct sl_stream_view *view, const char *name)
{
    bool has = strcmp(view->subscription, name) == 0;

    for (size_t i = 0; i < view->member_count && !has; i++) {
        has = strcmp(view->members[i].subscription, name) == 0;
    }
    return has;
}

/* NULL: `outcome`. */
static struct sl_stream *find_stream(const struct sl_target *target, const char *subscription,
                                     enum sl_capture_outcome *outcome)
{
    size_t count = sl_target_streams(target) - sl_target_going(target);

    for (size_t i = 0; i < count; i++) {
        struct sl_stream_view view;
        sl_stream_view(sl_target_stream(target, i), &view);
        if (subscription ? has_subscription(&view, subscription) : count == 1) {
            return sl_target_stream(target, i);
        }
    }
    *outcome = subscription || count == 0 ? SL_CAPTURE_NO_STREAM : SL_CAPTURE_AMBIGUOUS;
    return NULL;
}

static struct sl_worker_capture *capture_new(struct sl_worker *worker,
                                             const struct sl_capture_question *question)
{
    struct sl_worker_capture *capture = calloc(1, sizeof(*capture));

    if (!capture) {
        return NULL;
    }
    sl_list_init(&capture->node);
    capture->worker = worker;
    capture->duration_ns = question->duration_ns;
    capture->target = sl_str_dup(sl_str_from(question->target));
    capture->timer = sl_timer_new(worker->loop, on_timer, capture);
    if (!capture->target || !capture->timer) {
        capture_free(capture);
        return NULL;
    }
    return capture;
}

/* False: `why`. */
static bool attach(struct sl_worker_capture *capture, const struct sl_target *target,
                   struct sl_stream *stream, const struct sl_capture_question *question,
                   struct sl_status *why)
{
    struct sl_target_view device;
    struct sl_stream_view view;

    sl_target_view(target, &device);
    sl_stream_view(stream, &view);
    const struct sl_stream_capture options = {
        .vendor = device.vendor->name, .max_bytes = question->max_bytes, .quota = question->quota};
    capture->recording = sl_stream_capture(stream, &options, why);
    capture->has_begin = !sl_stream_has_call(stream);
    snprintf(capture->stream, sizeof(capture->stream), "%s", view.subscription);
    return capture->recording != NULL;
}

static void start(struct sl_worker_capture *capture)
{
    capture->expires_ns =
        sl_loop_wall_ns() + capture->duration_ns + SL_CAPTURE_KEPT_S * SL_NS_PER_S;
    sl_list_append(&capture->worker->captures, &capture->node);
    sl_timer_start(capture->timer, (uint64_t)(capture->duration_ns / SL_NS_PER_MS));
}

/* The capture that was begun; NULL: `answer` says why not. */
static struct sl_worker_capture *begin(struct sl_worker *worker,
                                       const struct sl_capture_question *question,
                                       struct sl_capture_answer *answer)
{
    const struct sl_target *target = find_target(worker, question->target);
    struct sl_worker_capture *old = find_capture(worker, question->target);
    struct sl_stream *stream =
        target ? find_stream(target, question->subscription, &answer->outcome) : NULL;

    if (!stream) {
        return NULL;
    }
    if (old && !is_over(old)) {
        answer->outcome = SL_CAPTURE_RUNNING;
        return NULL;
    }
    if (old) {
        capture_free(old);
    }
    struct sl_worker_capture *capture = capture_new(worker, question);
    answer->outcome = SL_CAPTURE_FAILED;
    answer->why = sl_status_out_of_memory();
    if (capture && !attach(capture, target, stream, question, &answer->why)) {
        capture_free(capture);
        return NULL;
    }
    if (capture) {
        start(capture);
    }
    return capture;
}

/* ---- questions ---- */

static void tell(const struct sl_worker_capture *capture, struct sl_capture_answer *answer)
{
    answer->outcome = SL_CAPTURE_DONE;
    sl_recording_view(capture->recording, &answer->view);
    answer->duration_ns = capture->duration_ns;
    answer->expires_ns = capture->expires_ns;
    answer->has_begin = capture->has_begin;
    memcpy(answer->stream, capture->stream, sizeof(answer->stream));
}

static void ask(struct sl_worker_capture *capture, enum sl_capture_verb verb,
                struct sl_capture_answer *answer)
{
    if (verb == SL_CAPTURE_STOP && !is_over(capture)) {
        end(capture, "asked");
    }
    tell(capture, answer);
    if (verb == SL_CAPTURE_FETCH && !is_over(capture)) {
        answer->outcome = SL_CAPTURE_RUNNING;
    } else if (verb == SL_CAPTURE_FETCH) {
        answer->recording = sl_recording_hold(capture->recording);
    } else if (verb == SL_CAPTURE_DROP) {
        capture_free(capture);
    }
}

void sl_worker_capture(struct sl_worker *worker, const struct sl_capture_question *question,
                       struct sl_capture_answer *answer)
{
    struct sl_worker_capture *capture;

    *answer = (struct sl_capture_answer){.outcome = SL_CAPTURE_NO_TARGET, .why = sl_status_ok()};
    if (question->verb == SL_CAPTURE_BEGIN) {
        capture = begin(worker, question, answer);
        if (capture) {
            tell(capture, answer);
        }
        return;
    }
    capture = find_capture(worker, question->target);
    if (capture) {
        ask(capture, question->verb, answer);
    } else if (find_target(worker, question->target)) {
        answer->outcome = SL_CAPTURE_NONE;
    }
}

void sl_worker_drop_captures(struct sl_worker *worker)
{
    while (!sl_list_is_empty(&worker->captures)) {
        capture_free(SL_CONTAINER_OF(worker->captures.next, struct sl_worker_capture, node));
    }
}
