/* Lists of rules by their names, and who names them. A rule's keys are those of its selector and
 * those of its kind: both tables are joined for the time of reading, as with sinks. */
#include "daemon/settings_rules.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings_read.h"
#include "normalise/rule_kinds.h"

enum { MAX_KINDS = 64 };

struct common_options {
    const char *kind;
    struct sl_rule_selector selector;
};

static const struct sluice_option kind_row = {.name = "kind",
                                              .type = SLUICE_STRING,
                                              .offset = offsetof(struct common_options, kind),
                                              .is_required = true,
                                              .doc = "What the rule does; it brings more keys."};

/* Where the kind's options begin behind ours. */
static const size_t kind_offset = (sizeof(struct common_options) + sizeof(max_align_t) - 1) /
                                  sizeof(max_align_t) * sizeof(max_align_t);

/* ---- tables ---- */

static size_t table_len(const struct sluice_option *table)
{
    size_t len = 0;

    while (table && table[len].name) {
        len++;
    }
    return len;
}

static struct sluice_option *append(struct sluice_option *at, const struct sluice_option *table,
                                    size_t offset)
{
    for (; table && table->name; table++, at++) {
        *at = *table;
        at->offset += offset;
    }
    return at;
}

/* All keys that a rule of the kind may have. NULL: memory is out. */
static struct sluice_option *join_tables(struct sl_config *config, const struct sl_rule_kind *kind)
{
    const struct sluice_option *values = kind->takes_value ? sl_rule_value_rows : NULL;
    size_t count =
        1 + table_len(sl_rule_path_rows) + table_len(values) + table_len(kind->options) + 1;
    struct sluice_option *table = sl_config_alloc(config, count, sizeof(*table));

    if (table) {
        struct sluice_option *at = table;
        *at++ = kind_row;
        at = append(at, sl_rule_path_rows, offsetof(struct common_options, selector));
        at = append(at, values, offsetof(struct common_options, selector));
        append(at, kind->options, kind_offset);
    }
    return table;
}

/* ---- one rule ---- */

static const struct sl_rule_kind *read_kind(struct sl_config *config,
                                            const struct sl_config_node *node)
{
    const char *names[MAX_KINDS + 1] = {NULL};
    const struct sl_config_node *at = NULL;

    if (sl_config_kind(node) != SL_CONFIG_MAP) {
        sl_config_error(config, node, "expected a rule, a map with the key 'kind'");
        return NULL;
    }
    at = sl_config_get(node, "kind");
    if (!at) {
        sl_config_error(config, node, "the key 'kind' is missing");
        return NULL;
    }
    const char *word = sl_config_text(config, at);
    const struct sl_rule_kind *kind = *word ? sl_rule_kind(word) : NULL;

    for (size_t i = 0; sl_rule_kinds[i] && i < MAX_KINDS; i++) {
        names[i] = sl_rule_kinds[i]->name;
    }
    if (!kind && *word) {
        sl_config_error_unknown(config, at, "kind of rule", word, names);
    }
    return kind;
}

/* The place of what `error` is about. */
static const struct sl_config_node *place_of(const struct sl_config_node *node,
                                             const struct sl_rule_error *error)
{
    const struct sl_config_node *at = error->key ? sl_config_get(node, error->key) : NULL;

    return at ? sl_config_item(at, error->item) : node;
}

/* False when memory is out. */
static bool compile(struct sl_config *config, const struct sl_config_node *node,
                    const struct sl_rule_kind *kind, const struct common_options *options,
                    struct sl_rule_list *list)
{
    const struct sl_rule_config rule = {
        .kind = kind,
        .selector = &options->selector,
        .options = (const char *)options + kind_offset,
        .list = list->name,
        .number = (unsigned)list->count + 1,
    };
    struct sl_rule_error error;

    list->items[list->count] = sl_rule_new(&rule, &error);
    if (list->items[list->count]) {
        list->count++;
        return true;
    }
    if (error.why.code == SL_RESOURCE_EXHAUSTED) {
        sl_config_error(config, node, "%s", error.why.text);
        return false;
    }
    if (error.key) {
        sl_config_error(config, place_of(node, &error), "'%s': %s", error.key, error.why.text);
    } else {
        sl_config_error(config, node, "rule '%s': %s", kind->name, error.why.text);
    }
    return true;
}

static bool read_rule(struct sl_config *config, const struct sl_config_node *node,
                      struct sl_rule_list *list)
{
    const struct sl_rule_kind *kind = read_kind(config, node);
    size_t errors = sl_config_errors(config);

