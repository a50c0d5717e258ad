#include <stdlib.h>

#include "normalise/rules_internal.h"
#include "normalise/scratch.h"

enum { WINDOW = SL_RULES_LISTED, KEPT_BYTES = 256 * 1024 };

/* One response on its way through the rules: first what they make of each path, then of each value.
 * What is found in the first walk is kept for the second, for as many updates as most messages
 * have. */
struct walk {
    struct sl_rules_state *state;
    const struct sl_gnmi_response *response;
    const struct sl_encoder_context *context;
    struct sl_rules_result *result;
    struct sl_gnmi_response *out;
    struct sl_rules_list *list; /* the first updates; then what is left of them, where is_listing */
    struct sl_gnmi_rewrite rewrite;
    bool is_rewriting;
    bool is_prefix_built;
    bool is_prefix_refused; /* it is beyond the limits, and with it every path */
    bool is_plain;          /* nothing that was seen in the first walk changes anything */
    bool is_kept;           /* all outcomes that were seen there are */
    bool is_listing;        /* what comes out is a list */
    bool is_whole;          /* paths leave the prefix: each stands for itself */
    bool has_time;
    bool is_opening; /* there is a container of JSON into which a rule looks */
    int64_t timestamp_ns;
    size_t built_bytes;                         /* worked out for paths that are not kept */
    const struct sl_intern_prefix *prefixes[2]; /* of updates, of deletes; NULL: no room */
    struct sl_rules_outcome *seen[WINDOW];
    struct sl_gnmi_cursor beyond; /* behind them */
};

/* ---- outcomes ---- */

static bool build_prefix(struct walk *walk)
{
    if (!walk->is_prefix_built) {
        walk->is_prefix_built = true;
        walk->is_prefix_refused = !sl_rules_build_prefix(walk->state, walk->response->prefix);
    }
    return !walk->is_prefix_refused;
}

/* Work on paths that are not kept has a limit for each message, beyond which they are dropped. */
static struct sl_rules_outcome *work_out(struct walk *walk, struct sl_str path, bool is_delete,
                                         bool is_whole)
{
    struct sl_rules_outcome *loose = &walk->state->scratch->loose;

    if (!build_prefix(walk) || walk->built_bytes > SL_RULES_MAX_BYTES) {
        *loose = (struct sl_rules_outcome){.verdict = SL_RULE_DROP};
        return loose;
    }
    walk->built_bytes += walk->response->prefix.len + path.len;
    sl_rules_work_out(walk->state, walk->response->prefix, path, is_delete, is_whole);
    walk->built_bytes += walk->state->scratch->path_bytes.len;
    return loose;
}

static struct sl_rules_outcome *outcome_of(struct walk *walk, struct sl_str path, bool is_delete)
{
    struct sl_rules_outcome *outcome =
        sl_rules_find(walk->state, walk->prefixes[is_delete], path, is_delete);

    if (!outcome) {
        outcome = work_out(walk, path, is_delete, false);
        if (!walk->is_prefix_refused && !walk->state->scratch->path_bytes.failed) {
            outcome = sl_rules_keep(walk->state, walk->prefixes[is_delete], walk->response->prefix,
                                    path, is_delete);
        }
    }
    return outcome;
}

/* ---- the first walk ---- */

/* The device's time, in nanoseconds, whatever the records say. */
static int64_t device_ns(const struct walk *walk)
{
    return walk->context->device_ns ? walk->context->device_ns : walk->response->timestamp_ns;
}

static void look_at(struct walk *walk, const struct sl_rules_outcome *outcome)
{
    if (outcome->is_plain) {
        return;
    }
    walk->is_plain = false;
    if (outcome->verdict != SL_RULE_PASS) {
        return;
    }
    walk->is_whole = walk->is_whole || outcome->needs_whole;
    if (outcome->timestamp && !walk->has_time) {
        const struct sl_rule *rule = outcome->timestamp;
        walk->has_time = true;
        walk->timestamp_ns = rule->config.kind->timestamp(rule->compiled, device_ns(walk),
                                                          walk->context->received_ns);
    }
}

