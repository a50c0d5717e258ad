/* telegraf.h - what the readers of a configuration of Telegraf share.
 *
 * Telegraf's `inputs.gnmi` become targets (each address of each input one) and subscriptions (each
 * name of a measurement one), its outputs to Kafka and files sinks. Two inputs whose measurements
 * have the same name and ask the same share a subscription.
 */
#ifndef SLUICE_IMPORT_TELEGRAF_H
#define SLUICE_IMPORT_TELEGRAF_H

#include "import/internal.h"

enum {
    SL_IMPORT_MAX_SINKS = 200,
    SL_IMPORT_MAX_SUBSCRIPTIONS = 1000,
    SL_IMPORT_MAX_ASKS = 250,      /* of an input */
    SL_IMPORT_MAX_LINKS = 10000,   /* of inputs to subscriptions */
    SL_IMPORT_MAX_TARGETS = 50000, /* addresses */
    SL_IMPORT_NAME_BYTES = 220,
};

#define SL_IMPORT_TAGS_LIST    "telegraf-tags" /* rules of all sinks */
#define SL_IMPORT_SOURCE_LABEL "telegraf-source"
#define SL_IMPORT_TAG_LABEL    "telegraf-tag-" /* and the tag's name */

struct sl_import_sink {
    const struct sl_config_node *output;
    const struct sl_config_node *file; /* of outputs.file: which of its files; else NULL */
    char name[SL_IMPORT_NAME_BYTES];
};

struct sl_import_subscription {
    char *name;
    char *measurement;  /* another only where the name was taken */
    struct sl_buf text; /* what is under its name */
};

struct sl_import_link {
    size_t input;
    size_t subscription;
};

struct sl_import_telegraf {
    struct sl_import *import;
    const struct sl_config_node *agent;
    const struct sl_config_node *inputs; /* a list, or the only one; NULL: none */
    struct sl_import_sink sinks[SL_IMPORT_MAX_SINKS];
    size_t sink_count;
    struct sl_import_subscription subscriptions[SL_IMPORT_MAX_SUBSCRIPTIONS];
    size_t subscription_count;
    struct sl_import_link links[SL_IMPORT_MAX_LINKS]; /* in the order of the inputs */
    size_t link_count;
    bool has_rules; /* of all sinks */
};

/* What every plugin of Telegraf may say beside its own keys. */
#define SL_IMPORT_PLUGIN_ROWS                                                                      \
    {"alias", SL_IMPORT_READ, NULL, NULL}, {"log_level", SL_IMPORT_QUIET, NULL, NULL},             \
        {"startup_error_behavior", SL_IMPORT_QUIET, NULL, NULL},                                   \
        {"always_include_local_tags", SL_IMPORT_QUIET, NULL, NULL},                                \
        {"always_include_global_tags", SL_IMPORT_QUIET, NULL, NULL},                               \
        {"fieldpass", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                    \
        {"fieldinclude", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                 \
        {"fielddrop", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                    \
        {"fieldexclude", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                 \
        {"pass", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                         \
        {"drop", SL_IMPORT_LEAVE, NULL, SL_IMPORT_FIELDS},                                         \
        {"taginclude", SL_IMPORT_LEAVE, NULL, SL_IMPORT_TAGS},                                     \
        {"tagexclude", SL_IMPORT_LEAVE, NULL, SL_IMPORT_TAGS},                                     \
        {"tagpass", SL_IMPORT_LEAVE, NULL, SL_IMPORT_PICK},                                        \
        {"tagdrop", SL_IMPORT_LEAVE, NULL, SL_IMPORT_PICK},                                        \
        {"metricpass", SL_IMPORT_LEAVE, NULL, SL_IMPORT_PICK},                                     \
        {"namepass_separator", SL_IMPORT_QUIET, NULL, NULL},                                       \
    {                                                                                              \
        "namedrop_separator", SL_IMPORT_QUIET, NULL, NULL                                          \
    }

#define SL_IMPORT_FIELDS                                                                           \
    "in sluice {kind: keep, path: [...]} or {kind: drop, path: [...]}, a rule with the paths of "  \
    "these fields"
#define SL_IMPORT_TAGS "sluice writes all tags that a path has"
#define SL_IMPORT_PICK                                                                             \
    "in sluice a rule of kind keep or drop, with paths such as "                                   \
    "/interfaces/interface[name=eth*]/..."

/* telegraf.c: the measurement's name passes `namepass` and `namedrop` of a plugin. */
bool sl_import_telegraf_passes(const struct sl_config_node *plugin, const char *name);

/* telegraf_subscriptions.c: reads those of all inputs, which have to be written later; those of one
 * input as subscriptions: [...] of a target. */
void sl_import_telegraf_collect(struct sl_import_telegraf *telegraf);
void sl_import_telegraf_put_subscriptions(struct sl_import_telegraf *telegraf);
bool sl_import_telegraf_has_links(const struct sl_import_telegraf *telegraf, size_t input);
void sl_import_telegraf_put_links(struct sl_import_telegraf *telegraf, size_t input);

/* telegraf_targets.c: how many were written. */
size_t sl_import_telegraf_targets(struct sl_import_telegraf *telegraf);

/* telegraf_outputs.c: which there are, and their text. */
void sl_import_telegraf_find_sinks(struct sl_import_telegraf *telegraf);
void sl_import_telegraf_put_sinks(struct sl_import_telegraf *telegraf);

/* Whether a topic or a key has a tag of that name, so that targets need a label for it. */
bool sl_import_telegraf_uses_tag(const struct sl_import_telegraf *telegraf, const char *tag);

/* telegraf_tags.c: the lists of rules; rules: [...] of a subscription and of a sink. */
void sl_import_telegraf_put_rules(struct sl_import_telegraf *telegraf);
bool sl_import_telegraf_has_tags(const struct sl_config_node *input);
void sl_import_telegraf_put_input_rules(struct sl_import_telegraf *telegraf, size_t input);

/* What stands for a tag in a topic or key, appended to `out`. False: it is of each metric. */
bool sl_import_telegraf_add_tag(const struct sl_import_telegraf *telegraf, const char *tag,
                                struct sl_buf *out) SL_MUST_CHECK;

#endif
