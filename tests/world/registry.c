/* The twin of lib/sink/registry.c: the one plugin of the world is the broker. */
#include <string.h>

#include "sink/sink.h"
#include "world/broker.h"

static const struct sluice_sink_plugin *const plugins[] = {&broker_plugin, NULL};

const struct sluice_sink_plugin *const *sl_sink_plugins(void)
{
    return plugins;
}

const struct sluice_sink_plugin *sl_sink_plugin(const char *type)
{
    return strcmp(type, broker_plugin.type) == 0 ? &broker_plugin : NULL;
}
