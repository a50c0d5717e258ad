#include "normalise/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "normalise/compute.h"
#include "normalise/rules_internal.h"

#define AT(field) offsetof(struct sl_rule_selector, field)

const struct sluice_option sl_rule_path_rows[] = {
    {.name = "path",
     .type = SLUICE_STRINGS,
     .offset = AT(paths),
     .doc = "Which paths: /interfaces/interface[name=eth*]/state/... ; * is any element or any "
            "characters, ... any number of elements; without a module or an origin: any."},
    {.name = "label",
     .type = SLUICE_MAP,
     .offset = AT(labels),
     .doc = "Labels of the path or the target that must be there: {role: leaf*}."},
    {.name = NULL},
};

const struct sluice_option sl_rule_value_rows[] = {
    {.name = "value",
     .type = SLUICE_STRINGS,
     .offset = AT(values),
     .doc = "Which values, as text: UP, 0, \"err*\"."},
    {.name = "above",
     .type = SLUICE_STRING,
     .offset = AT(above),
     .default_text = "",
     .doc = "Numbers that are more."},
    {.name = "below",
     .type = SLUICE_STRING,
     .offset = AT(below),
     .default_text = "",
     .doc = "Numbers that are less."},
    {.name = NULL},
};

/* ---- errors ---- */

