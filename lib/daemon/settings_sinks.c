/* A sink's map has keys of ours and keys of its plugin. Both tables are joined into one for the
 * time of reading, so that an unknown key is told once and with the nearest of all. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings_read.h"
#include "normalise/encoder.h"
#include "normalise/json_keyed.h"
#include "stream/options.h"

enum { ERROR_BYTES = 400 };

struct common_options {
    const char *type;
    int format;
    int unit;
    int module_prefixes; /* enum sl_module_prefixes */
    struct sluice_strings rules;
    struct sluice_strings processors;
    bool is_float64;
    const char *host; /* "auto", "none", or a name */
    int json_arrays;  /* enum json_arrays */
    struct sluice_strings json_keys;
    struct {
        uint64_t bytes;
        int64_t delay_ns;
    } batch;
    int same_path; /* enum same_path */
    int markers;   /* enum markers */
    struct sluice_map match;
    bool is_required;
    uint64_t memory_bytes;
    int64_t stall_after_ns;
    int64_t overdue_after_ns;
};

/* Where the plugin's struct begins behind ours. */
static const size_t plugin_offset = (sizeof(struct common_options) + sizeof(max_align_t) - 1) /
                                    sizeof(max_align_t) * sizeof(max_align_t);

/* In the order of enum sl_format. */
static const char *const formats[] = {
    "event",          "proto",       "sluice.v1",     "gnmic-json", "protojson",
    "sluice.v1-json", "event-split", "telegraf-json", "influx",     NULL};

/* In the order of enum sl_record_unit. */
static const char *const units[] = {"notification", "update", NULL};

/* In the order of `json_arrays`. */
enum json_arrays { JSON_ARRAYS_INDEX, JSON_ARRAYS_KEYED };
static const char *const json_arrays[] = {"index", "keyed", NULL};

/* In the order of `same_paths`. */
enum same_path { SAME_PATH_BY_FORMAT, SAME_PATH_LAST, SAME_PATH_ALL };
static const char *const same_paths[] = {"by-format", "last", "all", NULL};

/* In the order of `markers`. */
enum markers { MARKERS_BY_FORMAT, MARKERS_ON, MARKERS_OFF };
static const char *const markers[] = {"by-format", "true", "false", NULL};

static const struct sluice_option batch_table[] = {
    {.name = "bytes",
     .type = SLUICE_SIZE,
     .offset = offsetof(struct common_options, batch.bytes),
     .default_text = "0",
     .max = 8 * SL_MIB,
     .doc = "Several records of a stream leave as one, a line each, when they have so many bytes; "
            "0: each leaves by itself. For formats of text."},
    {.name = "delay",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct common_options, batch.delay_ns),
     .default_text = "5ms",
     .min = SL_NS_PER_MS,
     .max = 10 * SL_NS_PER_S,
     .doc = "A line waits no longer for company; less where the device waits for credit, or a "
            "quarter of its window is in the batch."},
    {.name = NULL},
};

