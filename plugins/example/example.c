/* example.c - a plugin with one of each: a sink that writes on a thread of its own, and a
 * processor. plugins/README.md builds it, outside of sluice's sources, with the installed headers.
 *
 * The sink, `outbox`, appends records to a file, a line each. Writing may block, so a thread does
 * it; what it has done it tells the loop thread by sluice_post, for only that may acknowledge.
 * The processor, `envelope`, puts records of JSON into an object with more members beside them,
 * gives them a key, and may leave the devices' first state out.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sluice/sluice_plugin.h>

/* ---- the sink ---- */

struct outbox_options {
    const char *path;
    bool sync;
    int64_t records;
};

/* One record, in one of two lists: what is to be written, and what to report. */
struct item {
    struct item *next;
    struct sluice_token *token;
    char *payload;
    size_t len;
    enum sluice_result result;
};

struct list {
    struct item *first;
    struct item **end; /* NULL: the list is empty */
};

struct outbox {
    const struct sluice_host *host;
    const struct outbox_options *options;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;  /* there is something to write, or it is over */
    struct list todo;
    struct list done;
    uint64_t count; /* in both lists and under way */
    uint64_t bytes;
    bool is_told; /* a post is on its way to the loop thread */
    bool is_over;
    bool is_full; /* FULL was answered; the loop thread's alone */
};

static void push(struct list *list, struct item *item)
{
    item->next = NULL;
    *(list->first ? list->end : &list->first) = item;
    list->end = &item->next;
}

static struct item *take_all(struct list *list)
{
    struct item *first = list->first;

    list->first = NULL;
    return first;
}

/* On the loop thread. Reports a list; the lock is not held: a report may lead to the next record.
 */
static void report(struct outbox *outbox, struct item *item)
{
    while (item) {
        struct item *next = item->next;
        outbox->host->calls->ack(outbox->host, item->token, item->result,
                                 item->result == SLUICE_FAILED ? "it could not be written" : NULL);
        free(item->payload);
        free(item);
        item = next;
    }
}