static void look_at_updates(struct walk *walk)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(walk->response);
    struct sl_gnmi_update beyond;
    struct sl_gnmi_update *update = &walk->list->updates[0].update;

    for (size_t i = 0; sl_gnmi_next_update(&cursor, update); i++) {
        struct sl_rules_outcome *outcome = outcome_of(walk, update->path, false);
        look_at(walk, outcome);
        if (outcome->opens && sl_flatten_is_container(&update->value)) {
            walk->is_opening = true;
        }
        walk->is_kept = walk->is_kept && outcome->bytes;
        if (i < WINDOW) {
            walk->seen[i] = outcome->bytes ? outcome : NULL;
        }
        update = i + 1 < WINDOW ? &walk->list->updates[i + 1].update : &beyond;
        if (i + 1 == WINDOW) {
            walk->beyond = cursor;
        }
    }
}

/* The response with leaves for containers. False: there is no room for it. */
static bool open_containers(struct walk *walk, struct sl_gnmi_response *opened)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(walk->response);
    struct sl_gnmi_rewrite rewrite;
    struct sl_gnmi_update update;
    struct sl_str path;
    uint32_t leaves;

    sl_buf_trim(&scratch->opened, KEPT_BYTES);
    sl_gnmi_rewrite_begin(&rewrite, walk->response, &scratch->opened);
    while (sl_gnmi_next_update(&cursor, &update)) {
        bool is_open = sl_flatten_is_container(&update.value) &&
                       outcome_of(walk, update.path, false)->opens &&
                       sl_flatten_add(&scratch->flatten, &rewrite, &update, &leaves);
        if (!is_open) {
            sl_gnmi_rewrite_add_update(&rewrite, update.path, &update);
        }
    }
    cursor = sl_gnmi_response_begin(walk->response);
    while (sl_gnmi_next_delete(&cursor, &path)) {
        sl_gnmi_rewrite_add_delete(&rewrite, path);
    }
    return sl_gnmi_rewrite_end(&rewrite, opened);
}

/* What is deleted is forgotten, whether or not the delete is let through. */
static void look_at_deletes(struct walk *walk)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(walk->response);
    struct sl_rule_path *read = &walk->state->scratch->path;
    struct sl_str path;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        look_at(walk, outcome_of(walk, path, true));
        sl_rule_path_init(read, NULL, true);
        if (sl_rule_path_add(read, walk->response->prefix) && sl_rule_path_add(read, path)) {
            sl_rules_nodes_delete(&walk->state->nodes, read);
        } else {
            sl_rules_nodes_delete_all(&walk->state->nodes);
        }
    }
}

/* ---- what comes out ---- */

/* The path without elements, with the target that it had. */
static void set_whole_prefix(struct walk *walk)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;

    if (!build_prefix(walk)) {
        return;
    }
    sl_buf_reset(&scratch->prefix_bytes);
    sl_gnmi_rewrite_set_prefix(&walk->rewrite,
                               sl_rule_path_build(&scratch->prefix, scratch->prefix.elem_count,
                                                  false, true, false, &scratch->prefix_bytes));
}

/* What the rules make of the prefix, which is kept as well. False: they leave it as it is. */
static bool find_new_prefix(struct walk *walk, struct sl_str *prefix)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;
    struct sl_intern *prefixes = &walk->state->prefixes;
    const struct sl_intern_prefix *none = sl_intern_prefix(prefixes, (struct sl_str){0});
    struct sl_fragment kept = {0};

    if (!none || !sl_intern_find(prefixes, none, walk->response->prefix, &kept)) {
        if (!build_prefix(walk)) {
            return false;
        }
        kept = (struct sl_fragment){.text =
                                        scratch->prefix_bytes.len ? scratch->prefix_bytes.data : "",
                                    .len = (uint32_t)scratch->prefix_bytes.len,
                                    .key_at = scratch->prefix.is_changed};
        if (none) {
            (void)sl_intern_add(prefixes, none, walk->response->prefix, &kept);
        }
    }
    if (kept.key_at) {
        *prefix = (struct sl_str){kept.text, kept.len};
    }
    return kept.key_at;
}

