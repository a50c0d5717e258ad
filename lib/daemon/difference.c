#include "daemon/difference.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings_read.h"

/* ---- names ---- */

/* Things of one settings, in the order of their names. */
struct named {
    const char *name;
    const void *item;
};

static int compare_named(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct named *sorted(struct named *all, size_t count)
{
    if (count) {
        qsort(all, count, sizeof(*all), compare_named);
    }
    return all;
}

static const void *find(const struct named *all, size_t count, const char *name)
{
    const struct named key = {.name = name};
    const struct named *found =
        count ? bsearch(&key, all, count, sizeof(*all), compare_named) : NULL;

    return found ? found->item : NULL;
}

static struct named *targets_by_name(const struct sl_settings *settings)
{
    struct named *all = calloc(settings->target_count + 1, sizeof(*all));

    for (size_t i = 0; all && i < settings->target_count; i++) {
        all[i] = (struct named){settings->targets[i].name, &settings->targets[i]};
    }
    return all ? sorted(all, settings->target_count) : NULL;
}

/* ---- sinks and subscriptions: few ---- */

static const struct sl_sink_settings *sink_of(const struct sl_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->sink_count; i++) {
        if (strcmp(settings->sinks[i].spec.name, name) == 0) {
            return &settings->sinks[i];
        }
    }
    return NULL;
}

static const struct sl_subscription_settings *subscription_of(const struct sl_settings *settings,
                                                              const char *name)
{
    for (size_t i = 0; i < settings->subscription_count; i++) {
        if (strcmp(settings->subscriptions[i].name, name) == 0) {
            return &settings->subscriptions[i];
        }
    }
    return NULL;
}

static const struct sl_rule_list *list_of(const struct sl_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->rule_list_count; i++) {
        if (strcmp(settings->rules[i].name, name) == 0) {
            return &settings->rules[i];
        }
    }
    return NULL;
}

/* Whether one of the lists that both name does other things now. */
static bool rules_differ(const struct sl_difference *difference, const struct sluice_strings *named,
                         bool *failed)
{
    bool is_other = false;

    for (size_t i = 0; !is_other && i < named->count; i++) {
        const struct sl_rule_list *from = list_of(difference->from, named->items[i]);
        const struct sl_rule_list *to = list_of(difference->to, named->items[i]);
        is_other =
            !from || !to || sl_settings_rule_list_differs(difference->to->config, from, to, failed);
    }
    return is_other;
}

static bool compare_sinks(struct sl_difference *difference)
{
    const struct sl_settings *from = difference->from;
    const struct sl_settings *to = difference->to;
    bool failed = false;

    difference->sinks = calloc(from->sink_count + to->sink_count, sizeof(*difference->sinks));
    for (size_t i = 0; difference->sinks && i < to->sink_count; i++) {
        struct sl_sink_difference *change = &difference->sinks[difference->sink_count++];
        change->to = &to->sinks[i];
        change->from = sink_of(from, change->to->spec.name);
        if (!change->from) {
            change->is_new = true;
        } else {
            change->is_new =
                sl_settings_sink_differs(change->from, change->to, NULL, NULL, &change->is_changed);
            change->is_changed =
                change->is_changed || rules_differ(difference, &change->to->rules, &failed);
        }
        difference->is_any = difference->is_any || change->is_new || change->is_changed;
    }
    for (size_t i = 0; difference->sinks && i < from->sink_count; i++) {
        if (!sink_of(to, from->sinks[i].spec.name)) {
            difference->sinks[difference->sink_count++].from = &from->sinks[i];
            difference->is_any = true;
        }
    }
    return difference->sinks && !failed;
}

struct subscription_keys {
    bool is_call;
    bool is_route;
};

static void on_subscription_key(void *arg, const char *key)
{
    struct subscription_keys *keys = arg;
    bool is_route = strcmp(key, "rules") == 0 || strcmp(key, "module-prefixes") == 0 ||
                    strcmp(key, "measurement") == 0;

    keys->is_route = keys->is_route || is_route;
    keys->is_call = keys->is_call || (!is_route && strcmp(key, "sinks") != 0);
}

static void compare_subscription(const struct sl_difference *difference,
                                 struct sl_subscription_difference *change, bool *failed)
{
    struct subscription_keys keys = {false, false};

    if (!change->from) {
        return;
    }
    change->is_changed = sl_config_differ(sl_subscription_table, &change->from->options,
                                          &change->to->options, on_subscription_key, &keys);
    change->is_other_call = keys.is_call;
    change->is_other_route =
        keys.is_route || rules_differ(difference, &change->to->options.rules, failed);
    change->is_changed = change->is_changed || change->is_other_route;
}

