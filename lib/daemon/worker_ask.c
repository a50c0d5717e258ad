/* Questions to a worker: answered on its thread, and waited for on another. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "daemon/worker.h"
#include "daemon/worker_capture.h"
#include "loop/loop.h"

/* A question to a worker. Whoever comes last, asker or worker, frees it: the asker may give up. */
struct question {
    struct sl_worker *worker;
    bool (*answer)(struct question *question); /* on the worker's thread */
    struct sl_snapshot snapshot;
    char *target; /* of a command or a capture; NULL: none */
    enum sl_target_command command;
    enum sl_worker_outcome outcome;
    struct sl_capture_question capture; /* with copies of its names */
    char *subscription;                 /* of a capture; NULL: none */
    struct sl_capture_answer captured;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool is_answered;
    bool is_good;
    bool is_abandoned;
};

static struct question *question_new(struct sl_worker *worker,
                                     bool (*answer)(struct question *question))
{
    struct question *question = calloc(1, sizeof(*question));

    if (question) {
        question->worker = worker;
        question->answer = answer;
        pthread_mutex_init(&question->mutex, NULL);
        pthread_cond_init(&question->answered, NULL);
    }
    return question;
}

static void question_free(struct question *question)
{
    sl_snapshot_fini(&question->snapshot);
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->mutex);
    sl_recording_release(question->captured.recording);
    free(question->target);
    free(question->subscription);
    free(question);
}

static void answer(void *arg)
{
    struct question *question = arg;
    bool is_good = question->answer(question);

    pthread_mutex_lock(&question->mutex);
    question->is_answered = true;
    question->is_good = is_good;
    bool is_abandoned = question->is_abandoned;
    pthread_cond_signal(&question->answered);
    pthread_mutex_unlock(&question->mutex);
    if (is_abandoned) {
        question_free(question);
    }
}

/* Waits for the answer; true when it came, and then the question is the caller's to free. */
static bool wait_for_answer(struct question *question)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SL_WORKER_ANSWER_MS / 1000;
    pthread_mutex_lock(&question->mutex);
    int error = 0;
    while (!question->is_answered && error == 0) {
        error = pthread_cond_timedwait(&question->answered, &question->mutex, &until);
    }
    question->is_abandoned = !question->is_answered;
    bool is_answered = question->is_answered;
    pthread_mutex_unlock(&question->mutex);
    return is_answered;
}

/* False: nobody answered, and the question is gone. */
static bool ask(struct question *question)
{
    if (!sl_loop_post(sl_worker_loop(question->worker), answer, question)) {
        question_free(question);
        return false;
    }
    return wait_for_answer(question);
}

/* ---- a snapshot ---- */

static bool take_snapshot(struct question *question)
{
    return sl_worker_snapshot(question->worker, &question->snapshot);
}

static bool take_partitions(struct question *question)
{
    return sl_worker_snapshot(question->worker, &question->snapshot) &&
           sl_worker_add_partitions(question->worker, &question->snapshot);
}

static bool ask_snapshot(struct question *question, struct sl_snapshot *snapshot)
{

    if (!question || !ask(question)) {
        return false;
    }
    bool is_good = question->is_good;
    if (is_good) {
        *snapshot = question->snapshot;
        question->snapshot = (struct sl_snapshot){.blocks = NULL};
    }
    question_free(question);
    return is_good;
}

bool sl_worker_ask(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    return ask_snapshot(question_new(worker, take_snapshot), snapshot);
}

bool sl_worker_ask_partitions(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    return ask_snapshot(question_new(worker, take_partitions), snapshot);
}

/* ---- a command ---- */

static struct sl_target *find_target(const struct sl_worker *worker, const char *name)
{
    for (size_t i = 0; i < sl_worker_targets(worker); i++) {
        struct sl_target_view view;
        sl_target_view(sl_worker_target(worker, i), &view);
        if (strcmp(view.name, name) == 0) {
            return sl_worker_target(worker, i);
        }
    }
    return NULL;
}

static bool run_command(struct question *question)
{
    struct sl_target *target = find_target(question->worker, question->target);

    if (target) {
        bool is_done = sl_target_command(target, question->command);
        question->outcome = is_done ? SL_WORKER_DONE : SL_WORKER_REFUSED;
    }
    return true;
}

bool sl_worker_command(struct sl_worker *worker, const char *target, enum sl_target_command command,
                       enum sl_worker_outcome *outcome)
{
    struct question *question = question_new(worker, run_command);

    *outcome = SL_WORKER_NO_TARGET;
    if (!question) {
        return false;
    }
    question->command = command;
    question->target = sl_str_dup(sl_str_from(target));
    if (!question->target) {
        question_free(question);
        return false;
    }
    if (!ask(question)) {
        return false;
    }
    *outcome = question->outcome;
    question_free(question);
    return true;
}

/* ---- a capture ---- */

static bool ask_capture(struct question *question)
{
    sl_worker_capture(question->worker, &question->capture, &question->captured);
    return true;
}

static bool copy_names(struct question *question)
{
    struct sl_capture_question *capture = &question->capture;

    question->target = sl_str_dup(sl_str_from(capture->target));
    question->subscription =
        capture->subscription ? sl_str_dup(sl_str_from(capture->subscription)) : NULL;
    bool is_whole = question->target && (question->subscription || !capture->subscription);
    capture->target = question->target;
    capture->subscription = question->subscription;
    return is_whole;
}

bool sl_worker_ask_capture(struct sl_worker *worker, const struct sl_capture_question *capture,
                           struct sl_capture_answer *captured)
{
    struct question *question = question_new(worker, ask_capture);

    if (!question) {
        return false;
    }
    question->capture = *capture;
    if (!copy_names(question)) {
        question_free(question);
        return false;
    }
    if (!ask(question)) {
        return false;
    }
    *captured = question->captured;
    question->captured.recording = NULL;
    question_free(question);
    return true;
}
