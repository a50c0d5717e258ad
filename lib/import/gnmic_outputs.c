/* gnmic's outputs: Kafka's, with their keys and partitions, and files. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "import/internal.h"

#define WAITS                                                                                      \
    "gnmic gives a message up after it; sluice waits, and holds the device meanwhile ('stall' of " \
    "a subscription says what then)"

#define COMMON_ROWS                                                                                \
    {"type", SL_IMPORT_READ, NULL, NULL}, {"format", SL_IMPORT_READ, NULL, NULL},                  \
        {"split-events", SL_IMPORT_READ, NULL, NULL},                                              \
        {"event-processors", SL_IMPORT_READ, NULL, NULL},                                          \
        {"override-timestamps", SL_IMPORT_READ, NULL, NULL},                                       \
        {"add-target", SL_IMPORT_LEAVE, NULL,                                                      \
         "sluice adds no target to the prefix; 'set-target: true' of a subscription asks the "     \
         "device to"},                                                                             \
        {"target-template", SL_IMPORT_LEAVE, NULL, "sluice adds no target to the prefix"},         \
        {"msg-template", SL_IMPORT_LEAVE, NULL,                                                    \
         "payloads are as the format has them; a processor of your own may change them "           \
         "(plugins/README.md)"},                                                                   \
        {"debug", SL_IMPORT_QUIET, NULL, NULL}, {"enable-metrics", SL_IMPORT_QUIET, NULL, NULL},   \
    {                                                                                              \
        "num-workers", SL_IMPORT_QUIET, NULL, NULL                                                 \
    }

static const struct sl_import_row kafka_rows[] = {
    COMMON_ROWS,
    {"address", SL_IMPORT_READ, NULL, NULL},
    {"topic", SL_IMPORT_READ, NULL, NULL},
    {"topic-prefix", SL_IMPORT_READ, NULL, NULL},
    {"name", SL_IMPORT_QUIET, NULL, NULL},
    {"sasl", SL_IMPORT_READ, NULL, NULL},
    {"tls", SL_IMPORT_READ, NULL, NULL},
    {"insert-key", SL_IMPORT_READ, NULL, NULL},
    {"compression-codec", SL_IMPORT_READ, NULL, NULL},
    {"required-acks", SL_IMPORT_CHANGE, NULL,
     "sluice always waits for all in-sync replicas, and gives credit back to the device when they "
     "have acknowledged"},
    {"max-retry", SL_IMPORT_CHANGE, NULL,
     "gnmic drops a message after so many attempts; sluice tries on, in order, and holds the "
     "device"},
    {"timeout", SL_IMPORT_CHANGE, NULL, WAITS},
    {"recovery-wait-time", SL_IMPORT_CHANGE, NULL, WAITS},
    {"flush-frequency", SL_IMPORT_CHANGE, NULL, "in sluice properties: {linger.ms: 5}"},
    {"sync-producer", SL_IMPORT_QUIET, NULL, NULL},
    {"buffer-size", SL_IMPORT_CHANGE, NULL,
     "gnmic counts messages, and drops what does not fit; sluice counts bytes, "
     "'collector.memory', and holds the device"},
    {"kafka-version", SL_IMPORT_QUIET, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row file_rows[] = {
    COMMON_ROWS,
    {"filename", SL_IMPORT_READ, NULL, NULL},
    {"file-type", SL_IMPORT_READ, NULL, NULL},
    {"multiline", SL_IMPORT_CHANGE, NULL, "sluice writes each record as one line"},
    {"indent", SL_IMPORT_CHANGE, NULL, "sluice writes each record as one line"},
    {"separator", SL_IMPORT_CHANGE, NULL, "sluice ends each record with a line feed"},
    {"concurrency-limit", SL_IMPORT_QUIET, NULL, NULL},
    {"calculate-latency", SL_IMPORT_LEAVE, NULL, "metrics of sluice tell how late data is"},
    {"rotation", SL_IMPORT_LEAVE, NULL, "in sluice rotate: {size:, interval:, keep:}"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row sasl_rows[] = {
    {"user", SL_IMPORT_TEXT, "sasl.username", NULL},
    {"password", SL_IMPORT_SECRET, "sasl.password", NULL},
    {"mechanism", SL_IMPORT_READ, NULL, NULL},
    {"token-url", SL_IMPORT_LEAVE, NULL,
     "sluice reads the token from a file, oauth: {token-file: PATH}, which something else keeps "
     "fresh"},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row tls_rows[] = {
    {"ca-file", SL_IMPORT_TEXT, "ssl.ca.location", NULL},
    {"cert-file", SL_IMPORT_TEXT, "ssl.certificate.location", NULL},
    {"key-file", SL_IMPORT_TEXT, "ssl.key.location", NULL},
    {"skip-verify", SL_IMPORT_READ, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

/* ---- which there are ---- */

