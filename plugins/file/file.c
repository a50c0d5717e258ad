/* file.c - each payload as a line of a file.
 *
 * A line is the payload and an LF, unless it ends with one; formats whose payloads hold LFs
 * themselves (proto, sluice.v1) make no lines that can be told apart. A record counts as delivered
 * once write() has taken it: it survives the process, and not a crash of the machine, unless `sync`
 * is `batch`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sluice_plugin.h"
#include "writer.h"

#define NS_PER_S INT64_C(1000000000)

enum { RETRY_MS = 10 };

struct file_options {
    const char *path;
    uint64_t queue_bytes;
    struct {
        uint64_t size_bytes;
        int64_t interval_ns;
        int64_t keep;
    } rotate;
    int sync; /* enum file_sync */
    int64_t sync_interval_ns;
};

struct file_sink {
    const struct sluice_host *host;
    struct file_place_config place;
    uint64_t queue_limit_bytes;
    struct file_writer *writer;
    struct sluice_timer *timer; /* after FULL for lack of memory */
    uint64_t queued_records;
    uint64_t queued_bytes;
    int64_t latency_ns;
    bool is_full;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void acknowledge(struct file_sink *file, struct file_line *line, enum sluice_result result,
                        const char *reason)
{
    file->queued_records--;
    file->queued_bytes -= line->len;
    struct sluice_token *token = line->token;
    file_line_free(line);
    file->host->calls->ack(file->host, token, result, reason);
}

static void tell_ready(void *arg)
{
    struct file_sink *file = arg;

    if (file->is_full && file->queued_bytes <= file->queue_limit_bytes / 2) {
        file->is_full = false;
        file->host->calls->ready(file->host);
    }
}

/* There is news from the writer. */
static void on_news(void *arg)
{
    struct file_sink *file = arg;
    struct file_news news;

    file_writer_news(file->writer, &news);
    if (news.is_changed) {
        file->host->calls->available(file->host, news.is_up, news.reason);
    }
    int64_t now = news.written.first ? now_ns() : 0;
    for (struct file_line *line; (line = file_lines_pop(&news.written));) {
        file->latency_ns += (now - line->taken_ns - file->latency_ns) / 8;
        acknowledge(file, line, SLUICE_DELIVERED, NULL);
    }
    tell_ready(file);
}

/* On the writer's thread. */
static bool wake_loop(void *arg)
{
    struct file_sink *file = arg;

    return file->host->calls->post(file->host, on_news, file);
}

/* A record longer than the whole queue is taken when nothing else is in it. */
static bool has_room(const struct file_sink *file, size_t len)
{
    return file->queued_records == 0 || (file->queued_bytes <= file->queue_limit_bytes &&
                                         len <= file->queue_limit_bytes - file->queued_bytes);
}

static enum sluice_accept file_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct file_sink *file = sink;

    if (!has_room(file, record->payload_len)) {
        file->is_full = true;
        return SLUICE_FULL;
    }
    struct file_line *line = malloc(sizeof(*line));
    if (!line) {
        file->is_full = true;
        file->host->calls->timer_start(file->timer, RETRY_MS);
        return SLUICE_FULL;
    }
    *line = (struct file_line){NULL, record->payload, record->payload_len, token, now_ns()};
    file->queued_records++;
    file->queued_bytes += line->len;
    file_writer_add(file->writer, line);
    return SLUICE_TAKEN;
}

static bool file_check(const void *options, char *error, size_t error_size)
{
    const struct file_options *file_options = options;

    if (!file_options->path || !file_options->path[0]) {
        snprintf(error, error_size, "path: the name of a file is needed");
        return false;
    }
    return true;
}

static size_t file_record_cost(const void *options)
{
    (void)options;
    return sizeof(struct file_line) + 2 * sizeof(size_t); /* and malloc's own */
}