    if (!kind) {
        return true;
    }
    const struct sluice_option *table = join_tables(config, kind);
    char *object = sl_config_alloc(config, 1, kind_offset + kind->options_size);

    if (!table || !object) {
        return false;
    }
    sl_config_fill(config, node, table, object, NULL, NULL);
    return sl_config_errors(config) != errors ||
           compile(config, node, kind, (struct common_options *)(void *)object, list);
}

/* ---- lists ---- */

bool sl_settings_read_rule_list(struct sl_config *config, const struct sl_config_node *node,
                                struct sl_rule_list *list)
{
    size_t count = sl_config_kind(node) == SL_CONFIG_LIST ? sl_config_count(node) : 1;

    if (count > SL_RULES_MAX) {
        sl_config_error(config, node, "%zu rules; there can be %d in a list", count, SL_RULES_MAX);
        return true;
    }
    list->items = sl_config_alloc(config, count, sizeof(struct sl_rule *));
    for (size_t i = 0; list->items && i < count; i++) {
        if (!read_rule(config, sl_config_item(node, i), list)) {
            return false;
        }
    }
    return list->items != NULL;
}

void sl_settings_free_rule_list(struct sl_rule_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        sl_rule_free(list->items[i]);
    }
    list->count = 0;
}

static bool make_strip_modules(struct sl_settings *settings)
{
    static const struct sl_rule_selector every;
    const struct sl_rule_config strip = {.kind = &sl_rule_strip,
                                         .selector = &every,
                                         .options = sl_rule_strip_modules(),
                                         .list = "module-prefixes",
                                         .number = 1};
    struct sl_rule_error error;

    settings->strip_modules = sl_rule_new(&strip, &error);
    return settings->strip_modules != NULL;
}

bool sl_settings_read_rules(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *map = reader->rules;
    size_t count = map ? sl_config_count(map) : 0;

    settings->rules = sl_config_alloc(reader->config, count, sizeof(*settings->rules));
    if (!settings->rules) {
        return false;
    }
    if (!make_strip_modules(settings)) {
        sl_config_note_out_of_memory(reader->config);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        settings->rules[i].name = sl_config_key(map, i);
        settings->rule_list_count++;
        if (!sl_settings_read_rule_list(reader->config, sl_config_at(map, i),
                                        &settings->rules[i])) {
            return false;
        }
    }
    return true;
}

void sl_settings_free_rules(struct sl_settings *settings)
{
    for (size_t i = 0; i < settings->rule_list_count; i++) {
        sl_settings_free_rule_list(&settings->rules[i]);
    }
    sl_rule_free(settings->strip_modules);
}

/* ---- who names them ---- */

/* The lists as names, ends with NULL. */
static const char **list_names(const struct sl_settings_reader *reader)
{
    const struct sl_settings *settings = reader->settings;
    const char **names =
        sl_config_alloc(reader->config, settings->rule_list_count + 1, sizeof(*names));

    for (size_t i = 0; names && i < settings->rule_list_count; i++) {
        names[i] = settings->rules[i].name;
    }
    return names;
}

/* Appends the rules of all lists that are named. */
static void add_named(struct sl_settings_reader *reader, const struct sluice_strings *named,
                      const struct sl_config_node *node, const char *const *names,
                      const struct sl_rule **items, size_t *count)
{
    const struct sl_settings *settings = reader->settings;

    for (size_t i = 0; i < named->count; i++) {
        size_t at = 0;
        while (names[at] && strcmp(names[at], named->items[i]) != 0) {
            at++;
        }
        if (!names[at]) {
            sl_config_error_unknown(reader->config, sl_config_item(node, i), "list of rules",
                                    named->items[i], names);
            continue;
        }
        for (size_t j = 0; j < settings->rules[at].count; j++, ++*count) {
            if (*count < SL_RULES_MAX) {
                items[*count] = settings->rules[at].items[j];
            }
        }
    }
}