enum sink_type { SINK_NONE, SINK_KAFKA, SINK_FILE, SINK_STDOUT };

static enum sink_type type_of(const struct sl_config_node *output)
{
    const char *type = sl_import_text(sl_import_get(output, "type"));
    const char *file_type = sl_import_text(sl_import_get(output, "file-type"));
    bool has_file = sl_import_get(output, "filename") != NULL;

    if (strcasecmp(type, "kafka") == 0) {
        return SINK_KAFKA;
    }
    if (strcasecmp(type, "file") == 0 && has_file && !*file_type) {
        return SINK_FILE;
    }
    if (strcasecmp(type, "stdout") == 0 ||
        (strcasecmp(type, "file") == 0 && strcasecmp(file_type, "stdout") == 0)) {
        return SINK_STDOUT;
    }
    return SINK_NONE;
}

/* The format's name in sluice; NULL: it has none. */
static const char *format_of(const struct sl_config_node *output)
{
    const char *format = sl_import_text(sl_import_get(output, "format"));
    bool is_kafka = type_of(output) == SINK_KAFKA;

    format = *format ? format : is_kafka ? "event" : "json";
    if (strcasecmp(format, "event") == 0) {
        return is_kafka && sl_import_is_true(sl_import_get(output, "split-events")) ? "event-split"
                                                                                    : "event";
    }
    if (strcasecmp(format, "json") == 0) {
        return "gnmic-json";
    }
    if (strcasecmp(format, "proto") == 0 && is_kafka) {
        return "proto";
    }
    return strcasecmp(format, "protojson") == 0 ? "protojson" : NULL;
}

bool sl_import_gnmic_has_output(const struct sl_import *import, const char *name)
{
    const struct sl_config_node *output =
        sl_import_get(sl_import_get(import->root, "outputs"), name);

    return output && sl_import_is_name(name) && type_of(output) != SINK_NONE && format_of(output);
}

bool sl_import_gnmic_topic_name(const struct sl_import *import, const char *target,
                                char topic[SL_IMPORT_TOPIC_NAME_BYTES])
{
    const struct sl_config_node *map = sl_import_get(import->root, "outputs");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;
    bool has_prefix = false;

    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        const struct sl_config_node *prefix = sl_import_get(sl_config_at(map, i), "topic-prefix");
        has_prefix = has_prefix || *sl_import_text(prefix);
    }
    snprintf(topic, SL_IMPORT_TOPIC_NAME_BYTES, "%s", target);
    for (char *at = topic; *at; at++) {
        *at = *at == ':' ? '_' : *at;
    }
    return has_prefix;
}

/* ---- Kafka ---- */

static void put_brokers(struct sl_import *import, const struct sl_config_node *node)
{
    const char *text = node ? sl_import_text(node) : "localhost:9092";

    sl_buf_add_c(import->out, "    brokers: [");
    for (bool is_first = true; *text; is_first = false) {
        size_t len = strcspn(text, ",");
        struct sl_buf broker = {0};
        sl_buf_add(&broker, text, len);
        sl_buf_add_c(import->out, is_first ? "" : ", ");
        sl_import_add_expanded(import->out,
                               sl_buf_text(&broker) + strspn(sl_buf_text(&broker), " "));
        sl_import_drop(import, &broker);
        text += len + (text[len] == ',');
    }
    sl_buf_add_c(import->out, "]\n");
}

static void put_topic(struct sl_import *import, const struct sl_config_node *output)
{
    const struct sl_config_node *topic = sl_import_get(output, "topic");
    const struct sl_config_node *prefix = sl_import_get(output, "topic-prefix");

    if (!*sl_import_text(prefix)) {
        sl_import_put_expanded(import, "topic", topic ? sl_import_text(topic) : "telemetry", 4);
        return;
    }
    sl_buf_add_c(import->out, "    topic: \"");
    sl_import_add_references(import->out, sl_import_text(prefix));
    sl_buf_add_c(import->out, "_${subscription}_${label." SL_IMPORT_TOPIC_LABEL "}\"\n");
}

