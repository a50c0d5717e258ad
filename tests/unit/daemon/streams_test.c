#include "test.h"

#include <math.h>
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/api_rates.h"

#define SECOND_NS (INT64_C(1) * 1000 * 1000 * 1000)

static struct sl_api_stream stream_of(const struct sl_stream_row *row)
{
    struct sl_api_stream stream;

    sl_api_stream_init(&stream, row, 0);
    return stream;
}

static struct sl_stream_row row_of(const char *target, enum sl_stream_state state)
{
    return (struct sl_stream_row){
        .view = {.target = target, .subscription = "counters", .state = state, .is_synced = true}};
}

static bool fits(const char *words, const struct sl_api_stream *stream)
{
    struct sl_api_filter filter;

    assert_true(sl_api_filter_read(&filter, words));
    return sl_api_filter_fits(&filter, stream);
}

/* ---- rates ---- */

static void a_rate_is_what_came_between_two_looks(void **state)
{
    struct sl_stream_row rows[] = {row_of("a", SL_STREAM_FLOWING), row_of("b", SL_STREAM_FLOWING)};
    struct sl_api_stream streams[] = {stream_of(&rows[0]), stream_of(&rows[1])};
    struct sl_api_rates rates = {0};

    (void)state;
    streams[0].received = 100;
    sl_api_rates_look(&rates, streams, 2, 5 * SECOND_NS);
    assert_true(isnan(streams[0].received_per_s));
    streams[0].received = 130;
    sl_api_rates_look(&rates, streams, 2, 7 * SECOND_NS);
    assert_true(fabs(streams[0].received_per_s - 15) < 0.01);
    assert_true(fabs(streams[1].received_per_s) < 0.01);
    streams[0].received = 1000;
    sl_api_rates_look(&rates, &streams[0], 1, 7 * SECOND_NS + SECOND_NS / 2);
    assert_true(fabs(streams[0].received_per_s - 15) < 0.01); /* too soon for another one */
    sl_api_rates_fini(&rates);
}

static void what_began_anew_or_was_long_unseen_has_no_rate(void **state)
{
    struct sl_stream_row row = row_of("a", SL_STREAM_FLOWING);
    struct sl_api_stream stream = stream_of(&row);
    struct sl_api_rates rates = {0};

    (void)state;
    stream.received = 100;
    sl_api_rates_look(&rates, &stream, 1, SECOND_NS);
    stream.received = 20;
    sl_api_rates_look(&rates, &stream, 1, 3 * SECOND_NS);
    assert_true(isnan(stream.received_per_s));
    sl_api_rates_look(&rates, &stream, 1, 100 * SECOND_NS);
    assert_true(isnan(stream.received_per_s));
    sl_api_rates_look(&rates, NULL, 0, 102 * SECOND_NS);
    sl_api_rates_look(&rates, &stream, 1, 104 * SECOND_NS);
    assert_true(isnan(stream.received_per_s));
    sl_api_rates_fini(&rates);
}

/* ---- conditions ---- */

static void a_condition_says_what_wants_eyes(void **state)
{
    struct sl_stream_row row = row_of("a", SL_STREAM_FLOWING);

    (void)state;
    assert_string_equal(stream_of(&row).level, "ok");
    row.view.is_synced = false;
    assert_string_equal(stream_of(&row).condition, "syncing");
    row.view.is_stale = true;
    assert_string_equal(stream_of(&row).condition, "stale");
    row.view.is_blocked = true;
    row.view.limited = SL_LIMITED_WINDOW; /* a device that uses its whole window is not held */
    assert_string_equal(stream_of(&row).level, "wait");
    row.view.limited = SL_LIMITED_SINK;
    assert_string_equal(stream_of(&row).condition, "held back");
    assert_string_equal(stream_of(&row).level, "held");
    row = row_of("a", SL_STREAM_WAITING);
    assert_string_equal(stream_of(&row).level, "wait");
    row.target.last_reason = "connection-refused";
    assert_string_equal(stream_of(&row).level, "bad");
    assert_string_equal(stream_of(&row).last_error, "connection-refused");
}

