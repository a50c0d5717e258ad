#include "discovery/kafka.h"

#include "base/buf.h"
#include "base/log.h"

enum { WORDS_BYTES = 200 };

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

rd_kafka_conf_t *sl_source_kafka_conf(const struct sl_source_options *options,
                                      struct sl_status *why)
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
    rd_kafka_conf_t *conf = sl_source_kafka_conf(options, why);

    if (conf) {
        rd_kafka_conf_destroy(conf);
    }
    return conf != NULL;
}
