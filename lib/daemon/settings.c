#include "daemon/settings.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/source.h"
#include "daemon/settings_read.h"

#define AT(field) offsetof(struct sl_collector_options, field)

static const struct sluice_option admin_table[] = {
    {.name = "listen",
     .type = SLUICE_STRING,
     .offset = AT(admin.listen),
     .default_text = "127.0.0.1:9804",
     .doc = "A loopback address and port; \"\" for none."},
    {.name = NULL},
};

const char *const sl_settings_log_levels[] = {"debug", "info", "warn", "error", NULL};
const char *const sl_settings_log_formats[] = {"logfmt", "json", NULL};

static const struct sluice_option log_table[] = {
    {.name = "level",
     .type = SLUICE_ENUM,
     .offset = AT(log.level),
     .default_text = "info",
     .names = sl_settings_log_levels,
     .doc = "Lines below it are not printed."},
    {.name = "format",
     .type = SLUICE_ENUM,
     .offset = AT(log.format),
     .default_text = "logfmt",
     .names = sl_settings_log_formats,
     .doc = "How a line is written; the same fields in the same order."},
    {.name = NULL},
};

const struct sluice_option sl_collector_table[] = {
    {.name = "name",
     .type = SLUICE_STRING,
     .offset = AT(name),
     .doc = "In records, metrics and Kafka's client.id; without it the host's name."},
    {.name = "workers",
     .type = SLUICE_STRING,
     .offset = AT(workers),
     .default_text = "auto",
     .doc = "Threads with devices of their own, 1 to 256; auto: one for each core, fewer for few "
            "devices or little memory."},
    {.name = "memory",
     .type = SLUICE_SIZE,
     .offset = AT(memory_bytes),
     .default_text = "512MiB",
     .min = SL_MIB,
     .max = 16 * 1024 * SL_GIB,
     .doc = "What all workers together may hold of the devices' data."},
    {.name = "shutdown-timeout",
     .type = SLUICE_DURATION,
     .offset = AT(shutdown_timeout_ns),
     .default_text = "10s",
     .min = 0,
     .max = 3600 * SL_NS_PER_S,
     .doc = "How long the end waits for what is held."},
    {.name = "plugins",
     .type = SLUICE_STRING,
     .offset = AT(plugins),
     .default_text = "",
     .doc = "A directory with shared objects (*.so) that bring further types of sinks and "
            "processors. It and they must be root's or the user's own, and nobody else's to write "
            "to."},
    {.name = "admin",
     .type = SLUICE_OBJECT,
     .table = admin_table,
     .doc = "The HTTP listener of /metrics and /healthz."},
    {.name = "log",
     .type = SLUICE_OBJECT,
     .table = log_table,
     .doc = "Lines on standard error; --log-level and --log-format go before it."},
    {.name = NULL},
};

/* A map whose keys the readers of this file take by themselves. */
static const struct sluice_option no_options[] = {{.name = NULL}};
static const char *const root_keys[] = {"collector", "defaults",   "targets", "subscriptions",
                                        "rules",     "processors", "sinks",   NULL};
static const char *const defaults_keys[] = {"target", "subscription", NULL};

/* A name goes into headers, metrics and logs, in which these bytes end it. */
static bool is_name(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\";\\", text[i])) {
            return false;
        }
    }
    return len > 0 && len <= SL_SETTINGS_MAX_NAME_BYTES;
}

static void check_name(struct sl_config *config, const struct sl_config_node *node,
                       const char *name)
{
    if (!is_name(name)) {
        sl_config_error(config, node,
                        "expected a name of 1 to %d printable ASCII characters without blanks, "
                        "quotes, semicolons and backslashes, found '%.80s'",
                        SL_SETTINGS_MAX_NAME_BYTES, name);
    }
}

