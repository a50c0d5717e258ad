/* descriptor.c - what a shared object exports, read with the sizes that it was built with. */
#include <stdlib.h>
#include <string.h>

#include "config/table.h"
#include "sink/registry.h"

/* The reading of one descriptor. */
struct reading {
    struct sl_plugins *plugins;
    const struct sl_plugins_loading *loading;
    const struct sluice_sizes *theirs;
    const struct sl_plugin_object *object;
    struct sl_status *why;
};

/* ---- versions ---- */

static const struct {
    const char *name;
    size_t offset; /* in struct sluice_sizes */
    size_t ours;
} structs[] = {
    {"sluice_plugin", offsetof(struct sluice_sizes, plugin), sizeof(struct sluice_plugin)},
    {"sluice_option", offsetof(struct sluice_sizes, option), sizeof(struct sluice_option)},
    {"sluice_record", offsetof(struct sluice_sizes, record), sizeof(struct sluice_record)},
    {"sluice_host", offsetof(struct sluice_sizes, host), sizeof(struct sluice_host)},
    {"sluice_host_calls", offsetof(struct sluice_sizes, host_calls),
     sizeof(struct sluice_host_calls)},
    {"sluice_stats", offsetof(struct sluice_sizes, stats), sizeof(struct sluice_stats)},
    {"sluice_sink_plugin", offsetof(struct sluice_sizes, sink), sizeof(struct sluice_sink_plugin)},
    {"sluice_processor_plugin", offsetof(struct sluice_sizes, processor),
     sizeof(struct sluice_processor_plugin)},
};

static bool check_sizes(const struct sluice_sizes *sizes, struct sl_status *why)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(structs); i++) {
        uint32_t theirs;
        memcpy(&theirs, (const char *)sizes + structs[i].offset, sizeof(theirs));
        if (theirs > structs[i].ours) {
            *why = sl_status_error(SL_FAILED_PRECONDITION,
                                   "made for a later sluice: its struct %s has %u bytes, here %zu",
                                   structs[i].name, theirs, structs[i].ours);
            return false;
        }
        if (theirs == 0 || theirs % sizeof(uint32_t) != 0) {
            *why = sl_status_error(SL_FAILED_PRECONDITION,
                                   "sluice_plugin says that struct %s has %u bytes; does it begin "
                                   "with SLUICE_PLUGIN_HEAD?",
                                   structs[i].name, theirs);
            return false;
        }
    }
    return true;
}

static bool check_versions(const struct sluice_plugin *descriptor, size_t symbol_bytes,
                           struct sl_status *why)
{
    if (symbol_bytes < offsetof(struct sluice_plugin, name)) {
        *why = sl_status_error(SL_FAILED_PRECONDITION,
                               "its symbol sluice_plugin has %zu bytes and is no descriptor",
                               symbol_bytes);
        return false;
    }
    if (descriptor->abi != SLUICE_ABI) {
        *why = sl_status_error(SL_FAILED_PRECONDITION, "made for interface %u; this sluice has %u",
                               descriptor->abi, SLUICE_ABI);
        return false;
    }
    if (!check_sizes(&descriptor->sizes, why)) {
        return false;
    }
    if (descriptor->sizes.plugin > symbol_bytes) {
        *why = sl_status_error(SL_FAILED_PRECONDITION,
                               "its symbol sluice_plugin has %zu bytes and says that it has %u",
                               symbol_bytes, descriptor->sizes.plugin);
        return false;
    }
    return true;
}

/* ---- tables ---- */

/* The rows in the size that they have here, ended by one without a name. NULL: `why`. Recursive:
 * tables stand in each other. */
static const struct sluice_option *copy_table(const struct reading *reading,
                                              const struct sluice_option *table, unsigned depth)
{
    uint32_t stride = reading->theirs->option;
    const char *row = (const char *)table;
    size_t count = 0;

    while (count <= SL_CONFIG_MAX_ROWS &&
           *(const char *const *)(const void *)(row + count * stride)) {
        count++;
    }
    if (count > SL_CONFIG_MAX_ROWS || depth > SL_CONFIG_MAX_TABLES) {
        *reading->why = sl_status_error(
            SL_INVALID_ARGUMENT, "a table of options has no end; a row without a name is one");
        return NULL;
    }
    struct sluice_option *copy =
        sl_plugins_alloc(reading->plugins, (count + 1) * sizeof(struct sluice_option));
    if (!copy) {
        *reading->why = sl_status_out_of_memory();
    }
    for (size_t i = 0; copy && i < count; i++) {
        memcpy(&copy[i], row + i * stride, stride);
        if (copy[i].table && (copy[i].type == SLUICE_OBJECT || copy[i].type == SLUICE_LIST)) {
            copy[i].table = copy_table(reading, copy[i].table, depth + 1);
            copy = copy[i].table ? copy : NULL;
        }
    }
    return copy;
}

static const struct sluice_option *find(const struct sluice_option *table, const char *name)
{
    while (table && table->name && strcmp(table->name, name) != 0) {
        table++;
    }
    return table && table->name ? table : NULL;
}

/* A good copy of `*options`, in its place. `own`: sluice's keys beside them. */
static bool take_options(const struct reading *reading, const struct sluice_option **options,
                         size_t object_bytes, const struct sluice_option *own)
{
    if (!*options) {
        return true;
    }
    *options = copy_table(reading, *options, 0);
    if (!*options || !sl_config_check_table(*options, object_bytes, reading->why)) {
        return false;
    }
    for (const struct sluice_option *row = *options; row->name; row++) {
        if (find(own, row->name)) {
            *reading->why = sl_status_error(
                SL_INVALID_ARGUMENT, "option '%s': that is a key of sluice's own", row->name);
            return false;
        }
    }
    return true;
}

