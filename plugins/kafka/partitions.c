#include "partitions.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "topics.h"

#define NS_PER_US INT64_C(1000)

struct kafka_partition {
    struct sluice_partition told;
    char topic[KAFKA_MAX_TOPIC_BYTES + 1];
};

void kafka_partitions_fini(struct kafka_partitions *partitions)
{
    free(partitions->rows);
    *partitions = (struct kafka_partitions){.rows = NULL};
}

size_t kafka_partitions_ask(struct kafka_partitions *partitions, struct sluice_partition *told,
                            size_t most, int64_t now_ms)
{
    size_t count = partitions->count < most ? partitions->count : most;

    if (now_ms - partitions->asked_ms > KAFKA_LOOK_MS) {
        count = 0; /* they are of then */
    }
    partitions->asked_ms = now_ms;
    if (!partitions->rows) {
        partitions->rows = calloc(SLUICE_MAX_PARTITIONS, sizeof(*partitions->rows));
    }
    for (size_t i = 0; i < count; i++) {
        told[i] = partitions->rows[i].told;
        told[i].destination =
            (struct sluice_str){partitions->rows[i].topic, strlen(partitions->rows[i].topic)};
    }
    return count;
}

/* ---- reading ---- */

/* The object behind a key that is there once. NULL: there is none. */
static json_t *find_object(const char *json, size_t len, const char *key)
{
    const char *at = memmem(json, len, key, strlen(key));

    if (!at) {
        return NULL;
    }
    at += strlen(key);
    json_t *object = json_loadb(at, len - (size_t)(at - json), JSON_DISABLE_EOF_CHECK, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static int64_t number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));

    return value > 0 ? value : 0;
}

/* Of a record on its way through the broker, in the last second; 0: none was. */
static int64_t latency_ns(json_t *brokers, int32_t id)
{
    static const char *const stages[] = {"int_latency", "outbuf_latency", "rtt"};
    const char *name;
    json_t *broker;

    json_object_foreach(brokers, name, broker)
    {
        int64_t sum_us = 0;
        (void)name;
        if (json_integer_value(json_object_get(broker, "nodeid")) != id) {
            continue;
        }
        for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
            sum_us += number(json_object_get(broker, stages[i]), "avg");
        }
        return sum_us * NS_PER_US;
    }
    return 0;
}

static void add(struct kafka_partitions *partitions, const char *topic, const json_t *row,
                json_t *brokers)
{
    struct kafka_partition *partition = &partitions->rows[partitions->count];
    json_int_t leader = json_integer_value(json_object_get(row, "leader"));
    json_int_t id = json_integer_value(json_object_get(row, "partition"));
    struct sluice_partition *told = &partition->told;

    *told = (struct sluice_partition){
        .number = id >= 0 && id <= INT32_MAX ? (int32_t)id : -1,
        .leader = leader >= 0 && leader <= INT32_MAX ? (int32_t)leader : -1,
        .queued_records =
            (uint64_t)number(row, "msgq_cnt") + (uint64_t)number(row, "xmit_msgq_cnt"),
        .queued_bytes =
            (uint64_t)number(row, "msgq_bytes") + (uint64_t)number(row, "xmit_msgq_bytes"),
        .sent_records = (uint64_t)number(row, "msgs_inflight"),
    };
    told->report_latency_ns = told->leader >= 0 ? latency_ns(brokers, told->leader) : 0;
    if ((told->number >= 0 || told->queued_records > 0) && strlen(topic) <= KAFKA_MAX_TOPIC_BYTES) {
        memcpy(partition->topic, topic, strlen(topic) + 1);
        partitions->count++;
    }
}

static bool has_records(const json_t *row)
{
    return number(row, "msgq_cnt") + number(row, "xmit_msgq_cnt") + number(row, "msgs_inflight") >
           0;
}

static void add_all(struct kafka_partitions *partitions, json_t *topics, json_t *brokers,
                    bool with_records)
{
    const char *topic, *id;
    json_t *about, *row;

    json_object_foreach(topics, topic, about)
    {
        json_object_foreach(json_object_get(about, "partitions"), id, row)
        {
            (void)id;
            if (partitions->count < SLUICE_MAX_PARTITIONS && json_is_object(row) &&
                has_records(row) == with_records) {
                add(partitions, topic, row, brokers);
            }
        }
    }
}

void kafka_partitions_read(struct kafka_partitions *partitions, const char *json, size_t len,
                           int64_t now_ms)
{
    if (!partitions->rows || now_ms - partitions->asked_ms > KAFKA_LOOK_MS) {
        return;
    }
    partitions->count = 0;
    if (len > KAFKA_MAX_STATISTICS_BYTES) {
        return;
    }
    json_t *topics = find_object(json, len, "\"topics\":");
    json_t *brokers = find_object(json, len, "\"brokers\":");
    add_all(partitions, topics, brokers, true);
    add_all(partitions, topics, brokers, false);
    json_decref(topics);
    json_decref(brokers);
}