static void begin_rewrite(struct walk *walk)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;
    struct sl_str prefix;

    walk->is_rewriting = true;
    sl_buf_trim(&scratch->out, KEPT_BYTES);
    sl_gnmi_rewrite_begin(&walk->rewrite, walk->response, &scratch->out);
    if (walk->has_time) {
        sl_gnmi_rewrite_set_timestamp(&walk->rewrite, walk->timestamp_ns);
    }
    if (walk->response->has_prefix && walk->is_whole) {
        set_whole_prefix(walk);
    } else if (walk->response->has_prefix && find_new_prefix(walk, &prefix)) {
        sl_gnmi_rewrite_set_prefix(&walk->rewrite, prefix);
    }
}

/* From here on the response is another one: what was let through as it is comes first. */
static void catch_up(struct walk *walk, uint32_t updates, uint32_t deletes)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(walk->response);
    struct sl_gnmi_update update;
    struct sl_str path;

    if (walk->is_rewriting) {
        return;
    }
    begin_rewrite(walk);
    while (updates-- && sl_gnmi_next_update(&cursor, &update)) {
        sl_gnmi_rewrite_add_update(&walk->rewrite, update.path, &update);
    }
    cursor = sl_gnmi_response_begin(walk->response);
    while (deletes-- && sl_gnmi_next_delete(&cursor, &path)) {
        sl_gnmi_rewrite_add_delete(&walk->rewrite, path);
    }
}

static void tell(const struct walk *walk, const struct sl_rules_outcome *outcome,
                 enum sl_rule_verdict verdict, struct sl_str path, struct sl_str path_after,
                 const struct sl_gnmi_value *before, const struct sl_gnmi_value *after,
                 size_t value_count)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;
    const struct sl_rules_config *config = &walk->state->config;
    struct sl_rules_step step = {
        .is_delete = !before,
        .verdict = verdict,
        .prefix_before = walk->response->prefix,
        .path_before = path,
        .prefix_after = walk->is_rewriting ? walk->rewrite.made.prefix : walk->response->prefix,
        .path_after = path_after,
        .value_before = before,
        .value_after = after,
        .by = scratch->by,
        .by_count = outcome->by_count + value_count,
    };

    /* Those of values stand in the upper half until here. */
    for (size_t i = 0; i < value_count; i++) {
        scratch->by[outcome->by_count + i] = scratch->by[SL_RULES_MAX + i];
    }
    for (size_t i = 0; i < outcome->by_count; i++) {
        scratch->by[i] = outcome->by[i];
    }
    config->on_step(config->arg, &step);
}

static void count_out(struct walk *walk, enum sl_rule_verdict verdict)
{
    walk->result->filtered += verdict == SL_RULE_FILTER;
    walk->result->dropped += verdict == SL_RULE_DROP;
}

/* ---- the second walk ---- */

static void forget(struct sl_rules_state *state, struct sl_rules_outcome *outcome)
{
    if (outcome->node && outcome->touched_at < state->nodes.clock) {
        if (sl_rules_nodes_is_forgotten(&state->nodes, outcome->node, outcome->touched_at)) {
            memset(outcome->states, 0, outcome->states_bytes);
        }
        outcome->touched_at = state->nodes.clock;
    }
}

/* One rule and one value; `turn` is the text that the value does not lie in. */
static enum sl_rule_verdict act(struct sl_rules_scratch *scratch,
                                const struct sl_rules_action *action, unsigned turn,
                                struct sl_rule_update *update)
{
    const struct sl_rule *rule = action->rule;
    const struct sl_rule_kind *kind = rule->config.kind;

    if (rule->has_values) {
        bool is_match = sl_rule_matches_value(rule, &update->value, &scratch->match);
        if (scratch->match.failed) {
            return SL_RULE_DROP;
        }
        if (!is_match || kind->keeps) {
            return !is_match && kind->keeps ? SL_RULE_FILTER : SL_RULE_PASS;
        }
    }
    update->text = &scratch->texts[turn];
    sl_buf_trim(update->text, KEPT_BYTES);
    return kind->apply(rule->compiled, action->state, update);
}

/* All that look at values; those that did something stand in the upper half of `by`. */
static enum sl_rule_verdict act_all(struct walk *walk, struct sl_rules_outcome *outcome,
                                    struct sl_rule_update *update, size_t *by_count)
{
    struct sl_rules_scratch *scratch = walk->state->scratch;
    enum sl_rule_verdict verdict = SL_RULE_PASS;
    bool is_changed = false;
    unsigned turn = 0;

