#include "conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

enum { VALUE_BYTES = 512, NAME_BYTES = 256, MAX_PORT = 65535 };

struct property {
    const char *name;
    const char *value; /* NULL: librdkafka's own default stays */
    const char *why;   /* it may not be changed */
};

static const char forever[] =
    "a record waits as long as Kafka needs: that is what holds the device";
static const char shared[] = "all partitions share this limit, so one that stands still would fill "
                             "it for the others; credit "
                             "is the bound";
static const char repeats[] = "a retry could double records or change their order";
static const char reports[] = "sluice waits for the report of each record";

static const struct property fixed[] = {
    {"message.timeout.ms", "0", forever},
    {"message.send.max.retries", NULL, forever},
    {"queue.buffering.max.messages", "0", shared},
    {"queue.buffering.max.kbytes", "2147483647", shared},
    {"enable.idempotence", "true", repeats},
    {"enable.gapless.guarantee", "true", "records behind one that is refused would overtake it"},
    {"acks", "all", "credit returns when all in-sync replicas have the record"},
    {"queuing.strategy", NULL, repeats},
    {"transactional.id", NULL, "sluice begins no transactions, so nothing would ever be sent"},
    {"delivery.report.only.error", NULL, reports},
    {"enabled_events", NULL, reports},
    {"statistics.interval.ms", "1000", "sluice reads from them which brokers are up"},
    {"log.queue", "false", "librdkafka's log goes through sluice's own"},
    {"bootstrap.servers", NULL, "they are given by the option brokers"},
};

enum { FIXED = sizeof(fixed) / sizeof(fixed[0]) };

/* What a user may change under `properties`. */
static const struct property defaults[] = {
    /* With more, what follows a refused request may be refused, too, and librdkafka begins a new
     * epoch of the producer (issue 4953 there, open), which is a new producer here (restart.h). One
     * cost nothing that was seen, as batches grow meanwhile: up to 60 partitions, 100,000 updates a
     * second and as many as go, 0 to 50 ms of round trip. */
    {"max.in.flight", "1", NULL},
    /* Linger adds to the round trip of credit, and while a request is out a batch grows by itself.
     * But without any, each of a few records is a request (at 50,000 records a second 6 us of CPU
     * each, 1.9 with 5 ms); and where linger is shorter than the broker's round trip, librdkafka
     * 2.0.2's idempotent producer polls without sleeping: 20 times the CPU time at 1 ms of linger
     * and 2 ms of round trip. Smaller batches than librdkafka's own gained nothing. */
    {"linger.ms", "5", NULL},
    {"socket.nagle.disable", "true", NULL},
    {"socket.keepalive.enable", "true", NULL},
    /* A connection that nothing needs at the moment would count as a broker that is down. */
    {"enable.sparse.connections", "false", NULL},
    {"reconnect.backoff.max.ms", "2000", NULL},
    /* The topic has the say, and not one limit for all; a batch of several is no larger for it. */
    {"message.max.bytes", "33554432", NULL},
    /* A topic that does not exist yet holds its records for this long, instead of 30 s. */
    {"topic.metadata.propagation.max.ms", "2147483", NULL},
};

/* What a user may set, but not so high. */
static const struct limit {
    const char *prefix; /* of each of its names */
    const char *name;   /* the canonical one */
    long max;
    const char *why;
} limits[] = {
    {"max.in.flight", "max.in.flight.requests.per.connection", 5, repeats},
    {"topic.metadata.propagation", "topic.metadata.propagation.max.ms", 2147483,
     "librdkafka would count it as no time at all"}, /* 2.0.2: an int of microseconds */
};

/* What lines.c reads: two debug lines for each request, which go no further than its filter. */
static const char debug_contexts[] = "msg,topic,eos";

enum { ASSUMED_BYTES = 1000 * 1000 };

static bool is_secret(const char *name)
{
    static const char *const marks[] = {"password", "secret", ".pem", "ssl_key",
                                        "ssl.key",  "config", "jaas"};

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strstr(name, marks[i])) {
            return true;
        }
    }
    return false;
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char *error,
                size_t error_size)
{
    char text[VALUE_BYTES];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof(text));

    if (result == RD_KAFKA_CONF_OK) {
        return true;
    }
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        snprintf(error, error_size, "property %s: librdkafka knows no such property", name);
    } else {
        snprintf(error, error_size, "property %s: %s", name, is_secret(name) ? "bad value" : text);
    }
    return false;
}

