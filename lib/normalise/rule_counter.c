/* Rules that make growth of counters. */
#include <stddef.h>

#include "normalise/counter.h"
#include "normalise/rule_kinds.h"

struct counter_options {
    int64_t bits;
    int64_t decimals; /* of rate alone */
    const char *as;
};

struct counter_rule {
    struct sl_counter counter;
    struct sl_str as;
};

/* The rows that both kinds have. */
#define BITS_ROW                                                                                   \
    {.name = "bits",                                                                               \
     .type = SLUICE_INT,                                                                           \
     .offset = offsetof(struct counter_options, bits),                                             \
     .default_text = "64",                                                                         \
     .min = 32,                                                                                    \
     .max = 64,                                                                                    \
     .doc =                                                                                        \
         "Of the counter: 32 or 64; it wraps there. A way back that is no wrap is a reset: then "  \
         "nothing is said until the next sample."}

#define AS_ROW                                                                                     \
    {.name = "as",                                                                                 \
     .type = SLUICE_STRING,                                                                        \
     .offset = offsetof(struct counter_options, as),                                               \
     .doc = "What the last element of the path is called then; else it keeps its name."}

static const struct sluice_option delta_options[] = {
    BITS_ROW,
    AS_ROW,
    {.name = NULL},
};

static const struct sluice_option rate_options[] = {
    BITS_ROW,
    {.name = "decimals",
     .type = SLUICE_INT,
     .offset = offsetof(struct counter_options, decimals),
     .default_text = "3",
     .min = 0,
     .max = 18,
     .doc = "The rate is rounded to so many digits behind the point."},
    AS_ROW,
    {.name = NULL},
};

static bool compile(const struct counter_options *from, bool is_rate, struct counter_rule *rule,
                    struct sl_rule_error *error)
{
    rule->counter = (struct sl_counter){
        .is_rate = is_rate, .is_32_bit = from->bits == 32, .decimals = (uint32_t)from->decimals};
    rule->as = sl_str_from(from->as);
    return from->bits == 32 || from->bits == 64 ||
           sl_rule_refuse(error, "bits", "expected 32 or 64");
}

static bool compile_delta(const void *options, void *rule, struct sl_rule_error *error)
{
    return compile(options, false, rule, error);
}

static bool compile_rate(const void *options, void *rule, struct sl_rule_error *error)
{
    return compile(options, true, rule, error);
}

static enum sl_rule_verdict rename_last(const void *rule, struct sl_rule_path *path)
{
    const struct counter_rule *counter = rule;

    if (counter->as.len && path->elem_count) {
        sl_rule_path_set_elem(path, path->elem_count - 1, counter->as);
    }
    return SL_RULE_PASS;
}

static enum sl_rule_verdict count(const void *rule, void *state, struct sl_rule_update *update)
{
    const struct counter_rule *counter = rule;

    if (!state) {
        return SL_RULE_DROP;
    }
    switch (sl_counter_apply(&counter->counter, state, &update->value, update->timestamp_ns,
                             &update->value)) {
    case SL_COUNTER_DONE:
        update->is_changed = true;
        return SL_RULE_PASS;
    case SL_COUNTER_NOTHING:
        return SL_RULE_FILTER;
    case SL_COUNTER_REFUSED:
        break;
    }
    return SL_RULE_DROP;
}

const struct sl_rule_kind sl_rule_delta = {
    .name = "delta",
    .purpose = "Makes of a counter what it has grown by since its last value; knows wraps and "
               "resets.",
    .example = "{kind: delta, path: /interfaces/interface/state/counters/in-octets, bits: 32, "
               "as: in-octets-grown}",
    .before = "0s /interfaces/interface[name=e1]/state/counters/in-octets uint 4294967290\n"
              "10s /interfaces/interface[name=e1]/state/counters/in-octets json_ietf \"5\"\n"
              "20s /interfaces/interface[name=e1]/state/counters/in-octets uint 25\n"
              "30s /interfaces/interface[name=e1]/state/counters/in-octets uint 3\n"
              "40s /interfaces/interface[name=e1]/state/counters/in-octets uint 4\n"
              "50s delete /interfaces/interface[name=e1]/state/counters/in-octets\n",
    .after = "10s /interfaces/interface[name=e1]/state/counters/in-octets-grown uint 11\n"
             "20s /interfaces/interface[name=e1]/state/counters/in-octets-grown uint 20\n"
             "40s /interfaces/interface[name=e1]/state/counters/in-octets-grown uint 1\n"
             "50s delete /interfaces/interface[name=e1]/state/counters/in-octets-grown\n",
    .options = delta_options,
    .options_size = sizeof(struct counter_options),
    .size = sizeof(struct counter_rule),
    .compile = compile_delta,
    .path = rename_last,
    .state_size = sizeof(struct sl_counter_state),
    .apply = count,
};

const struct sl_rule_kind sl_rule_rate = {
    .name = "rate",
    .purpose = "Makes of a counter its growth for each second, by the device's time; knows wraps "
               "and resets.",
    .example = "{kind: rate, path: /interfaces/interface/state/counters/in-octets}",
    .before = "0s /interfaces/interface[name=e1]/state/counters/in-octets uint 1000\n"
              "10s /interfaces/interface[name=e1]/state/counters/in-octets uint 2000\n"
              "13s /interfaces/interface[name=e1]/state/counters/in-octets uint 2001\n"
              "23s /interfaces/interface[name=e1]/state/counters/in-octets uint 0\n"
              "33s /interfaces/interface[name=e1]/state/counters/in-octets uint 5\n",
    .after = "10s /interfaces/interface[name=e1]/state/counters/in-octets decimal 100\n"
             "13s /interfaces/interface[name=e1]/state/counters/in-octets decimal 0.333\n"
             "33s /interfaces/interface[name=e1]/state/counters/in-octets decimal 0.5\n",
    .options = rate_options,
    .options_size = sizeof(struct counter_options),
    .size = sizeof(struct counter_rule),
    .compile = compile_rate,
    .path = rename_last,
    .state_size = sizeof(struct sl_counter_state),
    .apply = count,
};