    forget(walk->state, outcome);
    for (size_t i = 0; i < outcome->action_count && verdict == SL_RULE_PASS; i++) {
        update->is_changed = false;
        verdict = act(scratch, &outcome->actions[i], turn, update);
        turn ^= update->is_changed;
        is_changed = is_changed || update->is_changed;
        if (update->is_changed || verdict != SL_RULE_PASS) {
            scratch->by[SL_RULES_MAX + (*by_count)++] = outcome->actions[i].rule;
        }
    }
    update->is_changed = is_changed;
    return verdict;
}

static struct sl_rule_update begin_update(const struct walk *walk,
                                          const struct sl_gnmi_update *update)
{
    return (struct sl_rule_update){
        .value = update->value,
        .is_atomic = walk->response->is_atomic,
        .duplicates = update->duplicates,
        .timestamp_ns = walk->has_time ? walk->timestamp_ns : device_ns(walk),
        .received_ns = walk->context->received_ns,
    };
}

/* The path that goes out. The outcome may be worked out anew for it. */
static struct sl_str path_after(struct walk *walk, struct sl_rules_outcome **outcome,
                                struct sl_str path, bool is_delete)
{
    if (walk->is_whole) {
        *outcome = work_out(walk, path, is_delete, true);
    }
    return (*outcome)->is_changed ? (*outcome)->path : path;
}

static void add_passed(struct walk *walk, struct sl_rules_outcome *outcome, struct sl_str path,
                       const struct sl_gnmi_update *update)
{
    if (outcome->has_labels) {
        sl_gnmi_rewrite_note_labels(&walk->rewrite);
    }
    sl_gnmi_rewrite_add_update(&walk->rewrite, path, update);
}

/* The most of them: a path that is another one, no rule that looks at the value, and the response
 * is being made anew already. */
static inline bool give_simple(struct walk *walk, struct sl_rules_outcome *outcome,
                               const struct sl_gnmi_update *update)
{
    if (!outcome->is_simple || walk->is_whole || !walk->is_rewriting ||
        walk->state->config.on_step) {
        return false;
    }
    add_passed(walk, outcome, outcome->is_changed ? outcome->path : update->path, update);
    return true;
}

static void give_update(struct walk *walk, uint32_t index, struct sl_gnmi_update *update,
                        struct sl_rules_outcome *outcome)
{
    struct sl_rule_update work = begin_update(walk, update);
    struct sl_rules_outcome *path_outcome = outcome;
    enum sl_rule_verdict verdict = outcome->verdict;
    struct sl_str path = update->path;
    size_t by_count = 0;

    if (verdict == SL_RULE_PASS && outcome->action_count) {
        verdict = act_all(walk, outcome, &work, &by_count);
    }
    if (verdict == SL_RULE_PASS) {
        path = path_after(walk, &path_outcome, path, false);
        verdict = path_outcome->verdict;
    }
    if (verdict != SL_RULE_PASS || work.is_changed || path_outcome->is_changed || walk->has_time) {
        catch_up(walk, index, 0);
    }
    count_out(walk, verdict);
    if (walk->state->config.on_step) {
        tell(walk, path_outcome, verdict, update->path, path, &update->value, &work.value,
             by_count);
    }
    if (verdict != SL_RULE_PASS || !walk->is_rewriting) {
        return;
    }
    if (!work.is_changed) {
        add_passed(walk, path_outcome, path, update);
        return;
    }
    if (path_outcome->has_labels) {
        sl_gnmi_rewrite_note_labels(&walk->rewrite);
    }
    sl_gnmi_rewrite_add_update_value(&walk->rewrite, path, &work.value, update->duplicates);
}

static void give_updates(struct walk *walk)
{
    uint32_t count = walk->response->updates;
    struct sl_gnmi_update update;

    for (uint32_t i = 0; i < count && i < WINDOW; i++) {
        struct sl_gnmi_update *seen = &walk->list->updates[i].update;
        struct sl_rules_outcome *outcome = walk->seen[i];
        outcome = outcome ? outcome : outcome_of(walk, seen->path, false);
        if (!give_simple(walk, outcome, seen)) {
            give_update(walk, i, seen, outcome);
        }
    }
    for (uint32_t i = WINDOW; i < count && sl_gnmi_next_update(&walk->beyond, &update); i++) {
        give_update(walk, i, &update, outcome_of(walk, update.path, false));
    }
}

