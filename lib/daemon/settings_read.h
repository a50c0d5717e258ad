/* settings_read.h - what the files that read settings share: settings.c the whole, settings_sinks.c
 * the sinks, settings_tls.c the targets' certificates, settings_streams.c the names that point at
 * others, settings_pack.c the subscriptions that share an RPC, settings_print.c the way back. */
#ifndef SLUICE_DAEMON_SETTINGS_READ_H
#define SLUICE_DAEMON_SETTINGS_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/settings.h"

struct sl_settings_reader {
    struct sl_settings *settings;
    struct sl_config *config;
    const struct sl_config_node *root;
    const struct sl_config_node *default_target; /* NULL: none */
    const struct sl_config_node *default_subscription;
    const struct sl_config_node *processors; /* a map of names; NULL: there are none */
    const struct sl_config_node *rules;      /* a map of names; NULL: there are none */
    const struct sl_config_node *sinks;      /* maps of names; NULL: an error was reported */
    const struct sl_config_node *subscriptions;
    const struct sl_config_node *targets;
    const char *proxy_text; /* of the last target with a proxy */
    struct sl_proxy *proxy; /* what it says */
};

/* The keys of `collector`; ends with a NULL name. */
extern const struct sluice_option sl_collector_table[];

/* Where the value of a key comes from: what says it itself, else `defaults`, else `own` as a whole.
 */
static inline const struct sl_config_node *sl_settings_own_or(const struct sl_config_node *own,
                                                              const struct sl_config_node *defaults,
                                                              const char *key)
{
    const struct sl_config_node *node = sl_config_get(own, key);

    node = node ? node : sl_config_get(defaults, key);
    return node ? node : own;
}

/* The extensions of the request of the subscription at `node`, whose options are read. False when
 * memory is out. */
bool sl_settings_make_extensions(struct sl_settings_reader *reader,
                                 const struct sl_config_node *node,
                                 const struct sl_subscription_options *options,
                                 struct sl_gnmi_subscribe *request) SL_MUST_CHECK;

/* Fills settings->subscriptions. False when memory is out. */
bool sl_settings_read_subscriptions(struct sl_settings_reader *reader) SL_MUST_CHECK;

/* Fills settings->plugins with the built-in ones and what collector.plugins has; then
 * settings->processors. False when memory is out. */
bool sl_settings_load_plugins(struct sl_settings_reader *reader) SL_MUST_CHECK;
bool sl_settings_read_processors(struct sl_settings_reader *reader) SL_MUST_CHECK;

/* Fills the processors of the sink at `map`, by their names. False when memory is out. */
bool sl_settings_sink_processors(struct sl_settings_reader *reader,
                                 const struct sl_config_node *map,
                                 const struct sluice_strings *names,
                                 struct sl_sink_spec *spec) SL_MUST_CHECK;
void sl_settings_print_processors(const struct sl_settings *settings, struct sl_buf *out);
void sl_settings_reference_processors(const struct sl_plugins *plugins, struct sl_buf *out);

/* One type and its options; `plugin` is its struct. */
void sl_settings_reference_type(const struct sl_plugins *plugins, const void *plugin,
                                const char *type, const char *doc,
                                const struct sluice_option *options, struct sl_buf *out);

/* The keys that every sink has; ends with a NULL name. */
extern const struct sluice_option sl_sink_table[];

/* Fills settings->sinks. False when memory is out. */
bool sl_settings_read_sinks(struct sl_settings_reader *reader) SL_MUST_CHECK;
void sl_settings_free_sinks(struct sl_settings *settings);
void sl_settings_print_sinks(const struct sl_settings *settings, struct sl_buf *out);
void sl_settings_reference_sinks(const struct sl_plugins *plugins, struct sl_buf *out);

/* Fills settings->rules; then, when the sinks and subscriptions are read, which of them are for
 * which. False when memory is out. */
bool sl_settings_read_rules(struct sl_settings_reader *reader) SL_MUST_CHECK;
bool sl_settings_resolve_rules(struct sl_settings_reader *reader) SL_MUST_CHECK;
void sl_settings_free_rules(struct sl_settings *settings);
void sl_settings_print_rules(const struct sl_settings *settings, struct sl_buf *out);
void sl_settings_reference_rules(struct sl_buf *out);

/* Checks the keys of TLS of the target at `node`, whose options are read, and fills target->tls.
 * False when memory is out. */
bool sl_settings_read_tls(struct sl_settings_reader *reader, const struct sl_config_node *node,
                          struct sl_target_settings *target) SL_MUST_CHECK;
void sl_settings_free_tls(struct sl_settings *settings);

/* Which subscriptions can share an RPC. `settings` has its subscriptions and sinks, and outlives
 * the packer. NULL when memory is out. */
struct sl_settings_packer;
struct sl_settings_packer *sl_settings_packer_new(const struct sl_settings *settings) SL_MUST_CHECK;
void sl_settings_packer_free(struct sl_settings_packer *packer);

/* Whether the one member of `more` can share the RPC of `stream`, with at most `max_paths` in it.
 */
bool sl_settings_fits(struct sl_settings_packer *packer, const struct sl_stream_settings *stream,
                      const struct sl_stream_settings *more, size_t max_paths);

/* Fills the streams of all targets, whose options are read. False when memory is out. */
bool sl_settings_resolve(struct sl_settings_reader *reader) SL_MUST_CHECK;

#endif