static void put_security(struct sl_import *import, const struct sl_config_node *sasl,
                         const struct sl_config_node *tls)
{
    const char *mechanism = sl_import_text(sl_import_get(sasl, "mechanism"));

    if (!sasl && !tls) {
        return;
    }
    sl_import_judge(import, sasl, sasl_rows);
    sl_import_judge(import, tls, tls_rows);
    sl_import_put_key(import, "properties", 4);
    sl_import_put_raw(import, "security.protocol",
                      sasl && tls ? "sasl_ssl"
                      : sasl      ? "sasl_plaintext"
                                  : "ssl",
                      6);
    if (sasl) {
        sl_import_put_text(import, "sasl.mechanism", *mechanism ? mechanism : "PLAIN", 6);
        sl_import_put_rows(import, sasl_rows, sasl, 6);
    }
    sl_import_put_rows(import, tls_rows, tls, 6);
    if (sl_import_is_true(sl_import_get(tls, "skip-verify"))) {
        sl_import_put_raw(import, "enable.ssl.certificate.verification", "\"false\"", 6);
    }
}

static void put_kafka(struct sl_import *import, const struct sl_config_node *output)
{
    static const struct sl_import_row codec = {"compression-codec", SL_IMPORT_WORD, "compression",
                                               NULL};

    put_brokers(import, sl_import_get(output, "address"));
    put_topic(import, output);
    if (sl_import_is_true(sl_import_get(output, "insert-key"))) {
        sl_import_put_raw(import, "key", "\"${target}:::${subscription}\"", 4);
    }
    sl_import_put_raw(import, "partitioner", "fnv1a", 4);
    sl_import_put_row(import, &codec, sl_import_get(output, "compression-codec"), 4);
    put_security(import, sl_import_get(output, "sasl"), sl_import_get(output, "tls"));
}

/* ---- all ---- */

static void put_type(struct sl_import *import, const struct sl_config_node *output)
{
    switch (type_of(output)) {
    case SINK_NONE:
        break;
    case SINK_KAFKA:
        sl_import_put_raw(import, "type", "kafka", 4);
        put_kafka(import, output);
        break;
    case SINK_FILE:
        sl_import_put_raw(import, "type", "file", 4);
        sl_import_put_expanded(import, "path", sl_import_text(sl_import_get(output, "filename")),
                               4);
        break;
    case SINK_STDOUT:
        sl_import_put_raw(import, "type", "stdout", 4);
        break;
    }
}

static void put_output(struct sl_import *import, const char *name,
                       const struct sl_config_node *output)
{
    const char *format = format_of(output);

    sl_import_put_key(import, name, 2);
    if (import->options.replay) {
        sl_import_put_trial_sink(import, name);
    } else {
        put_type(import, output);
    }
    sl_import_put_raw(import, "format", format, 4);
    sl_import_gnmic_put_rules(import, output, 4);
    if (strcmp(format, "event") == 0 || strcmp(format, "event-split") == 0 ||
        strcmp(format, "gnmic-json") == 0) {
        sl_import_note(import, sl_import_get(output, "type"), SL_IMPORT_CHANGED,
                       "numbers in JSON keep every digit, where gnmic rounds those above 2^53; "
                       "'compat-float64: true' of the sink rounds them, too");
    }
}

static void refuse(struct sl_import *import, const struct sl_config_node *node, const char *name,
                   const struct sl_config_node *output)
{
    if (type_of(output) == SINK_NONE) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "output '%.80s': sluice writes to Kafka, files and standard output, not to "
                       "'%.40s'; let a consumer of Kafka do it",
                       name, sl_import_text(sl_import_get(output, "type")));
    } else if (!format_of(output)) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "output '%.80s': sluice has no format '%.40s' for it", name,
                       sl_import_text(sl_import_get(output, "format")));
    } else {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "output '%.80s': sluice takes names of printable ASCII without blanks, "
                       "quotes and semicolons",
                       name);
    }
}

size_t sl_import_gnmic_outputs(struct sl_import *import)
{
    const struct sl_config_node *map = sl_import_get(import->root, "outputs");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;
    size_t count = 0;

    sl_import_put_key(import, "sinks", 0);
    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        const struct sl_config_node *output = sl_config_at(map, i);
        const char *name = sl_config_key(map, i);
        if (!sl_import_gnmic_has_output(import, name)) {
            refuse(import, sl_config_key_node(map, i), name, output);
            continue;
        }
        sl_import_judge(import, output, type_of(output) == SINK_KAFKA ? kafka_rows : file_rows);
        put_output(import, name, output);
        count++;
    }
    return count;
}
