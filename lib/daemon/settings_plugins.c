/* Shared objects with further types of sinks and processors; and the processors, which sinks name.
 */
#include <string.h>

#include "daemon/settings_read.h"
#include "sink/plugins.h"
#include "sink/processor.h"

enum { ERROR_BYTES = 400 };

static const struct sluice_option type_table[] = {
    {.name = "type",
     .type = SLUICE_STRING,
     .is_required = true,
     .doc = "What a plugin calls it; it brings the keys below."},
    {.name = NULL},
};

/* ---- shared objects ---- */

struct telling {
    struct sl_config *config;
    const struct sl_config_node *node;
};

static void tell(const char *text, void *arg)
{
    const struct telling *telling = arg;

    sl_config_error(telling->config, telling->node, "'plugins': %s", text);
}

static bool load(struct sl_plugins *plugins, const char *directory,
                 void (*tell_error)(const char *text, void *arg), void *arg)
{
    return sl_plugins_load(plugins, &(struct sl_plugins_loading){
                                        .directory = directory,
                                        .sink_table = sl_sink_table,
                                        .processor_table = type_table,
                                        .tell = tell_error,
                                        .arg = arg,
                                    });
}

bool sl_settings_load_plugins(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *collector = sl_config_get(reader->root, "collector");
    struct telling telling = {reader->config, sl_settings_own_or(collector, NULL, "plugins")};

    settings->plugins = sl_plugins_new();
    if (!settings->plugins) {
        sl_config_note_out_of_memory(reader->config);
        return false;
    }
    if (*settings->collector.plugins) {
        (void)load(settings->plugins, settings->collector.plugins, tell, &telling); /* it is told */
    }
    return true;
}

static void add_line(const char *text, void *arg)
{
    sl_buf_printf(arg, "%s\n", text);
}

struct sl_plugins *sl_settings_plugins(const char *directory, struct sl_buf *errors)
{
    struct sl_plugins *plugins = sl_plugins_new();

    if (!plugins) {
        sl_buf_add_c(errors, "out of memory\n");
    } else if (*directory && !load(plugins, directory, add_line, errors)) {
        sl_plugins_free(plugins);
        plugins = NULL;
    }
    return plugins;
}

/* ---- processors ---- */

static const struct sluice_processor_plugin *read_type(struct sl_settings_reader *reader,
                                                       const struct sl_config_node *map)
{
    const struct sl_plugins *plugins = reader->settings->plugins;
    const struct sluice_processor_plugin *const *known = sl_plugins_processors(plugins);
    const struct sl_config_node *node = sl_config_get(map, "type");
    const char *type = node ? sl_config_text(reader->config, node) : "";
    const struct sluice_processor_plugin *plugin = sl_plugins_processor(plugins, type);
    const char *names[SL_PLUGINS_MAX_TYPES + 1] = {NULL};

    if (!node) {
        sl_config_error(reader->config, map, "the key 'type' is missing");
    } else if (!plugin && !known[0]) {
        sl_config_error(reader->config, node,
                        "unknown processor type '%.80s': there are none; shared objects in the "
                        "directory that collector.plugins names bring them",
                        type);
    } else if (!plugin) {
        for (size_t i = 0; known[i]; i++) {
            names[i] = known[i]->type;
        }
        sl_config_error_unknown(reader->config, node, "processor type", type, names);
    }
    return plugin;
}

static bool read_processor(struct sl_settings_reader *reader, const struct sl_config_node *map,
                           struct sl_processor_spec *processor)
{
    static const struct sluice_option no_options[] = {{.name = NULL}};
    static const char *const known[] = {"type", NULL};
    struct sl_config *config = reader->config;
    const struct sluice_processor_plugin *plugin = read_type(reader, map);
    size_t errors = sl_config_errors(config);
    char error[ERROR_BYTES] = "";

    if (!plugin) {
        return true;
    }
    void *options = sl_config_alloc(config, 1, plugin->options_size + 1);
    if (!options) {
        return false;
    }
    sl_config_fill(config, map, plugin->options ? plugin->options : no_options, options, NULL,
                   known);
    processor->plugin = plugin;
    processor->options = options;
    if (sl_config_errors(config) == errors && plugin->check &&
        !plugin->check(options, error, sizeof(error))) {
        sl_config_error(config, map, "processor '%.80s': %s", processor->name, error);
    }
    return true;
}

