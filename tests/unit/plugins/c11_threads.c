/* c11_threads.c - C11's threads over POSIX threads, for test programs that link librdkafka.
 *
 * librdkafka calls C11's functions, which the thread sanitizer does not know: a thread that begins
 * unseen crashes it. Those of the program come before the C library's, and the sanitizer sees the
 * POSIX ones below. The types have the same layout in glibc, whose own do no more than this.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

struct start {
    thrd_start_t fn;
    void *arg;
};

static int outcome(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case EBUSY:
        return thrd_busy;
    case ETIMEDOUT:
        return thrd_timedout;
    default:
        return thrd_error;
    }
}

static pthread_mutex_t *mutex_of(mtx_t *mtx)
{
    return (pthread_mutex_t *)(void *)mtx;
}

static pthread_cond_t *cond_of(cnd_t *cnd)
{
    return (pthread_cond_t *)(void *)cnd;
}

static void *run(void *arg)
{
    struct start start = *(struct start *)arg;

    free(arg);
    return (void *)(intptr_t)start.fn(start.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t fn, void *arg)
{
    struct start *start = malloc(sizeof(*start));
    int error = ENOMEM;

    if (start) {
        *start = (struct start){fn, arg};
        error = pthread_create(thread, NULL, run, start);
    }
    if (error != 0) {
        free(start);
    }
    return outcome(error);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = pthread_join(thread, &value);

    if (result) {
        *result = (int)(intptr_t)value;
    }
    return outcome(error);
}

int thrd_detach(thrd_t thread)
{
    return outcome(pthread_detach(thread));
}

int mtx_init(mtx_t *mtx, int type)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, (type & mtx_recursive) ? PTHREAD_MUTEX_RECURSIVE
                                                            : PTHREAD_MUTEX_NORMAL);
    int error = pthread_mutex_init(mutex_of(mtx), &attr);
    pthread_mutexattr_destroy(&attr);
    return outcome(error);
}

void mtx_destroy(mtx_t *mtx)
{
    pthread_mutex_destroy(mutex_of(mtx));
}

int mtx_lock(mtx_t *mtx)
{
    return outcome(pthread_mutex_lock(mutex_of(mtx)));
}

int mtx_trylock(mtx_t *mtx)
{
    return outcome(pthread_mutex_trylock(mutex_of(mtx)));
}

int mtx_unlock(mtx_t *mtx)
{
    return outcome(pthread_mutex_unlock(mutex_of(mtx)));
}

int cnd_init(cnd_t *cnd)
{
    return outcome(pthread_cond_init(cond_of(cnd), NULL));
}

void cnd_destroy(cnd_t *cnd)
{
    pthread_cond_destroy(cond_of(cnd));
}

int cnd_signal(cnd_t *cnd)
{
    return outcome(pthread_cond_signal(cond_of(cnd)));
}

int cnd_broadcast(cnd_t *cnd)
{
    return outcome(pthread_cond_broadcast(cond_of(cnd)));
}

int cnd_wait(cnd_t *cnd, mtx_t *mtx)
{
    return outcome(pthread_cond_wait(cond_of(cnd), mutex_of(mtx)));
}

int cnd_timedwait(cnd_t *restrict cnd, mtx_t *restrict mtx, const struct timespec *restrict until)
{
    return outcome(pthread_cond_timedwait(cond_of(cnd), mutex_of(mtx), until));
}
