/* Telegraf's file: what holds for all of it, and what of it is for gNMI and Kafka. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/telegraf.h"

static const struct sl_import_row root_rows[] = {
    {"agent", SL_IMPORT_READ, NULL, NULL},
    {"global_tags", SL_IMPORT_READ, NULL, NULL},
    {"tags", SL_IMPORT_READ, NULL, NULL},
    {"inputs", SL_IMPORT_READ, NULL, NULL},
    {"outputs", SL_IMPORT_READ, NULL, NULL},
    {"processors", SL_IMPORT_READ, NULL, NULL},
    {"aggregators", SL_IMPORT_READ, NULL, NULL},
    {"secretstores", SL_IMPORT_READ, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const struct sl_import_row agent_rows[] = {
    {"hostname", SL_IMPORT_READ, NULL, NULL},
    {"omit_hostname", SL_IMPORT_READ, NULL, NULL},
    {"interval", SL_IMPORT_QUIET, NULL, NULL},
    {"round_interval", SL_IMPORT_QUIET, NULL, NULL},
    {"collection_jitter", SL_IMPORT_QUIET, NULL, NULL},
    {"collection_offset", SL_IMPORT_QUIET, NULL, NULL},
    {"precision", SL_IMPORT_QUIET, NULL, NULL}, /* not of inputs that wait for what comes */
    {"metric_batch_size", SL_IMPORT_QUIET, NULL, NULL},
    {"metric_buffer_limit", SL_IMPORT_CHANGE, NULL,
     "Telegraf drops metrics when its buffer is full; sluice counts bytes, 'collector.memory', and "
     "holds the device"},
    {"buffer_strategy", SL_IMPORT_READ, NULL, NULL},
    {"buffer_directory", SL_IMPORT_QUIET, NULL, NULL},
    {"flush_interval", SL_IMPORT_CHANGE, NULL,
     "Telegraf writes so often; sluice writes each record as it comes, and properties: "
     "{linger.ms: 50} of a sink makes larger batches"},
    {"flush_jitter", SL_IMPORT_QUIET, NULL, NULL},
    {"flush_buffer_when_full", SL_IMPORT_QUIET, NULL, NULL},
    {"debug", SL_IMPORT_QUIET, NULL, NULL},
    {"quiet", SL_IMPORT_QUIET, NULL, NULL},
    {"logtarget", SL_IMPORT_QUIET, NULL, NULL},
    {"logformat", SL_IMPORT_QUIET, NULL, NULL},
    {"logfile", SL_IMPORT_CHANGE, NULL, "sluice logs on standard error"},
    {"structured_log_message_key", SL_IMPORT_QUIET, NULL, NULL},
    {"logfile_rotation_interval", SL_IMPORT_QUIET, NULL, NULL},
    {"logfile_rotation_max_size", SL_IMPORT_QUIET, NULL, NULL},
    {"logfile_rotation_max_archives", SL_IMPORT_QUIET, NULL, NULL},
    {"log_with_timezone", SL_IMPORT_QUIET, NULL, NULL},
    {"snmp_translator", SL_IMPORT_QUIET, NULL, NULL},
    {"statefile", SL_IMPORT_QUIET, NULL, NULL},
    {"always_include_local_tags", SL_IMPORT_QUIET, NULL, NULL},
    {"always_include_global_tags", SL_IMPORT_QUIET, NULL, NULL},
    {"skip_processors_after_aggregators", SL_IMPORT_QUIET, NULL, NULL},
    {"config_url_retry_attempts", SL_IMPORT_QUIET, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

/* ---- filters ---- */

/* Of one pattern: what * and ? and [...] say; NULL does not pass. */
static bool is_matched(const struct sl_config_node *patterns, const char *name)
{
    for (size_t i = 0; i < sl_import_items(patterns); i++) {
        if (fnmatch(sl_import_item(patterns, i), name, FNM_NOESCAPE) == 0) {
            return true;
        }
    }
    return false;
}

bool sl_import_telegraf_passes(const struct sl_config_node *plugin, const char *name)
{
    const struct sl_config_node *pass = sl_import_get(plugin, "namepass");
    const struct sl_config_node *drop = sl_import_get(plugin, "namedrop");

    return (!sl_import_items(pass) || is_matched(pass, name)) && !is_matched(drop, name);
}

static void note_patterns(struct sl_import *import, const struct sl_config_node *patterns)
{
    for (size_t i = 0; i < sl_import_items(patterns); i++) {
        if (strpbrk(sl_import_item(patterns, i), "{}!\\")) {
            sl_import_note(import, sl_config_item(patterns, i), SL_IMPORT_LEFT_OUT,
                           "the pattern '%.80s': the import knows *, ? and [...]; look at 'sinks' "
                           "of the subscriptions",
                           sl_import_item(patterns, i));
        }
    }
}

/* ---- what there is no place for ---- */

static void note_plugins(struct sl_import *import, const char *section, const char *kept,
                         const char *why)
{
    const struct sl_config_node *map = sl_import_get(import->root, section);
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;

    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        const struct sl_config_node *tables = sl_config_at(map, i);
        bool is_kept = kept && strcasecmp(sl_config_key(map, i), kept) == 0;
        for (size_t j = 0; !is_kept && j < sl_import_tables(tables); j++) {
            sl_import_note(import, sl_config_item(tables, j), SL_IMPORT_LEFT_OUT, "'%s.%.80s': %s",
                           section, sl_config_key(map, i), why);
        }
    }
}