static void the_holder_is_who_has_most(void **state)
{
    const struct sl_sink_spec sinks[] = {{.name = "main"}, {.name = "spare"}};
    struct sl_place_row places[] = {{SL_STR("t-0"), 1}, {SL_STR("t-1"), 7}, {SL_STR(""), 3}};
    struct sl_route_row routes[] = {{.sink = &sinks[0], .places = places, .place_count = 2},
                                    {.sink = &sinks[1], .places = &places[2], .place_count = 1}};
    struct sl_stream_row row = row_of("a", SL_STREAM_HELD);

    (void)state;
    row.routes = routes;
    row.route_count = 2;
    struct sl_api_stream stream = stream_of(&row);
    assert_string_equal(stream.holder, "main");
    assert_true(sl_str_eq_c(stream.holder_place, "t-1"));
    assert_true(fits("sink:MAIN", &stream) && fits("sink:spare", &stream));
    assert_false(fits("sink:mai", &stream));
}

/* ---- filter and order ---- */

static void every_word_of_a_filter_has_to_fit(void **state)
{
    struct sl_stream_row row = row_of("leaf17", SL_STREAM_BACKOFF);
    row.view.last_reason = "path-refused";
    struct sl_api_stream stream = stream_of(&row);

    (void)state;
    assert_true(fits(NULL, &stream) && fits("", &stream) && fits("  LEAF1  ", &stream));
    assert_true(fits("leaf refused is:down state:backoff state:bad target:Leaf17", &stream));
    assert_true(fits("f17/coun", &stream));
    assert_false(fits("leaf is:stale", &stream));
    assert_false(fits("target:leaf1", &stream));
    assert_false(fits("is:nothing", &stream));
    assert_false(fits("is:", &stream)); /* a word like any other */
}

static void a_filter_has_limits(void **state)
{
    struct sl_api_filter filter;
    char text[SL_API_FILTER_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[SL_API_FILTER_BYTES] = '\0';
    assert_false(sl_api_filter_read(&filter, text));
    text[SL_API_FILTER_BYTES - 1] = '\0';
    assert_true(sl_api_filter_read(&filter, text));
    assert_true(sl_api_filter_read(&filter, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"));
    assert_false(sl_api_filter_read(&filter, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"));
}

static void what_is_the_same_stays_in_the_order_of_names(void **state)
{
    struct sl_stream_row rows[] = {row_of("leaf10", SL_STREAM_FLOWING),
                                   row_of("leaf2", SL_STREAM_FLOWING)};
    struct sl_api_stream ten = stream_of(&rows[0]), two = stream_of(&rows[1]);

    (void)state;
    const struct sl_api_order *by_id = sl_api_order_find("id");
    const struct sl_api_order *by_held = sl_api_order_find("held_share");
    const struct sl_api_order *by_rate = sl_api_order_find("received_per_s");
    assert_true(sl_api_order_compare(by_id, false, &two, &ten) < 0);
    assert_true(sl_api_order_compare(by_id, true, &two, &ten) > 0);
    assert_true(sl_api_order_compare(by_held, true, &two, &ten) < 0);
    ten.held_share = 0.5;
    assert_true(sl_api_order_compare(by_held, true, &two, &ten) > 0);
    two.received_per_s = 0; /* what is not known is less */
    assert_true(sl_api_order_compare(by_rate, false, &two, &ten) > 0);
    assert_null(sl_api_order_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_what_came_between_two_looks),
        cmocka_unit_test(what_began_anew_or_was_long_unseen_has_no_rate),
        cmocka_unit_test(a_condition_says_what_wants_eyes),
        cmocka_unit_test(the_holder_is_who_has_most),
        cmocka_unit_test(every_word_of_a_filter_has_to_fit),
        cmocka_unit_test(a_filter_has_limits),
        cmocka_unit_test(what_is_the_same_stays_in_the_order_of_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