static bool set_all(rd_kafka_conf_t *conf, const struct property *properties, size_t count,
                    char *error, size_t error_size)
{
    for (size_t i = 0; i < count; i++) {
        if (properties[i].value &&
            !set(conf, properties[i].name, properties[i].value, error, error_size)) {
            return false;
        }
    }
    return true;
}

/* The value as librdkafka writes it; "" when there is none. */
static void get(const rd_kafka_conf_t *conf, const char *name, char value[VALUE_BYTES])
{
    size_t size = VALUE_BYTES;

    if (rd_kafka_conf_get(conf, name, value, &size) != RD_KAFKA_CONF_OK) {
        value[0] = '\0';
    }
}

static bool fixed_hold(const rd_kafka_conf_t *conf, const char values[FIXED][VALUE_BYTES],
                       const char *name, char *error, size_t error_size)
{
    char value[VALUE_BYTES];

    for (size_t i = 0; i < FIXED; i++) {
        get(conf, fixed[i].name, value);
        if (strcmp(value, values[i]) != 0) {
            const char *kept = fixed[i].value ? fixed[i].value : values[i];
            snprintf(error, error_size, "property %s may not be changed%s%s: %s", name,
                     kept[0] ? " from " : "", kept, fixed[i].why);
            return false;
        }
    }
    return true;
}

static bool limits_hold(const rd_kafka_conf_t *conf, const char *name, char *error,
                        size_t error_size)
{
    char value[VALUE_BYTES];

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (strncmp(name, limits[i].prefix, strlen(limits[i].prefix)) != 0) {
            continue;
        }
        get(conf, limits[i].name, value);
        if (strtol(value, NULL, 10) > limits[i].max) {
            snprintf(error, error_size, "property %s may not be more than %ld: %s", name,
                     limits[i].max, limits[i].why);
            return false;
        }
    }
    return true;
}

/* The user's own, none of which may change a fixed one, whatever its name. */
static bool set_user(rd_kafka_conf_t *conf, const struct sluice_map *properties, char *error,
                     size_t error_size)
{
    char(*values)[VALUE_BYTES] = calloc(FIXED, sizeof(*values));
    bool is_good = values != NULL;

    if (!is_good) {
        snprintf(error, error_size, "out of memory");
    }
    for (size_t i = 0; is_good && i < FIXED; i++) {
        get(conf, fixed[i].name, values[i]);
    }
    for (size_t i = 0; is_good && i < properties->count; i++) {
        const struct sluice_pair *pair = &properties->pairs[i];
        is_good =
            set(conf, pair->name, pair->value, error, error_size) &&
            fixed_hold(conf, (const char(*)[VALUE_BYTES])values, pair->name, error, error_size) &&
            limits_hold(conf, pair->name, error, error_size);
    }
    free(values);
    return is_good;
}

/* "collector-worker", of letters that are safe in librdkafka's statistics and in broker logs. */
static bool set_client_id(rd_kafka_conf_t *conf, const struct sluice_host *host, char *error,
                          size_t error_size)
{
    char id[NAME_BYTES];

    snprintf(id, sizeof(id), "%.200s-%u", host->collector, host->worker);
    for (char *p = id; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("._-", *p)) {
            *p = '-';
        }
    }
    return set(conf, "client.id", id, error, error_size);
}

static bool set_brokers(rd_kafka_conf_t *conf, const struct sluice_strings *brokers, char *error,
                        size_t error_size)
{
    size_t size = 1;

    for (size_t i = 0; i < brokers->count; i++) {
        size += strlen(brokers->items[i]) + 1;
    }
    char *list = calloc(1, size);
    if (!list) {
        snprintf(error, error_size, "out of memory");
        return false;
    }
    for (size_t i = 0, at = 0; i < brokers->count; i++) {
        at += (size_t)snprintf(list + at, size - at, "%s%s", i ? "," : "", brokers->items[i]);
    }
    bool is_set = set(conf, "bootstrap.servers", list, error, error_size);
    free(list);
    return is_set;
}