/* ---- a list ---- */

static void begin_list(struct walk *walk)
{
    struct sl_gnmi_response *out = walk->out;

    out->updates = 0;
    out->duplicates = 0;
    out->timestamp_ns = walk->has_time ? walk->timestamp_ns : out->timestamp_ns;
    if (out->has_prefix && find_new_prefix(walk, &out->prefix)) {
        out->has_prefix = out->prefix.len > 0;
    }
    sl_rules_list_begin(walk->list);
}

static inline void list_passed(struct walk *walk, struct sl_rules_outcome *outcome,
                               const struct sl_gnmi_update *update)
{
    struct sl_gnmi_response *out = walk->out;
    struct sl_gnmi_listed *to = &walk->list->updates[out->updates++];

    if (&to->update != update) {
        to->update = *update;
    }
    if (outcome->is_changed) {
        to->update.path = outcome->path;
        to->update.has_path = true;
    }
    to->hint = &outcome->hint;
    out->duplicates += update->duplicates;
    out->has_labels = out->has_labels || outcome->has_labels;
}

/* One with rules that look at its value, or that goes no further. */
static void list_update(struct walk *walk, struct sl_rules_outcome *outcome,
                        struct sl_gnmi_update *update)
{
    enum sl_rule_verdict verdict = outcome->verdict;
    size_t by_count = 0;

    if (verdict == SL_RULE_PASS && outcome->action_count) {
        struct sl_rule_update work = begin_update(walk, update);
        verdict = act_all(walk, outcome, &work, &by_count);
        if (verdict == SL_RULE_PASS && work.is_changed) {
            update->value = work.value;
            sl_rules_list_copy(walk->list, walk->out->updates, &update->value);
        }
    }
    count_out(walk, verdict);
    if (verdict == SL_RULE_PASS) {
        list_passed(walk, outcome, update);
    }
}

static void list_updates(struct walk *walk)
{
    uint32_t count = walk->response->updates;

    begin_list(walk);
    for (uint32_t i = 0; i < count; i++) {
        struct sl_rules_outcome *outcome = walk->seen[i];
        struct sl_gnmi_update *update = &walk->list->updates[i].update;
        if (outcome->is_simple) {
            list_passed(walk, outcome, update);
        } else {
            list_update(walk, outcome, update);
        }
    }
}

/* ---- deletes ---- */

static void give_delete(struct walk *walk, uint32_t index, struct sl_str path)
{
    struct sl_rules_outcome *outcome = outcome_of(walk, path, true);
    struct sl_str after = path;

    if (outcome->verdict == SL_RULE_PASS) {
        after = path_after(walk, &outcome, path, true);
    }
    if (outcome->verdict != SL_RULE_PASS || outcome->is_changed || walk->has_time) {
        catch_up(walk, walk->response->updates, index);
    }
    count_out(walk, outcome->verdict);
    if (walk->state->config.on_step) {
        tell(walk, outcome, outcome->verdict, path, after, NULL, NULL, 0);
    }
    if (outcome->verdict != SL_RULE_PASS || !walk->is_rewriting) {
        return;
    }
    if (outcome->has_labels) {
        sl_gnmi_rewrite_note_labels(&walk->rewrite);
    }
    sl_gnmi_rewrite_add_delete(&walk->rewrite, after);
}

static void give_deletes(struct walk *walk)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(walk->response);
    struct sl_str path;

    for (uint32_t i = 0; sl_gnmi_next_delete(&cursor, &path); i++) {
        give_delete(walk, i, path);
    }
}

/* ---- the whole ---- */

/* False when memory is out: everything is gone then, and not counted here. */
static bool finish(struct walk *walk)
{
    struct sl_gnmi_response *out = walk->out;
    const struct sl_gnmi_response *response = walk->response;
    struct sl_rules_result *result = walk->result;

    result->is_nothing =
        response->updates + response->deletes > 0 &&
        result->filtered + result->dropped == response->updates + response->deletes;
    if (walk->is_listing) {
        return sl_rules_list_end(walk->list, out);
    }
    return !walk->is_rewriting || sl_gnmi_rewrite_end(&walk->rewrite, out);
}

