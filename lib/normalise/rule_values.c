/* Rules that compute a value out of a value. */
#include <stddef.h>
#include <stdlib.h>

#include "normalise/compute.h"
#include "normalise/rule_kinds.h"
#include "normalise/units.h"

/* ---- what cannot be computed ---- */

enum otherwise { OTHERWISE_DROP, OTHERWISE_KEEP, OTHERWISE_STRING };

static const char *const otherwise_names[] = {"drop", "keep", "string", NULL};

#define OTHERWISE_OPTION(owner)                                                                    \
    {.name = "otherwise",                                                                          \
     .type = SLUICE_ENUM,                                                                          \
     .offset = offsetof(owner, otherwise),                                                         \
     .default_text = "drop",                                                                       \
     .names = otherwise_names,                                                                     \
     .doc = "What becomes of a value with which it cannot be done: drop (counted as dropped), "    \
            "keep (as it is), string (as text)."}

static enum sl_rule_verdict set_value(struct sl_rule_update *update,
                                      const struct sl_gnmi_value *value)
{
    update->value = *value;
    update->is_changed = true;
    return SL_RULE_PASS;
}

static enum sl_rule_verdict settle(int otherwise, bool is_done, const struct sl_gnmi_value *value,
                                   struct sl_rule_update *update)
{
    static const struct sl_conversion to_string = {.type = SL_TYPE_STRING};
    struct sl_gnmi_value text;

    if (is_done) {
        return set_value(update, value);
    }
    if (otherwise == OTHERWISE_KEEP) {
        return SL_RULE_PASS;
    }
    if (otherwise == OTHERWISE_STRING &&
        sl_convert(&update->value, &to_string, update->text, &text)) {
        return set_value(update, &text);
    }
    return SL_RULE_DROP;
}

/* ---- convert ---- */

struct convert_options {
    int to;
    int from;
    bool is_rounding;
    int otherwise;
};

/* In the order of enum sl_reading. */
static const char *const reading_names[] = {"plain", "ieee-float", "base64", NULL};

static const struct sluice_option convert_options[] = {
    {.name = "to",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct convert_options, to),
     .names = sl_type_names,
     .is_required = true,
     .doc = "The type that the path has from now on. Numbers become what holds them exactly, but "
            "float and double the nearest; text what it says; base64 is bytes as such text."},
    {.name = "from",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct convert_options, from),
     .default_text = "plain",
     .names = reading_names,
     .doc = "What bytes, or text, hold: ieee-float: 4 or 8 bytes, big endian (text: as base64); "
            "base64: text stands for bytes."},
    {.name = "round",
     .type = SLUICE_BOOL,
     .offset = offsetof(struct convert_options, is_rounding),
     .default_text = "false",
     .doc = "To int and uint: fractions are rounded, half to even; else they cannot be converted."},
    OTHERWISE_OPTION(struct convert_options),
    {.name = NULL},
};

static enum sl_rule_verdict convert(const void *rule, void *state, struct sl_rule_update *update)
{
    const struct convert_options *options = rule;
    const struct sl_conversion conversion = {.type = (enum sl_type)options->to,
                                             .reading = (enum sl_reading)options->from,
                                             .is_rounding = options->is_rounding};
    struct sl_gnmi_value value;

    (void)state;
    bool is_done = sl_convert(&update->value, &conversion, update->text, &value);

    return settle(options->otherwise, is_done, &value, update);
}

const struct sl_rule_kind sl_rule_convert = {
    .name = "convert",
    .purpose = "Gives a value a type, the same for all values of a path.",
    .example = "{kind: convert, path: /interfaces/interface/state/counters/..., to: uint}",
    .before = "/interfaces/interface[name=e1]/state/counters/in-octets json_ietf "
              "\"18446744073709551615\"\n"
              "/interfaces/interface[name=e1]/state/counters/in-errors string \"7\"\n"
              "/interfaces/interface[name=e1]/state/counters/in-pkts double 12\n"
              "/interfaces/interface[name=e1]/state/counters/last-clear string \"never\"\n"
              "/interfaces/interface[name=e1]/state/mtu string \"9000\"\n",
    .after = "/interfaces/interface[name=e1]/state/counters/in-octets uint 18446744073709551615\n"
             "/interfaces/interface[name=e1]/state/counters/in-errors uint 7\n"
             "/interfaces/interface[name=e1]/state/counters/in-pkts uint 12\n"
             "/interfaces/interface[name=e1]/state/mtu string \"9000\"\n",
    .options = convert_options,
    .options_size = sizeof(struct convert_options),
    .apply = convert,
};

/* ---- scale ---- */

struct scale_options {
    const char *multiply;
    const char *divide;
    const char *add;
    int64_t decimals;
    int otherwise;
};

struct scale {
    struct sl_scale scale;
    int otherwise;
};

