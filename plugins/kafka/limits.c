/* limits.c - how large a record may be: the topic's max.message.bytes, where a broker tells it. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

enum {
    ASK_MS = 5000,
    BATCH_BYTES = 160,  /* around one record: the batch's head, the record's lengths */
    HEADER_BYTES = 240, /* names, numbers and lengths of headers, beside the names in them */
};

void kafka_ask_limit(struct kafka *kafka, struct kafka_topic *topic)
{
    char text[KAFKA_TEXT_BYTES];
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(kafka->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic->name);

    topic->limit = KAFKA_LIMIT_ASKED;
    rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, text, sizeof(text));
    rd_kafka_AdminOptions_set_opaque(options, topic);
    if (kafka->broker_id >= 0) { /* any of them knows, and the controller may be away */
        rd_kafka_AdminOptions_set_broker(options, kafka->broker_id, text, sizeof(text));
    }
    rd_kafka_DescribeConfigs(kafka->rk, &resource, 1, options, kafka->answers);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
}

static uint64_t limit_in(const rd_kafka_ConfigResource_t *resource)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);

    for (size_t i = 0; i < count; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (value && strcmp(name, "max.message.bytes") == 0) {
            return strtoull(value, NULL, 10);
        }
    }
    return 0;
}

/* A batch may be as large as a record, so that a small limit bounds what may be out at once. */
static void set_limit(const struct kafka *kafka, struct kafka_topic *topic, uint64_t limit_bytes)
{
    topic->limit = KAFKA_LIMIT_KNOWN;
    if (limit_bytes) {
        topic->limit_bytes = limit_bytes;
        topic->most_out_bytes =
            limit_bytes < kafka->batch_bytes ? limit_bytes - limit_bytes / 4 : 0;
    }
}

static void read_answer(struct kafka *kafka, rd_kafka_event_t *event)
{
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    struct kafka_topic *topic = rd_kafka_event_opaque(event);
    uint64_t limit_bytes = 0;
    size_t count = 0;

    if (!topic || topic->limit != KAFKA_LIMIT_ASKED) {
        return;
    }
    if (result && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_ConfigResource_t **resources =
            rd_kafka_DescribeConfigs_result_resources(result, &count);
        if (count && rd_kafka_ConfigResource_error(resources[0]) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            limit_bytes = limit_in(resources[0]);
        }
    }
    set_limit(kafka, topic, limit_bytes);
    kafka->is_full = true; /* for those who waited for it */
}

void kafka_read_answers(struct kafka *kafka)
{
    for (rd_kafka_event_t *event; (event = rd_kafka_queue_poll(kafka->answers, 0));) {
        read_answer(kafka, event);
        rd_kafka_event_destroy(event);
    }
}

size_t kafka_most_bytes(const struct kafka *kafka, const struct kafka_topic *topic,
                        const struct sluice_record *record)
{
    uint64_t limit_bytes = topic->limit_bytes ? topic->limit_bytes : kafka->assumed_bytes;
    /* In a header a name may be three times as long. */
    size_t beside = BATCH_BYTES + HEADER_BYTES + record->key.len + record->kind.len +
                    3 * (record->format.len + record->target.len + record->subscription.len);

    if (kafka->has_id && topic->limit != KAFKA_LIMIT_KNOWN) {
        return SIZE_MAX;
    }
    limit_bytes = limit_bytes < kafka->client_bytes ? limit_bytes : kafka->client_bytes;
    return limit_bytes > beside ? limit_bytes - beside : 0;
}
