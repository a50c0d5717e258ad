#include "brokers.h"

#include <string.h>

#include <jansson.h>

static void add(struct kafka_brokers *brokers, const json_t *broker)
{
    const char *state = json_string_value(json_object_get(broker, "state"));
    const char *source = json_string_value(json_object_get(broker, "source"));

    if (source && strcmp(source, "internal") == 0) {
        return; /* librdkafka's own queue of what has no broker yet */
    }
    brokers->known++;
    bool is_up = state && strcmp(state, "UP") == 0;
    json_int_t id = json_integer_value(json_object_get(broker, "nodeid"));
    brokers->up += is_up;
    if (is_up && id >= 0 && id <= INT32_MAX) {
        brokers->up_id = (int32_t)id;
    }
    json_int_t retries = json_integer_value(json_object_get(broker, "txretries"));
    brokers->retries += retries > 0 ? (uint64_t)retries : 0;
}

bool kafka_brokers_read(const char *json, size_t len, struct kafka_brokers *brokers)
{
    static const char key[] = "\"brokers\":";
    const char *at = memmem(json, len, key, sizeof(key) - 1);

    *brokers = (struct kafka_brokers){.up_id = -1};
    if (!at) {
        return false;
    }
    at += sizeof(key) - 1;
    json_t *all = json_loadb(at, len - (size_t)(at - json), JSON_DISABLE_EOF_CHECK, NULL);
    if (!json_is_object(all)) {
        json_decref(all);
        return false;
    }
    const char *name;
    json_t *broker;
    json_object_foreach(all, name, broker)
    {
        (void)name;
        add(brokers, broker);
    }
    json_decref(all);
    return true;
}

bool kafka_has_producer_id(const char *json, size_t len)
{
    static const char key[] = "\"idemp_state\"";
    static const char value[] = "\"Assigned\"";
    const char *at = memmem(json, len, key, sizeof(key) - 1);

    if (!at) {
        return false;
    }
    at += sizeof(key) - 1;
    size_t left = len - (size_t)(at - json);
    const char *end = memchr(at, ',', left);
    return end && memmem(at, (size_t)(end - at), value, sizeof(value) - 1) != NULL;
}