static const struct sluice_option scale_options[] = {
    {.name = "multiply",
     .type = SLUICE_STRING,
     .offset = offsetof(struct scale_options, multiply),
     .default_text = "1",
     .doc = "A decimal number."},
    {.name = "divide",
     .type = SLUICE_STRING,
     .offset = offsetof(struct scale_options, divide),
     .default_text = "1",
     .doc = "A decimal number, not 0."},
    {.name = "add",
     .type = SLUICE_STRING,
     .offset = offsetof(struct scale_options, add),
     .default_text = "0",
     .doc = "A decimal number, added at the end."},
    {.name = "decimals",
     .type = SLUICE_INT,
     .offset = offsetof(struct scale_options, decimals),
     .default_text = "6",
     .min = 0,
     .max = 18,
     .doc = "A quotient that never ends is rounded to so many digits behind the point."},
    OTHERWISE_OPTION(struct scale_options),
    {.name = NULL},
};

static bool compile_scale(const void *options, void *rule, struct sl_rule_error *error)
{
    const struct scale_options *from = options;
    struct scale *scale = rule;

    scale->otherwise = from->otherwise;
    return sl_scale_make(sl_str_from(from->multiply), sl_str_from(from->divide),
                         sl_str_from(from->add), (uint32_t)from->decimals, &scale->scale) ||
           sl_rule_refuse(error, NULL,
                          "expected decimal numbers of at most 38 digits for 'multiply', 'divide' "
                          "(not 0) and 'add'");
}

static enum sl_rule_verdict apply_scale(const void *rule, void *state,
                                        struct sl_rule_update *update)
{
    const struct scale *scale = rule;
    struct sl_gnmi_value value;

    (void)state;
    bool is_done = sl_scale_apply(&scale->scale, &update->value, update->text, &value);

    return settle(scale->otherwise, is_done, &value, update);
}

const struct sl_rule_kind sl_rule_scale = {
    .name = "scale",
    .purpose = "Multiplies, divides and shifts numbers, exactly; their type stays, but that an "
               "integer becomes a decimal where the scale is none.",
    .example = "{kind: scale, path: /components/..., divide: 1000}",
    .before = "/components/component[name=psu]/power uint 9007199254740993\n"
              "/components/component[name=psu]/volts decimal 12000.5\n"
              "/components/component[name=psu]/text json_ietf \"1500\"\n"
              "/components/component[name=psu]/state string \"OK\"\n",
    .after = "/components/component[name=psu]/power decimal 9007199254740.993\n"
             "/components/component[name=psu]/volts decimal 12.0005\n"
             "/components/component[name=psu]/text json_ietf \"1.5\"\n",
    .options = scale_options,
    .options_size = sizeof(struct scale_options),
    .size = sizeof(struct scale),
    .compile = compile_scale,
    .apply = apply_scale,
};

/* ---- unit ---- */

struct unit_options {
    const char *from;
    const char *to;
    int64_t decimals;
    int otherwise;
};

struct unit {
    struct sl_unit_change change;
    int otherwise;
};

static const struct sluice_option unit_options[] = {
    {.name = "from",
     .type = SLUICE_STRING,
     .offset = offsetof(struct unit_options, from),
     .is_required = true,
     .doc = "The unit that the device sends: bit, kbit, Mbit, Gbit, Tbit, byte (k M G T Ki Mi Gi "
            "Ti), ns, us, ms, ticks (10 ms), s, min, h, d, celsius, fahrenheit, kelvin, uW, mW, W, "
            "kW, dBm, mV, V, mA, A, Hz, kHz, MHz, GHz, THz, nm, um, mm, m, km, ratio, percent, "
            "ppm."},
    {.name = "to",
     .type = SLUICE_STRING,
     .offset = offsetof(struct unit_options, to),
     .is_required = true,
     .doc = "Another one of the same kind."},
    {.name = "decimals",
     .type = SLUICE_INT,
     .offset = offsetof(struct unit_options, decimals),
     .default_text = "6",
     .min = 0,
     .max = 18,
     .doc = "What never ends, and dBm, is rounded to so many digits behind the point."},
    OTHERWISE_OPTION(struct unit_options),
    {.name = NULL},
};

/* Whether there is such a unit. */
static bool is_unit(const char *name)
{
    for (size_t i = 0; sl_unit_name(i); i++) {
        if (sl_str_eq_c(sl_str_from(name), sl_unit_name(i))) {
            return true;
        }
    }
    return false;
}

static bool compile_unit(const void *options, void *rule, struct sl_rule_error *error)
{
    const struct unit_options *from = options;
    struct unit *unit = rule;

    unit->otherwise = from->otherwise;
    if (!is_unit(from->from)) {
        return sl_rule_refuse(error, "from", "there is no unit '%s'", from->from);
    }
    if (!is_unit(from->to)) {
        return sl_rule_refuse(error, "to", "there is no unit '%s'", from->to);
    }
    return sl_unit_change_make(sl_str_from(from->from), sl_str_from(from->to),
                               (uint32_t)from->decimals, &unit->change) ||
           sl_rule_refuse(error, "to", "'%s' is not of one kind with '%s'", from->to, from->from);
}

