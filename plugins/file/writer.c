#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_LINES = 256, /* two iovecs each, and one for the end of a torn line */
    FILE_MODE = 0640,
    LOCK_WAIT_MS = 1,
    WAKE_WAIT_MS = 10,
    PIPE_WAIT_MS = 50,
    RETRY_MIN_MS = 50,
    RETRY_MAX_MS = 2000,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
};

struct file_writer {
    const char *path;
    bool (*wake)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    struct file_lines waiting;
    struct file_news news;
    bool is_wake_due; /* there is news of which nobody knows yet */
    bool is_closing;
    /* of the thread */
    struct file_lines batch;
    struct iovec iovecs[2 * BATCH_LINES + 1];
    size_t iovec_count;
    size_t iovec_at; /* the first that is not wholly written */
    int fd;          /* -1: not open */
    bool is_begun;   /* a part of the batch is in the file, which is locked */
    bool is_fresh;   /* just opened: the last line may be torn */
    unsigned retry_ms;
};

/* ---- lines ---- */

void file_lines_add(struct file_lines *lines, struct file_line *line)
{
    struct file_line **end = lines->first ? lines->end : &lines->first;

    line->next = NULL;
    *end = line;
    lines->end = &line->next;
}

void file_lines_move(struct file_lines *lines, struct file_lines *more)
{
    if (more->first) {
        struct file_line **end = lines->first ? lines->end : &lines->first;
        *end = more->first;
        lines->end = more->end;
    }
    *more = (struct file_lines){NULL, NULL};
}

struct file_line *file_lines_pop(struct file_lines *lines)
{
    struct file_line *line = lines->first;

    if (line) {
        lines->first = line->next;
    }
    return line;
}

void file_line_free(struct file_line *line)
{
    free(line->payload);
    free(line);
}

/* ---- the thread ---- */

static void wake_due(struct file_writer *writer)
{
    if (writer->is_wake_due && writer->wake(writer->arg)) {
        writer->is_wake_due = false;
    }
}

/* Under the lock: until something changed, or the time is over. */
static void wait_ms(struct file_writer *writer, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / MS_PER_S;
    until.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
    if (until.tv_nsec >= (long)MS_PER_S * NS_PER_MS) {
        until.tv_sec++;
        until.tv_nsec -= (long)MS_PER_S * NS_PER_MS;
    }
    pthread_cond_timedwait(&writer->changed, &writer->lock, &until);
}

static void tell_state(struct file_writer *writer, bool is_up, const char *what, int error)
{
    char text[FILE_REASON_BYTES] = "";
    char words[64];

    if (!is_up) {
        snprintf(text, sizeof(text), "%s: %s", what, strerror_r(error, words, sizeof(words)));
    }
    pthread_mutex_lock(&writer->lock);
    if (writer->news.is_up != is_up || strcmp(writer->news.reason, text) != 0) {
        writer->news.is_up = is_up;
        writer->news.is_changed = true;
        memcpy(writer->news.reason, text, sizeof(text));
        writer->is_wake_due = true;
        wake_due(writer);
    }
    pthread_mutex_unlock(&writer->lock);
}

