#include "daemon/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings_read.h"

#define AT(field) offsetof(struct sl_collector_options, field)

const char *const sl_settings_log_levels[] = {"debug", "info", "warn", "error", NULL};
const char *const sl_settings_log_formats[] = {"auto", "logfmt", "json", "journald", NULL};

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
     .default_text = "auto",
     .names = sl_settings_log_formats,
     .doc = "How a line is written; the same fields in the same order. journald: each is a field "
            "of the journal's entry, SLUICE_TARGET of target; auto: that when standard error is "
            "the journal's, else logfmt."},
    {.name = NULL},
};

static const struct sluice_option shard_table[] = {
    {.name = "index",
     .type = SLUICE_INT,
     .offset = AT(shard.index),
     .default_text = "0",
     .min = 0,
     .max = SL_SETTINGS_MAX_SHARDS - 1,
     .doc = "This one's, from 0."},
    {.name = "count",
     .type = SLUICE_INT,
     .offset = AT(shard.count),
     .default_text = "1",
     .min = 1,
     .max = SL_SETTINGS_MAX_SHARDS,
     .doc = "How many there are; a target is that one's whose index is the XXH64 (seed 0) of its "
            "name modulo this."},
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
     .doc = "How long the end waits for what is held; and a reload, for a sink that it takes "
            "away and that has stopped answering."},
    {.name = "plugins",
     .type = SLUICE_STRING,
     .offset = AT(plugins),
     .default_text = "",
     .doc = "A directory with shared objects (*.so) that bring further types of sinks and "
            "processors. It and they must be root's or the user's own, and nobody else's to write "
            "to."},
    {.name = "state-dir",
     .type = SLUICE_STRING,
     .offset = AT(state_dir),
     .default_text = "",
     .doc =
         "A directory for what discovery found last over the network, for a start while a source "
         "is down. Without one, that which the service manager has made ($STATE_DIRECTORY), if "
         "any."},
    {.name = "admin",
     .type = SLUICE_OBJECT,
     .table = sl_admin_table,
     .doc = "The HTTP listener: metrics, health, API and status page."},
    {.name = "connect",
     .type = SLUICE_OBJECT,
     .offset = AT(connect),
     .table = sl_connect_table,
     .doc = "How many connections are begun, so that a restart does not storm devices."},
    {.name = "shard",
     .type = SLUICE_OBJECT,
     .table = shard_table,
     .doc = "A part of the targets, for several collectors with the same ones."},
    {.name = "watch",
     .type = SLUICE_BOOL,
     .offset = AT(watch),
     .default_text = "false",
     .doc = "Whether a change of this file is taken by itself, as a reload does, once the file has "
            "been quiet for a moment; symbolic links that lead to it may be swapped."},
    {.name = "core-dumps",
     .type = SLUICE_BOOL,
     .offset = AT(core_dumps),
     .default_text = "false",
     .doc = "Whether a crash may leave a core behind, in which passwords and keys lie, and "
            "debuggers of the same user may attach."},
    {.name = "log",
     .type = SLUICE_OBJECT,
     .table = log_table,
     .doc = "Lines on standard error; --log-level and --log-format go before it."},
    {.name = NULL},
};

/* A map whose keys the readers of this file take by themselves. */
static const struct sluice_option no_options[] = {{.name = NULL}};
static const char *const root_keys[] = {"collector",     "defaults",  "targets",
                                        "subscriptions", "discovery", "rules",
                                        "processors",    "sinks",     NULL};
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

