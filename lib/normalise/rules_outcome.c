#include <stddef.h>
#include <string.h>

#include "normalise/rules_internal.h"

enum { KEPT_BYTES = 64 * 1024, ALIGN = _Alignof(max_align_t) };

void sl_rules_scratch_init(struct sl_rules_scratch *scratch)
{
    sl_buf_init(&scratch->out, SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->list.values, SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->opened, SL_RULES_MAX_BYTES);
    sl_flatten_init(&scratch->flatten);
    sl_buf_init(&scratch->prefix_bytes, SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->path_bytes, SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->texts[0], SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->texts[1], SL_RULES_MAX_BYTES);
    sl_buf_init(&scratch->match, SL_RULES_MAX_BYTES);
}

void sl_rules_scratch_fini(struct sl_rules_scratch *scratch)
{
    sl_buf_fini(&scratch->out);
    sl_buf_fini(&scratch->list.values);
    sl_buf_fini(&scratch->opened);
    sl_flatten_fini(&scratch->flatten);
    sl_buf_fini(&scratch->prefix_bytes);
    sl_buf_fini(&scratch->path_bytes);
    sl_buf_fini(&scratch->texts[0]);
    sl_buf_fini(&scratch->texts[1]);
    sl_buf_fini(&scratch->match);
}

/* ---- the prefix ---- */

/* But for labels. */
static bool is_same_place(const struct sl_rule_path *a, const struct sl_rule_path *b)
{
    return a->elem_count == b->elem_count && sl_rule_path_is_below(a, b) &&
           sl_str_eq(a->origin, b->origin) && sl_str_eq(a->target, b->target);
}

/* A guess at what becomes of the elements that all paths have in common: what each rule that may be
 * for a path below would do to them. Whether it is right is seen with each path. */
bool sl_rules_build_prefix(struct sl_rules_state *state, struct sl_str prefix)
{
    struct sl_rules_scratch *scratch = state->scratch;
    struct sl_rule_path *path = &scratch->prefix;

    sl_rule_path_init(path, state->config.labels, false);
    if (!sl_rule_path_add(path, prefix)) {
        return false;
    }
    for (size_t i = 0; i < state->config.rules.count; i++) {
        const struct sl_rule *rule = state->config.rules.items[i];
        if (rule->config.kind->path && !rule->has_values &&
            sl_rule_matches(rule, path, sl_glob_reaches)) {
            (void)rule->config.kind->path(rule->compiled, path); /* drops mean the paths */
        }
    }
    sl_rule_path_init(&scratch->path, NULL, false);
    if (!sl_rule_path_add(&scratch->path, prefix)) {
        return false;
    }
    path->is_changed = !is_same_place(path, &scratch->path);
    sl_buf_trim(&scratch->prefix_bytes, KEPT_BYTES);
    (void)sl_rule_path_build(path, 0, true, true, false, &scratch->prefix_bytes);
    return !scratch->prefix_bytes.failed;
}

/* ---- one path ---- */

static bool looks_at_values(const struct sl_rule *rule)
{
    return rule->config.kind->apply || (rule->config.kind->keeps && rule->has_values);
}

/* Whether the rule is for something in a container of JSON at that path, and not, or not only, for
 * the container. */
static bool opens(const struct sl_rule *rule, const struct sl_rule_path *path)
{
    const struct sl_rule_kind *kind = rule->config.kind;
    bool is_for_paths = kind->path || kind->keeps;

    return !path->is_delete && sl_rule_matches(rule, path, sl_glob_reaches_below) &&
           (looks_at_values(rule) || kind->opens ||
            (is_for_paths && !sl_rule_matches(rule, path, sl_glob_matches)));
}

/* What one rule says of the path; PASS: the next may. */
static enum sl_rule_verdict ask_rule(const struct sl_rule *rule, struct sl_rule_path *path,
                                     struct sl_rules_outcome *outcome,
                                     struct sl_rules_action *actions)
{
    const struct sl_rule_kind *kind = rule->config.kind;