static bool compare_subscriptions(struct sl_difference *difference)
{
    const struct sl_settings *from = difference->from;
    const struct sl_settings *to = difference->to;
    bool failed = false;

    difference->subscriptions = calloc(from->subscription_count + to->subscription_count,
                                       sizeof(*difference->subscriptions));
    for (size_t i = 0; difference->subscriptions && i < to->subscription_count; i++) {
        struct sl_subscription_difference *change =
            &difference->subscriptions[difference->subscription_count++];
        change->to = &to->subscriptions[i];
        change->from = subscription_of(from, change->to->name);
        compare_subscription(difference, change, &failed);
        difference->is_any = difference->is_any || !change->from || change->is_changed;
    }
    for (size_t i = 0; difference->subscriptions && i < from->subscription_count; i++) {
        if (!subscription_of(to, from->subscriptions[i].name)) {
            difference->subscriptions[difference->subscription_count++].from =
                &from->subscriptions[i];
            difference->is_any = true;
        }
    }
    return difference->subscriptions && !failed;
}

/* ---- targets ---- */

/* The stream of `target` with the members of `stream`; NULL: there is none. */
static const struct sl_stream_settings *find_stream(const struct sl_target_settings *target,
                                                    const struct sl_stream_settings *stream)
{
    for (size_t i = 0; i < target->stream_count; i++) {
        const struct sl_stream_settings *other = &target->streams[i];
        size_t same = 0;
        while (other->member_count == stream->member_count && same < stream->member_count &&
               strcmp(other->members[same]->name, stream->members[same]->name) == 0) {
            same++;
        }
        if (same == stream->member_count) {
            return other;
        }
    }
    return NULL;
}

static const struct sl_subscription_difference *change_of(const struct sl_difference *difference,
                                                          const struct sl_subscription_settings *to)
{
    return &difference->subscriptions[to - difference->to->subscriptions];
}

bool sl_difference_is_anew(const struct sl_difference *difference,
                           const struct sl_target_difference *target,
                           const struct sl_stream_settings *stream)
{
    bool is_anew = target->from->options.gzip != target->to->options.gzip;

    for (size_t i = 0; i < stream->member_count; i++) {
        is_anew = is_anew || change_of(difference, stream->members[i])->is_other_call;
    }
    return is_anew;
}

/* Whether the stream has the same sinks as before, and they give it what they gave it. */
static bool has_same_sinks(const struct sl_difference *difference,
                           const struct sl_stream_settings *from,
                           const struct sl_stream_settings *to)
{
    bool is_same = from->sink_count == to->sink_count;

    for (size_t i = 0; is_same && i < to->sink_count; i++) {
        const struct sl_sink_difference *sink =
            &difference->sinks[to->sinks[i] - difference->to->sinks];
        is_same = sink->from == from->sinks[i] && !sink->is_changed && !sink->is_new;
    }
    return is_same;
}

static enum sl_change_cost dearer(enum sl_change_cost a, enum sl_change_cost b)
{
    return a > b ? a : b;
}

static enum sl_change_cost cost_of_stream(const struct sl_difference *difference,
                                          const struct sl_target_difference *change,
                                          const struct sl_stream_settings *to)
{
    const struct sl_stream_settings *from = find_stream(change->from, to);
    enum sl_change_cost cost = SL_COST_NOTHING;

    if (!from || sl_difference_is_anew(difference, change, to)) {
        return SL_COST_RPC;
    }
    for (size_t i = 0; i < to->member_count; i++) {
        if (change_of(difference, to->members[i])->is_other_route) {
            cost = SL_COST_ROUTES;
        }
    }
    return has_same_sinks(difference, from, to) ? cost : SL_COST_ROUTES;
}

/* What each key of a target costs. What is not here is used from the next call or connection on. */
static enum sl_change_cost cost_of_key(const char *key)
{
    static const struct {
        const char *key; /* or what it begins with, up to a dot */
        enum sl_change_cost cost;
    } costs[] = {
        {"address", SL_COST_RECONNECT},  {"proxy", SL_COST_RECONNECT},
        {"insecure", SL_COST_RECONNECT}, {"vendor", SL_COST_RECONNECT},
        {"replay", SL_COST_DIAL},        {"gzip", SL_COST_RPC},
        {"labels", SL_COST_ROUTES},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(costs); i++) {
        size_t len = strlen(costs[i].key);
        if (strncmp(costs[i].key, key, len) == 0 && (key[len] == '\0' || key[len] == '.')) {
            return costs[i].cost;
        }
    }
    return SL_COST_NOTHING;
}

static void on_target_key(void *arg, const char *key)
{
    struct sl_target_difference *change = arg;
    enum sl_change_cost cost = cost_of_key(key);

    change->is_changed = true;
    change->redials = change->redials || cost == SL_COST_RECONNECT;
    change->is_replaced = change->is_replaced || cost == SL_COST_DIAL;
    change->cost = dearer(change->cost, cost);
}