const struct sluice_option sl_sink_table[] = {
    {.name = "type",
     .type = SLUICE_STRING,
     .offset = offsetof(struct common_options, type),
     .is_required = true,
     .doc = "The plugin; it brings the keys below."},
    {.name = "format",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, format),
     .default_text = "event",
     .names = formats,
     .doc =
         "event: gnmic's JSON array; event-split: its events one by one; proto: the bytes of the "
         "gNMI message as they came; "
         "sluice.v1: the record of proto/sluice.proto, exact and numbered; gnmic-json: gnmic's "
         "format json; protojson: the gNMI message in protobuf's JSON mapping; sluice.v1-json: the "
         "record of sluice.v1 in that mapping; telegraf-json, "
         "influx: metrics as Telegraf's Kafka output writes them."},
    {.name = "record",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, unit),
     .default_text = "notification",
     .names = units,
     .doc = "What a record is made of. update: of each update and delete one, deletes first; an "
            "atomic notification stays whole. Not for telegraf-json and influx, which have a "
            "record for each metric."},
    {.name = "compat-float64",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct common_options, is_float64),
     .default_text = "false",
     .doc = "event, event-split, gnmic-json, telegraf-json, influx: decimals, and the numbers in "
            "JSON, are rounded as gnmic and Telegraf do; else they keep every digit."},
    {.name = "host",
     .type = SLUICE_STRING,
     .offset = offsetof(struct common_options, host),
     .default_text = "auto",
     .doc = "telegraf-json, influx: the tag 'host'. auto: this machine's name; none: no such tag."},
    {.name = "json-arrays",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, json_arrays),
     .default_text = "index",
     .names = json_arrays,
     .doc = "event, event-split, sluice.v1, sluice.v1-json: the items of arrays in JSON are "
            "counted (/interface.0/mtu; sluice.v1: /interface[0]/mtu), or keyed where all of an "
            "array have keys, and no two the same (/interface[name=e1]/mtu)."},
    {.name = "json-keys",
     .type = SLUICE_STRINGS,
     .offset = offsetof(struct common_options, json_keys),
     .doc = "With keyed: members that are keys; the first that all items have counts. Several keys "
            "of one list stand in one text with blanks between them. None: \"identifier name\", "
            "name, id, index, key."},
    {.name = "batch",
     .type = SLUICE_OBJECT,
     .table = batch_table,
     .doc =
         "Lines instead of records: many times cheaper for Kafka, where its consumers read lines."},
    {.name = "same-path",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, same_path),
     .default_text = "by-format",
     .names = same_paths,
     .doc = "Of several updates of one path in one notification, last: the last one, which is what "
            "gNMI says, the others are counted as filtered; all: each, as gnmic has it. by-format: "
            "last for sluice.v1 and sluice.v1-json."},
    {.name = "markers",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, markers),
     .default_text = "by-format",
     .names = markers,
     .doc =
         "Records that say when a stream was connected, synced, stale or disconnected, and where "
         "it has a gap. by-format: true for sluice.v1 and sluice.v1-json. proto and protojson "
         "have none."},
    {.name = "module-prefixes",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct common_options, module_prefixes),
     .default_text = "keep",
     .names = sl_module_prefixes_names,
     .doc = "strip: without the modules in front of names (openconfig-interfaces:interfaces), "
            "before the sink's rules."},
    {.name = "match",
     .type = SLUICE_MAP,
     .offset = offsetof(struct common_options, match),
     .doc = "Only for targets whose labels are so: {site: tyo*, role: leaf}, each with * and ?; "
            "narrows what targets and subscriptions say."},
    {.name = "rules",
     .type = SLUICE_STRINGS,
     .offset = offsetof(struct common_options, rules),
     .doc = "Lists of rules for all that goes to this sink, behind those of the subscription."},
    {.name = "processors",
     .type = SLUICE_STRINGS,
     .offset = offsetof(struct common_options, processors),
     .doc = "What its records go through, after encoding and in this order."},
    {.name = "required",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct common_options, is_required),
     .default_text = "true",
     .doc = "false: no credit and no subscribing waits for this sink, and no end longer than a "
            "quarter of a second. What it has no room for is dropped (reason sink-full), and a gap "
            "in its data says so once it has again."},
    {.name = "memory",
     .type = SLUICE_SIZE,
     .offset = offsetof(struct common_options, memory_bytes),
     .default_text = "4MiB",
     .min = (int64_t)(64 * SL_KIB),
     .max = (int64_t)(64 * SL_GIB),
     .doc = "required: false: what records on their way to this sink may hold, in each worker; it "
            "is taken off collector.memory. Where it is used up, records are dropped until half of "
            "it is free again."},
    {.name = "stall-after",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct common_options, stall_after_ns),
     .default_text = "10s",
     .min = 100 * SL_NS_PER_MS,
     .max = 3600 * SL_NS_PER_S,
     .doc = "So long without a report while records are out: no new streams."},
    {.name = "overdue-after",
     .type = SLUICE_DURATION,
     .offset = offsetof(struct common_options, overdue_after_ns),
     .default_text = "5m",
     .min = 100 * SL_NS_PER_MS,
     .max = 24 * 3600 * SL_NS_PER_S,
     .doc = "A record without a report for so long is told of: a plugin has forgotten it, or where "
            "it goes is silent."},
    {.name = NULL},
};

static size_t table_len(const struct sluice_option *table)
{
    size_t len = 0;

    while (table && table[len].name) {
        len++;
    }
    return len;
}

static struct sluice_option *join_tables(struct sl_config *config,
                                         const struct sluice_sink_plugin *plugin)
{
    size_t ours = table_len(sl_sink_table);
    size_t theirs = table_len(plugin->options);
    struct sluice_option *table = sl_config_alloc(config, ours + theirs + 1, sizeof(*table));

    for (size_t i = 0; table && i < ours; i++) {
        table[i] = sl_sink_table[i];
    }
    for (size_t i = 0; table && i < theirs; i++) {
        table[ours + i] = plugin->options[i];
        table[ours + i].offset += plugin_offset;
    }
    return table;
}