static enum sl_rule_verdict apply_unit(const void *rule, void *state, struct sl_rule_update *update)
{
    const struct unit *unit = rule;
    struct sl_gnmi_value value;

    (void)state;
    bool is_done = sl_unit_change_apply(&unit->change, &update->value, update->text, &value);

    return settle(unit->otherwise, is_done, &value, update);
}

const struct sl_rule_kind sl_rule_unit = {
    .name = "unit",
    .purpose = "Brings numbers from one unit into another, exactly, but for dBm.",
    .example = "{kind: unit, path: /components/component/transceiver/..., from: mW, to: dBm, "
               "decimals: 2}",
    .before = "/components/component[name=t1]/transceiver/rx-power decimal 0.5\n"
              "/components/component[name=t1]/transceiver/tx-power double 10\n"
              "/components/component[name=t1]/transceiver/off-power decimal 0\n",
    .after = "/components/component[name=t1]/transceiver/rx-power decimal -3.01\n"
             "/components/component[name=t1]/transceiver/tx-power double 10\n",
    .options = unit_options,
    .options_size = sizeof(struct unit_options),
    .size = sizeof(struct unit),
    .compile = compile_unit,
    .apply = apply_unit,
};

/* ---- map ---- */

struct map_options {
    struct sluice_map values;
    const char *other;
    int otherwise;
};

struct map {
    struct sl_meanings meanings;
    struct sl_meaning *pairs;
    int otherwise;
};

static const struct sluice_option map_options[] = {
    {.name = "values",
     .type = SLUICE_MAP,
     .offset = offsetof(struct map_options, values),
     .is_required = true,
     .doc = "Each word (a number as text) and what it becomes. Where all of these are numbers, or "
            "true and false, they are of that type, else strings."},
    {.name = "default",
     .type = SLUICE_STRING,
     .offset = offsetof(struct map_options, other),
     .doc = "What every other word becomes."},
    OTHERWISE_OPTION(struct map_options),
    {.name = NULL},
};

static bool compile_map(const void *options, void *rule, struct sl_rule_error *error)
{
    const struct map_options *from = options;
    struct map *map = rule;

    map->otherwise = from->otherwise;
    map->pairs = calloc(from->values.count + 1, sizeof(*map->pairs));
    if (!map->pairs) {
        return sl_rule_refuse(error, NULL, "no memory");
    }
    for (size_t i = 0; i < from->values.count; i++) {
        map->pairs[i].word = sl_str_from(from->values.pairs[i].name);
        map->pairs[i].meaning = sl_str_from(from->values.pairs[i].value);
    }
    map->meanings = (struct sl_meanings){.pairs = map->pairs,
                                         .count = from->values.count,
                                         .has_other = from->other != NULL,
                                         .other = sl_str_from(from->other)};
    map->meanings.type = sl_meanings_type(&map->meanings);
    return true;
}

static void fini_map(void *rule)
{
    struct map *map = rule;

    free(map->pairs);
}

static enum sl_rule_verdict apply_map(const void *rule, void *state, struct sl_rule_update *update)
{
    const struct map *map = rule;
    struct sl_gnmi_value value;

    (void)state;
    bool is_done = sl_meanings_apply(&map->meanings, &update->value, update->text, &value);

    return settle(map->otherwise, is_done, &value, update);
}

const struct sl_rule_kind sl_rule_map = {
    .name = "map",
    .purpose = "Turns words into numbers or other words, and numbers into words.",
    .example = "{kind: map, path: /interfaces/interface/state/oper-status, "
               "values: {UP: \"1\", DOWN: \"2\"}, default: \"0\"}",
    .before = "/interfaces/interface[name=e1]/state/oper-status string \"UP\"\n"
              "/interfaces/interface[name=e2]/state/oper-status json_ietf \"DOWN\"\n"
              "/interfaces/interface[name=e3]/state/oper-status ascii \"TESTING\"\n"
              "/interfaces/interface[name=e3]/state/admin-status string \"UP\"\n",
    .after = "/interfaces/interface[name=e1]/state/oper-status uint 1\n"
             "/interfaces/interface[name=e2]/state/oper-status uint 2\n"
             "/interfaces/interface[name=e3]/state/oper-status uint 0\n"
             "/interfaces/interface[name=e3]/state/admin-status string \"UP\"\n",
    .options = map_options,
    .options_size = sizeof(struct map_options),
    .size = sizeof(struct map),
    .compile = compile_map,
    .fini = fini_map,
    .apply = apply_map,
};