static void on_done(void *arg)
{
    struct outbox *outbox = arg;

    pthread_mutex_lock(&outbox->lock);
    struct item *items = take_all(&outbox->done);
    for (const struct item *item = items; item; item = item->next) {
        outbox->count--;
        outbox->bytes -= item->len;
    }
    outbox->is_told = false;
    pthread_mutex_unlock(&outbox->lock);
    report(outbox, items);
    if (outbox->is_full) {
        outbox->is_full = false;
        outbox->host->calls->ready(outbox->host);
    }
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, data, len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        data += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

/* Not on the loop thread: this may block. */
static void write_items(struct outbox *outbox, struct item *items)
{
    for (struct item *item = items; item; item = item->next) {
        bool is_good =
            write_all(outbox->fd, item->payload, item->len) && write_all(outbox->fd, "\n", 1);
        item->result = is_good ? SLUICE_DELIVERED : SLUICE_FAILED;
    }
    if (outbox->options->sync && fdatasync(outbox->fd) != 0) {
        for (struct item *item = items; item; item = item->next) {
            item->result = SLUICE_FAILED;
        }
    }
}

/* With the lock: what is done goes to the loop thread. False: there was no memory for that. */
static bool tell_done(struct outbox *outbox, struct item *items)
{
    while (items) {
        struct item *next = items->next;
        push(&outbox->done, items);
        items = next;
    }
    if (outbox->done.first && !outbox->is_told) {
        outbox->is_told = sluice_post(outbox->host, on_done, outbox);
    }
    return outbox->is_told || !outbox->done.first;
}

/* With the lock. */
static void wait_for_work(struct outbox *outbox, bool is_told)
{
    struct timespec soon;

    if (is_told) {
        pthread_cond_wait(&outbox->wake, &outbox->lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec++;
    pthread_cond_timedwait(&outbox->wake, &outbox->lock, &soon);
}

static void *run(void *arg)
{
    struct outbox *outbox = arg;
    struct item *items = NULL;

    pthread_mutex_lock(&outbox->lock);
    while (!outbox->is_over) {
        bool is_told = tell_done(outbox, items);
        items = take_all(&outbox->todo);
        if (!items) {
            wait_for_work(outbox, is_told);
            continue;
        }
        pthread_mutex_unlock(&outbox->lock);
        write_items(outbox, items);
        pthread_mutex_lock(&outbox->lock);
    }
    (void)tell_done(outbox, items);
    pthread_mutex_unlock(&outbox->lock);
    return NULL;
}

static enum sluice_accept outbox_accept(void *sink, const struct sluice_record *record,
                                        struct sluice_token *token)
{
    struct outbox *outbox = sink;
    struct item *item = NULL;

    pthread_mutex_lock(&outbox->lock);
    if (outbox->count < (uint64_t)outbox->options->records) {
        item = malloc(sizeof(*item));
    }
    if (item) {
        item->token = token;
        item->payload = record->payload;
        item->len = record->payload_len;
        push(&outbox->todo, item);
        outbox->count++;
        outbox->bytes += record->payload_len;
        pthread_cond_signal(&outbox->wake);
    }
    outbox->is_full = !item;
    pthread_mutex_unlock(&outbox->lock);
    return item ? SLUICE_TAKEN : SLUICE_FULL;
}

static bool outbox_check(const void *options, char *error, size_t error_size)
{
    const struct outbox_options *own = options;

    if (own->path[0] != '\0') {
        return true;
    }
    snprintf(error, error_size, "'path' is empty");
    return false;
}

/* Beside the payload. */
static size_t outbox_record_cost(const void *options)
{
    (void)options;
    return sizeof(struct item) + 16;
}

static void *outbox_open(const struct sluice_host *host, const void *options, char *error,
                         size_t error_size)
{
    struct outbox *outbox = calloc(1, sizeof(*outbox));

    if (!outbox) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    outbox->host = host;
    outbox->options = options;
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_cond_init(&outbox->wake, NULL);
    outbox->fd = open(outbox->options->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (outbox->fd < 0) {
        snprintf(error, error_size, "%s: %s", outbox->options->path, strerror(errno));
        free(outbox);
        return NULL;
    }
    if (pthread_create(&outbox->thread, NULL, run, outbox) != 0) {
        snprintf(error, error_size, "no thread could be made");
        close(outbox->fd);
        free(outbox);
        return NULL;
    }
    host->calls->available(host, true, "");
    return outbox;
}

static void outbox_flush(void *sink)
{
    (void)sink; /* nothing waits for company */
}

static void outbox_stats(void *sink, struct sluice_stats *stats)
{
    struct outbox *outbox = sink;

    pthread_mutex_lock(&outbox->lock);
    stats->queued_records = outbox->count;
    stats->queued_bytes = outbox->bytes;
    pthread_mutex_unlock(&outbox->lock);
}

static void outbox_close(void *sink)
{
    struct outbox *outbox = sink;

    pthread_mutex_lock(&outbox->lock);
    outbox->is_over = true;
    pthread_cond_signal(&outbox->wake);
    pthread_mutex_unlock(&outbox->lock);
    pthread_join(outbox->thread, NULL);
    report(outbox, take_all(&outbox->done));
    struct item *left = take_all(&outbox->todo);
    for (struct item *item = left; item; item = item->next) {
        item->result = SLUICE_FAILED;
    }
    report(outbox, left);
    close(outbox->fd);
    pthread_cond_destroy(&outbox->wake);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

static const struct sluice_option outbox_options[] = {
    {.name = "path",
     .type = SLUICE_STRING,
     .offset = offsetof(struct outbox_options, path),
     .is_required = true,
     .doc = "The file that records are appended to, a line each."},
    {.name = "sync",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct outbox_options, sync),
     .default_text = "false",
     .doc = "Acknowledge what the disk has, not what the system has."},
    {.name = "records",
     .type = SLUICE_INT,
     .offset = offsetof(struct outbox_options, records),
     .default_text = "1000",
     .min = 1,
     .max = 1000000,
     .doc = "So many are taken at once; then the streams wait."},
    {.name = NULL},
};

static const struct sluice_sink_plugin outbox_plugin = {
    .type = "outbox",
    .doc = "appends records to a file, by a thread of its own",
    .options = outbox_options,
    .options_size = sizeof(struct outbox_options),
    .check = outbox_check,
    .record_cost = outbox_record_cost,
    .open = outbox_open,
    .accept = outbox_accept,
    .flush = outbox_flush,
    .stats = outbox_stats,
    .close = outbox_close,
};

/* ---- the processor ---- */

struct envelope_options {
    const char *label;
    bool baseline;
};

struct envelope {
    const struct sluice_host *host;
    const struct envelope_options *options;
    char key[256]; /* of the last record: it stays as it is until the next one */
};

static void *envelope_open(const struct sluice_host *host, const void *options, char *error,
                           size_t error_size)
{
    struct envelope *envelope = calloc(1, sizeof(*envelope));

    if (!envelope) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    envelope->host = host;
    envelope->options = options;
    return envelope;
}

static bool is(struct sluice_str text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static enum sluice_verdict envelope_process(void *processor, struct sluice_record *record,
                                            char *error, size_t error_size)
{
    struct envelope *envelope = processor;
    size_t room = record->payload_len + strlen(envelope->options->label) + 64;

    if (!envelope->options->baseline && is(record->kind, "baseline")) {
        return SLUICE_FILTERED;
    }
    if (record->payload_len == 0 || !strchr("{[", record->payload[0])) {
        snprintf(error, error_size, "it is no JSON");
        return SLUICE_BROKEN;
    }
    char *payload = malloc(room);
    if (!payload) {
        snprintf(error, error_size, "out of memory");
        return SLUICE_BROKEN;
    }
    int len = snprintf(payload, room, "{\"label\":\"%s\",\"record\":%.*s}",
                       envelope->options->label, (int)record->payload_len, record->payload);
    free(record->payload);
    record->payload = payload;
    record->payload_len = (size_t)len;
    snprintf(envelope->key, sizeof(envelope->key), "%s/%.*s", envelope->options->label,
             (int)record->target.len, record->target.data);
    record->key = (struct sluice_str){envelope->key, strlen(envelope->key)};
    return SLUICE_KEPT;
}

static bool envelope_check(const void *options, char *error, size_t error_size)
{
    const struct envelope_options *own = options;

    if (strpbrk(own->label, "\"\\") || strlen(own->label) > 64) {
        snprintf(error, error_size, "'label': expected at most 64 bytes, without quotes");
        return false;
    }
    return true;
}

static void envelope_close(void *processor)
{
    free(processor);
}

static const struct sluice_option envelope_options[] = {
    {.name = "label",
     .type = SLUICE_STRING,
     .offset = offsetof(struct envelope_options, label),
     .default_text = "example",
     .doc = "What stands beside each record, and before its key."},
    {.name = "baseline",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct envelope_options, baseline),
     .default_text = "true",
     .doc = "false: the devices' first state is left out."},
    {.name = NULL},
};

static const struct sluice_processor_plugin envelope_plugin = {
    .type = "envelope",
    .doc = "puts records of JSON into an object with a label",
    .options = envelope_options,
    .options_size = sizeof(struct envelope_options),
    .check = envelope_check,
    .open = envelope_open,
    .process = envelope_process,
    .close = envelope_close,
};

/* ---- what the shared object exports ---- */

static const struct sluice_sink_plugin *const sinks[] = {&outbox_plugin, NULL};
static const struct sluice_processor_plugin *const processors[] = {&envelope_plugin, NULL};

const struct sluice_plugin sluice_plugin = {
    SLUICE_PLUGIN_HEAD, .name = "example",        .version = "1.0",
    .sinks = sinks,     .processors = processors,
};