static const struct sluice_sink_plugin *read_type(struct sl_config *config,
                                                  const struct sl_plugins *known,
                                                  const struct sl_config_node *map)
{
    const struct sluice_sink_plugin *const *plugins = sl_plugins_sinks(known);
    const struct sl_config_node *node = sl_config_get(map, "type");
    const char *type = node ? sl_config_text(config, node) : "";
    const struct sluice_sink_plugin *plugin = *type ? sl_plugins_sink(known, type) : NULL;
    const char *names[SL_PLUGINS_MAX_TYPES + 1] = {NULL};

    if (plugin || !*type) {
        return plugin;
    }
    for (size_t i = 0; plugins[i]; i++) {
        names[i] = plugins[i]->type;
    }
    sl_config_error_unknown(config, node, "sink type", type, names);
    return NULL;
}

/* Without its plugin nobody knows the further keys of a sink: only ours are checked. */
static void check_common(struct sl_config *config, const struct sl_config_node *map)
{
    size_t count = sl_config_kind(map) == SL_CONFIG_MAP ? sl_config_count(map) : 0;
    const char **known = sl_config_alloc(config, count + 1, sizeof(*known));
    struct common_options options;

    for (size_t i = 0; known && i < count; i++) {
        known[i] = sl_config_key(map, i);
    }
    sl_config_fill(config, map, sl_sink_table, &options, NULL, known);
}

static const struct sl_config_node *place_of(const struct sl_config_node *map, const char *key)
{
    const struct sl_config_node *node = sl_config_get(map, key);

    return node ? node : map;
}

/* `is_filled`: no error has been told, so that an empty text is what the file says.
 * A template option: kept when it is the destination's, the key's or the partition's, else only
 * looked at. */
static void read_template(struct sl_config *config, const struct sl_config_node *map,
                          const struct sluice_option *option, const char *text, bool is_filled,
                          struct sl_sink_settings *sink)
{
    const struct sluice_sink_plugin *plugin = sink->spec.plugin;
    bool is_destination =
        plugin->destination_option && strcmp(option->name, plugin->destination_option) == 0;
    bool is_key = plugin->key_option && strcmp(option->name, plugin->key_option) == 0;
    bool is_partition =
        plugin->partition_option && strcmp(option->name, plugin->partition_option) == 0;
    struct sl_status why = sl_status_ok();

    if (!text || !*text) {
        if (is_destination && is_filled) {
            sl_config_error(config, place_of(map, option->name), "'%s': expected text, found ''",
                            option->name);
        }
        return;
    }
    struct sl_template *templ = sl_template_new(text, &why);
    if (!templ) {
        sl_config_error(config, place_of(map, option->name), "'%s': %s", option->name, why.text);
    } else if (is_destination) {
        sink->destination = templ;
    } else if (is_key) {
        sink->key = templ;
    } else if (is_partition) {
        sink->partition = templ;
    } else {
        sl_template_free(templ);
    }
}

static void read_templates(struct sl_config *config, const struct sl_config_node *map,
                           bool is_filled, struct sl_sink_settings *sink)
{
    const struct sluice_option *option = sink->spec.plugin->options;

    for (; option && option->name; option++) {
        if (option->type == SLUICE_TEMPLATE) {
            const char *text = NULL;
            memcpy(&text, (const char *)sink->spec.options + option->offset, sizeof(text));
            read_template(config, map, option, text, is_filled, sink);
        }
    }
}

static void check_options(struct sl_config *config, const struct sl_config_node *map,
                          const struct sl_sink_settings *sink)
{
    const struct sluice_sink_plugin *plugin = sink->spec.plugin;
    char error[ERROR_BYTES] = "";

    if (plugin->check && !plugin->check(sink->spec.options, error, sizeof(error))) {
        sl_config_error(config, map, "sink '%.80s': %s", sink->spec.name, error);
    }
}

/* Lines want text: the bytes of a protobuf message may be a line feed. */
static void check_batch(struct sl_config *config, const struct sl_config_node *map,
                        const struct common_options *options)
{
    bool is_text = options->format != SL_FORMAT_PROTO && options->format != SL_FORMAT_SLUICE_V1;

    if (options->batch.bytes && !is_text) {
        sl_config_error(config, place_of(map, "batch"),
                        "'batch': expected a format of text lines, such as event or sluice.v1-json;"
                        " found format %s",
                        formats[options->format]);
    }
}