/* What a header of HTTP/2 carries as it is. */
static bool is_header_text(const char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

/* ---- collector ---- */

static void read_collector_name(struct sl_settings_reader *reader,
                                const struct sl_config_node *node)
{
    struct sl_collector_options *collector = &reader->settings->collector;

    if (!collector->name) {
        char *host = sl_config_alloc(reader->config, HOST_NAME_MAX + 1, 1);
        if (host && gethostname(host, HOST_NAME_MAX) == 0 && is_name(host)) {
            collector->name = host;
        } else {
            collector->name = "sluice";
        }
    }
    check_name(reader->config, node, collector->name);
}

static void read_workers(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    const char *text = reader->settings->collector.workers;
    uint64_t count = 0;

    if (strcmp(text, "auto") == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        count = cores < 1 ? 1 : sl_min_u64((uint64_t)cores, SL_SETTINGS_MAX_WORKERS);
    } else if (!sl_str_to_u64(sl_str_from(text), &count) || count < 1 ||
               count > SL_SETTINGS_MAX_WORKERS) {
        sl_config_error(reader->config, node,
                        "'workers': expected auto or a number from 1 to %d, found '%.80s'",
                        SL_SETTINGS_MAX_WORKERS, text);
        count = 1;
    }
    reader->settings->workers = (unsigned)count;
}

static bool is_loopback(const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return strcmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

static void read_admin(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    const char *listen = reader->settings->collector.admin.listen;
    struct sl_address *address = &reader->settings->admin;

    if (!*listen) {
        return;
    }
    if (!sl_address_parse(listen, SL_SETTINGS_DEFAULT_ADMIN_PORT, address) ||
        sl_address_is_unix(address) || !is_loopback(address->host)) {
        sl_config_error(reader->config, node,
                        "'listen': expected a loopback address such as 127.0.0.1:%d, or \"\" for "
                        "none, found '%.80s'",
                        SL_SETTINGS_DEFAULT_ADMIN_PORT, listen);
    }
}

static void read_collector(struct sl_settings_reader *reader)
{
    const struct sl_config_node *node = sl_config_get(reader->root, "collector");
    const struct sl_config_node *admin = sl_config_get(node, "admin");

    sl_config_fill(reader->config, node, sl_collector_table, &reader->settings->collector, NULL,
                   NULL);
    read_collector_name(reader, sl_settings_own_or(node, NULL, "name"));
    read_workers(reader, sl_settings_own_or(node, NULL, "workers"));
    read_admin(reader, sl_settings_own_or(admin, NULL, "listen"));
}

/* ---- targets ---- */

static void check_address(struct sl_settings_reader *reader, const struct sl_config_node *map,
                          size_t i)
{
    struct sl_target_settings *target = &reader->settings->targets[i];
    const struct sl_config_node *node =
        sl_settings_own_or(sl_config_at(map, i), reader->default_target, "address");
    const char *text = target->options.address;
    struct sl_status why;

    if (!*text) {
        text = target->name;
        node = sl_config_key_node(map, i);
    }
    if (!sl_address_parse(text, SL_TARGET_DEFAULT_PORT, &target->address) ||
        (!target->address.port && !sl_address_is_unix(&target->address))) {
        sl_config_error(reader->config, node,
                        "'address': expected host:port, [v6]:port, host or unix:path, found "
                        "'%.80s'",
                        text);
    } else if (!sl_address_check(&target->address, &why)) {
        sl_config_error(reader->config, node, "'address': %s", why.text);
    }
}

/* Where the configuration leaves it open: whose device it was, as the capture has it. */
static int vendor_of(const struct sl_gnmi_capture_header *header)
{
    int vendor = 0;

    while (sl_target_vendor_names[vendor] &&
           !sl_str_eq_c(header->vendor, sl_target_vendor_names[vendor])) {
        vendor++;
    }
    return sl_target_vendor_names[vendor] ? vendor : 0;
}

static void read_replay(struct sl_settings_reader *reader, const struct sl_config_node *node,
                        struct sl_target_settings *target)
{
    struct sl_target_options *options = &target->options;
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(options->replay.file, &why);

    target->address = (struct sl_address){.kind = SL_ADDRESS_PRIVATE};
    target->replay = (struct sl_device_replay){
        .file = options->replay.file,
        .is_fast = options->replay.pace == SL_TARGET_PACE_FAST,
        .loops = options->replay.loop,
        .ends = true,
        .shifts = options->replay.timestamps == SL_TARGET_TIMES_SHIFTED,
        .tells_times = options->replay.timestamps == SL_TARGET_TIMES_AS_IS,
    };
    if (!source) {
        sl_config_error(reader->config, sl_settings_own_or(node, reader->default_target, "replay"),
                        "'replay': '%.80s': %s", options->replay.file, why.text);
    } else if (options->vendor == 0) {
        options->vendor = vendor_of(sl_capture_source_header(source));
    }
    sl_capture_source_close(source);
}

/* Fills target->proxy, which a target before it may have made. False when memory is out. */
static bool read_proxy(struct sl_settings_reader *reader, const struct sl_config_node *node,
                       struct sl_target_settings *target)
{
    const char *text = target->options.proxy;
    struct sl_status why;

    if (!*text) {
        return true;
    }
    if (!reader->proxy_text || strcmp(reader->proxy_text, text) != 0) {
        reader->proxy_text = text;
        reader->proxy = sl_config_alloc(reader->config, 1, sizeof(*reader->proxy));
    }
    if (!reader->proxy) {
        return false;
    }
    target->proxy = reader->proxy;
    if (!sl_proxy_parse(text, reader->proxy, &why) || !sl_proxy_can_reach(&target->address, &why)) {
        sl_config_error(reader->config, sl_settings_own_or(node, reader->default_target, "proxy"),
                        "'proxy': %s", why.text);
    }
    return true;
}

static void check_target(struct sl_settings_reader *reader, const struct sl_config_node *node,
                         const struct sl_target_options *options)
{
    const struct sl_config_node *defaults = reader->default_target;

    if (!is_header_text(options->username)) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "username"),
                        "'username': expected printable ASCII");
    }
    if (!is_header_text(options->password)) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "password"),
                        "'password': expected printable ASCII");
    }
    if (options->backoff.min_ns > options->backoff.max_ns) {
        sl_config_error(reader->config, sl_settings_own_or(node, defaults, "backoff"),
                        "'backoff': expected a min that is not above max");
    }
    for (size_t i = 0; i < options->labels.count; i++) {
        check_name(reader->config, sl_settings_own_or(node, defaults, "labels"),
                   options->labels.pairs[i].name);
    }
}

