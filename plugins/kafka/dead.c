/* dead.c - records that can never be stored where they should be. */
#include <stdio.h>
#include <string.h>

#include "retry.h"

enum { MORE_BYTES = 1024 }; /* of headers and around them, which the letter has beside */

/* NULL: there is none, or it is where the record was refused, or it would not take it either. */
static struct kafka_topic *dead_topic(struct kafka *kafka, const struct kafka_topic *topic,
                                      const struct kafka_parked *parked)
{
    const char *name = kafka->options->dead_letter.topic;
    const char *why = NULL;

    if (!name || !name[0]) {
        return NULL;
    }
    struct kafka_topic *dead =
        kafka_topics_get(kafka->topics, (struct sluice_str){name, strlen(name)}, &why);
    if (!dead || dead == topic) {
        return NULL;
    }
    uint64_t most_bytes = dead->limit_bytes ? dead->limit_bytes : kafka->client_bytes;
    return parked->len + parked->key_len + MORE_BYTES < most_bytes ? dead : NULL;
}

static void add(struct kafka_parked *parked, const char *name, const char *value)
{
    rd_kafka_header_add(parked->headers, name, -1, value, -1);
}

void kafka_give_up(struct kafka *kafka, const struct kafka_topic *topic,
                   struct kafka_parked *parked, const struct kafka_error *error, const char *text)
{
    struct kafka_topic *dead = dead_topic(kafka, topic, parked);
    bool is_large = strcmp(error->reason, "too-large") == 0;
    char words[KAFKA_TROUBLE_BYTES];

    snprintf(words, sizeof(words), "topic %s: %s; %zu bytes, %s%s", topic->name, text, parked->len,
             dead ? "goes to " : "is dropped", dead ? dead->name : "");
    kafka_note(kafka, error->reason, words);
    if (!dead) {
        kafka_settle(kafka, parked->item, parked->len, is_large ? SLUICE_TOO_LARGE : SLUICE_FAILED,
                     text);
        kafka_parked_free(parked);
        return;
    }
    if (!parked->headers) {
        parked->headers = rd_kafka_headers_new(4);
    }
    add(parked, "sluice-dead-reason", error->reason);
    add(parked, "sluice-dead-text", text);
    add(parked, "sluice-dead-topic", topic->name);
    parked->item->result = SLUICE_DEAD_LETTER;
    parked->item->partition = RD_KAFKA_PARTITION_UA;
    parked->item->order = ++kafka->order;
    parked->partition = RD_KAFKA_PARTITION_UA;
    kafka_park(kafka, dead, parked);
    kafka->host->calls->timer_start(kafka->retry_timer, 0);
}