static void check_unit(struct sl_config *config, const struct sl_config_node *map,
                       const struct common_options *options)
{
    bool has_metrics =
        options->format == SL_FORMAT_TELEGRAF_JSON || options->format == SL_FORMAT_INFLUX;

    if (options->unit == SL_RECORD_UPDATE && has_metrics) {
        sl_config_error(config, place_of(map, "record"),
                        "'record': format %s has a record for each metric; expected no other",
                        formats[options->format]);
    }
}

/* Not one whose records are held against another program's. */
static bool is_ours(enum sl_format format)
{
    return format == SL_FORMAT_SLUICE_V1 || format == SL_FORMAT_SLUICE_V1_JSON;
}

static bool has_markers(struct sl_config *config, const struct sl_config_node *map,
                        const struct common_options *options)
{
    enum sl_format format = (enum sl_format)options->format;

    if (options->markers == MARKERS_ON && !sl_format_has_markers(format)) {
        sl_config_error(config, place_of(map, "markers"),
                        "'markers': expected false: format %s has none", formats[format]);
    }
    return options->markers == MARKERS_ON ||
           (options->markers == MARKERS_BY_FORMAT && sl_format_wants_markers(format));
}

static const struct sluice_strings *json_keys_of(struct sl_config *config,
                                                 const struct sl_config_node *map,
                                                 const struct common_options *common)
{
    for (size_t i = 0; i < common->json_keys.count; i++) {
        if (!sl_json_keys_check(common->json_keys.items[i])) {
            sl_config_error(config, place_of(map, "json-keys"),
                            "'json-keys': expected names of members, 1 to 4 in each text");
        }
    }
    if (common->json_arrays == JSON_ARRAYS_INDEX) {
        return NULL;
    }
    return common->json_keys.count ? &common->json_keys : &sl_json_default_keys;
}

static bool read_sink(struct sl_settings_reader *reader, const struct sl_config_node *map,
                      struct sl_sink_settings *sink)
{
    struct sl_config *config = reader->config;
    const struct sluice_sink_plugin *plugin = read_type(config, reader->settings->plugins, map);
    size_t errors = sl_config_errors(config);

    if (!plugin) {
        check_common(config, map);
        return true;
    }
    const struct sluice_option *table = join_tables(config, plugin);
    char *object = sl_config_alloc(config, 1, plugin_offset + plugin->options_size);
    if (!table || !object) {
        return false;
    }
    /* `type` is read by itself: as an option it could not be the word null */
    const char *const known[] = {"type", NULL};
    sl_config_fill(config, map, table + 1, object, NULL, known);
    bool is_filled = sl_config_errors(config) == errors;
    const struct common_options *common = (const void *)object;
    sink->spec.plugin = plugin;
    sink->spec.options = object + plugin_offset;
    sink->spec.format = common->format;
    sink->spec.unit = common->unit;
    sink->rules = common->rules;
    sink->strips_modules = common->module_prefixes == SL_STRIP_MODULES;
    sink->spec.is_float64 = common->is_float64;
    sink->spec.is_hostless = strcmp(common->host, "none") == 0;
    sink->spec.host = strcmp(common->host, "auto") == 0 ? "" : common->host;
    sink->spec.json_keys = json_keys_of(config, map, common);
    sink->spec.batch.bytes = common->batch.bytes;
    sink->spec.batch.delay_ns = common->batch.delay_ns;
    sink->spec.has_markers = has_markers(config, map, common);
    sink->spec.is_last_only =
        common->same_path == SAME_PATH_LAST ||
        (common->same_path == SAME_PATH_BY_FORMAT && is_ours((enum sl_format)common->format));
    sink->spec.is_required = common->is_required;
    sink->spec.memory_bytes = common->memory_bytes;
    sink->spec.stall_after_ns = common->stall_after_ns;
    sink->match = common->match;
    sink->spec.overdue_after_ns = common->overdue_after_ns;
    if (!sl_settings_sink_processors(reader, map, &common->processors, &sink->spec)) {
        return false;
    }
    check_batch(config, map, common);
    check_unit(config, map, common);
    read_templates(config, map, is_filled, sink);
    if (sl_config_errors(config) == errors) {
        check_options(config, map, sink);
    }
    return true;
}

