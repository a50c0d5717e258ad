#include "normalise/units.h"

#include <math.h>
#include <stdio.h>

enum { TEXT_BYTES = 400 }; /* a double without exponent has 309 digits in front of the point */

enum kind { DATA, TIME, TEMPERATURE, POWER, VOLTAGE, CURRENT, FREQUENCY, LENGTH, RATIO };

/* (value + shift) × factor / divisor is the value in the unit of its kind that has neither. */
struct unit {
    const char *name;
    enum kind kind;
    const char *factor;
    const char *divisor;
    const char *shift;
};

static const struct unit units[] = {
    {"bit", DATA, "1", "1", "0"},
    {"kbit", DATA, "1e3", "1", "0"},
    {"Mbit", DATA, "1e6", "1", "0"},
    {"Gbit", DATA, "1e9", "1", "0"},
    {"Tbit", DATA, "1e12", "1", "0"},
    {"byte", DATA, "8", "1", "0"},
    {"kbyte", DATA, "8e3", "1", "0"},
    {"Mbyte", DATA, "8e6", "1", "0"},
    {"Gbyte", DATA, "8e9", "1", "0"},
    {"Tbyte", DATA, "8e12", "1", "0"},
    {"Kibyte", DATA, "8192", "1", "0"},
    {"Mibyte", DATA, "8388608", "1", "0"},
    {"Gibyte", DATA, "8589934592", "1", "0"},
    {"Tibyte", DATA, "8796093022208", "1", "0"},
    {"ns", TIME, "1e-9", "1", "0"},
    {"us", TIME, "1e-6", "1", "0"},
    {"ms", TIME, "1e-3", "1", "0"},
    {"ticks", TIME, "1e-2", "1", "0"}, /* TimeTicks of SMIv2 */
    {"s", TIME, "1", "1", "0"},
    {"min", TIME, "60", "1", "0"},
    {"h", TIME, "3600", "1", "0"},
    {"d", TIME, "86400", "1", "0"},
    {"celsius", TEMPERATURE, "1", "1", "273.15"},
    {"fahrenheit", TEMPERATURE, "5", "9", "459.67"},
    {"kelvin", TEMPERATURE, "1", "1", "0"},
    {"uW", POWER, "1e-6", "1", "0"},
    {"mW", POWER, "1e-3", "1", "0"},
    {"W", POWER, "1", "1", "0"},
    {"kW", POWER, "1e3", "1", "0"},
    {"dBm", POWER, "1e-3", "1", "0"}, /* as mW, behind or before the logarithm */
    {"mV", VOLTAGE, "1e-3", "1", "0"},
    {"V", VOLTAGE, "1", "1", "0"},
    {"mA", CURRENT, "1e-3", "1", "0"},
    {"A", CURRENT, "1", "1", "0"},
    {"Hz", FREQUENCY, "1", "1", "0"},
    {"kHz", FREQUENCY, "1e3", "1", "0"},
    {"MHz", FREQUENCY, "1e6", "1", "0"},
    {"GHz", FREQUENCY, "1e9", "1", "0"},
    {"THz", FREQUENCY, "1e12", "1", "0"},
    {"nm", LENGTH, "1e-9", "1", "0"},
    {"um", LENGTH, "1e-6", "1", "0"},
    {"mm", LENGTH, "1e-3", "1", "0"},
    {"m", LENGTH, "1", "1", "0"},
    {"km", LENGTH, "1e3", "1", "0"},
    {"ratio", RATIO, "1", "1", "0"},
    {"percent", RATIO, "1e-2", "1", "0"},
    {"ppm", RATIO, "1e-6", "1", "0"},
};

const char *sl_unit_name(size_t index)
{
    return index < SL_ARRAY_LEN(units) ? units[index].name : NULL;
}

static const struct unit *find(struct sl_str name)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(units); i++) {
        if (sl_str_eq_c(name, units[i].name)) {
            return &units[i];
        }
    }
    return NULL;
}

static struct sl_exact number(const char *text)
{
    struct sl_exact exact;
    bool is_ok = sl_exact_parse(sl_str_from(text), &exact);

    SL_ASSERT(is_ok);
    return exact;
}

static struct sl_exact product(struct sl_exact a, struct sl_exact b)
{
    struct sl_exact result;
    bool is_ok = sl_exact_multiply(a, b, &result);

    SL_ASSERT(is_ok); /* of a few digits each */
    return result;
}

/* x × N / D + shift of `from` × N / D - shift of `to`, all over D; N / D is from's factor by to's.
 */
static void make_scale(const struct unit *from, const struct unit *to, struct sl_scale *scale)
{
    struct sl_exact back;
    bool is_ok;

    scale->factor = product(number(from->factor), number(to->divisor));
    scale->divisor = product(number(from->divisor), number(to->factor));
    back = product(number(to->shift), scale->divisor);
    back.is_negative = back.digits != 0;
    is_ok = sl_exact_add(product(number(from->shift), scale->factor), back, &scale->offset);
    SL_ASSERT(is_ok);
    sl_scale_reduce(scale);
}

bool sl_unit_change_make(struct sl_str from_name, struct sl_str to_name, uint32_t decimals,
                         struct sl_unit_change *change)
{
    const struct unit *from = find(from_name);
    const struct unit *to = find(to_name);

    if (!from || !to || from->kind != to->kind || decimals > SL_EXACT_MAX_DECIMALS) {
        return false;
    }
    bool is_from_dbm = sl_str_eq_c(from_name, "dBm");
    bool is_to_dbm = sl_str_eq_c(to_name, "dBm");

    *change = (struct sl_unit_change){.scale.decimals = decimals};
    change->way = is_from_dbm == is_to_dbm ? SL_UNIT_SCALE
                  : is_to_dbm              ? SL_UNIT_INTO_DBM
                                           : SL_UNIT_OUT_OF_DBM;
    make_scale(from, to, &change->scale);
    return true;
}

/* The double, rounded to the digits that were asked for. */
static bool round_double(double value, uint32_t decimals, struct sl_exact *exact)
{
    char text[TEXT_BYTES];

    if (!isfinite(value)) {
        return false;
    }
    snprintf(text, sizeof(text), "%.*f", (int)decimals, value);
    return sl_exact_parse(sl_str_from(text), exact);
}

static bool change_dbm(const struct sl_unit_change *change, double value, double *result)
{
    double factor;
    double divisor;

    if (!sl_exact_to_double(&change->scale.factor, &factor) ||
        !sl_exact_to_double(&change->scale.divisor, &divisor)) {
        return false;
    }
    factor /= divisor;
    *result =
        change->way == SL_UNIT_INTO_DBM ? 10 * log10(value * factor) : pow(10, value / 10) * factor;
    return isfinite(*result) != 0;
}

bool sl_unit_change_apply(const struct sl_unit_change *change, const struct sl_gnmi_value *value,
                          struct sl_buf *text, struct sl_gnmi_value *out)
{
    struct sl_exact exact;
    double binary;

    if (change->way == SL_UNIT_SCALE) {
        return sl_scale_apply(&change->scale, value, text, out);
    }
    return sl_compute_number(value, &exact) && sl_exact_to_double(&exact, &binary) &&
           change_dbm(change, binary, &binary) &&
           round_double(binary, change->scale.decimals, &exact) &&
           sl_compute_put(&exact, value, text, out);
}
