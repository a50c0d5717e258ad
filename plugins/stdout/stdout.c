/* stdout.c - each payload as a line on standard output.
 *
 * A reader that stops holds the streams, and not the loop: nothing is written before there is room,
 * and never more at once than a pipe with room takes without a wait. The descriptor's flags stay as
 * they are, for others share them. A reader that is gone is the end: what still comes is lost, and
 * the collector ends.
 *
 * Workers share standard output. Who writes has the turn, and keeps it until its line is whole.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sluice_plugin.h"

#define NS_PER_S INT64_C(1000000000)

enum { TURN_MS = 2, RETRY_MS = 200, BURST = 64 };

struct stdout_options {
    uint64_t queue_bytes;
};

struct line {
    struct line *next;
    char *payload;
    size_t len; /* with an LF that the payload lacks: one more */
    size_t payload_len;
    struct sluice_token *token;
    int64_t taken_ns;
};

struct stdout_sink {
    const struct sluice_host *host;
    uint64_t queue_limit_bytes;
    int epoll_fd;               /* readable when standard output has something for us; or -1 */
    struct sluice_watch *watch; /* of that */
    struct sluice_timer *timer; /* to go on */
    struct line *first;
    struct line **end;
    size_t written; /* of the first */
    uint64_t queued_records;
    uint64_t queued_bytes;
    int64_t latency_ns;
    bool has_turn;
    bool is_full;
    bool is_down; /* the last write failed */
    bool is_over;
};

/* The process has one standard output. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- lines ---- */

static void acknowledge_first(struct stdout_sink *sink, enum sluice_result result,
                              const char *reason)
{
    struct line *line = sink->first;
    struct sluice_token *token = line->token;

    sink->first = line->next;
    sink->end = sink->first ? sink->end : &sink->first;
    sink->written = 0;
    sink->queued_records--;
    sink->queued_bytes -= line->payload_len;
    sink->latency_ns += (now_ns() - line->taken_ns - sink->latency_ns) / 8;
    free(line->payload);
    free(line);
    sink->host->calls->ack(sink->host, token, result, reason);
}

static void note_written(struct stdout_sink *sink, size_t bytes)
{
    while (bytes > 0) {
        size_t left = sink->first->len - sink->written;
        if (bytes < left) {
            sink->written += bytes;
            return;
        }
        bytes -= left;
        acknowledge_first(sink, SLUICE_DELIVERED, NULL);
    }
}

/* As much of the lines as fits. */
static size_t gather(const struct stdout_sink *sink, char *chunk, size_t room)
{
    size_t at = sink->written;
    size_t len = 0;

    for (const struct line *line = sink->first; line && len < room; line = line->next) {
        size_t payload_left = at < line->payload_len ? line->payload_len - at : 0;
        size_t part = payload_left < room - len ? payload_left : room - len;
        memcpy(chunk + len, line->payload + at, part);
        len += part;
        if (part == payload_left && line->len > line->payload_len && len < room) {
            chunk[len++] = '\n';
        }
        at = 0;
    }
    return len;
}

/* ---- writing ---- */

static void leave_turn(struct stdout_sink *sink)
{
    if (sink->has_turn) {
        pthread_mutex_unlock(&turn);
        sink->has_turn = false;
    }
}

static void tell(struct stdout_sink *sink, bool is_up, int error)
{
    char text[160] = "";
    char words[80];

    if (!is_up) {
        snprintf(text, sizeof(text), "standard output: %s",
                 strerror_r(error, words, sizeof(words)));
    }
    sink->is_down = !is_up;
    sink->host->calls->available(sink->host, is_up, text);
}

static void end(struct stdout_sink *sink, int error)
{
    leave_turn(sink);
    if (sink->watch) {
        sink->host->calls->unwatch(sink->watch);
        sink->watch = NULL;
    }
    if (!sink->is_over) {
        sink->is_over = true;
        tell(sink, false, error);
        sink->host->calls->over(sink->host, "nobody reads standard output any more");
    }
    while (sink->first) {
        acknowledge_first(sink, SLUICE_FAILED, "nobody reads standard output any more");
    }
}

