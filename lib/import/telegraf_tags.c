/* Telegraf's constant tags: those of all metrics, of an input's and of a processor. */
#include <string.h>
#include <strings.h>

#include "import/telegraf.h"

#define INPUT_LIST "telegraf-input-" /* and the input's number */

static const struct sl_config_node *tags_of(const struct sl_config_node *map, const char *key)
{
    const struct sl_config_node *tags = sl_import_get(map, key);

    return tags && sl_config_kind(tags) == SL_CONFIG_MAP && sl_config_count(tags) ? tags : NULL;
}

static const struct sl_config_node *global_tags(const struct sl_import *import)
{
    const struct sl_config_node *tags = tags_of(import->root, "global_tags");

    return tags ? tags : tags_of(import->root, "tags");
}

/* `add` leaves what a rule before has set; `set` does not. */
static void put_rule(struct sl_import *import, const char *how, const struct sl_config_node *tags)
{
    bool has_any = false;

    for (size_t i = 0; i < sl_config_count(tags); i++) {
        const char *name = sl_config_key(tags, i);
        const char *value = sl_import_text(sl_config_at(tags, i));
        if (sl_config_kind(sl_config_at(tags, i)) != SL_CONFIG_SCALAR || !sl_import_is_name(name)) {
            sl_import_note(import, sl_config_key_node(tags, i), SL_IMPORT_LEFT_OUT,
                           "the tag '%.80s': sluice takes names of printable ASCII without blanks, "
                           "quotes and semicolons, and texts",
                           name);
            continue;
        }
        if (has_any) {
            sl_buf_add_c(import->out, ", ");
        } else {
            sl_buf_printf(import->out, "    - {kind: label, %s: {", how);
        }
        has_any = true;
        sl_import_add_text(import->out, name);
        sl_buf_add_c(import->out, ": ");
        sl_import_add_expanded(import->out, value);
    }
    sl_buf_add_c(import->out, has_any ? "}}\n" : "");
}

static void note_keys(struct sl_import *import, const struct sl_config_node *tags)
{
    sl_import_note(import, sl_config_key_node(tags, 0), SL_IMPORT_CHANGED,
                   "these tags stand before a list's key of the same name, where in Telegraf the "
                   "key would");
}

/* ---- processors ---- */

static const struct sl_import_row override_rows[] = {
    {"tags", SL_IMPORT_READ, NULL, NULL},
    {"order", SL_IMPORT_QUIET, NULL, NULL},
    {"alias", SL_IMPORT_QUIET, NULL, NULL},
    {"log_level", SL_IMPORT_QUIET, NULL, NULL},
    {NULL, 0, NULL, NULL},
};

static const char *hint_of(const char *plugin)
{
    static const struct {
        const char *plugin;
        const char *hint;
    } hints[] = {
        {"rename", "rules of kind rename change elements of paths, and so the names of fields"},
        {"converter", "rules of kind convert give the values of paths another type"},
        {"enum", "rules of kind map turn words into numbers"},
        {"scale", "rules of kind scale multiply, divide and shift the numbers of paths"},
        {"dedup", "rules of kind deduplicate leave repeated values of a path out"},
        {"override", "rules of kind label set tags of the paths that they name"},
        {"defaults", "sluice makes no fields that the device has not sent"},
        {"filter", "rules of kind keep and drop choose by path, value and label"},
        {"clone", "sluice writes each metric once to each sink"},
        {"strings", "rules of kind map exchange whole texts, not parts"},
        {"regex", "rules of kind map exchange whole texts, not parts"},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(hints); i++) {
        if (strcasecmp(plugin, hints[i].plugin) == 0) {
            return hints[i].hint;
        }
    }
    return "a processor of your own may change records (plugins/README.md), or a consumer";
}

/* Whether all that it does is to set tags of every metric. */
static bool is_setting(const char *plugin, const struct sl_config_node *table)
{
    if (strcasecmp(plugin, "override") != 0 || sl_config_kind(table) != SL_CONFIG_MAP ||
        !tags_of(table, "tags")) {
        return false;
    }
    for (size_t i = 0; i < sl_config_count(table); i++) {
        const struct sl_import_row *row = override_rows;
        while (row->key && strcasecmp(row->key, sl_config_key(table, i)) != 0) {
            row++;
        }
        if (!row->key) {
            return false;
        }
    }
    return true;
}