/* Whether the encoder can take what is left as a list. */
static bool can_list(const struct walk *walk)
{
    const struct sl_rules_config *config = &walk->state->config;

    return config->lists && !config->on_step && walk->is_kept && !walk->is_whole &&
           !walk->response->deletes && walk->response->updates <= WINDOW;
}

static void look_at_all(struct walk *walk)
{
    const struct sl_gnmi_response *response = walk->response;
    struct sl_rules_state *state = walk->state;

    walk->is_rewriting = walk->is_prefix_built = walk->is_prefix_refused = false;
    walk->is_whole = walk->has_time = walk->is_opening = false;
    walk->is_plain = !state->config.on_step;
    walk->is_kept = true;
    walk->prefixes[0] = sl_intern_prefix(&state->updates, response->prefix);
    walk->prefixes[1] =
        response->deletes ? sl_intern_prefix(&state->deletes, response->prefix) : NULL;
    look_at_updates(walk);
}

/* The leaves stand in `opened`; where nothing else was done, they are what comes out. */
static void give_opened(struct sl_rules_scratch *scratch)
{
    struct sl_buf out = scratch->out;

    scratch->out = scratch->opened;
    scratch->opened = out;
}

bool sl_rules_apply(struct sl_rules_state *state, const struct sl_gnmi_response *response,
                    const struct sl_encoder_context *context, struct sl_gnmi_response *out,
                    struct sl_rules_result *result)
{
    struct sl_gnmi_response opened;
    struct walk walk; /* not zeroed as a whole: its window is large */

    *result = (struct sl_rules_result){0};
    *out = *response;
    if (response->kind != SL_GNMI_UPDATE || !state->config.rules.count) {
        return true;
    }
    if (context->epoch != state->epoch) {
        state->epoch = context->epoch;
        sl_rules_nodes_delete_all(&state->nodes);
    }
    walk.state = state;
    walk.response = response;
    walk.context = context;
    walk.result = result;
    walk.out = out;
    walk.list = &state->scratch->list;
    walk.built_bytes = 0;
    look_at_all(&walk);
    bool is_opened = walk.is_opening && open_containers(&walk, &opened);

    if (is_opened) {
        result->opened = opened.updates - response->updates;
        walk.response = &opened;
        *out = opened;
        look_at_all(&walk);
    }
    if (response->deletes) {
        look_at_deletes(&walk);
    }
    walk.is_listing = !walk.is_plain && can_list(&walk);
    if (walk.is_listing) {
        list_updates(&walk);
    } else if (!walk.is_plain) {
        give_updates(&walk);
        if (response->deletes) {
            give_deletes(&walk);
        }
    }
    bool is_ok = finish(&walk);

    if (is_opened && !walk.is_rewriting && !walk.is_listing) {
        give_opened(state->scratch);
    }
    return is_ok;
}

/* ---- lifetime ---- */

struct sl_rules_state *sl_rules_state_new(const struct sl_rules_config *config)
{
    struct sl_rules_state *state = calloc(1, sizeof(*state));
    struct sl_encoder_scratch *scratch = state ? sl_encoder_scratch_hold(config->memory) : NULL;

    SL_ASSERT(config->rules.count <= SL_RULES_MAX);
    if (!scratch) {
        free(state);
        return NULL;
    }
    state->config = *config;
    state->scratch = &scratch->rules;
    sl_intern_init(&state->updates, config->memory);
    sl_intern_init(&state->deletes, config->memory);
    sl_intern_init(&state->prefixes, config->memory);
    sl_rules_nodes_init(&state->nodes, config->memory, state->updates.seed);
    return state;
}

void sl_rules_state_free(struct sl_rules_state *state)
{
    if (!state) {
        return;
    }
    while (state->outcomes) {
        struct sl_rules_outcome *outcome = state->outcomes;
        state->outcomes = outcome->next;
        sl_intern_give_back(state->config.memory, outcome, outcome->bytes);
    }
    sl_rules_nodes_fini(&state->nodes);
    sl_intern_fini(&state->prefixes);
    sl_intern_fini(&state->deletes);
    sl_intern_fini(&state->updates);
    sl_encoder_scratch_release(state->config.memory);
    free(state);
}
