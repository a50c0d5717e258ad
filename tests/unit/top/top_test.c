#include "top/top.h"

#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "test.h"

enum { ROWS = 17, COLUMNS = 100 };

static unsigned ask(struct sl_top *top, const char *expected)
{
    struct sl_buf path = {0};
    unsigned question = sl_top_ask(top, &path);

    assert_string_equal(sl_buf_text(&path), expected);
    sl_buf_fini(&path);
    return question;
}

static void ignore(struct sl_top *top)
{
    struct sl_buf path = {0};

    while (sl_top_ask(top, &path)) {
    }
    sl_buf_fini(&path);
}

static void take(struct sl_top *top, unsigned question, const char *json, double now_s)
{
    json_t *answer = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(answer);
    sl_top_take(top, question, answer, "", now_s);
    json_decref(answer);
}

static char *draw(const struct sl_top *top, unsigned rows, unsigned columns)
{
    struct sl_screen screen = {.is_ascii = true};
    struct sl_buf out = {0};
    size_t len;

    assert_true(sl_screen_resize(&screen, rows, columns));
    sl_top_draw(top, &screen);
    sl_screen_print(&screen, &out);
    sl_screen_fini(&screen);
    sl_buf_add_byte(&out, '\0');
    return sl_buf_take(&out, &len);
}

static void expect(const struct sl_top *top, const char *part)
{
    char *text = draw(top, ROWS, COLUMNS);

    if (!strstr(text, part)) {
        fail_msg("no '%s' in:\n%s", part, text);
    }
    free(text);
}

static void keys(struct sl_top *top, const char *text)
{
    for (; *text; text++) {
        sl_top_key(top, *text);
    }
}

static void open_top(struct sl_top *top)
{
    assert_true(sl_top_init(top, NULL, NULL));
    sl_top_set_rows(top, ROWS);
}

static void only_what_is_shown_is_asked_for(void **state)
{
    struct sl_top top;

    (void)state;
    open_top(&top);
    assert_int_equal(ask(&top, "/api/v1/status"), SL_TOP_ASK_STATUS);
    assert_int_equal(ask(&top, "/api/v1/streams?sort=blocked_s&order=desc&offset=0&limit=10"),
                     SL_TOP_ASK_STREAMS);
    assert_int_equal(ask(&top, ""), 0);
    take(&top, SL_TOP_ASK_STATUS, "{\"totals\":{\"streams_held\":1}}", 0);
    ask(&top, "/api/v1/sinks");
    keys(&top, "3");
    ask(&top, "/api/v1/status");
    ask(&top, "/api/v1/events?after=0");
    take(&top, SL_TOP_ASK_EVENTS, "{\"next\":7,\"events\":[{\"msg\":\"x\"}]}", 0);
    sl_top_tick(&top);
    ask(&top, "/api/v1/status");
    ask(&top, "/api/v1/events?after=7");
    take(&top, SL_TOP_ASK_EVENTS, "{\"next\":2,\"events\":[]}", 0);
    ask(&top, "/api/v1/events?after=0");
    keys(&top, "p");
    sl_top_tick(&top);
    ask(&top, "");
    expect(&top, "PAUSED");
    sl_top_fini(&top);
}

static void keys_sort_and_filter(void **state)
{
    struct sl_top top;

    (void)state;
    open_top(&top);
    ignore(&top);
    keys(&top, "N");
    ask(&top, "/api/v1/streams?sort=id&order=asc&offset=0&limit=10");
    keys(&top, "o");
    ask(&top, "/api/v1/streams?sort=id&order=desc&offset=0&limit=10");
    keys(&top, "s");
    ask(&top, "/api/v1/streams?sort=state&order=asc&offset=0&limit=10");
    keys(&top, "/q q&");
    expect(&top, "filter: q q&_");
    sl_top_key(&top, SL_TOP_KEY_BACK);
    sl_top_key(&top, 0x20ac);
    sl_top_key(&top, SL_TOP_KEY_ENTER);
    ignore(&top);
    sl_top_key(&top, 'o');
    ask(&top, "/api/v1/streams?sort=state&order=desc&offset=0&limit=10&q=q%20q");
    expect(&top, "with 'q q'");
    sl_top_key(&top, SL_TOP_KEY_ESCAPE);
    ask(&top, "/api/v1/streams?sort=state&order=desc&offset=0&limit=10");
    for (int i = 0; i < 40; i++) {
        sl_top_key(&top, 's');
    }
    assert_false(top.wants_end);
    keys(&top, "/q");
    for (int i = 0; i < 500; i++) {
        sl_top_key(&top, 'x');
    }
    sl_top_key(&top, SL_TOP_KEY_ESCAPE);
    keys(&top, "q");
    assert_true(top.wants_end);
    sl_top_fini(&top);
}

static const char rows[] =
    "{\"total\":30,\"streams\":[{\"id\":\"a/s\",\"target\":\"a\"},{\"id\":\"b/s\",\"target\":\"b/"
    "1\"}]}";