/* Those of a subscription and one sink. False when memory is out. */
static bool resolve(struct sl_settings_reader *reader, size_t subscription_at, size_t sink_at,
                    const char *const *names)
{
    struct sl_settings *settings = reader->settings;
    struct sl_subscription_settings *subscription = &settings->subscriptions[subscription_at];
    const struct sl_sink_settings *sink = &settings->sinks[sink_at];
    const struct sl_config_node *own =
        sl_settings_own_or(sl_config_at(reader->subscriptions, subscription_at),
                           reader->default_subscription, "rules");
    const struct sl_config_node *others =
        sl_settings_own_or(sl_config_at(reader->sinks, sink_at), NULL, "rules");
    const struct sl_rule *items[SL_RULES_MAX];
    size_t count = 0;

    bool is_stripped = subscription->options.module_prefixes == SL_STRIP_MODULES;

    if (is_stripped) {
        items[count++] = settings->strip_modules;
    }
    add_named(reader, &subscription->options.rules, own, names, items, &count);
    if (sink->strips_modules && !is_stripped) {
        items[sl_min_size(count, SL_RULES_MAX - 1)] = settings->strip_modules;
        count++;
    }
    add_named(reader, &sink->rules, others, names, items, &count);
    if (count > SL_RULES_MAX) {
        sl_config_error(reader->config, own,
                        "subscription '%s' and sink '%s' have %zu rules; there can be %d",
                        subscription->name, sink->spec.name, count, SL_RULES_MAX);
        return true;
    }
    const struct sl_rule **kept = sl_config_alloc(reader->config, count, sizeof(*kept));

    for (size_t i = 0; kept && i < count; i++) {
        kept[i] = items[i];
    }
    subscription->rules[sink_at] = (struct sl_rules){kept, count};
    return kept != NULL;
}

bool sl_settings_resolve_rules(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    const char **names = list_names(reader);

    for (size_t i = 0; names && i < settings->subscription_count; i++) {
        struct sl_subscription_settings *subscription = &settings->subscriptions[i];
        subscription->rules =
            sl_config_alloc(reader->config, settings->sink_count, sizeof(*subscription->rules));
        if (!subscription->rules) {
            return false;
        }
        for (size_t j = 0; j < settings->sink_count; j++) {
            if (!resolve(reader, i, j, names)) {
                return false;
            }
        }
    }
    return names != NULL;
}

/* ---- out ---- */

/* The dash stands in the indentation of the first line. */
static void print_rule(struct sl_config *config, const struct sl_rule *rule, struct sl_buf *out)
{
    const struct sl_rule_kind *kind = sl_rule_config(rule)->kind;
    const char *object = (const char *)sl_rule_config(rule)->options - kind_offset;
    const struct sluice_option *table = join_tables(config, kind);
    size_t start = out->len;

    if (!table) {
        out->failed = true;
        return;
    }
    sl_config_print(table, object, 6, out);
    if (!out->failed) {
        out->data[start + 4] = '-';
    }
}

bool sl_settings_rule_list_differs(struct sl_config *config, const struct sl_rule_list *a,
                                   const struct sl_rule_list *b, bool *failed)
{
    bool is_other = a->count != b->count;

    for (size_t i = 0; !is_other && !*failed && i < a->count; i++) {
        const struct sl_rule_config *one = sl_rule_config(a->items[i]);
        const struct sl_rule_config *other = sl_rule_config(b->items[i]);
        const struct sluice_option *table =
            one->kind == other->kind ? join_tables(config, one->kind) : NULL;
        *failed = one->kind == other->kind && !table;
        is_other =
            !table || sl_config_differ(table, (const char *)one->options - kind_offset,
                                       (const char *)other->options - kind_offset, NULL, NULL);
    }
    return is_other;
}

void sl_settings_print_rules(const struct sl_settings *settings, struct sl_buf *out)
{
    if (settings->rule_list_count) {
        sl_config_print_text("rules", NULL, 0, out);
    }
    for (size_t i = 0; i < settings->rule_list_count; i++) {
        const struct sl_rule_list *list = &settings->rules[i];
        sl_config_print_text(list->name, NULL, 2, out);
        for (size_t j = 0; j < list->count; j++) {
            print_rule(settings->config, list->items[j], out);
        }
        if (!list->count && !out->failed) {
            out->len--;
            sl_buf_add_c(out, " []\n");
        }
    }
}

void sl_settings_reference_rules(struct sl_buf *out)
{
    sl_config_reference_line("rules", 0, out,
                             "Lists of rules, which subscriptions and sinks name.");
    sl_config_reference_line("NAME", 2, out, "A list; its rules are done in order.");
    sl_config_reference(&(struct sluice_option[]){kind_row, {.name = NULL}}[0], 4, out);
    sl_config_reference(sl_rule_path_rows, 4, out);
    sl_buf_add_c(out, "    # keep, drop and others that say so:\n");
    sl_config_reference(sl_rule_value_rows, 4, out);
    for (size_t i = 0; sl_rule_kinds[i]; i++) {
        const struct sl_rule_kind *kind = sl_rule_kinds[i];
        sl_buf_printf(out, "    # kind: %s - %s%s\n", kind->name, kind->purpose,
                      kind->takes_value ? " (value, above, below)" : "");
        sl_buf_printf(out, "    #   - %s\n", kind->example);
        if (kind->options) {
            sl_config_reference(kind->options, 4, out);
        }
    }
}
