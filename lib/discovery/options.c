#include "discovery/options.h"

#include <string.h>

#include "config/config.h"
#include "discovery/kafka.h"

#define AT(field) offsetof(struct sl_source_options, field)

const char *const sl_source_type_names[] = {"files", "http", "kafka", NULL};

#define TYPE_ROW                                                                                   \
    {.name = "type",                                                                               \
     .type = SLUICE_ENUM,                                                                          \
     .offset = AT(type),                                                                           \
     .names = sl_source_type_names,                                                                \
     .is_required = true,                                                                          \
     .doc = "Where targets are found."}

#define MAX_BYTES_ROW                                                                              \
    {.name = "max-bytes",                                                                          \
     .type = SLUICE_SIZE,                                                                          \
     .offset = AT(max_bytes),                                                                      \
     .default_text = "16MiB",                                                                      \
     .min = 1,                                                                                     \
     .max = 64 * SL_MIB,                                                                           \
     .doc = "Of a document; one that is longer is not taken."}

static const struct sluice_option files_table[] = {
    TYPE_ROW,
    {.name = "paths",
     .type = SLUICE_STRINGS,
     .offset = AT(paths),
     .is_required = true,
     .doc = "YAML or JSON files, with * ? [] in their names; they are watched."},
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = AT(interval_ns),
     .default_text = "30s",
     .min = 100 * SL_NS_PER_MS,
     .max = 86400 * SL_NS_PER_S,
     .doc = "They are looked at so often where a change is not told, as on network file systems."},
    MAX_BYTES_ROW,
    {.name = NULL},
};

static bool is_secret_header(const char *name)
{
    static const char *const marks[] = {"auth", "token", "cookie", "key", "secret"};

    for (size_t i = 0; i < SL_ARRAY_LEN(marks); i++) {
        if (strcasestr(name, marks[i])) {
            return true;
        }
    }
    return false;
}

static const struct sluice_option tls_table[] = {
    {.name = "ca",
     .type = SLUICE_STRING,
     .offset = AT(tls.ca),
     .default_text = "",
     .doc = "Certificates of those who vouch for the server; without it the system's."},
    {.name = "cert",
     .type = SLUICE_STRING,
     .offset = AT(tls.cert),
     .default_text = "",
     .doc = "The client's certificate."},
    {.name = "key",
     .type = SLUICE_STRING,
     .offset = AT(tls.key),
     .default_text = "",
     .doc = "Its key."},
    {.name = NULL},
};

static const struct sluice_option http_table[] = {
    TYPE_ROW,
    {.name = "url",
     .type = SLUICE_STRING,
     .offset = AT(url),
     .is_required = true,
     .doc = "http:// or https://, which answers with YAML or JSON; without secrets: it stands in "
            "logs and on pages."},
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = AT(interval_ns),
     .default_text = "60s",
     .min = 100 * SL_NS_PER_MS,
     .max = 86400 * SL_NS_PER_S,
     .doc = "From one question to the next."},
    {.name = "timeout",
     .type = SLUICE_DURATION,
     .offset = AT(timeout_ns),
     .default_text = "10s",
     .min = 100 * SL_NS_PER_MS,
     .max = 600 * SL_NS_PER_S,
     .doc = "For the whole answer."},
    {.name = "headers",
     .type = SLUICE_MAP,
     .offset = AT(headers),
     .is_secret = is_secret_header,
     .doc = "Further headers of the request."},
    {.name = "token",
     .type = SLUICE_SECRET,
     .offset = AT(token),
     .default_text = "",
     .doc = "Goes out as Authorization: Bearer."},
    {.name = "tls",
     .type = SLUICE_OBJECT,
     .table = tls_table,
     .doc = "Who is trusted, and as whom."},
    MAX_BYTES_ROW,
    {.name = NULL},
};

static bool is_secret_property(const char *name)
{
    static const char *const marks[] = {"password", "secret", ".pem", "key", "config", "jaas"};

    for (size_t i = 0; i < SL_ARRAY_LEN(marks); i++) {
        if (strstr(name, marks[i])) {
            return true;
        }
    }
    return false;
}

static const struct sluice_option kafka_table[] = {
    TYPE_ROW,
    {.name = "brokers",
     .type = SLUICE_STRINGS,
     .offset = AT(brokers),
     .is_required = true,
     .doc = "HOST:PORT of some of the brokers; they name the others."},
    {.name = "topic",
     .type = SLUICE_STRING,
     .offset = AT(topic),
     .is_required = true,
     .doc = "A compacted topic: the key is a target's name, the value its keys as YAML or JSON, no "
            "value takes it away."},
    {.name = "properties",
     .type = SLUICE_MAP,
     .offset = AT(properties),
     .is_secret = is_secret_property,
     .doc = "Any property of a librdkafka consumer."},
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = AT(interval_ns),
     .default_text = "10s",
     .min = 100 * SL_NS_PER_MS,
     .max = 86400 * SL_NS_PER_S,
     .doc = "So often it is asked whether the brokers are there, and for new partitions."},
    MAX_BYTES_ROW,
    {.name = NULL},
};

const struct sluice_option *sl_source_table(int type)
{
    static const struct sluice_option *const tables[SL_SOURCE_TYPES] = {
        [SL_SOURCE_FILES] = files_table,
        [SL_SOURCE_HTTP] = http_table,
        [SL_SOURCE_KAFKA] = kafka_table,
    };

    SL_ASSERT(type >= 0 && type < SL_SOURCE_TYPES);
    return tables[type];
}

bool sl_source_is_same(const struct sl_source_spec *a, const struct sl_source_spec *b)
{
    return strcmp(a->name, b->name) == 0 && a->options.type == b->options.type &&
           !sl_config_differ(sl_source_table(a->options.type), &a->options, &b->options, NULL,
                             NULL);
}

static bool is_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

static bool check_http(const struct sl_source_options *options, struct sl_status *why)
{
    bool is_secure = strncmp(options->url, "https://", 8) == 0;
    bool is_plain = strncmp(options->url, "http://", 7) == 0;

    if (!is_secure && !is_plain) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "'url': expected http:// or https://");
        return false;
    }
    const char *host = options->url + (is_secure ? 8 : 7);
    if (memchr(host, '@', strcspn(host, "/?#"))) { /* the URL stands in logs and on pages */
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "'url': credentials do not belong there: 'token' or 'headers'");
        return false;
    }
    if (!*options->tls.cert != !*options->tls.key) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "'tls': a certificate needs its key, and a key its certificate");
        return false;
    }
    bool is_good = is_line(options->url) && (!options->token || is_line(options->token));
    for (size_t i = 0; i < options->headers.count; i++) {
        const struct sluice_pair *pair = &options->headers.pairs[i];
        is_good = is_good && is_line(pair->name) && is_line(pair->value) && pair->name[0] &&
                  !strchr(pair->name, ':');
    }
    if (!is_good) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "'headers': expected names and values of one line each");
    }
    return is_good;
}

bool sl_source_check(const struct sl_source_spec *spec, struct sl_status *why)
{
    const char *name = spec->name;

    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
            strlen(name) ||
        !*name || strlen(name) > 64) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "expected a name of 1 to 64 letters, digits, '-' and '_'");
        return false;
    }
    if (spec->options.type == SL_SOURCE_KAFKA) {
        return sl_source_check_kafka(&spec->options, why);
    }
    return spec->options.type != SL_SOURCE_HTTP || check_http(&spec->options, why);
}
