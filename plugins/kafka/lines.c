/* lines.c - librdkafka's log: some lines are for the operator, and from some of its debug lines one
 * learns what it keeps to itself, for it tries again: why brokers refuse batches, what is wrong
 * with topics, and when the producer has its id. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"
#include "restart.h"

enum { SYSLOG_DEBUG = 7, MAX_LINES = 1000, MAX_TEXT_BYTES = 1000 };

static const char refused[] = "encountered error: ";
static const char topic_error[] = "Error in metadata reply for topic ";
static const char no_leader[] = " Leader -1";
static const char has_id[] = "-> Assigned";
static const char epoch_bump[] = "epoch bump";
static const char gapless[] = "enable.gapless.guarantee is experimental"; /* it is tried by tests */

static bool is_telling(const char *facility, const char *text)
{
    if (strcmp(facility, "MSGSET") == 0) {
        return strstr(text, refused) != NULL;
    }
    if (strcmp(facility, "METADATA") == 0) {
        return strstr(text, topic_error) || strstr(text, no_leader);
    }
    if (strcmp(facility, "DRAIN") == 0) {
        return strstr(text, epoch_bump) != NULL;
    }
    return strcmp(facility, "IDEMPSTATE") == 0 && strstr(text, has_id);
}

/* Any thread of librdkafka's. There are two lines for each request; few of them are kept. That a
 * batch was refused is said while its records are nowhere: not yet to be sent again, and no longer
 * out, so that the thread of a new leader may send what follows them, which that refuses, whereupon
 * librdkafka begins a new epoch. So that line does not ring, which could cost this thread its
 * processor; the statistics do, every second. */
void kafka_on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    static const uint64_t ring = 1;
    struct kafka *kafka = rd_kafka_opaque(rk);
    bool is_wanted = level < SYSLOG_DEBUG || kafka->has_debug || is_telling(facility, text);

    if (!is_wanted || strstr(text, gapless)) {
        return;
    }
    size_t len = strnlen(text, MAX_TEXT_BYTES);
    struct kafka_line *line = calloc(1, sizeof(*line) + len + 1);
    if (!line) {
        return;
    }
    line->level = level;
    snprintf(line->facility, sizeof(line->facility), "%s", facility);
    memcpy(line->text, text, len);
    pthread_mutex_lock(&kafka->lines_lock);
    bool has_room = kafka->line_count < MAX_LINES;
    if (has_room) {
        line->next = kafka->lines;
        kafka->lines = line;
        kafka->line_count++;
    }
    pthread_mutex_unlock(&kafka->lines_lock);
    if (!has_room) {
        free(line);
    }
    if (level < SYSLOG_DEBUG || strcmp(facility, "MSGSET") != 0) {
        ssize_t count = write(kafka->event_fd, &ring, sizeof(ring));
        (void)count; /* it cannot be full */
    }
}

/* `where` is "127.0.0.1:9092/1: t [0]". Of which errors the leader may have stored the batch before
 * it was none any more. */
static void note_doubt(struct kafka *kafka, const char *where, size_t len,
                       const struct kafka_error *error)
{
    static const char *const reasons[] = {"leader-moved", "topic-missing", "broker-storage"};
    char text[KAFKA_TROUBLE_BYTES];
    bool is_doubtful = false;

    for (size_t i = 0; error && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        is_doubtful = is_doubtful || strcmp(reasons[i], error->reason) == 0;
    }
    is_doubtful = is_doubtful && error->code != RD_KAFKA_RESP_ERR__RETRY;
    snprintf(text, sizeof(text), "%.*s", (int)len, where);
    char *partition = strrchr(text, '[');
    char *name = strrchr(text, ' ');
    if (!is_doubtful || !partition || name != partition - 1) {
        return;
    }
    *name = '\0';
    name = strrchr(text, ' ');
    name = name ? name + 1 : text;
    struct kafka_topic *topic =
        kafka_topics_find(kafka->topics, (struct sluice_str){name, strlen(name)});
    if (topic) {
        kafka_topic_doubt(topic, (int32_t)strtol(partition + 1, NULL, 10), kafka->order);
    }
}

