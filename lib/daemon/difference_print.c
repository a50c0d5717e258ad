/* A difference for a person, who decides by it. */
#include <string.h>

#include "daemon/difference.h"
#include "daemon/settings_read.h"

static const char *const cost_names[SL_COSTS] = {
    [SL_COST_NOTHING] = "nothing", [SL_COST_ROUTES] = "routes rebuilt",
    [SL_COST_RPC] = "new RPC",     [SL_COST_RECONNECT] = "reconnect",
    [SL_COST_DIAL] = "new dial",
};

const char *sl_change_cost_name(enum sl_change_cost cost)
{
    SL_ASSERT((unsigned)cost < SL_COSTS);
    return cost_names[cost];
}

/* Keys after the first have a comma in front. */
static void add_key(void *arg, const char *key)
{
    struct sl_buf *keys = arg;

    sl_buf_printf(keys, "%s%s", keys->len ? ", " : "", key);
}

static void print_line(struct sl_buf *out, const char *sign, const char *name, struct sl_buf *keys,
                       const char *cost)
{
    sl_buf_printf(out, "  %s %-24s %s", sign, name, cost);
    if (keys && keys->len) {
        sl_buf_printf(out, "  (%s)", sl_buf_text(keys));
    }
    sl_buf_add_c(out, "\n");
}

/* ---- targets ---- */

/* Why a target changes although its own keys have not. */
static void add_reasons(const struct sl_target_difference *target, struct sl_buf *keys)
{
    if (target->from->tls_digest != target->to->tls_digest) {
        add_key(keys, "certificate files");
    }
    if (sl_difference_is_elsewhere(target)) {
        add_key(keys, "who names it");
    }
    if (!keys->len) {
        add_key(keys, "its subscriptions, sinks or rules");
    }
}

static void print_target(const struct sl_target_difference *target, struct sl_buf *out)
{
    struct sl_buf keys = {.data = NULL};

    if (!target->from) {
        print_line(out, "+", target->to->name, NULL, sl_change_cost_name(target->cost));
    } else if (!target->to) {
        print_line(out, "-", target->from->name, NULL, "its connection ends");
    } else {
        (void)sl_config_differ(sl_target_table, &target->from->options, &target->to->options,
                               add_key, &keys);
        add_reasons(target, &keys);
        print_line(out, "~", target->to->name, &keys, sl_change_cost_name(target->cost));
    }
    sl_buf_fini(&keys);
}

static void print_targets(const struct sl_difference *difference, struct sl_buf *out)
{
    sl_buf_printf(out, "targets: %zu added, %zu removed, %zu changed, %zu untouched\n",
                  difference->added, difference->removed, difference->changed,
                  difference->to->target_count - difference->added - difference->changed);
    for (size_t i = 0; i < difference->target_count; i++) {
        const struct sl_target_difference *target = &difference->targets[i];
        if (!target->from || !target->to || target->is_changed) {
            print_target(target, out);
        }
    }
}

/* ---- subscriptions and sinks ---- */

static void print_subscription(const struct sl_subscription_difference *subscription,
                               struct sl_buf *out)
{
    struct sl_buf keys = {.data = NULL};
    const char *cost = subscription->is_other_call    ? sl_change_cost_name(SL_COST_RPC)
                       : subscription->is_other_route ? sl_change_cost_name(SL_COST_ROUTES)
                                                      : sl_change_cost_name(SL_COST_NOTHING);

    if (!subscription->from) {
        print_line(out, "+", subscription->to->name, NULL, sl_change_cost_name(SL_COST_RPC));
    } else if (!subscription->to) {
        print_line(out, "-", subscription->from->name, NULL, "its RPCs end");
    } else if (subscription->is_changed) {
        (void)sl_config_differ(sl_subscription_table, &subscription->from->options,
                               &subscription->to->options, add_key, &keys);
        if (!keys.len) {
            add_key(&keys, "what its rules do");
        }
        print_line(out, "~", subscription->to->name, &keys, cost);
    }
    sl_buf_fini(&keys);
}

static void print_sink(const struct sl_sink_difference *sink, struct sl_buf *out)
{
    struct sl_buf keys = {.data = NULL};
    bool is_other;

    if (!sink->from) {
        print_line(out, "+", sink->to->spec.name, NULL, sl_change_cost_name(SL_COST_ROUTES));
    } else if (!sink->to) {
        print_line(out, "-", sink->from->spec.name, NULL, sl_change_cost_name(SL_COST_ROUTES));
    } else if (sink->is_changed || sink->is_new) {
        (void)sl_settings_sink_differs(sink->from, sink->to, add_key, &keys, &is_other);
        if (!keys.len) {
            add_key(&keys, "what its rules do");
        }
        print_line(out, "~", sink->to->spec.name, &keys, sl_change_cost_name(SL_COST_ROUTES));
    }
    sl_buf_fini(&keys);
}

static void print_few(const struct sl_difference *difference, struct sl_buf *out)
{
    size_t start = out->len;

    for (size_t i = 0; i < difference->subscription_count; i++) {
        print_subscription(&difference->subscriptions[i], out);
    }
    if (out->len == start) {
        sl_buf_add_c(out, "  none changes\n");
    }
    sl_buf_add_c(out, "sinks:\n");
    start = out->len;
    for (size_t i = 0; i < difference->sink_count; i++) {
        print_sink(&difference->sinks[i], out);
    }
    if (out->len == start) {
        sl_buf_add_c(out, "  none changes\n");
    }
}

void sl_difference_print(const struct sl_difference *difference, struct sl_buf *out)
{
    print_targets(difference, out);
    sl_buf_add_c(out, "subscriptions:\n");
    print_few(difference, out);
    if (difference->has_other_sources) {
        sl_buf_add_c(out,
                     "discovery:\n  other sources: what they find is known when they are asked\n");
    }
    if (difference->restart.len) {
        sl_buf_add(out, difference->restart.data, difference->restart.len);
    }
}