bool sl_settings_read_processors(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *map = reader->processors;
    size_t count = map ? sl_config_count(map) : 0;

    settings->processors = sl_config_alloc(reader->config, count, sizeof(*settings->processors));
    settings->processor_count = settings->processors ? count : 0;
    for (size_t i = 0; i < settings->processor_count; i++) {
        settings->processors[i].name = sl_config_key(map, i);
        if (!read_processor(reader, sl_config_at(map, i), &settings->processors[i])) {
            return false;
        }
    }
    return settings->processors != NULL;
}

static const struct sl_processor_spec *find(const struct sl_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->processor_count; i++) {
        if (strcmp(settings->processors[i].name, name) == 0) {
            return &settings->processors[i];
        }
    }
    return NULL;
}

static void refuse_name(struct sl_settings_reader *reader, const struct sl_config_node *node,
                        const char *name)
{
    const struct sl_settings *settings = reader->settings;
    const char **names =
        sl_config_alloc(reader->config, settings->processor_count + 1, sizeof(*names));

    for (size_t i = 0; names && i < settings->processor_count; i++) {
        names[i] = settings->processors[i].name;
    }
    if (names) {
        sl_config_error_unknown(reader->config, node, "processor", name, names);
    }
}

bool sl_settings_sink_processors(struct sl_settings_reader *reader,
                                 const struct sl_config_node *map,
                                 const struct sluice_strings *names, struct sl_sink_spec *spec)
{
    const struct sl_config_node *node = sl_config_get(map, "processors");
    const struct sl_processor_spec **processors =
        sl_config_alloc(reader->config, names->count, sizeof(*processors));

    spec->processors = processors;
    for (size_t i = 0; processors && i < names->count; i++) {
        const struct sl_processor_spec *processor = find(reader->settings, names->items[i]);
        if (!processor) {
            refuse_name(reader, sl_config_item(node, i), names->items[i]);
        } else {
            processors[spec->processor_count++] = processor;
        }
    }
    return processors != NULL;
}

/* ---- the way back, and the reference ---- */

void sl_settings_print_processors(const struct sl_settings *settings, struct sl_buf *out)
{
    if (settings->processor_count > 0) {
        sl_config_print_text("processors", NULL, 0, out);
    }
    for (size_t i = 0; i < settings->processor_count; i++) {
        const struct sl_processor_spec *processor = &settings->processors[i];
        sl_config_print_text(processor->name, NULL, 2, out);
        sl_config_print_text("type", processor->plugin->type, 4, out);
        if (processor->plugin->options) {
            sl_config_print(processor->plugin->options, processor->options, 4, out);
        }
    }
}

void sl_settings_reference_type(const struct sl_plugins *plugins, const void *plugin,
                                const char *type, const char *doc,
                                const struct sluice_option *options, struct sl_buf *out)
{
    const struct sl_plugin_object *origin = sl_plugins_origin(plugins, plugin);

    sl_buf_printf(out, "    # type: %s - %s", type, doc ? doc : "");
    if (origin) {
        sl_buf_printf(out, " (%s %s, %s)", origin->name, origin->version, origin->file);
    }
    sl_buf_add_byte(out, '\n');
    if (options) {
        sl_config_reference(options, 4, out);
    }
}

void sl_settings_reference_processors(const struct sl_plugins *plugins, struct sl_buf *out)
{
    const struct sluice_processor_plugin *const *known = sl_plugins_processors(plugins);

    sl_config_reference_line("processors", 0, out,
                             "What looks at the records of the sinks that name it, after encoding: "
                             "keeps, changes or filters them. Shared objects bring them.");
    sl_config_reference_line("NAME", 2, out, "%s", "");
    sl_config_reference(type_table, 4, out);
    for (; *known; known++) {
        sl_settings_reference_type(plugins, *known, (*known)->type, (*known)->doc,
                                   (*known)->options, out);
    }
}
