/* Values computed out of values: types, scale, units, words, counters. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "normalise/compute.h"
#include "normalise/counter.h"
#include "normalise/units.h"
#include "test.h"

static struct sl_gnmi_value uint_of(uint64_t number)
{
    return (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_UINT, .of.u64 = number};
}

static struct sl_gnmi_value int_of(int64_t number)
{
    return (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_INT, .of.i64 = number};
}

static struct sl_gnmi_value double_of(double number)
{
    return (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_DOUBLE, .of.f64 = number};
}

static struct sl_gnmi_value decimal_of(int64_t digits, uint32_t precision)
{
    return (struct sl_gnmi_value){.kind = SL_GNMI_VALUE_DECIMAL, .of.decimal = {digits, precision}};
}

static struct sl_gnmi_value text_of(enum sl_gnmi_value_kind kind, const char *text)
{
    return (struct sl_gnmi_value){.kind = kind, .of.bytes = sl_str_from(text)};
}

static struct sl_gnmi_value string_of(const char *text)
{
    return text_of(SL_GNMI_VALUE_STRING, text);
}

static struct sl_gnmi_value ietf_of(const char *text)
{
    return text_of(SL_GNMI_VALUE_JSON_IETF, text);
}

/* "uint 5", "decimal 15/1", "string x": what a value is, for one comparison. */
static void describe(const struct sl_gnmi_value *value, char *out, size_t size)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_UINT:
        snprintf(out, size, "uint %llu", (unsigned long long)value->of.u64);
        break;
    case SL_GNMI_VALUE_INT:
        snprintf(out, size, "int %lld", (long long)value->of.i64);
        break;
    case SL_GNMI_VALUE_BOOL:
        snprintf(out, size, "bool %s", value->of.boolean ? "true" : "false");
        break;
    case SL_GNMI_VALUE_DECIMAL:
        snprintf(out, size, "decimal %lld/%u", (long long)value->of.decimal.digits,
                 value->of.decimal.precision);
        break;
    case SL_GNMI_VALUE_FLOAT:
        snprintf(out, size, "float %.9g", (double)value->of.f32);
        break;
    case SL_GNMI_VALUE_DOUBLE:
        snprintf(out, size, "double %.17g", value->of.f64);
        break;
    case SL_GNMI_VALUE_STRING:
        snprintf(out, size, "string %.*s", SL_STR_ARG(value->of.bytes));
        break;
    case SL_GNMI_VALUE_BYTES:
        snprintf(out, size, "bytes %.*s", SL_STR_ARG(value->of.bytes));
        break;
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
        snprintf(out, size, "json %.*s", SL_STR_ARG(value->of.bytes));
        break;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        snprintf(out, size, "kind %d", value->kind);
        break;
    }
}

/* NULL: there is no such value, and the old one is untouched. */
static void assert_is(bool is_ok, const struct sl_gnmi_value *out, const char *expected)
{
    char found[256] = "nothing";

    if (is_ok) {
        describe(out, found, sizeof(found));
    }
    assert_string_equal(found, expected ? expected : "nothing");
}

static void assert_reads(struct sl_gnmi_value value, enum sl_reading reading, enum sl_type type,
                         const char *expected)
{
    const struct sl_conversion conversion = {.type = type, .reading = reading};
    struct sl_buf text = {0};
    struct sl_gnmi_value out = value;

    assert_is(sl_convert(&value, &conversion, &text, &out), &out, expected);
    sl_buf_fini(&text);
}

static void assert_converts(struct sl_gnmi_value value, enum sl_type type, const char *expected)
{
    assert_reads(value, SL_READING_PLAIN, type, expected);
}

