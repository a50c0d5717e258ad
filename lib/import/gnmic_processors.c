/* gnmic's processors, where rules say the same; and the tags of its targets. */
#include <string.h>
#include <strings.h>

#include "import/internal.h"

#define TAGS_LIST  "gnmic-event-tags"
#define TIMES_LIST "gnmic-override-timestamps"
#define DO_IT_LATER                                                                                \
    "no rule does that; let a consumer do it, or a processor of your own (plugins/README.md)"

enum { MAX_TAG_RULES = 200 };

struct processor {
    struct sl_import *import;
    const struct sl_config_node *node; /* its options */
    const struct sl_config_node *place;
    const char *name;
};

/* What to do instead. */
static void leave(const struct processor *processor, const char *why)
{
    sl_import_note(processor->import, processor->place, SL_IMPORT_LEFT_OUT, "processor '%.80s': %s",
                   processor->name, why);
}

static void change(const struct processor *processor, const char *how)
{
    sl_import_note(processor->import, processor->place, SL_IMPORT_CHANGED, "processor '%.80s': %s",
                   processor->name, how);
}

/* ---- what they select ---- */

static bool has(const struct processor *processor, const char *key)
{
    return sl_import_items(sl_import_get(processor->node, key)) > 0;
}

/* The globs of all expressions under `key`, as items of a list; empty: everything. */
static bool read_globs(const struct processor *processor, const char *key, struct sl_buf *globs)
{
    const struct sl_config_node *list = sl_import_get(processor->node, key);
    bool is_everything = false;
    bool is_any = false;
    size_t count = 0;

    for (size_t i = 0; i < sl_import_items(list); i++) {
        if (!sl_import_path_globs(sl_import_item(list, i), globs, &count, &is_any)) {
            sl_import_note(processor->import, sl_config_item(list, i), SL_IMPORT_LEFT_OUT,
                           "processor '%.80s': no glob says the same as the regular expression "
                           "'%.80s'; write a rule with paths that you mean",
                           processor->name, sl_import_item(list, i));
            return false;
        }
        is_everything = is_everything || is_any;
    }
    if (is_everything) {
        sl_buf_reset(globs);
    }
    return true;
}

/* Whether one of the expressions matches any text. */
static bool takes_any(const struct processor *processor, const char *key)
{
    const struct sl_config_node *list = sl_import_get(processor->node, key);

    for (size_t i = 0; i < sl_import_items(list); i++) {
        const char *text = sl_import_item(list, i);
        if (strcmp(text, ".*") == 0 || strcmp(text, ".") == 0 || strcmp(text, "") == 0 ||
            strcmp(text, "^.*$") == 0 || strcmp(text, ".+") == 0) {
            return true;
        }
    }
    return false;
}

static void begin_rule(const struct processor *processor, const char *kind)
{
    sl_buf_printf(processor->import->out, "    - {kind: %s", kind);
}

static void add_part(const struct processor *processor, const char *key, struct sl_buf *items)
{
    if (items->len) {
        sl_buf_printf(processor->import->out, ", %s: [%s]", key, sl_buf_text(items));
    }
}

static void end_rule(const struct processor *processor)
{
    sl_buf_add_c(processor->import->out, "}\n");
}

/* ---- kinds ---- */

/* A rule for the paths of value-names; `more` stands behind them. */
static bool put_by_path(const struct processor *processor, const char *kind, const char *more)
{
    struct sl_buf globs = {0};
    bool is_good = has(processor, "value-names") && read_globs(processor, "value-names", &globs);

    if (is_good) {
        begin_rule(processor, kind);
        add_part(processor, "path", &globs);
        sl_buf_add_c(processor->import->out, more);
        end_rule(processor);
    }
    sl_import_drop(processor->import, &globs);
    return is_good;
}