static bool read_targets(struct sl_settings_reader *reader, const struct sl_target_options *base)
{
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *map = reader->targets;
    size_t count = map ? sl_config_count(map) : 0;

    settings->targets = sl_config_alloc(reader->config, count, sizeof(*settings->targets));
    if (!settings->targets) {
        return false;
    }
    settings->target_count = count;
    settings->is_finite = count > 0;
    for (size_t i = 0; i < count; i++) {
        struct sl_target_settings *target = &settings->targets[i];
        target->name = sl_config_key(map, i);
        sl_config_fill(reader->config, sl_config_at(map, i), sl_target_table, &target->options,
                       base, NULL);
        check_target(reader, sl_config_at(map, i), &target->options);
        if (*target->options.replay.file) {
            read_replay(reader, sl_config_at(map, i), target);
            settings->is_finite = settings->is_finite && !target->replay.loops;
            continue;
        }
        settings->is_finite = false;
        check_address(reader, map, i);
        if (!read_proxy(reader, sl_config_at(map, i), target)) {
            return false;
        }
        if (!sl_settings_read_tls(reader, sl_config_at(map, i), target)) {
            return false;
        }
    }
    return true;
}

/* ---- the whole ---- */

/* A map of named things, at least one; NULL where there is none, or after an error. */
static const struct sl_config_node *optional_section(struct sl_settings_reader *reader,
                                                     const char *key, size_t max)
{
    const struct sl_config_node *map = sl_config_get(reader->root, key);

    if (!map) {
        return NULL;
    }
    if (sl_config_kind(map) != SL_CONFIG_MAP || !sl_config_count(map)) {
        sl_config_error(reader->config, map, "'%s': expected a map with at least one name", key);
        return NULL;
    }
    if (sl_config_count(map) > max) {
        sl_config_error(reader->config, map, "'%s': %zu of them; there can be %zu", key,
                        sl_config_count(map), max);
        return NULL;
    }
    for (size_t i = 0; i < sl_config_count(map); i++) {
        check_name(reader->config, sl_config_key_node(map, i), sl_config_key(map, i));
    }
    return map;
}

