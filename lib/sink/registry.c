#include "sink/registry.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const struct sluice_sink_plugin *const built_in[] = {
    &sluice_kafka_plugin,
    &sluice_file_plugin,
    &sluice_null_plugin,
    &sluice_stdout_plugin,
};

struct sl_plugins *sl_plugins_new(void)
{
    struct sl_plugins *plugins = calloc(1, sizeof(*plugins));

    for (size_t i = 0; plugins && i < SL_ARRAY_LEN(built_in); i++) {
        plugins->sinks[plugins->sink_count++] = built_in[i];
    }
    return plugins;
}

void sl_plugins_free(struct sl_plugins *plugins)
{
    if (!plugins) {
        return;
    }
    for (size_t i = 0; i < plugins->object_count; i++) {
        free(plugins->objects[i].file);
        dlclose(plugins->handles[i]);
    }
    for (struct sl_plugin_block *block = plugins->blocks; block;) {
        struct sl_plugin_block *next = block->next;
        free(block);
        block = next;
    }
    free(plugins);
}

void *sl_plugins_alloc(struct sl_plugins *plugins, size_t bytes)
{
    struct sl_plugin_block *block = calloc(1, sizeof(*block) + bytes);

    if (!block) {
        return NULL;
    }
    block->next = plugins->blocks;
    plugins->blocks = block;
    return block->bytes;
}

static struct sl_status taken(const char *kind, const char *type,
                              const struct sl_plugin_object *origin)
{
    return sl_status_error(SL_ALREADY_EXISTS, "%s '%.64s': there is one already, %s", kind, type,
                           origin ? origin->file : "built in");
}

static struct sl_status too_many(const char *kind)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d types of %ss", SL_PLUGINS_MAX_TYPES,
                           kind);
}

bool sl_plugins_add_sink(struct sl_plugins *plugins, const struct sluice_sink_plugin *sink,
                         const struct sl_plugin_object *origin, struct sl_status *why)
{
    const struct sluice_sink_plugin *other = sl_plugins_sink(plugins, sink->type);

    if (other) {
        *why = taken("sink", sink->type, sl_plugins_origin(plugins, other));
        return false;
    }
    if (plugins->sink_count == SL_PLUGINS_MAX_TYPES) {
        *why = too_many("sink");
        return false;
    }
    plugins->sink_origins[plugins->sink_count] = origin;
    plugins->sinks[plugins->sink_count++] = sink;
    return true;
}

bool sl_plugins_add_processor(struct sl_plugins *plugins,
                              const struct sluice_processor_plugin *processor,
                              const struct sl_plugin_object *origin, struct sl_status *why)
{
    const struct sluice_processor_plugin *other = sl_plugins_processor(plugins, processor->type);

    if (other) {
        *why = taken("processor", processor->type, sl_plugins_origin(plugins, other));
        return false;
    }
    if (plugins->processor_count == SL_PLUGINS_MAX_TYPES) {
        *why = too_many("processor");
        return false;
    }
    plugins->processor_origins[plugins->processor_count] = origin;
    plugins->processors[plugins->processor_count++] = processor;
    return true;
}

void sl_plugins_forget(struct sl_plugins *plugins, size_t sinks, size_t processors)
{
    while (plugins->sink_count > sinks) {
        plugins->sinks[--plugins->sink_count] = NULL;
    }
    while (plugins->processor_count > processors) {
        plugins->processors[--plugins->processor_count] = NULL;
    }
}

/* ---- looking ---- */

const struct sluice_sink_plugin *const *sl_plugins_sinks(const struct sl_plugins *plugins)
{
    return plugins->sinks;
}

const struct sluice_processor_plugin *const *sl_plugins_processors(const struct sl_plugins *plugins)
{
    return plugins->processors;
}

const struct sluice_sink_plugin *sl_plugins_sink(const struct sl_plugins *plugins, const char *type)
{
    for (size_t i = 0; i < plugins->sink_count; i++) {
        if (strcmp(plugins->sinks[i]->type, type) == 0) {
            return plugins->sinks[i];
        }
    }
    return NULL;
}

const struct sluice_processor_plugin *sl_plugins_processor(const struct sl_plugins *plugins,
                                                           const char *type)
{
    for (size_t i = 0; i < plugins->processor_count; i++) {
        if (strcmp(plugins->processors[i]->type, type) == 0) {
            return plugins->processors[i];
        }
    }
    return NULL;
}

const struct sl_plugin_object *sl_plugins_objects(const struct sl_plugins *plugins, size_t *count)
{
    *count = plugins->object_count;
    return plugins->objects;
}

const struct sl_plugin_object *sl_plugins_origin(const struct sl_plugins *plugins,
                                                 const void *plugin)
{
    for (size_t i = 0; i < plugins->sink_count; i++) {
        if (plugins->sinks[i] == plugin) {
            return plugins->sink_origins[i];
        }
    }
    for (size_t i = 0; i < plugins->processor_count; i++) {
        if (plugins->processors[i] == plugin) {
            return plugins->processor_origins[i];
        }
    }
    return NULL;
}