/* A rule for values as text. */
static bool put_by_value(const struct processor *processor, const char *kind)
{
    const struct sl_config_node *list = sl_import_get(processor->node, "values");
    struct sl_buf globs = {0};
    bool is_good = true;

    for (size_t i = 0; is_good && i < sl_import_items(list); i++) {
        is_good = sl_import_text_glob(sl_import_item(list, i), &globs);
    }
    if (!is_good) {
        leave(processor, "'values': no glob says the same as its regular expression; a rule can "
                         "have values as words with * and ?");
    } else {
        begin_rule(processor, kind);
        add_part(processor, "value", &globs);
        end_rule(processor);
        change(processor, "its rule looks at numbers, too, as text");
    }
    sl_import_drop(processor->import, &globs);
    return is_good;
}

/* Conditions and tags, which no rule knows. */
static bool has_foreign(const struct processor *processor)
{
    static const char *const keys[] = {"condition", "tags", "tag-names", NULL};

    for (size_t i = 0; keys[i]; i++) {
        if (has(processor, keys[i]) &&
            *sl_import_item(sl_import_get(processor->node, keys[i]), 0)) {
            sl_import_note(processor->import, sl_import_get(processor->node, keys[i]),
                           SL_IMPORT_LEFT_OUT,
                           "processor '%.80s': no rule selects by '%s'; rules select by path, "
                           "value, and labels that targets or other rules have set",
                           processor->name, keys[i]);
            return true;
        }
    }
    return false;
}

static bool put_drop(const struct processor *processor)
{
    bool has_any = false;

    if (has_foreign(processor)) {
        return false;
    }
    if (has(processor, "value-names")) {
        has_any = put_by_path(processor, "drop", "");
    }
    if (has(processor, "values")) {
        has_any = put_by_value(processor, "drop") || has_any;
    }
    if (has_any) {
        change(processor, "where a value is JSON gnmic drops the event as a whole, sluice the "
                          "leaves that are meant");
    }
    return has_any;
}

static bool put_delete(const struct processor *processor)
{
    bool has_any = false;

    if (has_foreign(processor)) {
        return false;
    }
    if (has(processor, "value-names")) {
        has_any = put_by_path(processor, "drop", "");
    }
    if (has(processor, "values")) {
        has_any = put_by_value(processor, "drop") || has_any;
    }
    if (has_any) {
        change(processor,
               "gnmic leaves an event without values where all are deleted, sluice none");
    }
    return has_any;
}

static bool put_allow(const struct processor *processor)
{
    if (has_foreign(processor)) {
        return false;
    }
    if (has(processor, "values") && has(processor, "value-names")) {
        leave(processor, "rules that keep by path or by value are one after the other in sluice");
        return false;
    }
    bool has_any = has(processor, "values") ? put_by_value(processor, "keep")
                                            : put_by_path(processor, "keep", "");
    if (has_any) {
        change(processor, "gnmic drops all deletes here; sluice keeps those of what is kept");
    }
    return has_any;
}

static bool put_convert(const struct processor *processor)
{
    static const char *const types[][2] = {{"int", ", to: int, otherwise: keep"},
                                           {"uint", ", to: uint, otherwise: keep"},
                                           {"string", ", to: string, otherwise: keep"},
                                           {"float", ", to: double, otherwise: keep"}};
    const char *type = sl_import_text(sl_import_get(processor->node, "type"));

    for (size_t i = 0; i < SL_ARRAY_LEN(types); i++) {
        if (strcmp(type, types[i][0]) == 0) {
            change(processor, "what does not fit exactly (fractions to int, negative numbers to "
                              "uint) stays as it is, where gnmic cuts it off");
            return put_by_path(processor, "convert", types[i][1]);
        }
    }
    leave(processor, "expected the type int, uint, string or float");
    return false;
}

static bool put_ieee(const struct processor *processor)
{
    if (has(processor, "condition")) {
        return !has_foreign(processor);
    }
    return put_by_path(processor, "convert", ", to: float, from: ieee-float, otherwise: keep");
}