    if (!sl_rule_matches(rule, path, sl_glob_matches)) {
        bool is_kept =
            !kind->keeps || (path->is_delete && sl_rule_matches(rule, path, sl_glob_reaches));
        return is_kept ? SL_RULE_PASS : SL_RULE_FILTER;
    }
    if (kind->path && !rule->has_values) {
        enum sl_rule_verdict verdict = kind->path(rule->compiled, path);
        if (verdict != SL_RULE_PASS) {
            return verdict;
        }
    }
    outcome->timestamp = kind->timestamp ? rule : outcome->timestamp;
    if (looks_at_values(rule) && !path->is_delete) {
        actions[outcome->action_count++] = (struct sl_rules_action){.rule = rule};
    }
    return SL_RULE_PASS;
}

static void ask_rules(struct sl_rules_state *state, struct sl_rules_outcome *outcome)
{
    struct sl_rules_scratch *scratch = state->scratch;
    struct sl_rule_path *path = &scratch->path;
    bool is_looked_at = state->config.on_step != NULL;

    for (size_t i = 0; i < state->config.rules.count && outcome->verdict == SL_RULE_PASS; i++) {
        const struct sl_rule *rule = state->config.rules.items[i];
        bool was_changed = path->is_changed;
        path->is_changed = false;
        outcome->opens = outcome->opens || opens(rule, path);
        outcome->verdict = ask_rule(rule, path, outcome, scratch->actions);
        if (is_looked_at && (path->is_changed || outcome->verdict != SL_RULE_PASS)) {
            scratch->by[outcome->by_count++] = rule;
        }
        path->is_changed = path->is_changed || was_changed;
    }
    outcome->by = scratch->by;
    outcome->actions = scratch->actions;
}

/* The bytes of the path under the new prefix, or as a whole. */
static void build_path(struct sl_rules_state *state, struct sl_str own, bool is_whole)
{
    struct sl_rules_scratch *scratch = state->scratch;
    const struct sl_rule_path *path = &scratch->path;
    struct sl_rules_outcome *outcome = &scratch->loose;
    struct sl_gnmi_path read;

    outcome->needs_whole = !is_whole && !sl_rule_path_is_below(path, &scratch->prefix);
    outcome->has_labels = path->label_count > 0;
    if (outcome->needs_whole) {
        return;
    }
    sl_gnmi_path_read(own, &read);
    size_t from = is_whole ? 0 : scratch->prefix.elem_count;
    bool has_origin =
        is_whole || read.origin.len || !sl_str_eq(path->origin, scratch->prefix.origin);
    bool has_target = read.target.len > 0;

    outcome->path =
        sl_rule_path_build(path, from, has_origin, has_target, true, &scratch->path_bytes);
    outcome->verdict = scratch->path_bytes.failed ? SL_RULE_DROP : outcome->verdict;
}

void sl_rules_work_out(struct sl_rules_state *state, struct sl_str prefix, struct sl_str path,
                       bool is_delete, bool is_whole)
{
    struct sl_rules_scratch *scratch = state->scratch;
    struct sl_rules_outcome *outcome = &scratch->loose;

    *outcome = (struct sl_rules_outcome){.verdict = SL_RULE_PASS};
    sl_buf_trim(&scratch->path_bytes, KEPT_BYTES);
    sl_rule_path_init(&scratch->path, state->config.labels, is_delete);
    if (!sl_rule_path_add(&scratch->path, prefix) || !sl_rule_path_add(&scratch->path, path)) {
        outcome->verdict = SL_RULE_DROP;
        return;
    }
    ask_rules(state, outcome);
    if (outcome->verdict == SL_RULE_PASS) {
        bool is_new_prefix = scratch->prefix.is_changed;
        outcome->is_changed = scratch->path.is_changed || is_new_prefix || is_whole;
        if (outcome->is_changed) {
            build_path(state, path, is_whole);
        }
    }
}

/* ---- keeping ---- */

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t states_bytes(const struct sl_rules_outcome *outcome)
{
    size_t bytes = 0;

    for (size_t i = 0; i < outcome->action_count; i++) {
        bytes += aligned(outcome->actions[i].rule->config.kind->state_size);
    }
    return bytes;
}

/* Where the parts of the block begin. */
struct layout {
    size_t actions;
    size_t states;
    size_t by;
    size_t path;
    size_t bytes;
};