static void a_number_in_any_clothes_becomes_the_integer_it_is(void **state)
{
    (void)state;
    assert_converts(uint_of(UINT64_MAX), SL_TYPE_UINT, "uint 18446744073709551615");
    assert_converts(uint_of(UINT64_MAX), SL_TYPE_INT, NULL);
    assert_converts(int_of(INT64_MIN), SL_TYPE_INT, "int -9223372036854775808");
    assert_converts(int_of(-1), SL_TYPE_UINT, NULL);
    assert_converts(string_of("18446744073709551615"), SL_TYPE_UINT, "uint 18446744073709551615");
    assert_converts(string_of("18446744073709551616"), SL_TYPE_UINT, NULL);
    assert_converts(ietf_of("\"18446744073709551615\""), SL_TYPE_UINT, "uint 18446744073709551615");
    assert_converts(ietf_of(" 9007199254740993 "), SL_TYPE_UINT, "uint 9007199254740993");
    assert_converts(ietf_of("-9223372036854775808"), SL_TYPE_INT, "int -9223372036854775808");
    assert_converts(ietf_of("1.5e3"), SL_TYPE_UINT, "uint 1500");
    assert_converts(ietf_of("true"), SL_TYPE_UINT, "uint 1");
    assert_converts(decimal_of(15000, 3), SL_TYPE_UINT, "uint 15");
    assert_converts(decimal_of(-15001, 3), SL_TYPE_INT, NULL);
    assert_converts(double_of(0x1p63), SL_TYPE_UINT, "uint 9223372036854775808");
    assert_converts(double_of(0x1p64), SL_TYPE_UINT, NULL);
    assert_converts(double_of(1.5), SL_TYPE_INT, NULL);
    assert_converts(double_of((double)NAN), SL_TYPE_INT, NULL);
    assert_converts(double_of((double)INFINITY), SL_TYPE_INT, NULL);
    assert_converts(string_of(""), SL_TYPE_INT, NULL);
    assert_converts(string_of("12 "), SL_TYPE_INT, NULL);
    assert_converts(string_of("0x1f"), SL_TYPE_INT, NULL);
    assert_converts(string_of("+7"), SL_TYPE_INT, "int 7");
    assert_converts(string_of("007"), SL_TYPE_INT, "int 7");
}

static void a_fraction_is_rounded_only_when_asked(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {{"2.5", "int 2"},    {"3.5", "int 4"},     {"-2.5", "int -2"},
                {"-2.51", "int -3"}, {"0.49999", "int 0"}, {"1e-60", "int 0"}};
    const struct sl_conversion rounding = {.type = SL_TYPE_INT, .is_rounding = true};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_buf text = {0};
        struct sl_gnmi_value value = string_of(rows[i].text);
        assert_converts(value, SL_TYPE_INT, NULL);
        assert_is(sl_convert(&value, &rounding, &text, &value), &value, rows[i].expected);
        sl_buf_fini(&text);
    }
    struct sl_buf text = {0};
    struct sl_gnmi_value half = double_of(2.5);

    assert_is(sl_convert(&half, &rounding, &text, &half), &half, "int 2");
    sl_buf_fini(&text);
}

static void other_types_hold_what_they_can(void **state)
{
    (void)state;
    assert_converts(ietf_of("\"1.50\""), SL_TYPE_DECIMAL, "decimal 15/1");
    assert_converts(double_of(0.1), SL_TYPE_DECIMAL, "decimal 1/1");
    assert_converts(uint_of(UINT64_MAX), SL_TYPE_DECIMAL, NULL);
    assert_converts(string_of("0.1"), SL_TYPE_DOUBLE, "double 0.10000000000000001");
    assert_converts(string_of("1e400"), SL_TYPE_DOUBLE, NULL);
    assert_converts(uint_of(UINT64_C(9007199254740993)), SL_TYPE_DOUBLE, "double 9007199254740992");
    assert_converts(string_of("0.1"), SL_TYPE_FLOAT, "float 0.100000001");
    assert_converts(string_of("1e39"), SL_TYPE_FLOAT, NULL);
    assert_converts(double_of(1e39), SL_TYPE_FLOAT, NULL);
    assert_converts(double_of((double)INFINITY), SL_TYPE_FLOAT, "float inf");
    assert_converts(string_of("true"), SL_TYPE_BOOL, "bool true");
    assert_converts(uint_of(0), SL_TYPE_BOOL, "bool false");
    assert_converts(uint_of(2), SL_TYPE_BOOL, NULL);
    assert_converts(string_of("yes"), SL_TYPE_BOOL, NULL);
    assert_converts(ietf_of("[null]"), SL_TYPE_BOOL, "bool true");
    assert_converts(uint_of(7), SL_TYPE_STRING, "string 7");
    assert_converts(decimal_of(-15, 3), SL_TYPE_STRING, "string -0.015");
    assert_converts(double_of(1e21), SL_TYPE_STRING, "string 1e+21");
    assert_converts(ietf_of("\"a\\u00e9\\n\""), SL_TYPE_STRING, "string a\xc3\xa9\n");
    assert_converts(ietf_of("1.500"), SL_TYPE_STRING, "string 1.500");
    assert_converts(ietf_of("123456789012345678901234567890123456789012345"), SL_TYPE_STRING,
                    "string 123456789012345678901234567890123456789012345");
    assert_converts(ietf_of("123456789012345678901234567890123456789012345"), SL_TYPE_DOUBLE, NULL);
    assert_converts(text_of(SL_GNMI_VALUE_BYTES, "\xff"), SL_TYPE_STRING, NULL);
    assert_converts(text_of(SL_GNMI_VALUE_ASCII, "UP"), SL_TYPE_STRING, "string UP");
    assert_converts(string_of("UP"), SL_TYPE_BYTES, "bytes UP");
    assert_converts(text_of(SL_GNMI_VALUE_BYTES, "UP!"), SL_TYPE_BASE64, "string VVAh");
}