static bool put_override(const struct processor *processor)
{
    const char *precision = sl_import_text(sl_import_get(processor->node, "precision"));

    if (*precision && strcmp(precision, "ns") != 0) {
        leave(processor, "times of events are nanoseconds; no rule makes another unit of them");
        return false;
    }
    begin_rule(processor, "timestamp");
    sl_buf_add_c(processor->import->out, ", path: \"/...\", policy: receive");
    end_rule(processor);
    return true;
}

static void add_map(const struct processor *processor, const struct sl_config_node *map,
                    const char *key)
{
    struct sl_buf *out = processor->import->out;

    sl_buf_printf(out, ", %s: {", key);
    for (size_t i = 0; i < sl_config_count(map); i++) {
        sl_buf_add_c(out, i ? ", " : "");
        sl_import_add_text(out, sl_config_key(map, i));
        sl_buf_add_c(out, ": ");
        sl_import_add_expanded(out, sl_import_text(sl_config_at(map, i)));
    }
    sl_buf_add_byte(out, '}');
}

/* Every event has tags, so whoever takes any tag takes any event. */
static bool put_add_tag(const struct processor *processor)
{
    const struct sl_config_node *map = sl_import_get(processor->node, "add");
    bool is_all = takes_any(processor, "tags") || takes_any(processor, "tag-names");
    bool overwrites = sl_import_is_true(sl_import_get(processor->node, "overwrite"));
    struct sl_buf globs = {0};

    if (!map || sl_config_kind(map) != SL_CONFIG_MAP || !sl_config_count(map)) {
        leave(processor, "it has nothing under 'add'");
        return false;
    }
    if (has(processor, "condition") || has(processor, "values") ||
        (!is_all && (has(processor, "tags") || has(processor, "tag-names") ||
                     has(processor, "deletes") || !has(processor, "value-names")))) {
        leave(processor, "rules that set labels select by path alone; say which paths: {kind: "
                         "label, path: [...], set: {...}}");
        return false;
    }
    if (!is_all && !read_globs(processor, "value-names", &globs)) {
        sl_import_drop(processor->import, &globs);
        return false;
    }
    begin_rule(processor, "label");
    add_part(processor, "path", &globs);
    add_map(processor, map, overwrites ? "set" : "add");
    end_rule(processor);
    if (!is_all) {
        change(processor, "deletes of these paths have the tag, too");
    }
    sl_import_drop(processor->import, &globs);
    return true;
}

/* ---- all kinds ---- */

static const struct {
    const char *type;
    bool (*put)(const struct processor *processor);
    const char *otherwise;
} kinds[] = {
    {"event-add-tag", put_add_tag, NULL},
    {"event-drop", put_drop, NULL},
    {"event-allow", put_allow, NULL},
    {"event-delete", put_delete, NULL},
    {"event-convert", put_convert, NULL},
    {"event-ieeefloat32", put_ieee, NULL},
    {"event-override-ts", put_override, NULL},
    {"event-strings", NULL,
     "rules change names by elements ({kind: rename}, {kind: strip, leading:}) and values by a "
     "table ({kind: map}), not by parts of texts, and tags would change with them"},
    {"event-to-tag", NULL,
     "rules make tags of keys ({kind: key-to-label}) and of constants ({kind: label}), not of "
     "values"},
    {"event-extract-tags", NULL,
     "rules make tags of keys and constants, not of parts of names; {kind: label, path:, set:} "
     "for each path says the same where they are few"},
    {"event-value-tag", NULL, "rules make tags of keys and constants, not of values"},
    {"event-value-tag-v2", NULL, "rules make tags of keys and constants, not of values"},
    {"event-date-string", NULL,
     "no rule writes a time as text; every record has it as a number, which consumers can format"},
    {"event-time-epoch", NULL, "no rule reads times that are text"},
    {"event-duration-convert", NULL, "no rule reads durations that are text"},
    {"event-data-convert", NULL,
     "{kind: unit, path:, from:, to:} brings numbers from one unit into another; texts with a "
     "unit in them stay texts"},
    {"event-rate-limit", NULL,
     "{kind: rate-limit, path:, interval:} lets one update of each path go on per interval"},
    {"event-merge", NULL, "a record is what the device sent together"},
    {"event-group-by", NULL, "a record is what the device sent together"},
    {"event-combine", NULL, "name the processors in 'rules' of the sink, one after the other"},
    {"event-keep", NULL, "{kind: keep, path: [...]} keeps paths"},
};