/* "[thrd:…]: 127.0.0.1:9092/1: t [0]: MessageSet with … encountered error: … (actions …)". What is
 * permanent comes back as a report. */
static void read_refusal(struct kafka *kafka, const char *text)
{
    char words[KAFKA_TROUBLE_BYTES];
    const char *why = strstr(text, refused);
    const char *what = strstr(text, ": MessageSet with ");
    const char *where = strstr(text, "]: ");
    const char *actions = strstr(text, " (actions ");

    if (!why || !what || !where || !actions || strstr(actions, "Permanent")) {
        return;
    }
    where = where < what ? where + 3 : text;
    why += sizeof(refused) - 1;
    const struct kafka_error *error = kafka_error_in(why);
    snprintf(words, sizeof(words), "%.*s: %.*s; librdkafka tries again", (int)(what - where), where,
             (int)(actions > why ? actions - why : 0), why);
    kafka_note(kafka, error ? error->reason : "unknown", words);
    note_doubt(kafka, where, (size_t)(what - where), error);
}

static void read_metadata(struct kafka *kafka, const char *text)
{
    char words[KAFKA_TROUBLE_BYTES];
    const char *at = strstr(text, topic_error);
    const char *leader = strstr(text, no_leader);

    if (at) {
        const char *why = strstr(at, "): ");
        const struct kafka_error *error = why ? kafka_error_in(why + 3) : NULL;
        snprintf(words, sizeof(words), "topic %s", at + sizeof(topic_error) - 1);
        kafka_note(kafka, error ? error->reason : "unknown", words);
    } else if (leader) {
        const char *topic = strstr(text, "Topic ");
        snprintf(words, sizeof(words), "%.*s: it has no leader", (int)(topic ? leader - topic : 0),
                 topic ? topic : "");
        kafka_note(kafka, "leader-unknown", words);
    }
}

static void read_line(struct kafka *kafka, const struct kafka_line *line)
{
    /* syslog's: 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
    static const enum sluice_level levels[] = {SLUICE_ERROR, SLUICE_ERROR, SLUICE_ERROR,
                                               SLUICE_ERROR, SLUICE_WARN,  SLUICE_INFO,
                                               SLUICE_INFO,  SLUICE_DEBUG};

    if (line->level < SYSLOG_DEBUG || kafka->has_debug) {
        kafka->host->calls->log(kafka->host, levels[line->level & 7], "%s: %s", line->facility,
                                line->text);
    }
    if (strcmp(line->facility, "MSGSET") == 0) {
        read_refusal(kafka, line->text);
    } else if (strcmp(line->facility, "METADATA") == 0) {
        read_metadata(kafka, line->text);
    } else if (strcmp(line->facility, "DRAIN") == 0 && strstr(line->text, epoch_bump)) {
        kafka_note_epoch(kafka, line->text);
    } else if (strcmp(line->facility, "IDEMPSTATE") == 0 && strstr(line->text, has_id) &&
               kafka->state == KAFKA_RUNNING && !kafka->has_id && !kafka->is_closing) {
        kafka_note_id(kafka);
    }
}

static struct kafka_line *take_lines(struct kafka *kafka)
{
    pthread_mutex_lock(&kafka->lines_lock);
    struct kafka_line *newest = kafka->lines;
    kafka->lines = NULL;
    kafka->line_count = 0;
    pthread_mutex_unlock(&kafka->lines_lock);
    struct kafka_line *oldest = NULL;
    while (newest) {
        struct kafka_line *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void kafka_read_lines(struct kafka *kafka)
{
    struct kafka_line *line = take_lines(kafka);

    while (line) {
        struct kafka_line *next = line->next;
        read_line(kafka, line);
        free(line);
        line = next;
    }
}