static void what_is_no_scalar_cannot_be_computed_with(void **state)
{
    static const enum sl_gnmi_value_kind kinds[] = {SL_GNMI_VALUE_NONE, SL_GNMI_VALUE_LEAFLIST,
                                                    SL_GNMI_VALUE_ANY};
    static const char *const texts[] = {"",    "{}",  "[1]", "null", "nul",    "\"a",
                                        "1 2", "tru", "-",   "01",   "\"\\x\""};

    (void)state;
    for (int type = SL_TYPE_STRING; type <= SL_TYPE_BASE64; type++) {
        for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
            assert_converts(text_of(kinds[i], ""), (enum sl_type)type, NULL);
        }
        for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
            assert_converts(ietf_of(texts[i]), (enum sl_type)type, NULL);
        }
    }
}

static void bytes_are_read_as_floats(void **state)
{
    struct sl_gnmi_value bytes = {.kind = SL_GNMI_VALUE_BYTES, .of.bytes = {"\x41\xb4\xcc\xcd", 4}};
    struct sl_gnmi_value wide = {.kind = SL_GNMI_VALUE_BYTES,
                                 .of.bytes = {"\x40\x09\x21\xfb\x54\x44\x2d\x18", 8}};

    (void)state;
    assert_reads(bytes, SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, "float 22.6000004");
    assert_reads(bytes, SL_READING_IEEE_FLOAT, SL_TYPE_DECIMAL, "decimal 226/1");
    assert_reads(wide, SL_READING_IEEE_FLOAT, SL_TYPE_DOUBLE, "double 3.1415926535897931");
    assert_reads(string_of("QbTMzQ=="), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, "float 22.6000004");
    assert_reads(ietf_of("\"QbTMzQ==\""), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, "float 22.6000004");
    assert_reads(string_of("f4AAAA=="), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, "float inf");
    assert_reads(string_of("f4AAAA=="), SL_READING_IEEE_FLOAT, SL_TYPE_STRING, NULL);
    assert_reads(string_of("QbTM"), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, NULL);
    assert_reads(string_of("22.6"), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, NULL);
    assert_reads(uint_of(5), SL_READING_IEEE_FLOAT, SL_TYPE_FLOAT, "float 5");
    assert_reads(string_of("VVAh"), SL_READING_BASE64, SL_TYPE_BYTES, "bytes UP!");
    assert_reads(ietf_of("\"VVAh\""), SL_READING_BASE64, SL_TYPE_STRING, "string UP!");
    assert_reads(string_of("V"), SL_READING_BASE64, SL_TYPE_BYTES, NULL);
}

