/* Between the core and lib/sink/registry.c (the linker's --wrap): the broker is one more of the
 * plugins that are built in. */
#include "sink/registry.h"
#include "world/broker.h"

struct sl_plugins *__wrap_sl_plugins_new(void);
struct sl_plugins *__real_sl_plugins_new(void);

struct sl_plugins *__wrap_sl_plugins_new(void)
{
    struct sl_plugins *plugins = __real_sl_plugins_new();
    struct sl_status why;

    SL_ASSERT(plugins && sl_plugins_add_sink(plugins, &broker_plugin, NULL, &why));
    return plugins;
}
