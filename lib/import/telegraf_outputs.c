/* Telegraf's outputs: Kafka's, with their topics, keys and partitions, and files. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/values.h"
#include "import/telegraf.h"

#define WAITS                                                                                      \
    "Telegraf drops metrics when its buffer is full; sluice counts bytes, 'collector.memory', "    \
    "and "                                                                                         \
    "holds the device"
#define AT_ONCE                                                                                    \
    "Telegraf writes so often; sluice writes each record as it comes, and properties: "            \
    "{linger.ms: 50} makes larger batches"
#define KERBEROS "say properties: {sasl.kerberos...: } as librdkafka has them"

#define COMMON_ROWS                                                                                \
    SL_IMPORT_PLUGIN_ROWS, {"data_format", SL_IMPORT_READ, NULL, NULL},                            \
        {"namepass", SL_IMPORT_READ, NULL, NULL}, {"namedrop", SL_IMPORT_READ, NULL, NULL},        \
        {"json_timestamp_units", SL_IMPORT_READ, NULL, NULL},                                      \
        {"json_timestamp_format", SL_IMPORT_LEAVE, NULL,                                           \
         "in sluice they are numbers, of seconds"},                                                \
        {"json_transformation", SL_IMPORT_LEAVE, NULL,                                             \
         "payloads are as the format has them; a processor of your own may change them "           \
         "(plugins/README.md)"},                                                                   \
        {"json_nested_fields_include", SL_IMPORT_LEAVE, NULL, "fields stay text"},                 \
        {"json_nested_fields_exclude", SL_IMPORT_LEAVE, NULL, "fields stay text"},                 \
        {"influx_sort_fields", SL_IMPORT_LEAVE, NULL,                                              \
         "fields stand as the device sends them, as in Telegraf without it"},                      \
        {"influx_uint_support", SL_IMPORT_LEAVE, NULL,                                             \
         "sluice writes unsigned integers as signed ones, as Telegraf does without it"},           \
        {"influx_max_line_bytes", SL_IMPORT_LEAVE, NULL, "a metric stays one line"},               \
        {"influx_omit_timestamp", SL_IMPORT_LEAVE, NULL, "sluice writes the time"},                \
        {"name_override", SL_IMPORT_LEAVE, NULL,                                                   \
         "say it in the input, or call the subscription so"},                                      \
        {"name_prefix", SL_IMPORT_LEAVE, NULL,                                                     \
         "say it in the input, or call the subscription so"},                                      \
        {"name_suffix", SL_IMPORT_LEAVE, NULL,                                                     \
         "say it in the input, or call the subscription so"},                                      \
        {"metric_batch_size", SL_IMPORT_QUIET, NULL, NULL},                                        \
        {"metric_buffer_limit", SL_IMPORT_CHANGE, NULL, WAITS},                                    \
        {"flush_interval", SL_IMPORT_CHANGE, NULL, AT_ONCE},                                       \
        {"flush_jitter", SL_IMPORT_QUIET, NULL, NULL},                                             \
    {                                                                                              \
        "use_batch_format", SL_IMPORT_LEAVE, NULL, "each metric is a line of its own"              \
    }

static const struct sl_import_row kafka_rows[] = {
    COMMON_ROWS,
    {"brokers", SL_IMPORT_READ, NULL, NULL},
    {"topic", SL_IMPORT_READ, NULL, NULL},
    {"topic_tag", SL_IMPORT_READ, NULL, NULL},
    {"exclude_topic_tag", SL_IMPORT_LEAVE, NULL, SL_IMPORT_TAGS},
    {"topic_suffix", SL_IMPORT_READ, NULL, NULL},
    {"routing_tag", SL_IMPORT_READ, NULL, NULL},
    {"routing_key", SL_IMPORT_READ, NULL, NULL},
    {"producer_timestamp", SL_IMPORT_READ, NULL, NULL},
    {"metric_name_header", SL_IMPORT_LEAVE, NULL,
     "headers: split has the subscription in the header sluice-subscription"},
    {"client_id", SL_IMPORT_READ, NULL, NULL},
    {"version", SL_IMPORT_QUIET, NULL, NULL},
    {"compression_codec", SL_IMPORT_READ, NULL, NULL},
    {"idempotent_writes", SL_IMPORT_QUIET, NULL, NULL},
    {"required_acks", SL_IMPORT_READ, NULL, NULL},
    {"max_retry", SL_IMPORT_CHANGE, NULL,
     "Telegraf writes a batch anew after so many attempts, and so some records twice; sluice tries "
     "on, in order, and holds the device"},
    {"max_message_bytes", SL_IMPORT_READ, NULL, NULL},
    {"keep_alive_period", SL_IMPORT_QUIET, NULL, NULL},
    {"metadata_retry_max", SL_IMPORT_QUIET, NULL, NULL},
    {"metadata_retry_type", SL_IMPORT_QUIET, NULL, NULL},
    {"metadata_retry_backoff", SL_IMPORT_QUIET, NULL, NULL},
    {"metadata_retry_max_duration", SL_IMPORT_QUIET, NULL, NULL},
    {"metadata_full", SL_IMPORT_QUIET, NULL, NULL},
    {"socks5_enabled", SL_IMPORT_LEAVE, NULL, "sluice's connections to Kafka take no proxy"},
    {"socks5_address", SL_IMPORT_QUIET, NULL, NULL},
    {"socks5_username", SL_IMPORT_QUIET, NULL, NULL},
    {"socks5_password", SL_IMPORT_QUIET, NULL, NULL},
    {"tls_enable", SL_IMPORT_READ, NULL, NULL},
    {"enable_tls", SL_IMPORT_READ, NULL, NULL},
    {"tls_ca", SL_IMPORT_READ, NULL, NULL},
    {"tls_cert", SL_IMPORT_READ, NULL, NULL},
    {"tls_key", SL_IMPORT_READ, NULL, NULL},
    {"ca", SL_IMPORT_READ, NULL, NULL},
    {"certificate", SL_IMPORT_READ, NULL, NULL},
    {"key", SL_IMPORT_READ, NULL, NULL},
    {"tls_key_pwd", SL_IMPORT_READ, NULL, NULL},
    {"insecure_skip_verify", SL_IMPORT_READ, NULL, NULL},
    {"tls_server_name", SL_IMPORT_LEAVE, NULL, "a broker's certificate is for the broker's name"},
    {"tls_min_version", SL_IMPORT_LEAVE, NULL, "librdkafka takes what OpenSSL's settings allow"},
    {"tls_cipher_suites", SL_IMPORT_LEAVE, NULL,
     "say properties: {ssl.cipher.suites: } with OpenSSL's names"},
    {"tls_renegotiation_method", SL_IMPORT_QUIET, NULL, NULL},
    {"sasl_mechanism", SL_IMPORT_READ, NULL, NULL},
    {"sasl_username", SL_IMPORT_READ, NULL, NULL},
    {"sasl_password", SL_IMPORT_READ, NULL, NULL},
    {"sasl_version", SL_IMPORT_QUIET, NULL, NULL},
    {"sasl_access_token", SL_IMPORT_LEAVE, NULL,
     "sluice reads the token from a file, oauth: {token-file: PATH}, which something else keeps "
     "fresh"},
    {"sasl_extensions", SL_IMPORT_LEAVE, NULL, "sluice sends no extensions of SASL"},
    {"sasl_gssapi_service_name", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {"sasl_gssapi_auth_type", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {"sasl_gssapi_disable_pafxfast", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {"sasl_gssapi_kerberos_config_path", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {"sasl_gssapi_key_tab_path", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {"sasl_gssapi_realm", SL_IMPORT_LEAVE, NULL, KERBEROS},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row file_rows[] = {
    COMMON_ROWS,
    {"files", SL_IMPORT_READ, NULL, NULL},
    {"rotation_interval", SL_IMPORT_LEAVE, NULL, "in sluice rotate: {interval:}"},
    {"rotation_max_size", SL_IMPORT_LEAVE, NULL, "in sluice rotate: {size:}"},
    {"rotation_max_archives", SL_IMPORT_LEAVE, NULL, "in sluice rotate: {keep:}"},
    {"compression_algorithm", SL_IMPORT_LEAVE, NULL, "sluice writes lines as they are"},
    {"compression_level", SL_IMPORT_QUIET, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

/* In properties of librdkafka. */
static const struct sl_import_row property_rows[] = {
    {"client_id", SL_IMPORT_TEXT, "client.id", NULL},
    {"max_message_bytes", SL_IMPORT_NUMBER, "message.max.bytes", NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row sasl_rows[] = {
    {"sasl_username", SL_IMPORT_TEXT, "sasl.username", NULL},
    {"sasl_password", SL_IMPORT_SECRET, "sasl.password", NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row tls_rows[] = {
    {"tls_ca", SL_IMPORT_TEXT, "ssl.ca.location", NULL},
    {"tls_cert", SL_IMPORT_TEXT, "ssl.certificate.location", NULL},
    {"tls_key", SL_IMPORT_TEXT, "ssl.key.location", NULL},
    {"tls_key_pwd", SL_IMPORT_SECRET, "ssl.key.password", NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row old_tls_rows[] = {
    {"ca", SL_IMPORT_TEXT, "ssl.ca.location", NULL},
    {"certificate", SL_IMPORT_TEXT, "ssl.certificate.location", NULL},
    {"key", SL_IMPORT_TEXT, "ssl.key.location", NULL},
    {"tls_key_pwd", SL_IMPORT_SECRET, "ssl.key.password", NULL},
    {NULL, 0, NULL, NULL},
};

static const char *text_of(const struct sl_config_node *map, const char *key)
{
    return sl_import_text(sl_import_get(map, key));
}

/* ---- which there are ---- */

/* The format's name in sluice; NULL: it has none. */
static const char *format_of(const struct sl_config_node *output)
{
    const char *format = text_of(output, "data_format");

    if (!*format || strcasecmp(format, "influx") == 0) {
        return "influx";
    }
    return strcasecmp(format, "json") == 0 ? "telegraf-json" : NULL;
}

static bool is_taken(const struct sl_import_telegraf *telegraf, const char *name)
{
    for (size_t i = 0; i < telegraf->sink_count; i++) {
        if (strcmp(telegraf->sinks[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_sink(struct sl_import_telegraf *telegraf, const char *plugin,
                     const struct sl_config_node *output, const struct sl_config_node *file)
{
    struct sl_import_sink *sink = &telegraf->sinks[telegraf->sink_count];
    const char *alias = text_of(output, "alias");
    const char *base = sl_import_is_name(alias) && strlen(alias) <= 180 ? alias : plugin;

    if (telegraf->sink_count == SL_IMPORT_MAX_SINKS) {
        sl_import_note(telegraf->import, file ? file : output, SL_IMPORT_LEFT_OUT,
                       "more than %d outputs and files: those from here on", SL_IMPORT_MAX_SINKS);
        return;
    }
    *sink = (struct sl_import_sink){.output = output, .file = file};
    snprintf(sink->name, sizeof(sink->name), "%s", base);
    for (size_t i = 2; is_taken(telegraf, sink->name); i++) {
        snprintf(sink->name, sizeof(sink->name), "%s-%zu", base, i);
    }
    telegraf->sink_count++;
}

static void find_plugin(struct sl_import_telegraf *telegraf, const char *plugin,
                        const struct sl_config_node *tables)
{
    bool is_kafka = strcasecmp(plugin, "kafka") == 0;

    for (size_t i = 0; i < sl_import_tables(tables); i++) {
        const struct sl_config_node *output = sl_config_item(tables, i);
        const struct sl_config_node *files = sl_import_get(output, "files");
        if (!is_kafka && strcasecmp(plugin, "file") != 0) {
            sl_import_note(telegraf->import, output, SL_IMPORT_LEFT_OUT,
                           "output '%.80s': sluice writes to Kafka, files and standard output; let "
                           "a consumer of Kafka do it",
                           plugin);
            continue;
        }
        sl_import_judge(telegraf->import, output, is_kafka ? kafka_rows : file_rows);
        if (!format_of(output)) {
            sl_import_note(telegraf->import, output, SL_IMPORT_LEFT_OUT,
                           "output '%s': sluice has no format '%.40s'; expected influx or json",
                           plugin, text_of(output, "data_format"));
        } else if (is_kafka) {
            add_sink(telegraf, "kafka", output, NULL);
        }
        for (size_t j = 0; !is_kafka && format_of(output) && j < sl_import_items(files); j++) {
            add_sink(telegraf, "file", output, sl_config_item(files, j));
        }
    }
}

void sl_import_telegraf_find_sinks(struct sl_import_telegraf *telegraf)
{
    const struct sl_config_node *map = sl_import_get(telegraf->import->root, "outputs");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;

    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        find_plugin(telegraf, sl_config_key(map, i), sl_config_at(map, i));
    }
}

bool sl_import_telegraf_uses_tag(const struct sl_import_telegraf *telegraf, const char *tag)
{
    for (size_t i = 0; i < telegraf->sink_count; i++) {
        const struct sl_config_node *output = telegraf->sinks[i].output;
        const struct sl_config_node *keys =
            sl_import_get(sl_import_get(output, "topic_suffix"), "keys");
        if (strcmp(text_of(output, "routing_tag"), tag) == 0 ||
            strcmp(text_of(output, "topic_tag"), tag) == 0) {
            return true;
        }
        for (size_t j = 0; j < sl_import_items(keys); j++) {
            if (strcmp(sl_import_item(keys, j), tag) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* ---- topics and keys ---- */

static void add_suffix(struct sl_import_telegraf *telegraf, const struct sl_config_node *suffix,
                       struct sl_buf *out)
{
    const struct sl_config_node *keys = sl_import_get(suffix, "keys");
    const char *method = text_of(suffix, "method");
    const char *separator = text_of(suffix, "separator");

    if (strcmp(method, "measurement") == 0) {
        sl_import_add_references(out, separator);
        sl_buf_add_c(out, "${subscription}");
    }
    for (size_t i = 0; strcmp(method, "tags") == 0 && i < sl_import_items(keys); i++) {
        size_t start = out->len;
        sl_import_add_references(out, separator);
        if (!sl_import_telegraf_add_tag(telegraf, sl_import_item(keys, i), out)) {
            out->len = out->failed ? out->len : start;
            sl_import_note(telegraf->import, sl_config_item(keys, i), SL_IMPORT_LEFT_OUT,
                           "the tag '%.80s' in a topic: in sluice a topic has the target, the "
                           "subscription, the origin and labels of the target in it",
                           sl_import_item(keys, i));
        }
    }
}

static void put_topic(struct sl_import_telegraf *telegraf, const struct sl_config_node *output)
{
    const struct sl_config_node *tag = sl_import_get(output, "topic_tag");
    struct sl_buf text = {0};

    if (!*sl_import_text(tag) ||
        !sl_import_telegraf_add_tag(telegraf, sl_import_text(tag), &text)) {
        if (*sl_import_text(tag)) {
            sl_import_note(telegraf->import, tag, SL_IMPORT_LEFT_OUT,
                           "'topic_tag': in sluice a topic has the target, the subscription, the "
                           "origin and labels of the target in it");
        }
        sl_import_add_references(&text, text_of(output, "topic"));
    }
    add_suffix(telegraf, sl_import_get(output, "topic_suffix"), &text);
    sl_buf_add_c(telegraf->import->out, "    topic: \"");
    sl_buf_add_str(telegraf->import->out, sl_buf_str(&text));
    sl_buf_add_c(telegraf->import->out, "\"\n");
    sl_import_drop(telegraf->import, &text);
}

static void put_key(struct sl_import_telegraf *telegraf, const struct sl_config_node *output)
{
    const struct sl_config_node *tag = sl_import_get(output, "routing_tag");
    const struct sl_config_node *routing = sl_import_get(output, "routing_key");
    struct sl_buf *out = telegraf->import->out;
    struct sl_buf text = {0};

    if (*sl_import_text(tag) && !sl_import_telegraf_add_tag(telegraf, sl_import_text(tag), &text)) {
        sl_import_note(telegraf->import, tag, SL_IMPORT_LEFT_OUT,
                       "'routing_tag': the tag '%.80s' is of each metric; in sluice a key has the "
                       "target, the subscription, the origin and labels of the target in it",
                       sl_import_text(tag));
    }
    if (!text.len && strcmp(sl_import_text(routing), "random") == 0) {
        sl_import_note(telegraf->import, routing, SL_IMPORT_CHANGED,
                       "'routing_key = \"random\"': records have no key, and go to any partition");
    } else if (!text.len) {
        sl_import_add_references(&text, sl_import_text(routing));
    }
    if (text.len) {
        sl_buf_add_c(out, "    key: \"");
        sl_buf_add_str(out, sl_buf_str(&text));
        sl_buf_add_c(out, "\"\n");
    }
    sl_import_put_raw(telegraf->import, "partitioner", "fnv1a", 4);
    sl_import_drop(telegraf->import, &text);
}

/* ---- Kafka ---- */

static void put_codec(struct sl_import *import, const struct sl_config_node *node)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    int64_t codec = 0;

    if (node && (!sl_config_to_int(sl_str_from(sl_import_text(node)), &codec) || codec < 0 ||
                 codec >= (int64_t)SL_ARRAY_LEN(names))) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "'compression_codec': expected a number from 0 to 4");
    } else if (codec) {
        sl_import_put_raw(import, "compression", names[codec], 4);
    }
}

static void note_promises(struct sl_import *import, const struct sl_config_node *output)
{
    const struct sl_config_node *acks = sl_import_get(output, "required_acks");
    const struct sl_config_node *time = sl_import_get(output, "producer_timestamp");

    if (acks && strcmp(sl_import_text(acks), "-1") != 0) {
        sl_import_note(import, acks, SL_IMPORT_CHANGED,
                       "'required_acks': sluice always waits for all in-sync replicas, and gives "
                       "credit back to the device when they have acknowledged");
    }
    if (*sl_import_text(time) && strcmp(sl_import_text(time), "metric") != 0) {
        sl_import_note(import, time, SL_IMPORT_LEFT_OUT,
                       "'producer_timestamp': a record of sluice has the device's time");
    }
}

/* TLS is on where it is said, or something is said of it that is not for nothing. */
static bool is_tls(const struct sl_config_node *output)
{
    static const char *const keys[] = {"tls_ca", "tls_cert",    "tls_key", "tls_server_name",
                                       "ca",     "certificate", "key"};
    const struct sl_config_node *enable = sl_import_get(output, "enable_tls");
    bool has_any = sl_import_is_true(sl_import_get(output, "insecure_skip_verify"));

    enable = enable ? enable : sl_import_get(output, "tls_enable");
    for (size_t i = 0; i < SL_ARRAY_LEN(keys); i++) {
        has_any = has_any || *text_of(output, keys[i]);
    }
    return enable ? sl_import_is_true(enable) : has_any;
}

static void put_security(struct sl_import *import, const struct sl_config_node *output)
{
    const char *mechanism = text_of(output, "sasl_mechanism");
    bool is_sasl = *mechanism || *text_of(output, "sasl_username");
    bool has_tls = is_tls(output);

    if (is_sasl || has_tls) {
        sl_import_put_raw(import, "security.protocol",
                          is_sasl && has_tls ? "sasl_ssl"
                          : is_sasl          ? "sasl_plaintext"
                                             : "ssl",
                          6);
    }
    if (is_sasl) {
        sl_import_put_text(import, "sasl.mechanism", *mechanism ? mechanism : "PLAIN", 6);
        sl_import_put_rows(import, sasl_rows, output, 6);
    }
    if (has_tls) {
        sl_import_put_rows(import, *text_of(output, "certificate") ? old_tls_rows : tls_rows,
                           output, 6);
    }
    if (has_tls && sl_import_is_true(sl_import_get(output, "insecure_skip_verify"))) {
        sl_import_put_raw(import, "enable.ssl.certificate.verification", "\"false\"", 6);
    }
}

static void put_kafka(struct sl_import_telegraf *telegraf, const struct sl_config_node *output)
{
    struct sl_import *import = telegraf->import;
    size_t start = import->out->len;

    sl_import_put_raw(import, "type", "kafka", 4);
    start = import->out->len;
    sl_import_put_items(import, "brokers", sl_import_get(output, "brokers"), 4);
    if (import->out->len == start) {
        sl_import_put_raw(import, "brokers", "[\"localhost:9092\"]", 4);
    }
    put_topic(telegraf, output);
    put_key(telegraf, output);
    put_codec(import, sl_import_get(output, "compression_codec"));
    note_promises(import, output);
    start = import->out->len;
    sl_import_put_key(import, "properties", 4);
    size_t empty = import->out->len;
    sl_import_put_rows(import, property_rows, output, 6);
    put_security(import, output);
    if (import->out->len == empty && !import->out->failed) {
        import->out->len = start;
    }
}

/* ---- all ---- */

static void put_format(struct sl_import *import, const struct sl_config_node *output)
{
    const struct sl_config_node *units = sl_import_get(output, "json_timestamp_units");
    const struct sl_config_node *format = sl_import_get(output, "data_format");
    int64_t ns = 0;

    sl_import_put_raw(import, "format", format_of(output), 4);
    if (*sl_import_text(units) &&
        (!sl_import_to_period(sl_import_text(units), &ns) || ns != SL_NS_PER_S)) {
        sl_import_note(import, units, SL_IMPORT_LEFT_OUT,
                       "'json_timestamp_units': in sluice they are seconds; the format influx has "
                       "nanoseconds");
    }
    sl_import_note(import, format ? format : output, SL_IMPORT_CHANGED,
                   "decimals, and numbers in JSON, keep every digit, where Telegraf rounds them; "
                   "'compat-float64: true' of the sink rounds them, too");
}

void sl_import_telegraf_put_sinks(struct sl_import_telegraf *telegraf)
{
    struct sl_import *import = telegraf->import;
    const char *host = text_of(telegraf->agent, "hostname");

    sl_import_put_key(import, "sinks", 0);
    for (size_t i = 0; i < telegraf->sink_count; i++) {
        const struct sl_import_sink *sink = &telegraf->sinks[i];
        const char *path = sl_import_text(sink->file);
        sl_import_put_key(import, sink->name, 2);
        if (import->options.replay) {
            sl_import_put_trial_sink(import, sink->name);
        } else if (!sink->file) {
            put_kafka(telegraf, sink->output);
        } else if (strcmp(path, "stdout") == 0) {
            sl_import_put_raw(import, "type", "stdout", 4);
        } else {
            sl_import_put_raw(import, "type", "file", 4);
            sl_import_put_expanded(import, "path", path, 4);
        }
        put_format(import, sink->output);
        if (sl_import_is_true(sl_import_get(telegraf->agent, "omit_hostname"))) {
            sl_import_put_raw(import, "host", "none", 4);
        } else if (*host) {
            sl_import_put_expanded(import, "host", host, 4);
        }
        if (telegraf->has_rules) {
            sl_import_put_raw(import, "rules", "[" SL_IMPORT_TAGS_LIST "]", 4);
        }
    }
}