/* A variable with something to stand in for it; depth is bounded by the document's. */
static void note_defaults(struct sl_import *import, const struct sl_config_node *node)
{
    const char *at = sl_import_text(node);
    size_t count = sl_config_kind(node) == SL_CONFIG_LIST || sl_config_kind(node) == SL_CONFIG_MAP
                       ? sl_config_count(node)
                       : 0;

    while ((at = strstr(at, "${"))) {
        size_t len = strcspn(at += 2, ":-?}");
        if (at[len] && at[len] != '}') {
            sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                           "what stands in for the variable '%.*s' where it is not set: in sluice "
                           "that is an error",
                           (int)(len < 80 ? len : 80), at);
        }
        at += len;
    }
    for (size_t i = 0; i < count; i++) {
        note_defaults(import, sl_config_at(node, i));
    }
}

static void note_agent(struct sl_import *import, const struct sl_config_node *agent)
{
    const struct sl_config_node *strategy = sl_import_get(agent, "buffer_strategy");

    sl_import_judge(import, agent, agent_rows);
    if (*sl_import_text(strategy) && strcasecmp(sl_import_text(strategy), "memory") != 0) {
        sl_import_note(import, strategy, SL_IMPORT_LEFT_OUT,
                       "'buffer_strategy': sluice keeps nothing on disk; what Kafka does not take "
                       "waits in the device");
    }
}

static void note_rest(struct sl_import_telegraf *telegraf)
{
    struct sl_import *import = telegraf->import;

    sl_import_judge(import, import->root, root_rows);
    note_defaults(import, import->root);
    note_agent(import, telegraf->agent);
    note_plugins(import, "inputs", "gnmi", "sluice collects by gNMI alone");
    note_plugins(import, "aggregators", NULL, "sluice makes no metrics of several");
    note_plugins(import, "secretstores", NULL,
                 "sluice has secrets from files, {file: PATH}, and the environment");
    for (size_t i = 0; i < telegraf->sink_count; i++) {
        note_patterns(import, sl_import_get(telegraf->sinks[i].output, "namepass"));
        note_patterns(import, sl_import_get(telegraf->sinks[i].output, "namedrop"));
    }
}

/* ---- the whole ---- */

static bool put_all(struct sl_import_telegraf *telegraf)
{
    struct sl_import *import = telegraf->import;

    sl_import_telegraf_find_sinks(telegraf);
    note_rest(telegraf);
    sl_import_telegraf_collect(telegraf);
    if (import->options.replay) {
        sl_import_put_trial(import);
    }
    size_t targets = sl_import_telegraf_targets(telegraf);
    sl_import_telegraf_put_subscriptions(telegraf);
    sl_import_telegraf_put_rules(telegraf);
    sl_import_telegraf_put_sinks(telegraf);
    if (!targets) {
        sl_import_note(import, telegraf->inputs, SL_IMPORT_LEFT_OUT, "there is no target to write");
    }
    if (!telegraf->subscription_count) {
        sl_import_note(import, telegraf->inputs, SL_IMPORT_LEFT_OUT,
                       "there is no subscription to write");
    }
    if (!telegraf->sink_count) {
        sl_import_note(import, NULL, SL_IMPORT_LEFT_OUT, "there is no output to write");
    }
    return targets && telegraf->subscription_count && telegraf->sink_count;
}

static void telegraf_free(struct sl_import_telegraf *telegraf)
{
    for (size_t i = 0; i < telegraf->subscription_count; i++) {
        free(telegraf->subscriptions[i].name);
        free(telegraf->subscriptions[i].measurement);
        sl_buf_fini(&telegraf->subscriptions[i].text);
    }
    free(telegraf);
}

bool sl_import_telegraf(struct sl_import *import, const char *source, struct sl_buf *out)
{
    struct sl_import_telegraf *telegraf = calloc(1, sizeof(*telegraf));
    struct sl_buf body;

    if (!telegraf) {
        return false;
    }
    sl_buf_init(&body, SL_IMPORT_MAX_BYTES);
    import->out = &body;
    telegraf->import = import;
    telegraf->agent = sl_import_get(import->root, "agent");
    telegraf->inputs = sl_import_get(sl_import_get(import->root, "inputs"), "gnmi");
    bool is_good = put_all(telegraf);
    if (is_good) {
        sl_import_add_head(import, "Telegraf", source, out);
        sl_buf_add_str(out, sl_buf_str(&body));
    }
    is_good = is_good && !body.failed && !out->failed && !import->is_failed;
    import->out = NULL;
    sl_buf_fini(&body);
    telegraf_free(telegraf);
    return is_good;
}