static const struct sl_config_node *named_section(struct sl_settings_reader *reader,
                                                  const char *key, size_t max)
{
    if (!sl_config_get(reader->root, key)) {
        sl_config_error(reader->config, reader->root,
                        "the key '%s' is missing: expected a map with at least one name", key);
    }
    return optional_section(reader, key, max);
}

/* False when memory is out; what is wrong with the file is told to the document. */
static bool read_root(struct sl_settings_reader *reader)
{
    const struct sl_config_node *defaults = sl_config_get(reader->root, "defaults");
    struct sl_target_options target;
    char nothing;

    sl_config_fill(reader->config, reader->root, no_options, &nothing, NULL, root_keys);
    if (sl_config_kind(reader->root) != SL_CONFIG_MAP) {
        return true;
    }
    sl_config_fill(reader->config, defaults, no_options, &nothing, NULL, defaults_keys);
    reader->default_target = sl_config_get(defaults, "target");
    reader->default_subscription = sl_config_get(defaults, "subscription");
    reader->targets = named_section(reader, "targets", SL_SETTINGS_MAX_TARGETS);
    reader->subscriptions = named_section(reader, "subscriptions", SL_SETTINGS_MAX_SUBSCRIPTIONS);
    reader->rules = optional_section(reader, "rules", SL_SETTINGS_MAX_RULE_LISTS);
    reader->processors = optional_section(reader, "processors", SL_SETTINGS_MAX_PROCESSORS);
    reader->sinks = named_section(reader, "sinks", SL_SETTINGS_MAX_SINKS);
    sl_config_fill_base(reader->config, reader->default_target, sl_target_table, &target);
    read_collector(reader);
    return sl_settings_load_plugins(reader) && sl_settings_read_rules(reader) &&
           sl_settings_read_processors(reader) && sl_settings_read_sinks(reader) &&
           sl_settings_read_subscriptions(reader) && sl_settings_resolve_rules(reader) &&
           read_targets(reader, &target) && sl_settings_resolve(reader);
}

struct sl_settings *sl_settings_read(const char *file, struct sl_buf *errors)
{
    struct sl_settings *settings = calloc(1, sizeof(*settings));

    if (settings) {
        settings->config = sl_config_read(file);
    }
    if (!settings || !settings->config) {
        sl_buf_printf(errors, "%s: out of memory\n", file);
        free(settings);
        return NULL;
    }
    struct sl_settings_reader reader = {
        .settings = settings, .config = settings->config, .root = sl_config_root(settings->config)};
    bool is_read = reader.root && read_root(&reader);
    if (!is_read || sl_config_errors(settings->config)) {
        sl_config_print_errors(settings->config, errors);
        sl_settings_free(settings);
        return NULL;
    }
    return settings;
}

void sl_settings_free(struct sl_settings *settings)
{
    if (settings) {
        sl_settings_free_sinks(settings);
        sl_settings_free_rules(settings);
        sl_settings_free_tls(settings);
        sl_config_free(settings->config);
        sl_plugins_free(settings->plugins);
        free(settings);
    }
}