bool sl_difference_is_elsewhere(const struct sl_target_difference *target)
{
    const char *from = target->from->source;
    const char *to = target->to->source;

    return !from != !to || (from && strcmp(from, to) != 0);
}

static void compare_target(const struct sl_difference *difference,
                           struct sl_target_difference *change)
{
    const struct sl_target_settings *from = change->from;
    const struct sl_target_settings *to = change->to;

    (void)sl_config_differ(sl_target_table, &from->options, &to->options, on_target_key, change);
    change->is_changed = change->is_changed || from->tls_digest != to->tls_digest ||
                         sl_difference_is_elsewhere(change);
    for (size_t i = 0; i < to->stream_count; i++) {
        enum sl_change_cost cost = cost_of_stream(difference, change, &to->streams[i]);
        change->is_changed = change->is_changed || cost > SL_COST_NOTHING;
        change->cost = dearer(change->cost, cost);
    }
    for (size_t i = 0; i < from->stream_count; i++) {
        if (!find_stream(to, &from->streams[i])) {
            change->is_changed = true;
            change->cost = dearer(change->cost, SL_COST_RPC);
        }
    }
}

static void add_targets(struct sl_difference *difference, const struct named *old)
{
    const struct sl_settings *from = difference->from;
    const struct sl_settings *to = difference->to;

    for (size_t i = 0; i < to->target_count; i++) {
        struct sl_target_difference *change = &difference->targets[difference->target_count++];
        change->to = &to->targets[i];
        change->from = find(old, from->target_count, change->to->name);
        if (change->from) {
            compare_target(difference, change);
            difference->changed += change->is_changed;
        } else {
            change->cost = SL_COST_DIAL;
            difference->added++;
        }
    }
}

static bool compare_targets(struct sl_difference *difference)
{
    const struct sl_settings *from = difference->from;
    const struct sl_settings *to = difference->to;
    struct named *old = targets_by_name(from);
    struct named *new = targets_by_name(to);

    difference->targets =
        calloc(from->target_count + to->target_count, sizeof(*difference->targets));
    bool is_there = old && new && difference->targets;
    if (is_there) {
        add_targets(difference, old);
    }
    for (size_t i = 0; is_there && i < from->target_count; i++) {
        if (!find(new, to->target_count, from->targets[i].name)) {
            difference->targets[difference->target_count++] =
                (struct sl_target_difference){.from = &from->targets[i], .cost = SL_COST_DIAL};
            difference->removed++;
        }
    }
    free(old);
    free(new);
    difference->is_any =
        difference->is_any || difference->added || difference->removed || difference->changed;
    return is_there;
}

/* ---- the whole ---- */

/* Of the collector; or, with a dot, all below it. A shard says which targets there are. */
static bool is_live(const char *key)
{
    static const char *const live[] = {"shutdown-timeout", "connect.", "shard."};

    for (size_t i = 0; i < SL_ARRAY_LEN(live); i++) {
        size_t len = strlen(live[i]);
        bool is_below = live[i][len - 1] == '.';
        if (is_below ? strncmp(key, live[i], len) == 0 : strcmp(key, live[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void on_collector_key(void *arg, const char *key)
{
    struct sl_difference *difference = arg;

    if (is_live(key)) {
        difference->is_any = true;
    } else {
        sl_buf_printf(&difference->restart, "needs a restart: collector.%s\n", key);
    }
}

/* Their order counts, too: who comes first goes before. */
static bool sources_differ(const struct sl_settings *from, const struct sl_settings *to)
{
    bool differ = from->source_count != to->source_count;

    for (size_t i = 0; !differ && i < to->source_count; i++) {
        differ = !sl_source_is_same(&from->sources[i], &to->sources[i]);
    }
    return differ;
}

struct sl_difference *sl_difference_new(struct sl_settings *from, struct sl_settings *to)
{
    struct sl_difference *difference = calloc(1, sizeof(*difference));

    if (!difference) {
        return NULL;
    }
    sl_settings_hold(from);
    sl_settings_hold(to);
    difference->from = from;
    difference->to = to;
    (void)sl_config_differ(sl_collector_table, &from->collector, &to->collector, on_collector_key,
                           difference);
    difference->has_other_sources = sources_differ(from, to);
    difference->is_any = difference->is_any || difference->has_other_sources;
    if (difference->restart.failed || !compare_sinks(difference) ||
        !compare_subscriptions(difference) || !compare_targets(difference)) {
        sl_difference_free(difference);
        return NULL;
    }
    return difference;
}

void sl_difference_free(struct sl_difference *difference)
{
    if (difference) {
        free(difference->targets);
        free(difference->sinks);
        free(difference->subscriptions);
        sl_buf_fini(&difference->restart);
        sl_settings_release(difference->from);
        sl_settings_release(difference->to);
        free(difference);
    }
}
