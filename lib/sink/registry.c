#include "sink/sink.h"

#include <string.h>

static const struct sluice_sink_plugin *const plugins[] = {
    &sluice_kafka_plugin,
    &sluice_file_plugin,
    &sluice_null_plugin,
    NULL,
};

const struct sluice_sink_plugin *const *sl_sink_plugins(void)
{
    return plugins;
}

const struct sluice_sink_plugin *sl_sink_plugin(const char *type)
{
    for (size_t i = 0; plugins[i]; i++) {
        if (strcmp(plugins[i]->type, type) == 0) {
            return plugins[i];
        }
    }
    return NULL;
}