static const char *const partitioner_names[] = {
    [KAFKA_CONSISTENT_RANDOM] = "consistent-random",
    [KAFKA_CONSISTENT] = "consistent",
    [KAFKA_FNV1A] = "fnv1a",
    [KAFKA_MURMUR2] = "murmur2",
    [KAFKA_RANDOM] = "random",
    NULL,
};

/* librdkafka's names: those without "random" send records without a key to one partition. */
static const char *const partitioners[] = {
    [KAFKA_CONSISTENT_RANDOM] = "consistent_random",
    [KAFKA_CONSISTENT] = "consistent",
    [KAFKA_FNV1A] = "fnv1a_random",
    [KAFKA_MURMUR2] = "murmur2_random",
    [KAFKA_RANDOM] = "random",
};

static const char *const compression_names[] = {
    [KAFKA_COMPRESSION_NONE] = "none",     [KAFKA_COMPRESSION_GZIP] = "gzip",
    [KAFKA_COMPRESSION_SNAPPY] = "snappy", [KAFKA_COMPRESSION_LZ4] = "lz4",
    [KAFKA_COMPRESSION_ZSTD] = "zstd",     NULL,
};

/* What has an option of its own; `properties` have the last word. */
static bool set_options(rd_kafka_conf_t *conf, const struct kafka_options *options, char *error,
                        size_t error_size)
{
    return set(conf, "partitioner", partitioners[options->partitioner], error, error_size) &&
           set(conf, "compression.type", compression_names[options->compression], error,
               error_size);
}

static bool set_debug(rd_kafka_conf_t *conf, char *error, size_t error_size)
{
    char value[VALUE_BYTES];
    char all[VALUE_BYTES + sizeof(debug_contexts)];

    get(conf, "debug", value);
    snprintf(all, sizeof(all), "%s%s%s", value, value[0] ? "," : "", debug_contexts);
    return set(conf, "debug", all, error, error_size);
}

uint64_t kafka_conf_number(const rd_kafka_conf_t *conf, const char *name)
{
    char value[VALUE_BYTES];

    get(conf, name, value);
    return strtoull(value, NULL, 10);
}

static const char *property_of(const struct kafka_options *options, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < options->properties.count; i++) {
        if (strcmp(options->properties.pairs[i].name, name) == 0) {
            value = options->properties.pairs[i].value;
        }
    }
    return value;
}

bool kafka_conf_has_debug(const struct kafka_options *options)
{
    const char *value = property_of(options, "debug");

    return value && value[0];
}

uint64_t kafka_conf_assumed_bytes(const struct kafka_options *options)
{
    const char *value = property_of(options, "message.max.bytes");

    return value ? strtoull(value, NULL, 10) : ASSUMED_BYTES;
}

rd_kafka_conf_t *kafka_conf_new(const struct kafka_options *options, const struct sluice_host *host,
                                char *error, size_t error_size)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (set_all(conf, fixed, FIXED, error, error_size) &&
        set_all(conf, defaults, sizeof(defaults) / sizeof(defaults[0]), error, error_size) &&
        set_options(conf, options, error, error_size) &&
        (!host || set_client_id(conf, host, error, error_size)) &&
        set_user(conf, &options->properties, error, error_size) &&
        (!host || (set_brokers(conf, &options->brokers, error, error_size) &&
                   set_debug(conf, error, error_size)))) {
        return conf;
    }
    rd_kafka_conf_destroy(conf);
    return NULL;
}

/* "host", "host:port", "[v6]:port", each perhaps behind "PROTOCOL://". */
static bool is_broker(const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *host = scheme ? scheme + 3 : text;
    const char *colon = strrchr(host, ':');
    const char *bracket = strrchr(host, ']');
    size_t host_len = strlen(host);

    if (strpbrk(text, ", \t\"") || (bracket && host[0] != '[')) {
        return false;
    }
    if (colon && (!bracket || colon > bracket)) {
        char *end;
        long port = strtol(colon + 1, &end, 10);
        if (!isdigit((unsigned char)colon[1]) || *end || port < 1 || port > MAX_PORT) {
            return false;
        }
        host_len = (size_t)(colon - host);
    }
    return host_len > 0 && (bracket || !memchr(host, ':', host_len));
}