static void put_processors(struct sl_import *import)
{
    const struct sl_config_node *map = sl_import_get(import->root, "processors");
    bool is_map = map && sl_config_kind(map) == SL_CONFIG_MAP;

    for (size_t i = 0; is_map && i < sl_config_count(map); i++) {
        const char *plugin = sl_config_key(map, i);
        for (size_t j = 0; j < sl_import_tables(sl_config_at(map, i)); j++) {
            const struct sl_config_node *table = sl_config_item(sl_config_at(map, i), j);
            if (is_setting(plugin, table)) {
                put_rule(import, "set", tags_of(table, "tags"));
            } else {
                sl_import_note(import, table, SL_IMPORT_LEFT_OUT, "processor '%.80s': %s", plugin,
                               hint_of(plugin));
            }
        }
    }
}

/* ---- rules ---- */

bool sl_import_telegraf_has_tags(const struct sl_config_node *input)
{
    return tags_of(input, "tags") != NULL;
}

void sl_import_telegraf_put_input_rules(struct sl_import_telegraf *telegraf, size_t input)
{
    if (sl_import_telegraf_has_tags(sl_config_item(telegraf->inputs, input))) {
        sl_buf_printf(telegraf->import->out, "    rules: [" INPUT_LIST "%zu]\n", input + 1);
    }
}

static void put_inputs(struct sl_import_telegraf *telegraf)
{
    struct sl_import *import = telegraf->import;

    for (size_t i = 0; i < sl_import_tables(telegraf->inputs); i++) {
        const struct sl_config_node *tags = tags_of(sl_config_item(telegraf->inputs, i), "tags");
        if (!tags || !sl_import_telegraf_has_links(telegraf, i)) {
            continue;
        }
        note_keys(import, tags);
        sl_buf_printf(import->out, "  " INPUT_LIST "%zu:\n", i + 1);
        put_rule(import, "add", tags);
    }
}

void sl_import_telegraf_put_rules(struct sl_import_telegraf *telegraf)
{
    struct sl_import *import = telegraf->import;
    const struct sl_config_node *global = global_tags(import);
    size_t start = import->out->len;

    sl_import_put_key(import, "rules", 0);
    size_t empty = import->out->len;
    put_inputs(telegraf);
    size_t head = import->out->len;
    sl_import_put_key(import, SL_IMPORT_TAGS_LIST, 2);
    size_t first = import->out->len;
    if (global) {
        note_keys(import, global);
        put_rule(import, "add", global);
    }
    put_processors(import);
    telegraf->has_rules = import->out->len > first;
    if (!telegraf->has_rules && !import->out->failed) {
        import->out->len = head == empty ? start : head;
    }
}

/* ---- tags in topics and keys ---- */

/* Whether all inputs have the tag, each its own value: then it is a label of their targets. */
static bool is_of_inputs(const struct sl_import_telegraf *telegraf, const char *tag)
{
    size_t count = sl_import_tables(telegraf->inputs);

    for (size_t i = 0; i < count; i++) {
        const struct sl_config_node *tags = tags_of(sl_config_item(telegraf->inputs, i), "tags");
        if (!tags || !sl_config_get(tags, tag)) {
            return false;
        }
    }
    return count > 0 && sl_import_is_name(tag);
}

static bool add_host(const struct sl_import_telegraf *telegraf, struct sl_buf *out)
{
    const struct sl_config_node *host = sl_import_get(telegraf->agent, "hostname");
    const char *own = telegraf->import->options.host;

    if (sl_import_is_true(sl_import_get(telegraf->agent, "omit_hostname"))) {
        return false;
    }
    if (*sl_import_text(host)) {
        sl_import_add_references(out, sl_import_text(host));
        return true;
    }
    sl_import_note(telegraf->import, telegraf->agent, SL_IMPORT_CHANGED,
                   "the tag 'host' in a topic or a key is the name of the machine that the import "
                   "ran on, '%.80s'",
                   own ? own : "");
    sl_import_add_references(out, own ? own : "");
    return own != NULL;
}

bool sl_import_telegraf_add_tag(const struct sl_import_telegraf *telegraf, const char *tag,
                                struct sl_buf *out)
{
    const struct sl_config_node *global = global_tags(telegraf->import);

    if (strcmp(tag, "host") == 0) {
        return add_host(telegraf, out);
    }
    if (strcmp(tag, "source") == 0) {
        sl_buf_add_c(out, "${label." SL_IMPORT_SOURCE_LABEL "}");
        return true;
    }
    if (is_of_inputs(telegraf, tag)) {
        sl_buf_printf(out, "${label." SL_IMPORT_TAG_LABEL "%.180s}", tag);
        return true;
    }
    if (!global || !sl_config_get(global, tag)) {
        return false;
    }
    sl_import_add_references(out, sl_import_text(sl_config_get(global, tag)));
    return true;
}