static bool put_processor(struct sl_import *import, const char *name,
                          const struct sl_config_node *node)
{
    struct processor processor = {.import = import, .name = name, .place = node};
    const char *type = NULL;

    if (!node || sl_config_kind(node) != SL_CONFIG_MAP || sl_config_count(node) == 0) {
        leave(&processor, "there is none of that name");
        return false;
    }
    type = sl_config_key(node, 0);
    processor.node = sl_config_at(node, 0);
    processor.place = sl_config_key_node(node, 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        if (strcasecmp(kinds[i].type, type) == 0) {
            if (kinds[i].put) {
                return kinds[i].put(&processor);
            }
            leave(&processor, kinds[i].otherwise);
            return false;
        }
    }
    leave(&processor, DO_IT_LATER);
    return false;
}

/* ---- lists ---- */

static bool is_event(const struct sl_config_node *output)
{
    const char *format = sl_import_text(sl_import_get(output, "format"));
    const char *type = sl_import_text(sl_import_get(output, "type"));

    return *format ? strcasecmp(format, "event") == 0 : strcasecmp(type, "kafka") == 0;
}

static bool is_carried(const struct sl_import *import, const char *name)
{
    for (size_t i = 0; i < import->carried_count; i++) {
        if (strcmp(import->carried[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The list's head, as soon as there is a rule; taken back where there is none. */
static void put_list(struct sl_import *import, const char *name, const struct sl_config_node *node)
{
    size_t start = import->out->len;

    if (is_carried(import, name) || import->carried_count == SL_IMPORT_MAX_CARRIED ||
        !sl_import_is_name(name)) {
        return;
    }
    sl_import_put_key(import, name, 2);
    if (put_processor(import, name, node)) {
        import->carried[import->carried_count++] = name;
    } else if (!import->out->failed) {
        import->out->len = start;
    }
}

static void put_processors(struct sl_import *import, const struct sl_config_node *output)
{
    const struct sl_config_node *names = sl_import_get(output, "event-processors");
    const struct sl_config_node *map = sl_import_get(import->root, "processors");

    for (size_t i = 0; is_event(output) && i < sl_import_items(names); i++) {
        const char *name = sl_import_item(names, i);
        put_list(import, name, sl_import_get(map, name));
    }
}

bool sl_import_gnmic_is_tag(const char *name)
{
    static const char *const taken[] = {"source", "subscription-name", "subscription-target",
                                        SL_IMPORT_TOPIC_LABEL, NULL};

    for (size_t i = 0; taken[i]; i++) {
        if (strcmp(taken[i], name) == 0) {
            return false;
        }
    }
    return sl_import_is_name(name);
}

/* ---- tags of targets ---- */

/* Whether a rule for that tag stands there already: an earlier target has the same. */
static bool is_said(const struct sl_config_node *targets, size_t end, const char *name,
                    const char *value)
{
    for (size_t i = 0; i < end; i++) {
        const struct sl_config_node *tags = sl_import_get(sl_config_at(targets, i), "event-tags");
        const struct sl_config_node *tag =
            tags && sl_config_kind(tags) == SL_CONFIG_MAP ? sl_config_get(tags, name) : NULL;
        if (tag && strcmp(sl_import_text(tag), value) == 0) {
            return true;
        }
    }
    return false;
}

static void put_tag(struct sl_import *import, const struct sl_config_node *place, const char *name,
                    const char *value, size_t *count)
{
    if (strpbrk(value, "*?\\") || *count == MAX_TAG_RULES) {
        sl_import_note(import, place, SL_IMPORT_LEFT_OUT,
                       *count == MAX_TAG_RULES
                           ? "event tags: more different ones than rules can be in a list"
                           : "event tag: its value has * or ? in it, which rules take for others");
        return;
    }
    if ((*count)++ == 0) {
        sl_import_put_key(import, TAGS_LIST, 2);
    }
    sl_buf_add_c(import->out, "    - {kind: label, label: {");
    sl_import_add_text(import->out, name);
    sl_buf_add_c(import->out, ": ");
    sl_import_add_expanded(import->out, value);
    sl_buf_add_c(import->out, "}, set: {");
    sl_import_add_text(import->out, name);
    sl_buf_add_c(import->out, ": ");
    sl_import_add_expanded(import->out, value);
    sl_buf_add_c(import->out, "}}\n");
}

static void put_tags(struct sl_import *import)
{
    const struct sl_config_node *targets = sl_import_get(import->root, "targets");
    bool is_map = targets && sl_config_kind(targets) == SL_CONFIG_MAP;
    size_t count = 0;

    for (size_t i = 0; is_map && i < sl_config_count(targets); i++) {
        const struct sl_config_node *tags = sl_import_get(sl_config_at(targets, i), "event-tags");
        bool has_tags = tags && sl_config_kind(tags) == SL_CONFIG_MAP;
        for (size_t j = 0; has_tags && j < sl_config_count(tags); j++) {
            const char *name = sl_config_key(tags, j);
            const char *value = sl_import_text(sl_config_at(tags, j));
            if (sl_import_gnmic_is_tag(name) && !is_said(targets, i, name, value)) {
                put_tag(import, sl_config_key_node(tags, j), name, value, &count);
            }
        }
    }
    if (count) {
        import->carried[import->carried_count++] = TAGS_LIST;
    }
}

static void put_times(struct sl_import *import, const struct sl_config_node *outputs)
{
    for (size_t i = 0; i < sl_config_count(outputs); i++) {
        if (sl_import_is_true(sl_import_get(sl_config_at(outputs, i), "override-timestamps"))) {
            sl_import_put_key(import, TIMES_LIST, 2);
            sl_buf_add_c(import->out, "    - {kind: timestamp, path: \"/...\", policy: receive}\n");
            import->carried[import->carried_count++] = TIMES_LIST;
            return;
        }
    }
}

void sl_import_gnmic_rules(struct sl_import *import)
{
    const struct sl_config_node *outputs = sl_import_get(import->root, "outputs");
    size_t start = import->out->len;

    if (!outputs || sl_config_kind(outputs) != SL_CONFIG_MAP) {
        return;
    }
    sl_import_put_key(import, "rules", 0);
    put_tags(import);
    put_times(import, outputs);
    for (size_t i = 0; i < sl_config_count(outputs); i++) {
        if (sl_import_gnmic_has_output(import, sl_config_key(outputs, i))) {
            put_processors(import, sl_config_at(outputs, i));
        }
    }
    if (!import->carried_count && !import->out->failed) {
        import->out->len = start;
    }
}

static void add_list(struct sl_import *import, const char *name, unsigned indent, bool *has_any)
{
    if (!is_carried(import, name)) {
        return;
    }
    if (*has_any) {
        sl_buf_add_c(import->out, ", ");
    } else {
        sl_buf_printf(import->out, "%*srules: [", (int)indent, "");
    }
    sl_import_add_text(import->out, name);
    *has_any = true;
}

void sl_import_gnmic_put_rules(struct sl_import *import, const struct sl_config_node *output,
                               unsigned indent)
{
    const struct sl_config_node *names = sl_import_get(output, "event-processors");
    bool has_any = false;

    if (is_event(output)) {
        add_list(import, TAGS_LIST, indent, &has_any);
    }
    if (sl_import_is_true(sl_import_get(output, "override-timestamps"))) {
        add_list(import, TIMES_LIST, indent, &has_any);
    }
    for (size_t i = 0; is_event(output) && i < sl_import_items(names); i++) {
        add_list(import, sl_import_item(names, i), indent, &has_any);
    }
    sl_buf_add_c(import->out, has_any ? "]\n" : "");
}
