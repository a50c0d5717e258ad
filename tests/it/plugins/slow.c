/* slow.c - a sink for tests: as slow as it is told, and still as long as a file is there.
 *
 * What it acknowledges it has appended to its file before, a line each: what was lost is not in it,
 * and what is in it twice was delivered twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sluice_plugin.h"

enum { TICK_MS = 10, TICKS = 1000 / TICK_MS };

struct options {
    const char *path;
    const char *topic;
    const char *key;
    const char *stall_file;
    int64_t rate;
    int64_t queue;
    bool place;
};

struct item {
    struct item *next;
    struct sluice_token *token;
    char *line;
    size_t len;
};

struct slow {
    const struct sluice_host *host;
    const struct options *options;
    struct sluice_timer *timer;
    struct item *first; /* oldest first */
    struct item **end;
    int64_t count;
    uint64_t bytes;
    int64_t credit; /* records that may leave, times TICKS */
    int fd;         /* -1: none is written */
    bool is_full;
};

static void leave(struct slow *slow, enum sluice_result result)
{
    struct item *item = slow->first;

    slow->first = item->next;
    slow->end = slow->first ? slow->end : &slow->first;
    slow->count--;
    slow->bytes -= item->len;
    if (result == SLUICE_DELIVERED && slow->fd >= 0 &&
        write(slow->fd, item->line, item->len) != (ssize_t)item->len) {
        result = SLUICE_FAILED;
    }
    slow->host->calls->ack(slow->host, item->token, result, strerror(errno));
    free(item->line);
    free(item);
}

static void on_tick(void *arg)
{
    struct slow *slow = arg;
    const struct options *options = slow->options;
    bool is_still = options->stall_file[0] && access(options->stall_file, F_OK) == 0;

    if (!is_still) {
        slow->credit = options->rate ? slow->credit + options->rate : slow->count * TICKS;
        while (slow->first && slow->credit >= TICKS) {
            slow->credit -= TICKS;
            leave(slow, SLUICE_DELIVERED);
        }
        slow->credit = slow->first ? slow->credit : 0;
    }
    if (slow->is_full && slow->count < options->queue) {
        slow->is_full = false;
        slow->host->calls->ready(slow->host);
    }
    slow->host->calls->timer_start(slow->timer, TICK_MS);
}

/* The payload, and in front of it where it goes. */
static char *make_line(const struct slow *slow, const struct sluice_record *record, size_t *len)
{
    size_t room = record->payload_len + record->destination.len + record->key.len + 4;
    char *line = malloc(room);

    if (line && slow->options->place) {
        *len = (size_t)snprintf(line, room, "%.*s\t%.*s\t%.*s\n", (int)record->destination.len,
                                record->destination.data ? record->destination.data : "",
                                (int)record->key.len, record->key.data ? record->key.data : "",
                                (int)record->payload_len, record->payload);
    } else if (line) {
        *len = (size_t)snprintf(line, room, "%.*s\n", (int)record->payload_len, record->payload);
    }
    return line;
}

static enum sluice_accept slow_accept(void *sink, const struct sluice_record *record,
                                      struct sluice_token *token)
{
    struct slow *slow = sink;
    struct item *item = slow->count < slow->options->queue ? calloc(1, sizeof(*item)) : NULL;

    if (item) {
        item->token = token;
        item->line = make_line(slow, record, &item->len);
    }
    if (!item || !item->line) {
        free(item);
        slow->is_full = true;
        return SLUICE_FULL;
    }
    *slow->end = item;
    slow->end = &item->next;
    slow->count++;
    slow->bytes += item->len;
    free(record->payload);
    return SLUICE_TAKEN;
}

static size_t slow_record_cost(const void *options)
{
    (void)options;
    return sizeof(struct item) + 64;
}

static void *slow_open(const struct sluice_host *host, const void *options, char *error,
                       size_t error_size)
{
    struct slow *slow = calloc(1, sizeof(*slow));

    if (!slow) {
        return NULL;
    }
    slow->host = host;
    slow->options = options;
    slow->end = &slow->first;
    slow->fd = -1;
    if (slow->options->path[0]) {
        slow->fd = open(slow->options->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    slow->timer = host->calls->timer_new(host, on_tick, slow);
    if ((slow->options->path[0] && slow->fd < 0) || !slow->timer) {
        snprintf(error, error_size, "%s: %s", slow->options->path, strerror(errno));
        free(slow);
        return NULL;
    }
    host->calls->timer_start(slow->timer, 0);
    host->calls->available(host, true, "");
    return slow;
}

static void slow_flush(void *sink)
{
    (void)sink;
}

static void slow_stats(void *sink, struct sluice_stats *stats)
{
    const struct slow *slow = sink;

    stats->queued_records = (uint64_t)slow->count;
    stats->queued_bytes = slow->bytes;
}

static void slow_close(void *sink)
{
    struct slow *slow = sink;

    while (slow->first) {
        leave(slow, SLUICE_FAILED);
    }
    slow->host->calls->timer_free(slow->timer);
    if (slow->fd >= 0) {
        close(slow->fd);
    }
    free(slow);
}

#define AT(field) .offset = offsetof(struct options, field)

static const struct sluice_option table[] = {
    {.name = "path", .type = SLUICE_STRING, AT(path), .default_text = "", .doc = "Lines of it."},
    {.name = "topic", .type = SLUICE_TEMPLATE, AT(topic), .default_text = "t", .doc = "A topic."},
    {.name = "key", .type = SLUICE_TEMPLATE, AT(key), .default_text = "", .doc = "A key."},
    {.name = "stall-file",
     .type = SLUICE_STRING,
     AT(stall_file),
     .default_text = "",
     .doc = "While it is there, nothing leaves."},
    {.name = "rate", .type = SLUICE_INT, AT(rate), .max = 1000000, .doc = "A second; 0: any."},
    {.name = "queue",
     .type = SLUICE_INT,
     AT(queue),
     .default_text = "1000",
     .min = 1,
     .max = 1000000,
     .doc = "Records, then FULL."},
    {.name = "place",
     .type = SLUICE_BOOL,
     AT(place),
     .default_text = "false",
     .doc = "Topic and key in front of each line."},
    {.name = NULL},
};

static const struct sluice_sink_plugin slow_plugin = {
    .type = "slow",
    .doc = "is slow",
    .options = table,
    .options_size = sizeof(struct options),
    .destination_option = "topic",
    .destination_word = "topic",
    .key_option = "key",
    .record_cost = slow_record_cost,
    .open = slow_open,
    .accept = slow_accept,
    .flush = slow_flush,
    .stats = slow_stats,
    .close = slow_close,
};

static const struct sluice_sink_plugin *const sinks[] = {&slow_plugin, NULL};

const struct sluice_plugin sluice_plugin = {
    SLUICE_PLUGIN_HEAD,
    .name = "slow",
    .version = "1",
    .sinks = sinks,
};