static void numbers_compare_by_what_they_are(void **state)
{
    static const char *const ascending[] = {"-1e60", "-2",    "-1.5", "-1e-47", "-1e-60", "0",
                                            "1e-60", "1e-47", "0.15", "1",      "1.5",    "15"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(ascending); i++) {
        for (size_t k = 0; k < SL_ARRAY_LEN(ascending); k++) {
            struct sl_exact a;
            struct sl_exact b;
            assert_true(sl_exact_parse(sl_str_from(ascending[i]), &a));
            assert_true(sl_exact_parse(sl_str_from(ascending[k]), &b));
            int order = sl_exact_compare(a, b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
}

/* ---- scale ---- */

static void assert_scales(struct sl_gnmi_value value, const char *multiply, const char *divide,
                          const char *add, const char *expected)
{
    struct sl_scale scale;
    struct sl_buf text = {0};
    struct sl_gnmi_value out = value;

    assert_true(
        sl_scale_make(sl_str_from(multiply), sl_str_from(divide), sl_str_from(add), 6, &scale));
    assert_is(sl_scale_apply(&scale, &value, &text, &out), &out, expected);
    sl_buf_fini(&text);
}

static void scaled_numbers_keep_their_type_and_every_digit(void **state)
{
    (void)state;
    assert_scales(uint_of(UINT64_C(2305843009213693951)), "8", "", "", "uint 18446744073709551608");
    assert_scales(uint_of(UINT64_C(2305843009213693952)), "8", "", "", NULL);
    assert_scales(int_of(-5), "3", "", "-1", "int -16");
    assert_scales(uint_of(5), "", "", "-6", NULL);
    assert_scales(uint_of(9007199254740993), "", "1000", "", "decimal 9007199254740993/3");
    assert_scales(uint_of(1000), "", "1000", "", "decimal 1/0");
    assert_scales(uint_of(UINT64_MAX), "", "8", "", "decimal 2305843009213693952/0");
    assert_scales(uint_of(UINT64_C(1000000000000000003)), "", "8", "",
                  "decimal 1250000000000000004/1");
    assert_scales(uint_of(1), "", "3", "", "decimal 333333/6");
    assert_scales(uint_of(2), "", "3", "1", "decimal 1666667/6");
    assert_scales(decimal_of(15, 1), "2", "", "", "decimal 3/0");
    assert_scales(ietf_of("9007199254740993.5"), "10", "", "", "json 90071992547409935");
    assert_scales(ietf_of("\"18446744073709551615\""), "8", "", "",
                  "json \"147573952589676412920\"");
    assert_scales(string_of("0.1"), "3", "", "", "string 0.3");
    assert_scales(double_of(0.1), "3", "", "", "double 0.30000000000000004");
    assert_scales(double_of(DBL_MAX), "2", "", "", NULL);
    assert_scales(double_of((double)NAN), "2", "", "", NULL);
    assert_scales(string_of("UP"), "2", "", "", NULL);
    assert_scales((struct sl_gnmi_value){.kind = SL_GNMI_VALUE_BOOL}, "2", "", "", NULL);
    assert_scales(ietf_of("{}"), "2", "", "", NULL);
}

static void a_scale_needs_numbers(void **state)
{
    struct sl_scale scale;

    (void)state;
    assert_false(sl_scale_make(SL_STR("x"), SL_STR(""), SL_STR(""), 0, &scale));
    assert_false(sl_scale_make(SL_STR(""), SL_STR("0"), SL_STR(""), 0, &scale));
    assert_false(sl_scale_make(SL_STR(""), SL_STR(""), SL_STR(""), 39, &scale));
}

static void assert_unit(struct sl_gnmi_value value, const char *from, const char *to,
                        const char *expected)
{
    struct sl_unit_change change;
    struct sl_buf text = {0};
    struct sl_gnmi_value out = value;

    assert_true(sl_unit_change_make(sl_str_from(from), sl_str_from(to), 3, &change));
    assert_is(sl_unit_change_apply(&change, &value, &text, &out), &out, expected);
    sl_buf_fini(&text);
}

static void units_change_exactly(void **state)
{
    struct sl_unit_change change;

    (void)state;
    assert_unit(uint_of(1001), "byte", "bit", "uint 8008");
    assert_unit(uint_of(1001), "bit", "byte", "decimal 125125/3");
    assert_unit(uint_of(1), "bit", "Mibyte", "decimal 0/0");
    assert_unit(uint_of(UINT64_C(1700000000123456789)), "ns", "s", "decimal 1700000000123456789/9");
    assert_unit(uint_of(90), "s", "min", "decimal 15/1");
    assert_unit(uint_of(1234), "ticks", "ms", "uint 12340");
    assert_unit(uint_of(100), "celsius", "fahrenheit", "decimal 212/0");
    assert_unit(int_of(-40), "fahrenheit", "celsius", "decimal -40/0");
    assert_unit(int_of(0), "fahrenheit", "celsius", "decimal -17778/3");
    assert_unit(double_of(36.6), "celsius", "kelvin", "double 309.75");
    assert_unit(decimal_of(15, 1), "W", "mW", "decimal 1500/0");
    assert_unit(decimal_of(10, 0), "mW", "dBm", "decimal 10/0");
    assert_unit(decimal_of(5, 1), "mW", "dBm", "decimal -301/2");
    assert_unit(int_of(-30), "dBm", "W", "decimal 0/0");
    assert_unit(int_of(-3), "dBm", "mW", "decimal 501/3");
    assert_unit(double_of(-3.0103), "dBm", "uW", "double 500");
    assert_unit(decimal_of(0, 0), "mW", "dBm", NULL);
    assert_unit(string_of("-2.5"), "dBm", "mW", "string 0.562");
    assert_false(sl_unit_change_make(SL_STR("byte"), SL_STR("s"), 3, &change));
    assert_false(sl_unit_change_make(SL_STR("bytes"), SL_STR("bit"), 3, &change));
}

static void every_unit_goes_there_and_back(void **state)
{
    struct sl_unit_change change;

    (void)state;
    for (size_t i = 0; sl_unit_name(i); i++) {
        struct sl_str name = sl_str_from(sl_unit_name(i));
        struct sl_gnmi_value value = decimal_of(12345, 2);
        struct sl_buf text = {0};
        assert_true(sl_unit_change_make(name, name, 3, &change));
        assert_true(sl_unit_change_apply(&change, &value, &text, &value));
        assert_is(true, &value, "decimal 12345/2");
    }
}

/* ---- words ---- */

static void words_are_mapped_to_one_type(void **state)
{
    static const struct sl_meaning pairs[] = {{{"UP", 2}, {"1", 1}}, {{"DOWN", 4}, {"-1", 2}}};
    struct sl_meanings meanings = {.pairs = pairs, .count = 2};
    struct sl_buf text = {0};
    struct sl_gnmi_value value = ietf_of("\"UP\"");

    (void)state;
    meanings.type = sl_meanings_type(&meanings);
    assert_int_equal(meanings.type, SL_TYPE_INT);
    assert_is(sl_meanings_apply(&meanings, &value, &text, &value), &value, "int 1");
    value = string_of("TESTING");
    assert_false(sl_meanings_apply(&meanings, &value, &text, &value));
    meanings.has_other = true;
    meanings.other = SL_STR("0.5");
    meanings.type = sl_meanings_type(&meanings);
    assert_is(sl_meanings_apply(&meanings, &value, &text, &value), &value, "decimal 5/1");
    meanings.other = SL_STR("none");
    meanings.type = sl_meanings_type(&meanings);
    value = string_of("DOWN");
    assert_is(sl_meanings_apply(&meanings, &value, &text, &value), &value, "string -1");
    sl_buf_fini(&text);
}

static void numbers_are_mapped_to_words(void **state)
{
    static const struct sl_meaning pairs[] = {{{"1", 1}, {"true", 4}}, {{"2", 1}, {"false", 5}}};
    struct sl_meanings meanings = {.pairs = pairs, .count = 2};
    struct sl_buf text = {0};
    struct sl_gnmi_value value = uint_of(2);

    (void)state;
    meanings.type = sl_meanings_type(&meanings);
    assert_is(sl_meanings_apply(&meanings, &value, &text, &value), &value, "bool false");
    sl_buf_fini(&text);
}

/* ---- counters ---- */

struct sample {
    uint64_t value;
    int64_t at_ms;
    const char *expected; /* NULL: nothing */
};

static void assert_counts(const struct sl_counter *counter, const struct sample *samples,
                          size_t count)
{
    struct sl_counter_state state = {0};

    for (size_t i = 0; i < count; i++) {
        struct sl_gnmi_value value = uint_of(samples[i].value);
        enum sl_counter_result result =
            sl_counter_apply(counter, &state, &value, samples[i].at_ms * SL_NS_PER_MS, &value);
        assert_int_not_equal(result, SL_COUNTER_REFUSED);
        assert_is(result == SL_COUNTER_DONE, &value, samples[i].expected);
    }
}

static void a_counter_wraps_or_is_reset(void **state)
{
    static const struct sample narrow[] = {
        {4294967290, 1000, NULL},
        {5, 2000, "uint 11"},
        {5, 3000, "uint 0"},
        {3000000000, 4000, "uint 2999999995"},
        {7, 5000, "uint 1294967303"},
        {1000, 6000, "uint 993"},
        {999, 7000, NULL},
        {1001, 8000, "uint 2"},
    };
    static const struct sample wide[] = {
        {4294967290, 1000, NULL}, {5, 2000, NULL},
        {6, 3000, "uint 1"},      {UINT64_MAX, 4000, "uint 18446744073709551609"},
        {9, 5000, "uint 10"},
    };
    static const struct sl_counter in_32_bits = {.is_32_bit = true};
    static const struct sl_counter in_64_bits = {0};

    (void)state;
    assert_counts(&in_32_bits, narrow, SL_ARRAY_LEN(narrow));
    assert_counts(&in_64_bits, wide, SL_ARRAY_LEN(wide));
}

static void a_rate_goes_by_the_time_of_the_device(void **state)
{
    static const struct sample samples[] = {
        {1000, 1000, NULL},
        {2000, 11000, "decimal 100/0"},
        {2001, 14000, "decimal 333/3"},
        {2001, 14000, NULL}, /* the same moment */
        {9999, 14000, NULL}, /* and another value in it: the first counts */
        {2002, 17000, "decimal 333/3"},
        {5000, 16000, NULL}, /* time went back: anew */
        {5001, 17000, "decimal 1/0"},
        {5000, 18000, NULL},
        {5000, 19000, "decimal 0/0"},
    };
    static const struct sl_counter rate = {.is_rate = true, .decimals = 3};

    (void)state;
    assert_counts(&rate, samples, SL_ARRAY_LEN(samples));
}

static void what_is_no_counter_leaves_the_state(void **state)
{
    static const struct sl_counter counter = {.is_32_bit = true};
    struct sl_counter_state before = {0};
    struct sl_gnmi_value out;
    struct sl_gnmi_value value = ietf_of("\"10\"");
    const struct sl_gnmi_value others[] = {string_of("UP"), int_of(-1), double_of(1.5),
                                           uint_of(UINT64_C(4294967296))};

    (void)state;
    assert_int_equal(sl_counter_apply(&counter, &before, &value, 1, &out), SL_COUNTER_NOTHING);
    for (size_t i = 0; i < SL_ARRAY_LEN(others); i++) {
        assert_int_equal(sl_counter_apply(&counter, &before, &others[i], 2, &out),
                         SL_COUNTER_REFUSED);
    }
    value = decimal_of(120, 1);
    assert_int_equal(sl_counter_apply(&counter, &before, &value, 3, &out), SL_COUNTER_DONE);
    assert_is(true, &out, "uint 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_in_any_clothes_becomes_the_integer_it_is),
        cmocka_unit_test(a_fraction_is_rounded_only_when_asked),
        cmocka_unit_test(other_types_hold_what_they_can),
        cmocka_unit_test(what_is_no_scalar_cannot_be_computed_with),
        cmocka_unit_test(bytes_are_read_as_floats),
        cmocka_unit_test(numbers_compare_by_what_they_are),
        cmocka_unit_test(scaled_numbers_keep_their_type_and_every_digit),
        cmocka_unit_test(a_scale_needs_numbers),
        cmocka_unit_test(units_change_exactly),
        cmocka_unit_test(every_unit_goes_there_and_back),
        cmocka_unit_test(words_are_mapped_to_one_type),
        cmocka_unit_test(numbers_are_mapped_to_words),
        cmocka_unit_test(a_counter_wraps_or_is_reset),
        cmocka_unit_test(a_rate_goes_by_the_time_of_the_device),
        cmocka_unit_test(what_is_no_counter_leaves_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
