/* A compacted topic, read from its beginning: the key of a record is a target's name, its value
 * what is said of it; a record without a value takes the target away. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/log.h"
#include "config/config.h"
#include "discovery/records.h"
#include "discovery/source.h"

enum { POLL_MS = 200, ASK_MS = 2000, MAX_PARTITIONS = 1000, WORDS_BYTES = 200 };

struct kafka {
    struct sl_source *source;
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    rd_kafka_queue_t *queue;
    int partitions; /* that are read, from 0 */
    int ends;       /* of them, reached once */
    bool *has_end;
    bool has_news; /* records since the last publication */
    struct sl_records *records;
    struct sl_status wrong; /* the last record that was no target */
};

/* ---- configuration ---- */

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, struct sl_status *why)
{
    char words[WORDS_BYTES];

    if (rd_kafka_conf_set(conf, name, value, words, sizeof(words)) == RD_KAFKA_CONF_OK) {
        return true;
    }
    /* librdkafka's own words may show the value, which may be a password. */
    *why =
        sl_status_error(SL_INVALID_ARGUMENT,
                        "'properties': librdkafka does not take this value of %.80s, or knows no "
                        "such property",
                        name);
    return false;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    sl_log(SL_LOG_DEBUG, NULL, "discovery: librdkafka", sl_log_text("facility", facility),
           sl_log_text("said", text));
}

static bool set_brokers(rd_kafka_conf_t *conf, const struct sluice_strings *brokers,
                        struct sl_status *why)
{
    struct sl_buf list = {0};

    for (size_t i = 0; i < brokers->count; i++) {
        sl_buf_printf(&list, "%s%s", i ? "," : "", brokers->items[i]);
    }
    bool is_set = !list.failed && set(conf, "bootstrap.servers", sl_buf_text(&list), why);
    sl_buf_fini(&list);
    return is_set;
}

static rd_kafka_conf_t *make_conf(const struct sl_source_options *options, struct sl_status *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool is_set = set(conf, "client.id", "sluice-discovery", why) &&
                  set(conf, "auto.offset.reset", "earliest", why) &&
                  set(conf, "queued.max.messages.kbytes", "4096", why);

    for (size_t i = 0; is_set && i < options->properties.count; i++) {
        const struct sluice_pair *pair = &options->properties.pairs[i];
        is_set = set(conf, pair->name, pair->value, why);
    }
    is_set = is_set && set(conf, "enable.partition.eof", "true", why) &&
             set_brokers(conf, &options->brokers, why);
    if (!is_set) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    return conf;
}

bool sl_source_check_kafka(const struct sl_source_options *options, struct sl_status *why)
{
    rd_kafka_conf_t *conf = make_conf(options, why);

    if (conf) {
        rd_kafka_conf_destroy(conf);
    }
    return conf != NULL;
}

/* ---- records ---- */

static void place_of(const struct kafka *kafka, char place[WORDS_BYTES])
{
    snprintf(place, WORDS_BYTES, "kafka:%.150s", kafka->source->spec->options.topic);
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
               sl_log_text("why", kafka->wrong.text));
    }
    kafka->has_news = true;
}

static void take_end(struct kafka *kafka, int partition)
{
    if (partition >= 0 && partition < kafka->partitions && !kafka->has_end[partition]) {
        kafka->has_end[partition] = true;
        kafka->ends++;
        kafka->has_news = true;
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
        sl_source_keep(source, sl_buf_str(&text));
        sl_source_publish(source, found, count, NULL, &kafka->wrong);
        kafka->has_news = false;
    }
    sl_buf_fini(&text);
}

static void read_some(struct kafka *kafka)
{
    rd_kafka_message_t *message = rd_kafka_consume_queue(kafka->queue, POLL_MS);

    if (!message) {
        if (kafka->has_news && kafka->ends == kafka->partitions) {
            publish(kafka);
        }
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

/* Asks how many partitions there are, which also says whether anybody answers. */
static bool ask(struct kafka *kafka)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka->rk, 0, kafka->topic, &metadata, ASK_MS);
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
        sl_source_fail(kafka->source, &why);
        return false;
    }
    return true;
}

/* ---- life ---- */

static bool open_topic(struct kafka *kafka, struct sl_status *why)
{
    const struct sl_source_options *options = &kafka->source->spec->options;
    rd_kafka_conf_t *conf = make_conf(options, why);
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

static void take_kept(struct kafka *kafka)
{
    struct sl_source *source = kafka->source;
    struct sl_found *found = NULL;
    size_t count = 0;
    struct sl_buf text = {0};
    struct sl_status why;
    char place[WORDS_BYTES];

    place_of(kafka, place);
    if (sl_source_load_kept(source, &text) &&
        sl_source_is_document(place, sl_buf_str(&text), &why) &&
        sl_source_add(&found, &count, source, place, sl_buf_str(&text))) {
        sl_source_publish(source, found, count, NULL, NULL);
        sl_source_mark_kept(source);
    }
    sl_buf_fini(&text);
}

static void read_until(struct kafka *kafka, int64_t until_ns)
{
    struct sl_source *source = kafka->source;

    while (!sl_source_is_stopping(source) && sl_loop_wall_ns() < until_ns) {
        rd_kafka_poll(kafka->rk, 0);
        read_some(kafka);
    }
}

void sl_source_run_kafka(struct sl_source *source)
{
    struct kafka kafka = {.source = source};
    struct sl_status why;
    int64_t interval_ns = source->spec->options.interval_ns;

    take_kept(&kafka);
    if (!open_topic(&kafka, &why)) {
        sl_source_fail(source, &why);
        close_topic(&kafka);
        return;
    }
    while (!sl_source_is_stopping(source)) {
        bool is_well = ask(&kafka);
        if (is_well && kafka.ends == kafka.partitions && !kafka.has_news &&
            sl_status_is_ok(&kafka.wrong)) {
            sl_source_confirm(source);
        }
        if (kafka.partitions > 0) {
            read_until(&kafka, sl_loop_wall_ns() + interval_ns);
        } else {
            (void)sl_source_sleep(source, SL_NS_PER_S);
        }
    }
    close_topic(&kafka);
}
