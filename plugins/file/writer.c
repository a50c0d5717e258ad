#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH_LINES = 256, /* two iovecs each, and one for the end of a torn line */
    BATCH_BYTES = 1024 * 1024,
    LOCK_WAIT_MS = 1,
    WAKE_WAIT_MS = 10,
    PIPE_WAIT_MS = 50,
    RETRY_MIN_MS = 50,
    RETRY_MAX_MS = 2000,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
};

struct file_writer {
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
    size_t batch_bytes;
    size_t written_bytes; /* of the batch, and of an end that a torn line lacked */
    size_t mended_bytes;  /* that end */
    struct file_place place;
    bool is_begun; /* a part of the batch is in the file, and cannot be taken back */
    unsigned retry_ms;
    int64_t synced_ms; /* when it was last tried */
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
    if (!writer->is_begun) {
        file_place_close(&writer->place); /* a new descriptor may find what this one lost */
    }
    back_off(writer);
    return false;
}

static bool fail_place(struct file_writer *writer)
{
    return fail(writer, writer->place.at, writer->place.error);
}

static bool is_closing(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    bool is_closing = writer->is_closing;
    pthread_mutex_unlock(&writer->lock);
    return is_closing;
}

/* Another writer of the file may hold it while its disk is full. False: nothing can be written. */
static bool enter(struct file_writer *writer)
{
    enum file_entry entry;

    while ((entry = file_place_enter(&writer->place, writer->batch_bytes)) == FILE_BUSY) {
        if (is_closing(writer)) {
            return false;
        }
        pthread_mutex_lock(&writer->lock);
        wait_ms(writer, LOCK_WAIT_MS);
        pthread_mutex_unlock(&writer->lock);
    }
    return entry == FILE_ENTERED || fail_place(writer);
}

static void add_iovec(struct file_writer *writer, const char *data, size_t len)
{
    writer->iovecs[writer->iovec_count++] = (struct iovec){(void *)(uintptr_t)data, len};
}

static bool has_end(const struct file_line *line)
{
    return line->len > 0 && line->payload[line->len - 1] == '\n';
}

static void make_iovecs(struct file_writer *writer)
{
    writer->iovec_at = 0;
    writer->iovec_count = 0;
    writer->written_bytes = 0;
    writer->mended_bytes = 0;
    if (writer->place.is_fresh && file_place_is_torn(&writer->place)) {
        writer->mended_bytes = 1;
        add_iovec(writer, "\n", 1);
    }
    for (const struct file_line *line = writer->batch.first; line; line = line->next) {
        add_iovec(writer, line->payload, line->len);
        if (!has_end(line)) {
            add_iovec(writer, "\n", 1);
        }
    }
}

static void skip_written(struct file_writer *writer, size_t written)
{
    writer->written_bytes += written;
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
    struct pollfd pollfd = {.fd = writer->place.fd, .events = POLLOUT};

    while (poll(&pollfd, 1, PIPE_WAIT_MS) == 0) {
        if (is_closing(writer)) {
            errno = EAGAIN;
            return false;
        }
    }
    return true;
}

/* The lines that are wholly in the file; how many bytes of this batch they are. */
static size_t take_whole(struct file_writer *writer, struct file_lines *whole)
{
    size_t bytes = writer->mended_bytes;

    for (struct file_line *line; (line = writer->batch.first);) {
        size_t len = line->len + !has_end(line);
        if (bytes + len > writer->written_bytes) {
            break;
        }
        bytes += len;
        file_lines_add(whole, file_lines_pop(&writer->batch));
    }
    return bytes;
}

static void give_back(struct file_writer *writer, struct file_lines *written)
{
    pthread_mutex_lock(&writer->lock);
    file_lines_move(&writer->news.written, written);
    writer->is_wake_due = true;
    wake_due(writer);
    pthread_mutex_unlock(&writer->lock);
}

/* The disk took a part: what is torn is cut off, and what is whole is as good as any; but where
 * only the disk's own word counts, that is for another time. A file that cannot be cut goes on
 * where it is, and stays ours until then. */
static bool end_in_the_middle(struct file_writer *writer, int error)
{
    struct file_lines whole = {NULL, NULL};
    bool is_synced = writer->place.config->sync == FILE_SYNC_BATCH;

    if (writer->written_bytes == 0) {
        return fail(writer, "write", error);
    }
    size_t bytes = is_synced ? 0 : take_whole(writer, &whole);
    if (!file_place_cut(&writer->place, bytes)) {
        file_lines_move(&whole, &writer->batch);
        writer->batch = whole;
        writer->is_begun = true;
    } else if (whole.first) {
        give_back(writer, &whole);
    }
    return fail(writer, "write", error);
}