static void *file_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    const struct file_options *file_options = options;
    struct file_sink *file = calloc(1, sizeof(*file));

    if (file) {
        file->host = host;
        file->queue_limit_bytes = file_options->queue_bytes;
        file->place = (struct file_place_config){
            .path = file_options->path,
            .max_bytes = file_options->rotate.size_bytes,
            .interval_ns = file_options->rotate.interval_ns,
            .keep = file_options->rotate.keep,
            .sync = file_options->sync,
            .sync_interval_ns = file_options->sync_interval_ns,
        };
        file->timer = host->calls->timer_new(host, tell_ready, file);
        if (file->timer) {
            host->calls->available(host, false, "the file is not open yet");
            file->writer = file_writer_open(&file->place, wake_loop, file);
        }
    }
    if (!file || !file->writer) {
        snprintf(error, error_size, "no threads or memory left");
        if (file && file->timer) {
            host->calls->timer_free(file->timer);
        }
        free(file);
        return NULL;
    }
    return file;
}

static void file_flush(void *sink)
{
    (void)sink; /* nothing waits for company */
}

static void file_stats(void *sink, struct sluice_stats *stats)
{
    const struct file_sink *file = sink;

    *stats = (struct sluice_stats){
        .queued_records = file->queued_records,
        .queued_bytes = file->queued_bytes,
        .report_latency_ns = file->latency_ns,
    };
}

static void file_close(void *sink)
{
    struct file_sink *file = sink;
    struct file_lines written;
    struct file_lines left;

    file_writer_close(file->writer, &written, &left);
    file->host->calls->timer_free(file->timer);
    for (struct file_line *line; (line = file_lines_pop(&written));) {
        acknowledge(file, line, SLUICE_DELIVERED, NULL);
    }
    for (struct file_line *line; (line = file_lines_pop(&left));) {
        acknowledge(file, line, SLUICE_FAILED, "the sink was closed before it was written");
    }
    free(file);
}

/* In the order of enum file_sync. */
static const char *const syncs[] = {"never", "interval", "batch", NULL};

static const struct sluice_option rotate_options[] = {
    {.name = "size",
     .type = SLUICE_SIZE,
     .offset = offsetof(struct file_options, rotate.size_bytes),
     .default_text = "0",
     .max = INT64_MAX,
     .doc = "before it would be larger than that; only a single line can be; 0: never for that"},
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct file_options, rotate.interval_ns),
     .default_text = "0s",
     .max = 366 * 86400 * NS_PER_S,
     .doc = "with the first line of each such stretch of time, counted from 1970 in UTC: 1h is on "
            "the hour; 0: never for that"},
    {.name = "keep",
     .type = SLUICE_INT,
     .offset = offsetof(struct file_options, rotate.keep),
     .default_text = "10",
     .min = 1,
     .max = 10000,
     .doc = "so many old files, PATH.1 the newest; those beyond are deleted"},
    {.name = NULL},
};

static const struct sluice_option file_options[] = {
    {.name = "path",
     .type = SLUICE_STRING,
     .offset = offsetof(struct file_options, path),
     .is_required = true,
     .doc = "the file to append to; workers share it; a line is the payload and an LF, which for "
            "formats proto and sluice.v1 makes no lines that can be told apart"},
    {.name = "queue-bytes",
     .type = SLUICE_SIZE,
     .offset = offsetof(struct file_options, queue_bytes),
     .default_text = "4MiB",
     .min = 1,
     .max = INT64_MAX,
     .doc = "payloads that may wait for the disk, for each worker"},
    {.name = "rotate",
     .type = SLUICE_OBJECT,
     .table = rotate_options,
     .doc = "when the file is put aside, as PATH.1, and a new one begun; workers, and other "
            "processes with the same path, agree on that"},
    {.name = "sync",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct file_options, sync),
     .default_text = "never",
     .names = syncs,
     .doc =
         "never: the system writes to the disk when it likes; interval: so often, and a crash of "
         "the machine loses what was written since; batch: before records are acknowledged, "
         "many at once"},
    {.name = "sync-interval",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct file_options, sync_interval_ns),
     .default_text = "1s",
     .min = 10 * NS_PER_S / 1000,
     .max = 3600 * NS_PER_S,
     .doc = "of sync: interval"},
    {.name = NULL},
};

const struct sluice_sink_plugin sluice_file_plugin = {
    .type = "file",
    .doc = "lines of a file",
    .options = file_options,
    .options_size = sizeof(struct file_options),
    .check = file_check,
    .record_cost = file_record_cost,
    .open = file_open,
    .accept = file_accept,
    .flush = file_flush,
    .stats = file_stats,
    .close = file_close,
};