static bool check_brokers(const struct sluice_strings *brokers, char *error, size_t error_size)
{
    for (size_t i = 0; i < brokers->count; i++) {
        if (!is_broker(brokers->items[i])) {
            snprintf(error, error_size, "brokers: \"%.100s\" is not HOST or HOST:PORT",
                     brokers->items[i]);
            return false;
        }
    }
    if (brokers->count == 0) {
        snprintf(error, error_size, "brokers: at least one HOST:PORT is needed");
    }
    return brokers->count > 0;
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

/* What librdkafka finds wrong with the whole (files it cannot read, values that contradict): it
 * says so only to a producer, so one is made, without brokers, unless login would already start.
 * Takes `conf`. */
static bool check_whole(rd_kafka_conf_t *conf, char *error, size_t error_size)
{
    char protocol[VALUE_BYTES];
    char text[VALUE_BYTES];
    rd_kafka_t *rk = NULL;

    get(conf, "security.protocol", protocol);
    if (strncmp(protocol, "sasl", 4) == 0) {
        rd_kafka_conf_destroy(conf);
        return true;
    }
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!rk) {
        snprintf(error, error_size, "properties: %s", text);
        rd_kafka_conf_destroy(conf);
        return false;
    }
    rd_kafka_destroy(rk);
    return true;
}

/* A text without variables says at once whether it is a number. */
static bool check_partition(const struct kafka_options *options, char *error, size_t error_size)
{
    const char *text = options->partition ? options->partition : "";
    bool is_good = strchr(text, '$') || text[strspn(text, "0123456789")] == '\0';

    if (!is_good || strlen(text) > NAME_BYTES) {
        snprintf(error, error_size, "partition: \"%.100s\" is not a number", text);
    }
    return is_good && strlen(text) <= NAME_BYTES;
}

static bool is_true(const rd_kafka_conf_t *conf, const char *name)
{
    char value[VALUE_BYTES];

    get(conf, name, value);
    return strcmp(value, "true") == 0;
}

/* Without a source of tokens a login would wait for ever. */
static bool check_oauth(const rd_kafka_conf_t *conf, const struct kafka_options *options,
                        char *error, size_t error_size)
{
    bool has_file = options->oauth.token_file && options->oauth.token_file[0];
    char mechanism[VALUE_BYTES];
    char method[VALUE_BYTES];

    get(conf, "sasl.mechanism", mechanism);
    get(conf, "sasl.oauthbearer.method", method);
    bool is_oauth = strcmp(mechanism, "OAUTHBEARER") == 0;
    bool has_other =
        is_true(conf, "enable.sasl.oauthbearer.unsecure.jwt") || strcmp(method, "oidc") == 0;
    if (has_file && !is_oauth) {
        snprintf(error, error_size,
                 "oauth: token-file is of use only with properties: {sasl.mechanism: OAUTHBEARER}");
    } else if (is_oauth && !has_file && !has_other) {
        snprintf(error, error_size,
                 "properties: sasl.mechanism OAUTHBEARER needs tokens: oauth: {token-file: PATH}");
    }
    return is_oauth ? has_file || has_other : !has_file;
}