void sl_settings_check_name(struct sl_config *config, const struct sl_config_node *node,
                            const char *name)
{
    if (!is_name(name)) {
        sl_config_error(config, node,
                        "expected a name of 1 to %d printable ASCII characters without blanks, "
                        "quotes, semicolons and backslashes, found '%.80s'",
                        SL_SETTINGS_MAX_NAME_BYTES, name);
    }
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
    sl_settings_check_name(reader->config, node, collector->name);
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

static void read_collector(struct sl_settings_reader *reader)
{
    const struct sl_config_node *node = sl_config_get(reader->root, "collector");
    const struct sl_config_node *admin = sl_config_get(node, "admin");
    const struct sl_collector_options *collector = &reader->settings->collector;

    sl_config_fill(reader->config, node, sl_collector_table, &reader->settings->collector, NULL,
                   NULL);
    read_collector_name(reader, sl_settings_own_or(node, NULL, "name"));
    read_workers(reader, sl_settings_own_or(node, NULL, "workers"));
    sl_settings_read_admin(reader, admin ? admin : node);
    if (collector->shard.index >= collector->shard.count) {
        sl_config_error(reader->config, sl_settings_own_or(node, NULL, "shard"),
                        "'shard': expected an index below count (%lld), found %lld",
                        (long long)collector->shard.count, (long long)collector->shard.index);
    }
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
        sl_settings_check_name(reader->config, sl_config_key_node(map, i), sl_config_key(map, i));
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

static bool make_connect(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;

    settings->connect = sl_connect_new(&settings->collector.connect);
    if (!settings->connect) {
        sl_config_note_out_of_memory(reader->config);
    }
    return settings->connect != NULL;
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
    reader->own_default_target = sl_config_get(defaults, "target");
    reader->default_target = reader->own_default_target;
    reader->default_subscription = sl_config_get(defaults, "subscription");
    const struct sl_config_node *sources =
        optional_section(reader, "discovery", SL_DISCOVERY_MAX_SOURCES);
    reader->targets = sources ? optional_section(reader, "targets", SL_SETTINGS_MAX_TARGETS)
                              : named_section(reader, "targets", SL_SETTINGS_MAX_TARGETS);
    reader->subscriptions = named_section(reader, "subscriptions", SL_SETTINGS_MAX_SUBSCRIPTIONS);
    reader->rules = optional_section(reader, "rules", SL_SETTINGS_MAX_RULE_LISTS);
    reader->processors = optional_section(reader, "processors", SL_SETTINGS_MAX_PROCESSORS);
    reader->sinks = named_section(reader, "sinks", SL_SETTINGS_MAX_SINKS);
    sl_config_fill_base(reader->config, reader->default_target, sl_target_table, &target);
    reader->target_base = &target;
    read_collector(reader);
    return sl_settings_read_sources(reader, sources) && sl_settings_load_plugins(reader) &&
           sl_settings_read_rules(reader) && sl_settings_read_processors(reader) &&
           sl_settings_read_sinks(reader) && sl_settings_read_subscriptions(reader) &&
           sl_settings_resolve_rules(reader) && sl_settings_gather(reader) &&
           sl_settings_read_targets(reader) && sl_settings_resolve(reader) && make_connect(reader);
}

struct sl_settings *sl_settings_read_with(const char *file, struct sl_settings_document *documents,
                                          size_t count, struct sl_buf *errors)
{
    struct sl_settings *settings = calloc(1, sizeof(*settings));

    if (settings) {
        atomic_init(&settings->holders, 1);
        settings->generation = 1;
        settings->config = sl_config_read(file);
    }
    if (!settings || !settings->config) {
        sl_buf_printf(errors, "%s: out of memory\n", file);
        free(settings);
        return NULL;
    }
    struct sl_settings_reader reader = {.settings = settings,
                                        .config = settings->config,
                                        .own = settings->config,
                                        .root = sl_config_root(settings->config),
                                        .documents = documents,
                                        .document_count = count};
    bool is_read = reader.root && read_root(&reader);
    if (!is_read || sl_config_errors(settings->config)) {
        sl_config_print_errors(settings->config, errors);
        sl_settings_free(settings);
        return NULL;
    }
    return settings;
}

struct sl_settings *sl_settings_read(const char *file, struct sl_buf *errors)
{
    return sl_settings_read_with(file, NULL, 0, errors);
}

void sl_settings_inherit(struct sl_settings *settings, const struct sl_settings *before)
{
    struct sl_connect *connect = sl_connect_hold(before->connect);

    sl_connect_set(connect, &settings->collector.connect);
    sl_connect_release(settings->connect);
    settings->connect = connect;
}

void sl_settings_keep(const struct sl_settings *settings)
{
    sl_connect_set(settings->connect, &settings->collector.connect);
}

void sl_settings_hold(struct sl_settings *settings)
{
    atomic_fetch_add(&settings->holders, 1);
}

void sl_settings_release(struct sl_settings *settings)
{
    if (settings && atomic_fetch_sub(&settings->holders, 1) == 1) {
        sl_settings_free_sinks(settings);
        sl_settings_free_rules(settings);
        sl_settings_free_tls(settings);
        sl_tls_release(settings->admin_tls);
        sl_settings_free_documents(settings);
        sl_connect_release(settings->connect);
        sl_config_free(settings->config);
        sl_plugins_free(settings->plugins);
        free(settings);
    }
}

void sl_settings_free(struct sl_settings *settings)
{
    SL_ASSERT(!settings || atomic_load(&settings->holders) == 1);
    sl_settings_release(settings);
}
