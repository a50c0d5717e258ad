/* Questions to a worker: a snapshot is taken on its thread, and waited for on another. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/worker.h"
#include "loop/loop.h"

/* A question to a worker. Whoever comes last, asker or worker, frees it: the asker may give up. */
struct question {
    struct sl_worker *worker;
    struct sl_snapshot snapshot;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool is_answered;
    bool is_good;
    bool is_abandoned;
};

static void question_free(struct question *question)
{
    sl_snapshot_fini(&question->snapshot);
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->mutex);
    free(question);
}

static void answer(void *arg)
{
    struct question *question = arg;
    bool is_good = sl_worker_snapshot(question->worker, &question->snapshot);

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

bool sl_worker_ask(struct sl_worker *worker, struct sl_snapshot *snapshot)
{
    struct question *question = calloc(1, sizeof(*question));
    bool is_good = false;

    if (!question) {
        return false;
    }
    question->worker = worker;
    pthread_mutex_init(&question->mutex, NULL);
    pthread_cond_init(&question->answered, NULL);
    if (!sl_loop_post(sl_worker_loop(worker), answer, question)) {
        question_free(question);
        return false;
    }
    if (wait_for_answer(question)) {
        is_good = question->is_good;
        if (is_good) {
            *snapshot = question->snapshot;
            question->snapshot = (struct sl_snapshot){.blocks = NULL};
        }
        question_free(question);
    }
    return is_good;
}