/* Waits longer each time in a row; lines that come meanwhile do not shorten it. */
static void back_off(struct file_writer *writer)
{
    struct timespec now;

    writer->retry_ms = writer->retry_ms ? writer->retry_ms * 2 : RETRY_MIN_MS;
    writer->retry_ms = writer->retry_ms > RETRY_MAX_MS ? RETRY_MAX_MS : writer->retry_ms;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
    int64_t until_ms = now_ms + writer->retry_ms;

    pthread_mutex_lock(&writer->lock);
    while (!writer->is_closing && now_ms < until_ms) {
        wait_ms(writer, (unsigned)(until_ms - now_ms));
        clock_gettime(CLOCK_MONOTONIC, &now);
        now_ms = (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
    }
    pthread_mutex_unlock(&writer->lock);
}

static bool fail(struct file_writer *writer, const char *what, int error)
{
    tell_state(writer, false, what, error);
    if (writer->fd >= 0 && !writer->is_begun) {
        close(writer->fd); /* a new descriptor may find what this one lost: a mount, a file */
        writer->fd = -1;
    }
    back_off(writer);
    return false;
}

/* To read as well, for a torn line's sake; without blocking, should it be a pipe. */
static bool open_file(struct file_writer *writer)
{
    if (writer->fd < 0) {
        int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
        writer->fd = open(writer->path, flags, FILE_MODE);
        if (writer->fd < 0) {
            return fail(writer, "open", errno);
        }
        writer->is_fresh = true;
    }
    return true;
}

static bool is_closing(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_closing = writer->is_closing;
    pthread_mutex_unlock(&writer->lock);
    return is_closing;
}

/* Without blocking: another writer of the file may hold it while its disk is full. */
static bool lock_file(struct file_writer *writer)
{
    while (flock(writer->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(writer, "lock", errno);
        }
        if (is_closing(writer)) {
            return false;
        }
        pthread_mutex_lock(&writer->lock);
        wait_ms(writer, LOCK_WAIT_MS);
        pthread_mutex_unlock(&writer->lock);
    }
    return true;
}

static bool ends_in_torn_line(int fd)
{
    struct stat info;
    char last;

    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
           pread(fd, &last, 1, info.st_size - 1) == 1 && last != '\n';
}

static void add_iovec(struct file_writer *writer, const char *data, size_t len)
{
    writer->iovecs[writer->iovec_count++] = (struct iovec){(void *)(uintptr_t)data, len};
}

static void make_iovecs(struct file_writer *writer)
{
    writer->iovec_at = 0;
    writer->iovec_count = 0;
    if (writer->is_fresh && ends_in_torn_line(writer->fd)) {
        add_iovec(writer, "\n", 1);
    }
    for (const struct file_line *line = writer->batch.first; line; line = line->next) {
        add_iovec(writer, line->payload, line->len);
        if (line->len == 0 || line->payload[line->len - 1] != '\n') {
            add_iovec(writer, "\n", 1);
        }
    }
}

static void skip_written(struct file_writer *writer, size_t written)
{
    while (writer->iovec_at < writer->iovec_count) {
        struct iovec *iovec = &writer->iovecs[writer->iovec_at];
        if (written < iovec->iov_len) {
            iovec->iov_base = (char *)iovec->iov_base + written;
            iovec->iov_len -= written;
            return;
        }
        written -= iovec->iov_len;
        writer->iovec_at++;
    }
}

/* Of a pipe whose reader is slow. False: it is time to end. */
static bool wait_for_room(struct file_writer *writer)
{
    struct pollfd pollfd = {.fd = writer->fd, .events = POLLOUT};

    while (poll(&pollfd, 1, PIPE_WAIT_MS) == 0) {
        if (is_closing(writer)) {
            errno = EAGAIN;
            return false;
        }
    }
    return true;
}

/* One attempt to write all of the batch that is not written yet. True: it is done. */
static bool write_batch(struct file_writer *writer)
{
    if (!open_file(writer) || (!writer->is_begun && !lock_file(writer))) {
        return false;
    }
    if (!writer->is_begun) {
        make_iovecs(writer);
    }
    while (writer->iovec_at < writer->iovec_count) {
        ssize_t written = writev(writer->fd, writer->iovecs + writer->iovec_at,
                                 (int)(writer->iovec_count - writer->iovec_at));
        if (written < 0 && errno == EAGAIN && wait_for_room(writer)) {
            continue;
        }
        if (written < 0 && errno != EINTR) {
            if (!writer->is_begun) {
                flock(writer->fd, LOCK_UN);
            }
            return fail(writer, "write", errno);
        }
        if (written > 0) {
            writer->is_begun = true;
            skip_written(writer, (size_t)written);
        }
    }
    flock(writer->fd, LOCK_UN);
    writer->is_begun = false;
    writer->is_fresh = false;
    writer->retry_ms = 0;
    return true;
}

/* Waits for lines and takes some. False: it is time to end. */
static bool take_batch(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (!writer->is_closing && !writer->waiting.first) {
        if (writer->is_wake_due) {
            wait_ms(writer, WAKE_WAIT_MS);
            wake_due(writer);
        } else {
            pthread_cond_wait(&writer->changed, &writer->lock);
        }
    }
    for (unsigned i = 0; !writer->is_closing && i < BATCH_LINES && writer->waiting.first; i++) {
        file_lines_add(&writer->batch, file_lines_pop(&writer->waiting));
    }
    bool is_closing = writer->is_closing;
    pthread_mutex_unlock(&writer->lock);
    return !is_closing;
}

static void give_back(struct file_writer *writer)
{
    tell_state(writer, true, "", 0);
    pthread_mutex_lock(&writer->lock);
    file_lines_move(&writer->news.written, &writer->batch);
    writer->is_wake_due = true;
    wake_due(writer);
    pthread_mutex_unlock(&writer->lock);
}

static void *run(void *arg)
{
    struct file_writer *writer = arg;

    while (!open_file(writer)) {
        if (is_closing(writer)) {
            return NULL;
        }
    }
    tell_state(writer, true, "", 0);
    while (take_batch(writer)) {
        bool is_written;
        while (!(is_written = write_batch(writer)) && !is_closing(writer)) {
        }
        if (is_written) {
            give_back(writer);
        }
    }
    return NULL;
}

/* ---- the loop's side ---- */

/* Signals are for the threads of the host. */
static bool start_thread(struct file_writer *writer)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&writer->thread, NULL, run, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

struct file_writer *file_writer_open(const char *path, bool (*wake)(void *arg), void *arg)
{
    struct file_writer *writer = calloc(1, sizeof(*writer));
    pthread_condattr_t monotonic;

    if (!writer) {
        return NULL;
    }
    writer->path = path;
    writer->wake = wake;
    writer->arg = arg;
    writer->fd = -1;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!start_thread(writer)) {
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->lock);
        free(writer);
        return NULL;
    }
    return writer;
}

void file_writer_add(struct file_writer *writer, struct file_line *line)
{
    pthread_mutex_lock(&writer->lock);
    bool is_first = !writer->waiting.first;
    file_lines_add(&writer->waiting, line);
    if (is_first) {
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
}

void file_writer_news(struct file_writer *writer, struct file_news *news)
{
    *news = (struct file_news){.is_up = false};
    pthread_mutex_lock(&writer->lock);
    file_lines_move(&news->written, &writer->news.written);
    news->is_changed = writer->news.is_changed;
    news->is_up = writer->news.is_up;
    memcpy(news->reason, writer->news.reason, sizeof(news->reason));
    writer->news.is_changed = false;
    pthread_mutex_unlock(&writer->lock);
}

void file_writer_close(struct file_writer *writer, struct file_lines *written,
                       struct file_lines *left)
{
    pthread_mutex_lock(&writer->lock);
    writer->is_closing = true;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    *written = (struct file_lines){NULL, NULL};
    *left = (struct file_lines){NULL, NULL};
    file_lines_move(written, &writer->news.written);
    file_lines_move(left, &writer->batch);
    file_lines_move(left, &writer->waiting);
    if (writer->fd >= 0) {
        close(writer->fd);
    }
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
