/* A compacted topic, read from its beginning: the key of a record is a target's name, its value
 * what is said of it; a record without a value takes the target away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "discovery/kafka.h"
#include "discovery/records.h"
#include "discovery/source.h"

enum { POLL_MS = 200, ASK_MS = 2000, ASK_PARTS = 8, MAX_PARTITIONS = 1000, WORDS_BYTES = 200 };

/* Records that keep coming are not waited for any longer. */
#define MOST_WAIT_NS (2 * SL_NS_PER_S)

struct kafka {
    struct sl_source *source;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int partitions; /* that are read, from 0 */
    int ends;       /* of them, reached once */
    bool *has_end;
    bool has_news;   /* records since the last publication */
    int64_t news_ns; /* when the first of them came; monotonic */
    struct sl_records *records;
    struct sl_status wrong; /* the last record that was no target; while some are */
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

/* ---- records ---- */

static void place_of(const struct kafka *kafka, char place[WORDS_BYTES])
{
    snprintf(place, WORDS_BYTES, "kafka:%.150s", kafka->source->spec->options.topic);
}

static void note_news(struct kafka *kafka)
{
    if (!kafka->has_news) {
        kafka->has_news = true;
        kafka->news_ns = now_ns();
    }
}

static void take_record(struct kafka *kafka, const rd_kafka_message_t *message)
{
    const struct sl_str key = {message->key, message->key_len};
    const struct sl_str value = {message->payload, message->len};
    struct sl_status why;

    if (!sl_records_take(kafka->records, key, message->payload ? &value : NULL, &why)) {
        kafka->wrong =
            sl_status_error(why.code, "partition %d, offset %lld: %s", (int)message->partition,
                            (long long)message->offset, why.text);
        sl_log(SL_LOG_WARN, NULL, "discovery: a record is no target",
               sl_log_text("source", kafka->source->spec->name),
               sl_log_text("reason", sl_status_reason(&kafka->wrong)),
               sl_log_text("why", kafka->wrong.text));
    } else if (sl_records_wrong(kafka->records) == 0) {
        kafka->wrong = sl_status_ok();
    }
    note_news(kafka);
}

static void take_end(struct kafka *kafka, int partition)
{
    if (partition >= 0 && partition < kafka->partitions && !kafka->has_end[partition]) {
        kafka->has_end[partition] = true;
        kafka->ends++;
        note_news(kafka);
    }
}

/* All that is known, as one document. */
static void publish(struct kafka *kafka)
{
    struct sl_source *source = kafka->source;
    struct sl_found *found = NULL;
    size_t count = 0;
    struct sl_buf text = {0};
    char place[WORDS_BYTES];

    place_of(kafka, place);
    sl_records_print(kafka->records, &text);
    if (text.failed || !sl_source_add(&found, &count, source, place, sl_buf_str(&text))) {
        struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        sl_found_free(found, count);
        sl_source_fail(source, &why);
    } else {
        if (!sl_source_knows(source, sl_buf_str(&text))) {
            sl_source_keep(source, sl_buf_str(&text));
        }
        sl_source_publish(source, found, count, NULL, &kafka->wrong);
        kafka->has_news = false;
    }
    sl_buf_fini(&text);
}

static void read_some(struct kafka *kafka)
{
    rd_kafka_message_t *message = rd_kafka_consume_queue(kafka->queue, POLL_MS);
    bool is_due = !message || now_ns() - kafka->news_ns > MOST_WAIT_NS;

    if (kafka->has_news && is_due && kafka->ends == kafka->partitions) {
        publish(kafka);
    }
    if (!message) {
        return;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        take_record(kafka, message);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        take_end(kafka, message->partition);
    } else {
        struct sl_status why =
            sl_status_error(SL_UNAVAILABLE, "kafka:%.80s: %.100s",
                            kafka->source->spec->options.topic, rd_kafka_err2str(message->err));
        sl_source_fail(kafka->source, &why);
    }
    rd_kafka_message_destroy(message);
}

/* ---- partitions ---- */

static bool start_partitions(struct kafka *kafka, int count)
{
    bool *has_end = realloc(kafka->has_end, (size_t)count * sizeof(*has_end));

    if (!has_end) {
        return false;
    }
    kafka->has_end = has_end;
    while (kafka->partitions < count) {
        has_end[kafka->partitions] = false;
        if (rd_kafka_consume_start_queue(kafka->topic, kafka->partitions, RD_KAFKA_OFFSET_BEGINNING,
                                         kafka->queue) != 0) {
            return false;
        }
        kafka->partitions++;
    }
    return true;
}

/* In several parts, so that an end is not waited for. */
static rd_kafka_resp_err_t ask_metadata(const struct kafka *kafka,
                                        const struct rd_kafka_metadata **metadata)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TRANSPORT;