/* The rest of the batch. */
static bool write_rest(struct file_writer *writer)
{
    while (writer->iovec_at < writer->iovec_count) {
        ssize_t written = writev(writer->place.fd, writer->iovecs + writer->iovec_at,
                                 (int)(writer->iovec_count - writer->iovec_at));
        if (written < 0 && errno == EAGAIN && wait_for_room(writer)) {
            continue;
        }
        if (written < 0 && errno != EINTR) {
            return end_in_the_middle(writer, errno);
        }
        if (written > 0) {
            writer->place.is_dirty = true;
            skip_written(writer, (size_t)written);
        }
    }
    return true;
}

/* One attempt to write all of the batch that is not written yet. True: it is done. */
static bool write_batch(struct file_writer *writer)
{
    struct file_place *place = &writer->place;

    if (!writer->is_begun && !enter(writer)) {
        return false;
    }
    if (!writer->is_begun) {
        make_iovecs(writer);
    }
    if (!write_rest(writer)) {
        return false;
    }
    writer->is_begun = false;
    place->is_fresh = false;
    if (place->config->sync == FILE_SYNC_BATCH && !file_place_sync(place)) {
        (void)file_place_cut(place, 0); /* it is written anew */
        return fail_place(writer);
    }
    file_place_leave(place);
    writer->retry_ms = 0;
    return true;
}

/* ---- what is written, on the disk ---- */

static int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* How long until what is written has to be synced; -1: nothing has. */
static int64_t sync_due_ms(const struct file_writer *writer)
{
    const struct file_place_config *config = writer->place.config;

    if (config->sync != FILE_SYNC_INTERVAL || !writer->place.is_dirty) {
        return -1;
    }
    int64_t left_ms = writer->synced_ms + config->sync_interval_ns / NS_PER_MS - clock_ms();
    return left_ms > 0 ? left_ms : 0;
}

static void sync_if_due(struct file_writer *writer)
{
    if (sync_due_ms(writer) == 0) {
        writer->synced_ms = clock_ms();
        bool is_synced = file_place_sync(&writer->place);
        tell_state(writer, is_synced, writer->place.at, writer->place.error);
    }
}

/* ---- its life ---- */

/* Under the lock: until something changed, or something has to be done. */
static void wait_for_work(struct file_writer *writer)
{
    int64_t due_ms = sync_due_ms(writer);

    if (writer->is_wake_due) {
        wait_ms(writer, WAKE_WAIT_MS);
        wake_due(writer);
    } else if (due_ms > 0) {
        wait_ms(writer, (unsigned)due_ms);
    } else if (due_ms < 0) {
        pthread_cond_wait(&writer->changed, &writer->lock);
    }
}

/* Whether the next line still belongs to the batch: no more than a file may have. */
static bool takes_next(const struct file_writer *writer, unsigned count)
{
    const struct file_line *next = writer->waiting.first;
    uint64_t max_bytes = writer->place.config->max_bytes;
    size_t limit = max_bytes && max_bytes < BATCH_BYTES ? (size_t)max_bytes : BATCH_BYTES;

    return next && count < BATCH_LINES &&
           (count == 0 || writer->batch_bytes + next->len + 1 <= limit);
}

/* Waits for lines and takes some; none when there is something else to do. False: it is time to
 * end. */
static bool take_batch(struct file_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (!writer->is_closing && !writer->waiting.first && sync_due_ms(writer) != 0) {
        wait_for_work(writer);
    }
    writer->batch_bytes = 0;
    for (unsigned i = 0; !writer->is_closing && takes_next(writer, i); i++) {
        writer->batch_bytes += writer->waiting.first->len + 1;
        file_lines_add(&writer->batch, file_lines_pop(&writer->waiting));
    }
    bool is_closing = writer->is_closing;
    pthread_mutex_unlock(&writer->lock);
    return !is_closing;
}

static void write_until_done(struct file_writer *writer)
{
    while (!write_batch(writer)) {
        if (is_closing(writer)) {
            return;
        }
    }
    tell_state(writer, true, "", 0);
    give_back(writer, &writer->batch);
}

static void *run(void *arg)
{
    struct file_writer *writer = arg;

    while (!file_place_open(&writer->place)) {
        (void)fail_place(writer);
        if (is_closing(writer)) {
            return NULL;
        }
    }
    tell_state(writer, true, "", 0);
    while (take_batch(writer)) {
        if (writer->batch.first) {
            write_until_done(writer);
        }
        sync_if_due(writer);
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

struct file_writer *file_writer_open(const struct file_place_config *config,
                                     bool (*wake)(void *arg), void *arg)
{
    struct file_writer *writer = calloc(1, sizeof(*writer));
    pthread_condattr_t monotonic;

    if (!writer) {
        return NULL;
    }
    file_place_init(&writer->place, config);
    writer->wake = wake;
    writer->arg = arg;
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
    file_place_fini(&writer->place);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