bool sl_settings_read_sinks(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    size_t count = reader->sinks ? sl_config_count(reader->sinks) : 0;

    if (count > SL_SETTINGS_MAX_SINKS) {
        sl_config_error(reader->config, reader->sinks, "%zu sinks; there can be %d", count,
                        SL_SETTINGS_MAX_SINKS);
        reader->sinks = NULL;
        count = 0;
    }
    settings->sinks = sl_config_alloc(reader->config, count, sizeof(*settings->sinks));
    if (!settings->sinks) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        settings->sinks[i].spec.name = sl_config_key(reader->sinks, i);
        settings->sink_count++;
        if (!read_sink(reader, sl_config_at(reader->sinks, i), &settings->sinks[i])) {
            return false;
        }
    }
    return true;
}

void sl_settings_free_sinks(struct sl_settings *settings)
{
    for (size_t i = 0; i < settings->sink_count; i++) {
        sl_template_free(settings->sinks[i].destination);
        sl_template_free(settings->sinks[i].key);
        sl_template_free(settings->sinks[i].partition);
    }
}

void sl_settings_print_sinks(const struct sl_settings *settings, struct sl_buf *out)
{
    for (size_t i = 0; i < settings->sink_count; i++) {
        const struct sl_sink_spec *spec = &settings->sinks[i].spec;
        const char *object = (const char *)spec->options - plugin_offset;
        sl_config_print_text(spec->name, NULL, 2, out);
        sl_config_print_text("type", spec->plugin->type, 4, out);
        sl_config_print(sl_sink_table + 1, object, 4, out);
        if (spec->plugin->options) {
            sl_config_print(spec->plugin->options, spec->options, 4, out);
        }
    }
}

void sl_settings_reference_sinks(const struct sl_plugins *plugins, struct sl_buf *out)
{
    const struct sluice_sink_plugin *const *known = sl_plugins_sinks(plugins);

    sl_config_reference_line("sinks", 0, out, "Where records go; at least one.");
    sl_config_reference_line("NAME", 2, out, "%s", "");
    sl_config_reference(sl_sink_table, 4, out);
    for (; *known; known++) {
        sl_settings_reference_type(plugins, *known, (*known)->type, (*known)->doc,
                                   (*known)->options, out);
    }
}

/* ---- two of them ---- */

struct sink_keys {
    void (*on_key)(void *arg, const char *key);
    void *arg;
    bool is_instance; /* a key of the instance was among them */
};

/* Which targets it is for and what it is given is said to streams; all else to the instance. */
static void on_sink_key(void *arg, const char *key)
{
    static const char *const of_streams[] = {"rules", "module-prefixes", "match", NULL};
    struct sink_keys *keys = arg;
    size_t i = 0;

    while (of_streams[i] && strcmp(of_streams[i], key) != 0) {
        i++;
    }
    keys->is_instance = keys->is_instance || !of_streams[i];
    if (keys->on_key) {
        keys->on_key(keys->arg, key);
    }
}

static bool processors_differ(const struct sl_sink_spec *a, const struct sl_sink_spec *b)
{
    bool is_other = a->processor_count != b->processor_count;

    for (size_t i = 0; !is_other && i < a->processor_count; i++) {
        const struct sl_processor_spec *one = a->processors[i];
        const struct sl_processor_spec *other = b->processors[i];
        is_other = one->plugin != other->plugin ||
                   (one->plugin->options && sl_config_differ(one->plugin->options, one->options,
                                                             other->options, NULL, NULL));
    }
    return is_other;
}

bool sl_settings_sink_differs(const struct sl_sink_settings *a, const struct sl_sink_settings *b,
                              void (*on_key)(void *arg, const char *key), void *arg, bool *is_other)
{
    struct sink_keys keys = {.on_key = on_key, .arg = arg};
    const struct sluice_sink_plugin *plugin = a->spec.plugin;

    if (plugin != b->spec.plugin) {
        on_sink_key(&keys, "type");
        *is_other = true;
        return true;
    }
    *is_other = sl_config_differ(sl_sink_table + 1, (const char *)a->spec.options - plugin_offset,
                                 (const char *)b->spec.options - plugin_offset, on_sink_key, &keys);
    if (plugin->options &&
        sl_config_differ(plugin->options, a->spec.options, b->spec.options, on_sink_key, &keys)) {
        *is_other = true;
    }
    if (processors_differ(&a->spec, &b->spec)) {
        on_sink_key(&keys, "processors");
        *is_other = true;
    }
    return keys.is_instance;
}