static bool check_template(const struct reading *reading, const struct sluice_option *options,
                           const char *member, const char *name)
{
    const struct sluice_option *option = name ? find(options, name) : NULL;

    if (!name || (option && option->type == SLUICE_TEMPLATE)) {
        return true;
    }
    *reading->why = sl_status_error(
        SL_INVALID_ARGUMENT, "%s names '%.64s', which is no option of type TEMPLATE", member, name);
    return false;
}

/* A template is filled in for the sink's destination: a processor has none. */
static bool check_no_template(const struct reading *reading, const struct sluice_option *options)
{
    for (; options && options->name; options++) {
        if (options->type == SLUICE_TEMPLATE) {
            *reading->why = sl_status_error(
                SL_INVALID_ARGUMENT, "option '%s': a processor has no TEMPLATE", options->name);
            return false;
        }
    }
    return true;
}

/* ---- sinks and processors ---- */

/* What every type has. */
static bool check_type(const struct reading *reading, const char *type, const char *doc)
{
    if (!type || !sl_config_is_key(type)) {
        *reading->why = sl_status_error(SL_INVALID_ARGUMENT, "its type is no name in kebab-case");
        return false;
    }
    if (!doc || !doc[0]) {
        *reading->why = sl_status_error(SL_INVALID_ARGUMENT, "it has no doc");
        return false;
    }
    return true;
}

static bool check_function(const struct reading *reading, const char *name, bool is_there)
{
    if (!is_there) {
        *reading->why = sl_status_error(SL_INVALID_ARGUMENT, "it has no function '%s'", name);
    }
    return is_there;
}

static bool read_sink(const struct reading *reading, const struct sluice_sink_plugin *theirs,
                      struct sluice_sink_plugin *sink)
{
    memcpy(sink, theirs, reading->theirs->sink);
    return check_type(reading, sink->type, sink->doc) &&
           check_function(reading, "record_cost", sink->record_cost != NULL) &&
           check_function(reading, "open", sink->open != NULL) &&
           check_function(reading, "accept", sink->accept != NULL) &&
           check_function(reading, "flush", sink->flush != NULL) &&
           check_function(reading, "stats", sink->stats != NULL) &&
           check_function(reading, "close", sink->close != NULL) &&
           take_options(reading, &sink->options, sink->options_size,
                        reading->loading->sink_table) &&
           check_template(reading, sink->options, "destination_option", sink->destination_option) &&
           check_template(reading, sink->options, "key_option", sink->key_option) &&
           check_template(reading, sink->options, "partition_option", sink->partition_option);
}

static bool read_processor(const struct reading *reading,
                           const struct sluice_processor_plugin *theirs,
                           struct sluice_processor_plugin *processor)
{
    memcpy(processor, theirs, reading->theirs->processor);
    return check_type(reading, processor->type, processor->doc) &&
           check_function(reading, "open", processor->open != NULL) &&
           check_function(reading, "process", processor->process != NULL) &&
           check_function(reading, "close", processor->close != NULL) &&
           take_options(reading, &processor->options, processor->options_size,
                        reading->loading->processor_table) &&
           check_no_template(reading, processor->options);
}

/* Whose the error is. */
static bool name_type(const struct reading *reading, const char *kind, const char *type)
{
    struct sl_status why = *reading->why;

    *reading->why = sl_status_error(why.code, "%s '%.64s': %s", kind,
                                    type && sl_config_is_key(type) ? type : "?", why.text);
    return false;
}

static bool add_sink(const struct reading *reading, const struct sluice_sink_plugin *theirs)
{
    struct sluice_sink_plugin *sink = sl_plugins_alloc(reading->plugins, sizeof(*sink));

    if (!sink) {
        *reading->why = sl_status_out_of_memory();
        return false;
    }
    if (!read_sink(reading, theirs, sink)) {
        return name_type(reading, "sink", sink->type);
    }
    return sl_plugins_add_sink(reading->plugins, sink, reading->object, reading->why);
}

static bool add_processor(const struct reading *reading,
                          const struct sluice_processor_plugin *theirs)
{
    struct sluice_processor_plugin *processor =
        sl_plugins_alloc(reading->plugins, sizeof(*processor));

    if (!processor) {
        *reading->why = sl_status_out_of_memory();
        return false;
    }
    if (!read_processor(reading, theirs, processor)) {
        return name_type(reading, "processor", processor->type);
    }
    return sl_plugins_add_processor(reading->plugins, processor, reading->object, reading->why);
}

bool sl_plugins_add_descriptor(struct sl_plugins *plugins, const struct sl_plugins_loading *loading,
                               const struct sluice_plugin *descriptor, size_t symbol_bytes,
                               struct sl_plugin_object *object, struct sl_status *why)
{
    struct sluice_plugin own = {0};
    const struct reading reading = {plugins, loading, &own.sizes, object, why};
    bool is_good = true;

    if (!check_versions(descriptor, symbol_bytes, why)) {
        return false;
    }
    memcpy(&own, descriptor, descriptor->sizes.plugin);
    if (!own.name || !sl_config_is_key(own.name) || !own.version) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "sluice_plugin has no name in kebab-case, or no version");
        return false;
    }
    object->name = own.name;
    object->version = own.version;
    if ((!own.sinks || !own.sinks[0]) && (!own.processors || !own.processors[0])) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "it has neither sinks nor processors");
        return false;
    }
    for (size_t i = 0; is_good && own.sinks && own.sinks[i]; i++) {
        is_good = add_sink(&reading, own.sinks[i]);
    }
    for (size_t i = 0; is_good && own.processors && own.processors[i]; i++) {
        is_good = add_processor(&reading, own.processors[i]);
    }
    return is_good;
}
