#include "topics.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * KAFKA_MAX_TOPICS }; /* a power of two, never more than half full */

struct topic {
    rd_kafka_topic_t *rkt; /* NULL: a free slot */
    uint32_t hash;
    size_t name_len;
    char name[KAFKA_MAX_TOPIC_BYTES + 1];
};

struct kafka_topics {
    rd_kafka_t *rk;
    size_t count;
    const struct topic *last; /* most records go where the one before went */
    struct topic *slots[SLOTS];
};

struct kafka_topics *kafka_topics_new(rd_kafka_t *rk)
{
    struct kafka_topics *topics = calloc(1, sizeof(*topics));

    if (topics) {
        topics->rk = rk;
    }
    return topics;
}

void kafka_topics_free(struct kafka_topics *topics)
{
    for (size_t i = 0; topics && i < SLOTS; i++) {
        if (topics->slots[i]) {
            rd_kafka_topic_destroy(topics->slots[i]->rkt);
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

static bool is_named(const struct topic *topic, struct sluice_str name)
{
    return topic->name_len == name.len && memcmp(topic->name, name.data, name.len) == 0;
}

static const struct topic *add(struct kafka_topics *topics, struct topic **slot,
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
    struct topic *topic = calloc(1, sizeof(*topic));
    if (topic) {
        topic->hash = hash;
        topic->name_len = name.len;
        memcpy(topic->name, name.data, name.len);
        topic->rkt = rd_kafka_topic_new(topics->rk, topic->name, NULL);
    }
    if (!topic || !topic->rkt) {
        *why = topic ? rd_kafka_err2str(rd_kafka_last_error()) : "out of memory";
        free(topic);
        return NULL;
    }
    *slot = topic;
    topics->count++;
    return topic;
}

rd_kafka_topic_t *kafka_topics_get(struct kafka_topics *topics, struct sluice_str name,
                                   const char **why)
{
    if (!topics->last || !is_named(topics->last, name)) {
        uint32_t hash = hash_of(name);
        size_t at = hash % SLOTS;

        while (topics->slots[at] &&
               (topics->slots[at]->hash != hash || !is_named(topics->slots[at], name))) {
            at = (at + 1) % SLOTS;
        }
        const struct topic *found = topics->slots[at];
        if (!found) {
            found = add(topics, &topics->slots[at], name, hash, why);
        }
        if (!found) {
            return NULL;
        }
        topics->last = found;
    }
    return topics->last->rkt;
}