bool kafka_conf_check(const void *options, char *error, size_t error_size)
{
    const struct kafka_options *kafka_options = options;

    if (!check_brokers(&kafka_options->brokers, error, error_size) ||
        !check_partition(kafka_options, error, error_size)) {
        return false;
    }
    rd_kafka_conf_t *conf = kafka_conf_new(kafka_options, NULL, error, error_size);
    if (conf && !check_oauth(conf, kafka_options, error, error_size)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    return conf && check_whole(conf, error, error_size);
}

static const char *const header_names[] = {
    [KAFKA_HEADERS_COMPACT] = "compact",
    [KAFKA_HEADERS_SPLIT] = "split",
    [KAFKA_HEADERS_NONE] = "none",
    NULL,
};

static const struct sluice_option dead_letter_table[] = {
    {.name = "topic",
     .type = SLUICE_STRING,
     .offset = 0,
     .is_required = true,
     .doc =
         "the topic that takes records which theirs can never take; their headers say why "
         "(sluice-dead-reason, sluice-dead-text, sluice-dead-topic), beside those of the record"},
    {.name = NULL},
};

static const struct sluice_option oauth_table[] = {
    {.name = "token-file",
     .type = SLUICE_STRING,
     .offset = offsetof(struct kafka_oauth, token_file),
     .is_required = true,
     .doc =
         "the file with the token for sasl.mechanism OAUTHBEARER; read again before the token is "
         "over, so whoever writes it keeps it fresh"},
    {.name = "principal",
     .type = SLUICE_STRING,
     .offset = offsetof(struct kafka_oauth, principal),
     .doc = "whose token it is, where it does not say so itself (sub)"},
    {.name = "lifetime",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct kafka_oauth, lifetime_ns),
     .default_text = "5m",
     .min = 10 * NS_PER_S,
     .max = 30 * 86400 * NS_PER_S,
     .doc = "how long a token is good that does not say so itself (exp)"},
    {.name = NULL},
};

const struct sluice_option kafka_option_table[] = {
    {.name = "brokers",
     .type = SLUICE_STRINGS,
     .offset = offsetof(struct kafka_options, brokers),
     .is_required = true,
     .doc = "HOST:PORT of some of the brokers; they name the others"},
    {.name = "topic",
     .type = SLUICE_TEMPLATE,
     .offset = offsetof(struct kafka_options, topic),
     .is_required = true,
     .doc = "the topic of a record"},
    {.name = "key",
     .type = SLUICE_TEMPLATE,
     .offset = offsetof(struct kafka_options, key),
     .default_text = "",
     .doc = "the key of a record, by which Kafka chooses its partition; empty: no key"},
    {.name = "headers",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct kafka_options, headers),
     .default_text = "compact",
     .names = header_names,
     .doc =
         "compact: one header, sluice = epoch;seq;format;target;subscription;kind (of a batch seq "
         "is 12-40; a ; or % in a name is %3B or %25; the kind is baseline, change or marker); "
         "split: six, sluice-epoch to sluice-kind"},
    {.name = "partition",
     .type = SLUICE_TEMPLATE,
     .offset = offsetof(struct kafka_options, partition),
     .default_text = "",
     .doc = "the partition of a record, a number, whatever its key is; empty: the partitioner's "
            "choice"},
    {.name = "partitioner",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct kafka_options, partitioner),
     .default_text = "consistent-random",
     .names = partitioner_names,
     .doc = "the partition that a key leads to: fnv1a as gnmic's, murmur2 as Java's, "
            "consistent-random and consistent as librdkafka's; records without a key go anywhere, "
            "with consistent all to the same one"},
    {.name = "compression",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct kafka_options, compression),
     .default_text = "none",
     .names = compression_names,
     .doc = "of batches of records"},
    {.name = "dead-letter",
     .type = SLUICE_OBJECT,
     .offset = offsetof(struct kafka_options, dead_letter),
     .table = dead_letter_table,
     .doc = "where records go that are too large, or that the broker refuses for what they are; "
            "without it they are dropped, and counted"},
    {.name = "oauth",
     .type = SLUICE_OBJECT,
     .offset = offsetof(struct kafka_options, oauth),
     .table = oauth_table,
     .doc = "tokens for SASL OAUTHBEARER"},
    {.name = "timestamp-max-age",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct kafka_options, timestamp_max_age_ns),
     .default_text = "24h",
     .min = NS_PER_S,
     .max = INT64_MAX,
     .doc = "a device's timestamp that is older is replaced by the time of receipt"},
    {.name = "properties",
     .type = SLUICE_MAP,
     .offset = offsetof(struct kafka_options, properties),
     .is_secret = is_secret,
     .doc = "any librdkafka property, but for those that carry sluice's promises; "
            "message.max.bytes bounds a record, of which else the topic's limit is asked for; "
            "max.in.flight is 1: with more, a leader that moves ends the producer more often"},
    {.name = NULL},
};
