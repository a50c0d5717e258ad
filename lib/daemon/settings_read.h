/* settings_read.h - what the files that read settings share: settings.c the whole, settings_sinks.c
 * the sinks, settings_documents.c which targets there are, settings_targets.c what they say,
 * settings_admin.c the admin listener, settings_tls.c the targets' certificates, settings_streams.c
 * the names that point at others, settings_pack.c the subscriptions that share an RPC,
 * settings_print.c the way back. */
#ifndef SLUICE_DAEMON_SETTINGS_READ_H
#define SLUICE_DAEMON_SETTINGS_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/settings.h"

/* Where a target is said. */
struct sl_settings_place {
    struct sl_config *config;          /* the document that has it, and takes errors and values */
    const struct sl_config_node *key;  /* its name */
    const struct sl_config_node *node; /* what is said of it */
    const struct sl_config_node *defaults; /* in the same document; NULL: there are none */
    struct sl_settings_document *document; /* NULL: the configuration itself */
    size_t reports;                        /* of `config`, before what is looked at now */
    bool is_listed;                        /* its name is a key of `node` */
    bool is_elsewhere;                     /* of another shard */
    bool is_wrong;                         /* of a document: it is left out */
};

struct sl_settings_reader {
    struct sl_settings *settings;
    struct sl_config *config; /* the configuration's; of a target's document while it is read */
    const struct sl_config_node *root;
    struct sl_config *own; /* the configuration's */
    const struct sl_config_node *own_default_target;
    struct sl_settings_document *documents;
    size_t document_count;
    struct sl_settings_place *places; /* of settings->targets, until they are sifted */
    const struct sl_target_options *target_base;
    const struct sl_config_node *default_target; /* NULL: none; likewise */
    const struct sl_config_node *default_subscription;
    const struct sl_config_node *processors; /* a map of names; NULL: there are none */
    const struct sl_config_node *rules;      /* a map of names; NULL: there are none */
    const struct sl_config_node *sinks;      /* maps of names; NULL: an error was reported */
    const struct sl_config_node *subscriptions;
    const struct sl_config_node *targets;
    const char *proxy_text; /* of the last target with a proxy */
    struct sl_proxy *proxy; /* what it says */
};

/* The keys of `collector` and of its `admin`; each ends with a NULL name. */
extern const struct sluice_option sl_admin_table[];
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

/* Checks what `collector.admin` at `node` says, which is read, and fills settings->admin and
 * admin_tls. */
void sl_settings_read_admin(struct sl_settings_reader *reader, const struct sl_config_node *node);

/* The extensions of the request of the subscription at `node`, whose options are read. False when
 * memory is out. */
bool sl_settings_make_extensions(struct sl_settings_reader *reader,
                                 const struct sl_config_node *node,
                                 const struct sl_subscription_options *options,
                                 struct sl_gnmi_subscribe *request) SL_MUST_CHECK;

/* What is between the two is about the target of `place`, which is wrong if something is told. */
static inline void sl_settings_enter(struct sl_settings_reader *reader,
                                     struct sl_settings_place *place)
{
    place->reports = sl_config_reports(place->config);
    reader->config = place->config;
    reader->default_target = place->defaults;
}

static inline void sl_settings_leave(struct sl_settings_reader *reader,
                                     struct sl_settings_place *place)
{
    bool has_reports = sl_config_reports(place->config) != place->reports;

    place->is_wrong = place->is_wrong || (place->document && has_reports);
    reader->config = reader->own;
    reader->default_target = reader->own_default_target;
}

/* An error where `name` is not what goes into headers, metrics and logs. */
void sl_settings_check_name(struct sl_config *config, const struct sl_config_node *node,
                            const char *name);

/* Fills settings->sources from the section `discovery`; NULL: there is none. False when memory is
 * out. */
bool sl_settings_read_sources(struct sl_settings_reader *reader,
                              const struct sl_config_node *map) SL_MUST_CHECK;
void sl_settings_print_sources(const struct sl_settings *settings, struct sl_buf *out);
void sl_settings_reference_sources(struct sl_buf *out);

/* Names all targets and their places; then what each says. Each false when memory is out. */
bool sl_settings_gather(struct sl_settings_reader *reader) SL_MUST_CHECK;
bool sl_settings_read_targets(struct sl_settings_reader *reader) SL_MUST_CHECK;

/* Once their streams are resolved: leaves out what is wrong in documents, and other shards. False
 * when memory was out. */
bool sl_settings_sift(struct sl_settings_reader *reader) SL_MUST_CHECK;
void sl_settings_free_documents(struct sl_settings *settings);

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

/* The largest message of a subscription; what sinks that are not required take off
 * collector.memory, for each worker. */
uint64_t sl_settings_largest_message(const struct sl_settings *settings);
uint64_t sl_settings_optional_bytes(const struct sl_settings *settings);

/* Whether two sinks of one name differ so that the running one cannot go on; and, `on_key` or not,
 * in anything at all: then `on_key` gets each key. */
bool sl_settings_sink_differs(const struct sl_sink_settings *a, const struct sl_sink_settings *b,
                              void (*on_key)(void *arg, const char *key), void *arg,
                              bool *is_other);

/* Whether two lists of rules do other things. False when memory is out, too: then `*failed`. */
bool sl_settings_rule_list_differs(struct sl_config *config, const struct sl_rule_list *a,
                                   const struct sl_rule_list *b, bool *failed);

/* Fills the streams of all targets, whose options are read. False when memory is out. */
bool sl_settings_resolve(struct sl_settings_reader *reader) SL_MUST_CHECK;

#endif