bool sl_rule_refuse(struct sl_rule_error *error, const char *key, const char *format, ...)
{
    char text[SL_STATUS_TEXT_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error->key = key;
    error->item = 0;
    error->why = sl_status_error(SL_INVALID_ARGUMENT, "%s", text);
    return false;
}

static bool refuse_memory(struct sl_rule_error *error)
{
    *error = (struct sl_rule_error){.why = sl_status_out_of_memory()};
    return false;
}

/* ---- selectors ---- */

static bool compile_globs(struct sl_rule *rule, struct sl_rule_error *error)
{
    const struct sluice_strings *paths = &rule->config.selector->paths;

    rule->globs = calloc(paths->count + 1, sizeof(*rule->globs));
    if (!rule->globs) {
        return refuse_memory(error);
    }
    for (size_t i = 0; i < paths->count; i++) {
        rule->globs[i] = sl_glob_new(sl_str_from(paths->items[i]), &error->why);
        if (!rule->globs[i]) {
            error->key = "path";
            error->item = i;
            return false;
        }
        rule->glob_count++;
    }
    return true;
}

static bool compile_bound(const char *key, const char *text, struct sl_rule_bound *bound,
                          struct sl_rule_error *error)
{
    bound->is_set = text && *text;
    if (bound->is_set && !sl_exact_parse(sl_str_from(text), &bound->exact)) {
        return sl_rule_refuse(error, key, "expected a number, found '%.80s'", text);
    }
    bound->is_whole = bound->is_set && sl_exact_to_i64(&bound->exact, &bound->whole);
    return true;
}

static bool compile_values(struct sl_rule *rule, struct sl_rule_error *error)
{
    const struct sl_rule_selector *selector = rule->config.selector;

    if (!compile_bound("above", selector->above, &rule->above, error) ||
        !compile_bound("below", selector->below, &rule->below, error)) {
        return false;
    }
    rule->has_values = selector->values.count || rule->above.is_set || rule->below.is_set;
    SL_ASSERT(!rule->has_values || rule->config.kind->takes_value);
    return true;
}

bool sl_rule_matches(const struct sl_rule *rule, const struct sl_rule_path *path,
                     bool (*matches)(const struct sl_glob *, const struct sl_rule_path *))
{
    const struct sluice_map *labels = &rule->config.selector->labels;
    bool is_matched = rule->glob_count == 0;

    for (size_t i = 0; i < rule->glob_count && !is_matched; i++) {
        is_matched = matches(rule->globs[i], path);
    }
    for (size_t i = 0; i < labels->count && is_matched; i++) {
        struct sl_str label = sl_rule_path_label(path, sl_str_from(labels->pairs[i].name));
        is_matched = label.data && sl_glob_word_matches(labels->pairs[i].value, label);
    }
    return is_matched;
}

/* ---- values ---- */

static bool text_matches(const struct sl_rule *rule, const struct sl_gnmi_value *value,
                         struct sl_buf *scratch)
{
    static const struct sl_conversion to_text = {.type = SL_TYPE_STRING};
    const struct sluice_strings *values = &rule->config.selector->values;
    struct sl_gnmi_value text;

    sl_buf_reset(scratch);
    if (!sl_convert(value, &to_text, scratch, &text)) {
        return false;
    }
    for (size_t i = 0; i < values->count; i++) {
        if (sl_glob_word_matches(values->items[i], text.of.bytes)) {
            return true;
        }
    }
    return false;
}

/* A leaf-list matches when one of its elements does. */
static bool any_text_matches(const struct sl_rule *rule, const struct sl_gnmi_value *value,
                             struct sl_buf *scratch)
{
    struct sl_gnmi_value element;

    if (value->kind != SL_GNMI_VALUE_LEAFLIST) {
        return text_matches(rule, value, scratch);
    }
    struct sl_str elements = value->of.bytes;

    while (sl_gnmi_next_element(&elements, &element)) {
        if (element.kind != SL_GNMI_VALUE_LEAFLIST && text_matches(rule, &element, scratch)) {
            return true;
        }
    }
    return false;
}

/* The value as a number, below 0, 0 or above 0 beside the bound. False: it is none. */
static bool compare(const struct sl_gnmi_value *value, const struct sl_rule_bound *bound,
                    int *order)
{
    struct sl_exact number;

    if (bound->is_whole && value->kind == SL_GNMI_VALUE_INT) {
        *order = (value->of.i64 > bound->whole) - (value->of.i64 < bound->whole);
        return true;
    }
    if (bound->is_whole && value->kind == SL_GNMI_VALUE_UINT) {
        uint64_t whole = bound->whole < 0 ? 0 : (uint64_t)bound->whole;
        *order = bound->whole < 0 ? 1 : (value->of.u64 > whole) - (value->of.u64 < whole);
        return true;
    }
    if (value->kind == SL_GNMI_VALUE_BOOL || !sl_compute_number(value, &number)) {
        return false;
    }
    *order = sl_exact_compare(number, bound->exact);
    return true;
}

bool sl_rule_matches_value(const struct sl_rule *rule, const struct sl_gnmi_value *value,
                           struct sl_buf *scratch)
{
    int order;

    scratch->failed = false;
    if (rule->config.selector->values.count && !any_text_matches(rule, value, scratch)) {
        return false;
    }
    return (!rule->above.is_set || (compare(value, &rule->above, &order) && order > 0)) &&
           (!rule->below.is_set || (compare(value, &rule->below, &order) && order < 0));
}

/* ---- lifetime ---- */

static bool compile_kind(struct sl_rule *rule, struct sl_rule_error *error)
{
    const struct sl_rule_kind *kind = rule->config.kind;

    rule->compiled = rule->config.options;
    if (!kind->compile) {
        return true;
    }
    rule->own = calloc(1, kind->size ? kind->size : 1);
    if (!rule->own) {
        return refuse_memory(error);
    }
    rule->compiled = kind->size ? rule->own : rule->config.options;
    return kind->compile(rule->config.options, rule->own, error);
}

struct sl_rule *sl_rule_new(const struct sl_rule_config *config, struct sl_rule_error *error)
{
    struct sl_rule *rule = calloc(1, sizeof(*rule));

    *error = (struct sl_rule_error){.why = sl_status_ok()};
    if (!rule) {
        (void)refuse_memory(error);
        return NULL;
    }
    rule->config = *config;
    if (!compile_globs(rule, error) || !compile_values(rule, error) || !compile_kind(rule, error)) {
        sl_rule_free(rule);
        return NULL;
    }
    return rule;
}

void sl_rule_free(struct sl_rule *rule)
{
    if (!rule) {
        return;
    }
    if (rule->own && rule->config.kind->fini) {
        rule->config.kind->fini(rule->own);
    }
    free(rule->own);
    for (size_t i = 0; i < rule->glob_count; i++) {
        sl_glob_free(rule->globs[i]);
    }
    free(rule->globs);
    free(rule);
}

const struct sl_rule_config *sl_rule_config(const struct sl_rule *rule)
{
    return &rule->config;
}

const struct sl_rule_kind *sl_rule_kind(const char *name)
{
    for (size_t i = 0; sl_rule_kinds[i]; i++) {
        if (strcmp(sl_rule_kinds[i]->name, name) == 0) {
            return sl_rule_kinds[i];
        }
    }
    return NULL;
}