    for (int i = 0; i < ASK_PARTS && !sl_source_is_stopping(kafka->source); i++) {
        error = rd_kafka_metadata(kafka->rk, 0, kafka->topic, metadata, ASK_MS / ASK_PARTS);
        if (error != RD_KAFKA_RESP_ERR__TRANSPORT && error != RD_KAFKA_RESP_ERR__TIMED_OUT) {
            break;
        }
    }
    return error;
}

/* Asks how many partitions there are, which also says whether anybody answers. */
static bool ask(struct kafka *kafka)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = ask_metadata(kafka, &metadata);
    bool is_known = error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1;
    int count = 0;

    if (is_known) {
        error = metadata->topics[0].err;
        count = metadata->topics[0].partition_cnt;
        is_known = error == RD_KAFKA_RESP_ERR_NO_ERROR && count > 0 && count <= MAX_PARTITIONS;
    }
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    }
    if (!is_known || !start_partitions(kafka, count)) {
        struct sl_status why = sl_status_error(
            SL_UNAVAILABLE, "kafka:%.80s: %.100s", kafka->source->spec->options.topic,
            error ? rd_kafka_err2str(error) : "its partitions cannot be read");
        if (!sl_source_is_stopping(kafka->source)) {
            sl_source_fail(kafka->source, &why);
        }
        return false;
    }
    return true;
}

/* ---- life ---- */

static bool open_topic(struct kafka *kafka, struct sl_status *why)
{
    const struct sl_source_options *options = &kafka->source->spec->options;
    rd_kafka_conf_t *conf = sl_source_kafka_conf(options, why);
    char words[WORDS_BYTES] = "";

    if (!conf) {
        return false;
    }
    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof(words));
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        *why = sl_status_error(SL_INVALID_ARGUMENT, "'properties': %.180s", words);
        return false;
    }
    kafka->topic = rd_kafka_topic_new(kafka->rk, options->topic, NULL);
    kafka->queue = rd_kafka_queue_new(kafka->rk);
    kafka->records = sl_records_new(options->max_bytes);
    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    return kafka->topic && kafka->queue && kafka->records;
}

static void close_topic(struct kafka *kafka)
{
    for (int i = 0; i < kafka->partitions; i++) {
        rd_kafka_consume_stop(kafka->topic, i);
    }
    if (kafka->queue) {
        rd_kafka_queue_destroy(kafka->queue);
    }
    if (kafka->topic) {
        rd_kafka_topic_destroy(kafka->topic);
    }
    if (kafka->rk) {
        rd_kafka_destroy(kafka->rk);
    }
    sl_records_free(kafka->records);
    free(kafka->has_end);
}

static void read_until(struct kafka *kafka, int64_t until_ns)
{
    struct sl_source *source = kafka->source;

    while (!sl_source_is_stopping(source) && now_ns() < until_ns) {
        rd_kafka_poll(kafka->rk, 0);
        read_some(kafka);
    }
}

/* Brokers answer, and all that there is was read. */
static void confirm(const struct kafka *kafka)
{
    if (sl_status_is_ok(&kafka->wrong)) {
        sl_source_confirm(kafka->source);
    } else {
        sl_source_fail(kafka->source, &kafka->wrong);
    }
}

void sl_source_run_kafka(struct sl_source *source)
{
    struct kafka kafka = {.source = source};
    struct sl_status why;
    char place[WORDS_BYTES];
    int64_t interval_ns = source->spec->options.interval_ns;

    place_of(&kafka, place);
    sl_source_take_kept(source, place);
    if (!open_topic(&kafka, &why)) {
        sl_source_fail(source, &why);
        close_topic(&kafka);
        return;
    }
    while (!sl_source_is_stopping(source)) {
        if (ask(&kafka) && kafka.ends == kafka.partitions && !kafka.has_news) {
            confirm(&kafka);
        }
        if (kafka.partitions > 0) {
            read_until(&kafka, now_ns() + interval_ns);
        } else {
            (void)sl_source_sleep(source, SL_NS_PER_S);
        }
    }
    close_topic(&kafka);
}
