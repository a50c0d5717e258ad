/* The extensions that go out with a subscription's request, out of its keys. */
#include <string.h>

#include "base/base64.h"
#include "base/times.h"
#include "daemon/settings_read.h"
#include "gnmi/extension.h"

enum { OWN_KINDS = 3 }; /* history, depth, config-subscription */

static bool read_time(struct sl_config *config, const struct sl_config_node *history,
                      const char *key, const char *text, int64_t *ns)
{
    const struct sl_config_node *node = sl_config_get(history, key);

    if (!sl_time_read(text, ns)) {
        sl_config_error(config, node ? node : history,
                        "'%s': expected a time such as 2026-11-21T08:00:00Z, found '%.40s'", key,
                        text);
        return false;
    }
    return true;
}

static void add_history(struct sl_config *config, const struct sl_config_node *node,
                        const struct sl_subscription_options *options,
                        struct sl_gnmi_extension *extensions, size_t *count)
{
    struct sl_gnmi_extension *added = &extensions[*count];
    int64_t start_ns;
    int64_t end_ns;

    if (!*options->history.start && !*options->history.end) {
        return;
    }
    if (!read_time(config, node, "start", options->history.start, &start_ns) ||
        !read_time(config, node, "end", options->history.end, &end_ns)) {
        return;
    }
    if (end_ns < start_ns) {
        sl_config_error(config, node, "'history': expected an end behind the start");
        return;
    }
    added->kind = SL_GNMI_RANGE;
    added->of.range.start_ns = start_ns;
    added->of.range.end_ns = end_ns;
    ++*count;
}

/* The bytes live as long as the settings. False when memory is out. */
static bool add_registered(struct sl_config *config, const struct sl_config_node *node,
                           const struct sl_extension_options *options,
                           struct sl_gnmi_extension *extensions, size_t *count)
{
    struct sl_gnmi_extension *added = &extensions[*count];
    struct sl_buf bytes = {.data = NULL};
    bool is_done = true;

    if (!sl_base64_decode(sl_str_from(options->message), &bytes)) {
        sl_config_error(config, node, "'message': expected base64");
    } else {
        char *kept = sl_config_alloc(config, bytes.len + 1, 1);

        is_done = kept != NULL;
        if (kept && bytes.len > 0) {
            memcpy(kept, bytes.data, bytes.len);
        }
        added->kind = SL_GNMI_REGISTERED;
        added->of.registered.id = (uint32_t)options->id;
        added->of.registered.message = (struct sl_str){kept, bytes.len};
        ++*count;
    }
    sl_buf_fini(&bytes);
    return is_done;
}

bool sl_settings_make_extensions(struct sl_settings_reader *reader,
                                 const struct sl_config_node *node,
                                 const struct sl_subscription_options *options,
                                 struct sl_gnmi_subscribe *request)
{
    const struct sl_config_node *defaults = reader->default_subscription;
    const struct sl_config_node *history = sl_settings_own_or(node, defaults, "history");
    const struct sl_config_node *list = sl_settings_own_or(node, defaults, "extensions");
    const struct sl_extension_options *registered = options->extensions.items;
    size_t room = OWN_KINDS + options->extensions.count;
    struct sl_gnmi_extension *extensions =
        sl_config_alloc(reader->config, room, sizeof(*extensions));
    size_t count = 0;

    if (!extensions) {
        return false;
    }
    add_history(reader->config, history, options, extensions, &count);
    if (options->depth > 0) {
        extensions[count].kind = SL_GNMI_DEPTH;
        extensions[count++].of.depth = (uint32_t)options->depth;
    }
    if (options->config_subscription) {
        extensions[count++].kind = SL_GNMI_CONFIG_START;
    }
    for (size_t i = 0; i < options->extensions.count; i++) {
        if (!add_registered(reader->config, sl_config_item(list, i), &registered[i], extensions,
                            &count)) {
            return false;
        }
    }
    request->extensions = extensions;
    request->extension_count = count;
    return true;
}
