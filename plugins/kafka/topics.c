#include "topics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * KAFKA_MAX_TOPICS }; /* a power of two, never more than half full */

struct kafka_topics {
    size_t count;
    struct kafka_topic *last; /* most records go where the one before went */
    struct kafka_topic *slots[SLOTS];
};

struct kafka_topics *kafka_topics_new(void)
{
    return calloc(1, sizeof(struct kafka_topics));
}

void kafka_topics_leave(struct kafka_topics *topics)
{
    for (size_t i = 0; topics && i < SLOTS; i++) {
        struct kafka_topic *topic = topics->slots[i];
        if (topic && topic->rkt) {
            rd_kafka_topic_destroy(topic->rkt);
            topic->rkt = NULL;
        }
        if (topic && topic->limit == KAFKA_LIMIT_ASKED) {
            topic->limit = KAFKA_LIMIT_UNASKED;
        }
        if (topic) {
            topic->doubt_count = 0;
            topic->is_all_doubtful = false;
        }
    }
}

void kafka_topics_free(struct kafka_topics *topics)
{
    kafka_topics_leave(topics);
    for (size_t i = 0; topics && i < SLOTS; i++) {
        if (topics->slots[i]) {
            free(topics->slots[i]->doubts);
            free(topics->slots[i]);
        }
    }
    free(topics);
}

/* FNV-1a: names are few and short, and a bad spread costs at most KAFKA_MAX_TOPICS steps. */
static uint32_t hash_of(struct sluice_str name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    }
    return hash;
}

static bool is_legal(struct sluice_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!isascii((unsigned char)c) ||
            (!isalnum((unsigned char)c) && c != '.' && c != '_' && c != '-')) {
            return false;
        }
    }
    bool is_dots =
        name.len > 0 && name.len <= 2 && name.data[0] == '.' && name.data[name.len - 1] == '.';
    return name.len > 0 && name.len <= KAFKA_MAX_TOPIC_BYTES && !is_dots;
}

static bool is_named(const struct kafka_topic *topic, struct sluice_str name)
{
    return topic->name_len == name.len && memcmp(topic->name, name.data, name.len) == 0;
}

static struct kafka_topic *add(struct kafka_topics *topics, struct kafka_topic **slot,
                               struct sluice_str name, uint32_t hash, const char **why)
{
    if (!is_legal(name)) {
        *why = "the topic's name is not one that Kafka takes (1 to 249 of a-z A-Z 0-9 . _ -)";
        return NULL;
    }
    if (topics->count == KAFKA_MAX_TOPICS) {
        *why = "more topics than a sink may have (1024 on each worker)";
        return NULL;
    }
    struct kafka_topic *topic = calloc(1, sizeof(*topic));
    if (!topic) {
        *why = "out of memory";
        return NULL;
    }
    topic->hash = hash;
    topic->name_len = name.len;
    memcpy(topic->name, name.data, name.len);
    *slot = topic;
    topics->count++;
    return topic;
}

/* Where it is, or would be. */
static struct kafka_topic **slot_of(struct kafka_topics *topics, struct sluice_str name,
                                    uint32_t hash)
{
    size_t at = hash % SLOTS;

    while (topics->slots[at] &&
           (topics->slots[at]->hash != hash || !is_named(topics->slots[at], name))) {
        at = (at + 1) % SLOTS;
    }
    return &topics->slots[at];
}

struct kafka_topic *kafka_topics_find(struct kafka_topics *topics, struct sluice_str name)
{
    return *slot_of(topics, name, hash_of(name));
}

struct kafka_topic *kafka_topics_get(struct kafka_topics *topics, struct sluice_str name,
                                     const char **why)
{
    if (!topics->last || !is_named(topics->last, name)) {
        uint32_t hash = hash_of(name);
        struct kafka_topic **slot = slot_of(topics, name, hash);
        struct kafka_topic *found = *slot ? *slot : add(topics, slot, name, hash, why);

        if (!found) {
            return NULL;
        }
        topics->last = found;
    }
    return topics->last;
}

rd_kafka_topic_t *kafka_topic_handle(struct kafka_topic *topic, rd_kafka_t *rk,
                                     rd_kafka_resp_err_t *code)
{
    if (!topic->rkt) {
        rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
        rd_kafka_topic_conf_set_opaque(conf, topic);
        topic->rkt = rd_kafka_topic_new(rk, topic->name, conf);
        if (!topic->rkt) {
            *code = rd_kafka_last_error();
            rd_kafka_topic_conf_destroy(conf);
        }
    }
    return topic->rkt;
}

struct kafka_topic *kafka_topic_of(const rd_kafka_message_t *message)
{
    return rd_kafka_topic_opaque(message->rkt);
}

/* ---- what may be stored ---- */

static struct kafka_doubt *doubt_of(const struct kafka_topic *topic, int32_t partition)
{
    for (size_t i = 0; i < topic->doubt_count; i++) {
        if (topic->doubts[i].partition == partition) {
            return &topic->doubts[i];
        }
    }
    return NULL;
}

void kafka_topic_doubt(struct kafka_topic *topic, int32_t partition, uint64_t order)
{
    struct kafka_doubt *found = doubt_of(topic, partition);

    if (!found) {
        struct kafka_doubt *more = realloc(topic->doubts, (topic->doubt_count + 1) * sizeof(*more));
        if (!more) {
            topic->is_all_doubtful = true;
            return;
        }
        topic->doubts = more;
        found = &more[topic->doubt_count++];
    }
    *found = (struct kafka_doubt){.partition = partition, .order = order};
}

void kafka_topic_stored(struct kafka_topic *topic, int32_t partition, uint64_t order)
{
    struct kafka_doubt *found = doubt_of(topic, partition);

    if (found && order > found->order) {
        *found = topic->doubts[--topic->doubt_count];
    }
}

bool kafka_topic_is_doubtful(const struct kafka_topic *topic, int32_t partition, uint64_t order)
{
    const struct kafka_doubt *found = doubt_of(topic, partition);

    return topic->is_all_doubtful || (found && order <= found->order);
}