static void moving_asks_for_the_rows_below(void **state)
{
    struct sl_top top;

    (void)state;
    open_top(&top);
    ignore(&top);
    take(&top, SL_TOP_ASK_STREAMS, rows, 1);
    keys(&top, "jjjk");
    assert_int_equal(top.selected, 2);
    ask(&top, "");
    sl_top_key(&top, SL_TOP_KEY_PAGE_DOWN);
    ask(&top, "/api/v1/streams?sort=blocked_s&order=desc&offset=3&limit=10");
    sl_top_key(&top, SL_TOP_KEY_END);
    ask(&top, "/api/v1/streams?sort=blocked_s&order=desc&offset=20&limit=10");
    take(&top, SL_TOP_ASK_STREAMS, "{\"total\":5,\"streams\":[]}", 2);
    assert_int_equal(top.selected, 4);
    ask(&top, "/api/v1/streams?sort=blocked_s&order=desc&offset=4&limit=10");
    sl_top_key(&top, SL_TOP_KEY_HOME);
    ignore(&top);
    take(&top, SL_TOP_ASK_STREAMS, rows, 3);
    sl_top_key(&top, SL_TOP_KEY_DOWN);
    sl_top_key(&top, SL_TOP_KEY_ENTER);
    ask(&top, "/api/v1/status");
    ask(&top, "/api/v1/targets/b%2F1");
    sl_top_key(&top, SL_TOP_KEY_ESCAPE);
    assert_int_equal(top.view, SL_TOP_STREAMS);
    sl_top_fini(&top);
}

static void rates_are_of_the_last_two_answers(void **state)
{
    struct sl_top top;

    (void)state;
    open_top(&top);
    take(&top, SL_TOP_ASK_STATUS, "{\"uptime_s\":10,\"totals\":{\"received\":100}}", 0);
    assert_true(isnan(top.in_rate));
    take(&top, SL_TOP_ASK_STATUS, "{\"uptime_s\":12,\"totals\":{\"received\":300}}", 0);
    expect(&top, "updates 100/s in");
    take(&top, SL_TOP_ASK_STATUS, "{\"uptime_s\":1,\"totals\":{\"received\":3}}", 0);
    expect(&top, "updates -/s in");
    take(&top, SL_TOP_ASK_STREAMS, "{\"streams\":[{\"id\":\"a/s\",\"received\":10}]}", 5);
    take(&top, SL_TOP_ASK_STREAMS, "{\"streams\":[{\"id\":\"a/s\",\"received\":310}]}", 7);
    expect(&top, " 150");
    sl_top_fini(&top);
}

static void no_answer_is_said(void **state)
{
    struct sl_top top;

    (void)state;
    open_top(&top);
    sl_top_take(&top, SL_TOP_ASK_STATUS, NULL, "connection \x1b[2Jrefused", 0);
    expect(&top, "no answer: connection \\x1b[2Jrefused");
    take(&top, SL_TOP_ASK_STATUS, "{}", 0);
    assert_string_equal(top.error, "");
    sl_top_fini(&top);
    assert_false(sl_top_init(&top, "nonsense", NULL));
    sl_top_fini(&top);
}

/* Whatever is answered, on a screen of any size, is drawn within it. */
static void any_answer_fits_any_screen(void **state)
{
    static const char *const answers[] = {
        "{}",
        "[]",
        "null",
        "1",
        "{\"total\":-1,\"streams\":[null,1,{\"id\":1,\"limit_bytes\":\"x\",\"held_by\":{}}]}",
        "{\"total\":1e300,\"streams\":[{\"id\":\"\\u001b]0;x\\u0007\\u202e\",\"held_bytes\":-1,"
        "\"limit_bytes\":1e308,\"last_error\":\"\\r\\n\\u6771\\u4eac\\u0301\\u0301\\u0301\\u0301\"}"
        "]}",
        "{\"next\":1e300,\"events\":[{\"msg\":\"\\u001b\",\"fields\":{\"\\n\":[]}}]}",
        "{\"sinks\":[{\"name\":\"\\u009b\",\"troubles\":[1]}],\"totals\":[],\"memory\":\"\"}",
        "{\"name\":\"x\",\"labels\":{\"a\":\"\\u001b\"},\"streams\":[{\"routes\":[{}]}]}",
    };
    static const unsigned sizes[][2] = {{1, 1}, {6, 11}, {7, 40}, {24, 80}, {5, 300}, {100, 1}};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(answers); i++) {
        struct sl_top top;
        open_top(&top);
        for (unsigned question = 1; question <= SL_TOP_ASK_TARGET; question *= 2) {
            take(&top, question, answers[i], 1);
            take(&top, question, answers[i], 2);
        }
        for (unsigned j = 0; j < SL_ARRAY_LEN(sizes) * 5; j++) {
            const unsigned *size = sizes[j / 5];
            static const char views[] = "123h\x1b";
            sl_top_key(&top, views[j % 5] == '\x1b' ? SL_TOP_KEY_ESCAPE : views[j % 5]);
            sl_top_key(&top, SL_TOP_KEY_PAGE_DOWN);
            sl_top_set_rows(&top, size[0]);
            char *text = draw(&top, size[0], size[1]);
            unsigned lines = 0;
            for (const char *at = text; *at; at++) {
                assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
                lines += *at == '\n';
            }
            assert_int_equal(lines, size[0]);
            free(text);
        }
        sl_top_fini(&top);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_shown_is_asked_for),
        cmocka_unit_test(keys_sort_and_filter),
        cmocka_unit_test(moving_asks_for_the_rows_below),
        cmocka_unit_test(rates_are_of_the_last_two_answers),
        cmocka_unit_test(no_answer_is_said),
        cmocka_unit_test(any_answer_fits_any_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
