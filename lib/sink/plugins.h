/* plugins.h - which types of sinks and processors there are: the built-in ones, and those that
 * shared objects bring.
 *
 * A shared object runs with all that sluice may do, from the moment it is loaded. So it and its
 * directory must be root's or the user's own, and nobody else may write to them. Its code stays in
 * the process to its end: a plugin's thread may outlive its instance.
 *
 * One thread; what is found may be read by any, and lives as long as the plugins.
 */
#ifndef SLUICE_SINK_PLUGINS_H
#define SLUICE_SINK_PLUGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"
#include "sluice_plugin.h"

enum {
    SL_PLUGINS_MAX_OBJECTS = 64,
    SL_PLUGINS_MAX_TYPES = 64, /* of sinks, and as many of processors, with the built-in ones */
};

struct sl_plugins;

/* A shared object that was loaded. */
struct sl_plugin_object {
    char *file;
    const char *name; /* by its own word */
    const char *version;
};

/* The built-in ones. NULL when memory is out. */
struct sl_plugins *sl_plugins_new(void) SL_MUST_CHECK;
void sl_plugins_free(struct sl_plugins *plugins); /* every instance is closed */

/* Adds those of all files *.so in `directory`, in the order of their names. `tell` hears of each
 * thing that is wrong: then it is false, and what was wrong is not there. The
 * tables have sluice's own keys of a sink and a processor: no option can have the name of one. */
struct sl_plugins_loading {
    const char *directory;
    const struct sluice_option *sink_table;
    const struct sluice_option *processor_table;
    void (*tell)(const char *text, void *arg);
    void *arg;
};
bool sl_plugins_load(struct sl_plugins *plugins,
                     const struct sl_plugins_loading *loading) SL_MUST_CHECK;

/* All of a kind, ends with NULL; and one by its type, NULL when there is none. */
const struct sluice_sink_plugin *const *sl_plugins_sinks(const struct sl_plugins *plugins);
const struct sluice_processor_plugin *const *
sl_plugins_processors(const struct sl_plugins *plugins);
const struct sluice_sink_plugin *sl_plugins_sink(const struct sl_plugins *plugins,
                                                 const char *type);
const struct sluice_processor_plugin *sl_plugins_processor(const struct sl_plugins *plugins,
                                                           const char *type);

/* What was loaded, and which object brought a sink (or processor) type: NULL for a built-in one. */
const struct sl_plugin_object *sl_plugins_objects(const struct sl_plugins *plugins, size_t *count);
const struct sl_plugin_object *sl_plugins_origin(const struct sl_plugins *plugins,
                                                 const void *plugin);

#endif