/* Wakes us when there is room, or always for its end alone. */
static bool await(struct stdout_sink *sink, bool wants_room)
{
    struct epoll_event event = {.events = wants_room ? EPOLLOUT : 0};

    return sink->epoll_fd >= 0 &&
           epoll_ctl(sink->epoll_fd, EPOLL_CTL_MOD, STDOUT_FILENO, &event) == 0;
}

/* What a socket has no room for comes back; a pipe with room takes PIPE_BUF without a wait. */
static ssize_t write_now(const char *chunk, size_t len)
{
    struct pollfd pollfd = {.fd = STDOUT_FILENO, .events = POLLOUT};

    if (poll(&pollfd, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    ssize_t sent = send(STDOUT_FILENO, chunk, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent < 0 && errno == ENOTSOCK ? write(STDOUT_FILENO, chunk, len) : sent;
}

/* False: no more now. */
static bool write_some(struct stdout_sink *sink)
{
    char chunk[PIPE_BUF];
    ssize_t written = write_now(chunk, gather(sink, chunk, sizeof(chunk)));

    if (written >= 0) {
        if (sink->is_down) {
            tell(sink, true, 0);
        }
        note_written(sink, (size_t)written);
        return true;
    }
    if (errno == EAGAIN || errno == EINTR) {
        if (!await(sink, true)) {
            sink->host->calls->timer_start(sink->timer, TURN_MS);
        }
    } else if (errno == EPIPE || errno == EBADF || errno == EIO || errno == ECONNRESET) {
        end(sink, errno);
    } else {
        tell(sink, false, errno); /* a file on a disk that is full */
        sink->host->calls->timer_start(sink->timer, RETRY_MS);
    }
    return false;
}

static void tell_ready(struct stdout_sink *sink)
{
    if (sink->is_full && sink->queued_bytes <= sink->queue_limit_bytes / 2) {
        sink->is_full = false;
        sink->host->calls->ready(sink->host);
    }
}

/* Lines go out as long as there is room; other things of the loop have their turn in between. */
static void go_on(void *arg)
{
    struct stdout_sink *sink = arg;

    if (sink->is_over) {
        end(sink, EPIPE);
    }
    for (int i = 0; sink->first; i++) {
        sink->has_turn = sink->has_turn || pthread_mutex_trylock(&turn) == 0;
        if (i == BURST || !sink->has_turn) {
            sink->host->calls->timer_start(sink->timer, sink->has_turn ? 0 : TURN_MS);
            break;
        }
        if (!write_some(sink)) {
            break;
        }
    }
    if (sink->written == 0) {
        leave_turn(sink);
    }
    tell_ready(sink);
}

/* There is room, or nobody reads any more. */
static void on_event(void *arg)
{
    struct stdout_sink *sink = arg;
    struct pollfd pollfd = {.fd = STDOUT_FILENO, .events = POLLOUT};

    (void)await(sink, false);
    if (poll(&pollfd, 1, 0) == 1 && (pollfd.revents & (POLLERR | POLLHUP | POLLNVAL))) {
        end(sink, EPIPE);
    }
    go_on(sink);
}

/* ---- the interface ---- */

/* A record longer than the whole queue is taken when nothing else is in it. */
static bool has_room(const struct stdout_sink *sink, size_t len)
{
    return sink->queued_records == 0 || (sink->queued_bytes <= sink->queue_limit_bytes &&
                                         len <= sink->queue_limit_bytes - sink->queued_bytes);
}

static enum sluice_accept stdout_accept(void *arg, const struct sluice_record *record,
                                        struct sluice_token *token)
{
    struct stdout_sink *sink = arg;
    struct line *line = has_room(sink, record->payload_len) ? malloc(sizeof(*line)) : NULL;
    size_t len = record->payload_len;

    if (!line) {
        sink->is_full = true;
        if (!sink->first) {
            sink->host->calls->timer_start(sink->timer, RETRY_MS); /* memory is out */
        }
        return SLUICE_FULL;
    }
    bool has_end = len > 0 && record->payload[len - 1] == '\n';
    *line = (struct line){NULL, record->payload, len + !has_end, len, token, now_ns()};
    if (!sink->first) {
        sink->host->calls->timer_start(sink->timer, 0);
    }
    *sink->end = line;
    sink->end = &line->next;
    sink->queued_records++;
    sink->queued_bytes += len;
    return SLUICE_TAKEN;
}

static size_t stdout_record_cost(const void *options)
{
    (void)options;
    return sizeof(struct line) + 2 * sizeof(size_t); /* and malloc's own */
}

/* A regular file has always room, and the system refuses to wait for it. */
static bool watch_end(struct stdout_sink *sink)
{
    struct epoll_event event = {.events = 0};

    sink->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (sink->epoll_fd < 0) {
        return false;
    }
    if (epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, STDOUT_FILENO, &event) != 0) {
        close(sink->epoll_fd);
        sink->epoll_fd = -1;
        return true;
    }
    sink->watch = sink->host->calls->watch(sink->host, sink->epoll_fd, on_event, sink);
    return sink->watch != NULL;
}

static void stdout_free(struct stdout_sink *sink)
{
    if (sink->watch) {
        sink->host->calls->unwatch(sink->watch);
    }
    if (sink->timer) {
        sink->host->calls->timer_free(sink->timer);
    }
    if (sink->epoll_fd >= 0) {
        close(sink->epoll_fd);
    }
    free(sink);
}

static void *stdout_open(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    const struct stdout_options *stdout_options = options;
    struct stdout_sink *sink = calloc(1, sizeof(*sink));

    if (!sink) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    sink->host = host;
    sink->queue_limit_bytes = stdout_options->queue_bytes;
    sink->end = &sink->first;
    sink->epoll_fd = -1;
    sink->timer = host->calls->timer_new(host, go_on, sink);
    if (!sink->timer || !watch_end(sink)) {
        snprintf(error, error_size, "no descriptors or memory left");
        stdout_free(sink);
        return NULL;
    }
    tell(sink, true, 0);
    return sink;
}

static void stdout_flush(void *sink)
{
    (void)sink; /* nothing waits for company */
}

static void stdout_stats(void *arg, struct sluice_stats *stats)
{
    const struct stdout_sink *sink = arg;

    stats->queued_records = sink->queued_records;
    stats->queued_bytes = sink->queued_bytes;
    stats->report_latency_ns = sink->latency_ns;
}

static void stdout_close(void *arg)
{
    struct stdout_sink *sink = arg;

    leave_turn(sink);
    while (sink->first) {
        acknowledge_first(sink, SLUICE_FAILED, "the sink was closed before it was written");
    }
    stdout_free(sink);
}

static const struct sluice_option stdout_options[] = {
    {.name = "queue-bytes",
     .type = SLUICE_SIZE,
     .offset = offsetof(struct stdout_options, queue_bytes),
     .default_text = "1MiB",
     .min = 1,
     .max = INT64_MAX,
     .doc = "payloads that may wait for the reader, for each worker"},
    {.name = NULL},
};

const struct sluice_sink_plugin sluice_stdout_plugin = {
    .type = "stdout",
    .doc = "lines on standard output; when nobody reads them any more the collector ends",
    .options = stdout_options,
    .options_size = sizeof(struct stdout_options),
    .record_cost = stdout_record_cost,
    .open = stdout_open,
    .accept = stdout_accept,
    .flush = stdout_flush,
    .stats = stdout_stats,
    .close = stdout_close,
};
