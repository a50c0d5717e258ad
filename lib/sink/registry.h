/* registry.h - the inside of the plugins: registry.c has the list, loader.c opens shared objects,
 * descriptor.c reads what they export. */
#ifndef SLUICE_SINK_REGISTRY_H
#define SLUICE_SINK_REGISTRY_H

#include "base/list.h"
#include "sink/plugins.h"

/* Memory of the plugins: descriptors and tables in the sizes that they have here. */
struct sl_plugin_block {
    struct sl_plugin_block *next;
    max_align_t bytes[];
};

struct sl_plugins {
    const struct sluice_sink_plugin *sinks[SL_PLUGINS_MAX_TYPES + 1];
    const struct sluice_processor_plugin *processors[SL_PLUGINS_MAX_TYPES + 1];
    const struct sl_plugin_object *sink_origins[SL_PLUGINS_MAX_TYPES];
    const struct sl_plugin_object *processor_origins[SL_PLUGINS_MAX_TYPES];
    size_t sink_count;
    size_t processor_count;
    struct sl_plugin_object objects[SL_PLUGINS_MAX_OBJECTS];
    void *handles[SL_PLUGINS_MAX_OBJECTS]; /* of dlopen */
    size_t object_count;
    struct sl_plugin_block *blocks;
};

/* Zeroed, as long as the plugins live. NULL when memory is out. */
void *sl_plugins_alloc(struct sl_plugins *plugins, size_t bytes) SL_MUST_CHECK;

/* Adds one whose type nobody has yet. False: `why`. */
bool sl_plugins_add_sink(struct sl_plugins *plugins, const struct sluice_sink_plugin *sink,
                         const struct sl_plugin_object *origin,
                         struct sl_status *why) SL_MUST_CHECK;
bool sl_plugins_add_processor(struct sl_plugins *plugins,
                              const struct sluice_processor_plugin *processor,
                              const struct sl_plugin_object *origin,
                              struct sl_status *why) SL_MUST_CHECK;

/* Leaves the first so many. */
void sl_plugins_forget(struct sl_plugins *plugins, size_t sinks, size_t processors);

/* Adds what the descriptor (of a symbol of `symbol_bytes`) has, and fills the names of `object`.
 * False: `why`; what was added before stays. */
bool sl_plugins_add_descriptor(struct sl_plugins *plugins, const struct sl_plugins_loading *loading,
                               const struct sluice_plugin *descriptor, size_t symbol_bytes,
                               struct sl_plugin_object *object,
                               struct sl_status *why) SL_MUST_CHECK;

#endif