static struct layout lay_out(const struct sl_rules_outcome *outcome)
{
    struct layout layout;

    layout.actions = aligned(sizeof(*outcome));
    layout.states = layout.actions + aligned(outcome->action_count * sizeof(*outcome->actions));
    layout.by = layout.states + states_bytes(outcome);
    layout.path = layout.by + aligned(outcome->by_count * sizeof(*outcome->by));
    layout.bytes = layout.path + outcome->path.len;
    return layout;
}

/* Deletes are of paths as the device has them, not as the rules have made them. */
static void give_states(struct sl_rules_state *state, struct sl_rules_outcome *outcome,
                        struct sl_str prefix, struct sl_str own)
{
    struct sl_rule_path *path = &state->scratch->path;
    char *at = outcome->states;

    sl_rule_path_init(path, NULL, false);
    if (!outcome->states_bytes || !sl_rule_path_add(path, prefix) || !sl_rule_path_add(path, own)) {
        return;
    }
    outcome->node = sl_rules_nodes_add(&state->nodes, path);
    outcome->touched_at = state->nodes.clock;
    memset(outcome->states, 0, outcome->states_bytes);
    for (size_t i = 0; i < outcome->action_count && outcome->node; i++) {
        size_t size = outcome->actions[i].rule->config.kind->state_size;
        outcome->actions[i].state = size ? at : NULL;
        at += aligned(size);
    }
}

static void copy_parts(const struct sl_rules_outcome *from, const struct layout *layout,
                       char *block, struct sl_rules_outcome *outcome)
{
    *outcome = *from;
    outcome->bytes = layout->bytes;
    outcome->actions = (struct sl_rules_action *)(void *)(block + layout->actions);
    outcome->states = block + layout->states;
    outcome->states_bytes = layout->by - layout->states;
    outcome->by = (const struct sl_rule **)(void *)(block + layout->by);
    if (from->action_count) {
        memcpy(outcome->actions, from->actions, from->action_count * sizeof(*from->actions));
    }
    if (from->by_count) {
        memcpy(outcome->by, from->by, from->by_count * sizeof(*from->by));
    }
    if (from->path.len) {
        memcpy(block + layout->path, from->path.data, from->path.len);
        outcome->path.data = block + layout->path;
    }
}

static struct sl_intern *table_of(struct sl_rules_state *state, bool is_delete)
{
    return is_delete ? &state->deletes : &state->updates;
}

struct sl_rules_outcome *sl_rules_keep(struct sl_rules_state *state,
                                       const struct sl_intern_prefix *kept, struct sl_str prefix,
                                       struct sl_str path, bool is_delete)
{
    struct sl_rules_outcome *loose = &state->scratch->loose;
    struct layout layout = lay_out(loose);
    char *block = kept ? sl_intern_reserve(state->config.memory, layout.bytes) : NULL;
    struct sl_rules_outcome *outcome = (struct sl_rules_outcome *)(void *)block;
    struct sl_fragment fragment = {.text = (const char *)&outcome, .len = sizeof(outcome)};

    if (!block) {
        return loose;
    }
    copy_parts(loose, &layout, block, outcome);
    if (!sl_intern_add(table_of(state, is_delete), kept, path, &fragment)) {
        sl_intern_give_back(state->config.memory, block, layout.bytes);
        return loose;
    }
    outcome->is_simple = outcome->verdict == SL_RULE_PASS && !outcome->action_count;
    outcome->is_plain = outcome->is_simple && !outcome->is_changed && !outcome->timestamp;
    outcome->next = state->outcomes;
    state->outcomes = outcome;
    give_states(state, outcome, prefix, path);
    return outcome;
}

struct sl_rules_outcome *sl_rules_find(struct sl_rules_state *state,
                                       const struct sl_intern_prefix *prefix, struct sl_str path,
                                       bool is_delete)
{
    struct sl_rules_outcome *outcome = NULL;
    struct sl_fragment fragment;

    if (prefix && sl_intern_find(table_of(state, is_delete), prefix, path, &fragment)) {
        memcpy((void *)&outcome, fragment.text, sizeof(outcome));
    }
    return outcome;
}
