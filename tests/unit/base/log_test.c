#include "test.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

/* What the subject's own lines look like on standard error, from here to printed(). */
static int saved_stderr;
static int capture;

static void begin_capture(void)
{
    capture = memfd_create("log", 0);
    assert_true(capture >= 0);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(capture, STDERR_FILENO) >= 0);
}

/* The lines since begin_capture; to be freed by the caller. */
static char *end_capture(void)
{
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    close(saved_stderr);
    off_t len = lseek(capture, 0, SEEK_END);
    char *text = calloc(1, (size_t)len + 1);
    assert_int_equal(pread(capture, text, (size_t)len, 0), len);
    close(capture);
    return text;
}

static size_t count_lines(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
        count++;
    }
    return count;
}

static void a_line_has_who_speaks_what_happened_and_the_fields(void **state)
{
    const struct sl_log_field who[] = {sl_log_text("target", "leaf1")};
    const struct sl_log_field fields[] = {sl_log_text("why", "two words"), sl_log_u64("n", 7),
                                          sl_log_text("empty", "")};
    char line[SL_LOG_LINE_BYTES];
    struct sl_log_subject subject;

    (void)state;
    sl_log_subject_init(&subject, who, 1);
    sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_WARN, &subject, "connection ended", fields, 3);
    assert_string_equal(line,
                        "level=warn target=leaf1 msg=\"connection ended\" why=\"two words\" n=7 "
                        "empty=\"\"");
    sl_log_format(SL_LOG_JSON, line, SL_LOG_WARN, &subject, "connection ended", fields, 3);
    assert_string_equal(line,
                        "{\"level\":\"warn\",\"target\":\"leaf1\",\"msg\":\"connection ended\","
                        "\"why\":\"two words\",\"n\":7,\"empty\":\"\"}");
}

static void no_byte_of_a_value_can_end_it(void **state)
{
    const struct sl_log_field field = sl_log_str("why", SL_STR("a\" level=error \\ \n\x7f\xff\0b"));
    char line[SL_LOG_LINE_BYTES];

    (void)state;
    sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_INFO, NULL, "m", &field, 1);
    assert_string_equal(line, "level=info msg=m why=\"a\\\" level=error \\\\ \\u000a\\u007f\\u00ff"
                              "\\u0000b\"");
}

static void a_long_line_is_cut_off_and_stays_well_formed(void **state)
{
    char text[SL_LOG_LINE_BYTES + 8];
    char line[SL_LOG_LINE_BYTES];

    (void)state;
    for (size_t len = SL_LOG_LINE_BYTES - 120; len < sizeof(text); len++) {
        for (int filling = 0; filling < 2; filling++) {
            memset(text, filling ? 'x' : '\n', len);
            const struct sl_log_field fields[] = {sl_log_str("why", (struct sl_str){text, len}),
                                                  sl_log_u64("behind", UINT64_MAX),
                                                  sl_log_text("last", "of all")};
            size_t used = sl_log_format(SL_LOG_JSON, line, SL_LOG_INFO, NULL, "long", fields, 3);
            assert_true(used < SL_LOG_LINE_BYTES);
            json_t *object = json_loads(line, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
            assert_non_null(object);
            assert_string_equal(json_string_value(json_object_get(object, "msg")), "long");
            json_decref(object);
            used = sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_INFO, NULL, "long", fields, 3);
            assert_true(used < SL_LOG_LINE_BYTES);
        }
    }
}

static void a_streams_line_has_its_number_once_it_has_one(void **state)
{
    const struct sl_log_field who = sl_log_text("target", "leaf1");
    char line[SL_LOG_LINE_BYTES];
    struct sl_log_subject subject;
    uint64_t stream = 0;

    (void)state;
    sl_log_subject_init(&subject, &who, 1);
    subject.stream = &stream;
    sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_INFO, &subject, "m", NULL, 0);
    assert_string_equal(line, "level=info target=leaf1 msg=m");
    stream = 7;
    sl_log_format(SL_LOG_LOGFMT, line, SL_LOG_INFO, &subject, "m", NULL, 0);
    assert_string_equal(line, "level=info target=leaf1 msg=m stream=7");
    sl_log_format(SL_LOG_JSON, line, SL_LOG_INFO, &subject, "m", NULL, 0);
    assert_string_equal(line,
                        "{\"level\":\"info\",\"target\":\"leaf1\",\"msg\":\"m\",\"stream\":7}");
}

static void what_is_said_again_and_again_is_left_out_and_counted(void **state)
{
    const struct sl_log_field who = sl_log_text("target", "leaf1");
    struct sl_log_subject subject;
    uint64_t before = sl_log_left_out();

    (void)state;
    sl_log_subject_init(&subject, &who, 1);
    begin_capture();
    for (int i = 0; i < SL_LOG_BURST + 7; i++) {
        sl_log(SL_LOG_WARN, &subject, "ended", sl_log_text("why", "refused"),
               sl_log_u64("attempt", (uint64_t)i));
    }
    sl_log_plain(SL_LOG_INFO, &subject, "connected");
    sl_log_end(&subject);
    char *text = end_capture();
    assert_int_equal(count_lines(text, "msg=ended"), SL_LOG_BURST);
    assert_non_null(strstr(text, "msg=connected left-out=7\n"));
    assert_int_equal(count_lines(text, "left-out"), 1);
    assert_int_equal(sl_log_left_out() - before, 7);
    free(text);
}

static void a_new_reason_is_printed_but_not_without_end(void **state)
{
    const struct sl_log_field who = sl_log_text("target", "leaf1");
    struct sl_log_subject subject;
    char why[16];

    (void)state;
    sl_log_subject_init(&subject, &who, 1);
    begin_capture();
    for (int i = 0; i < SL_LOG_BURST + 1; i++) {
        sl_log(SL_LOG_WARN, &subject, "ended", sl_log_text("why", "refused"));
    }
    sl_log(SL_LOG_WARN, &subject, "ended", sl_log_text("why", "expired"));
    for (int i = 0; i < 100; i++) {
        snprintf(why, sizeof(why), "word %d", i);
        sl_log(SL_LOG_WARN, &subject, "ended", sl_log_text("why", why));
    }
    sl_log_end(&subject);
    char *text = end_capture();
    assert_int_equal(count_lines(text, "why=refused"), SL_LOG_BURST);
    assert_non_null(strstr(text, "why=expired left-out=1\n"));
    assert_int_equal(count_lines(text, "msg=ended"), SL_LOG_BURST_ALL - 1);
    assert_int_equal(count_lines(text, "msg=\"no more lines\" left-out="), 1);
    free(text);
}

/* ---- the tap ---- */

struct heard {
    size_t lines;
    char last[SL_LOG_LINE_BYTES];
    int64_t at_ns;
};

static void hear(void *arg, const struct sl_log_event *event)
{
    struct heard *heard = arg;

    heard->lines++;
    heard->at_ns = event->at_ns;
    sl_log_format(SL_LOG_LOGFMT, heard->last, event->level, event->subject, event->message,
                  event->fields, event->count);
}

static void the_tap_is_told_what_is_info_and_above(void **state)
{
    const struct sl_log_field who = sl_log_text("target", "leaf1");
    struct sl_log_subject subject;
    struct heard heard = {0};

    (void)state;
    sl_log_subject_init(&subject, &who, 1);
    begin_capture();
    sl_log_tap(hear, &heard);
    sl_log_set_level(SL_LOG_ERROR);
    sl_log_plain(SL_LOG_DEBUG, &subject, "a detail");
    assert_int_equal(heard.lines, 0);
    sl_log(SL_LOG_INFO, &subject, "connected", sl_log_text("peer", "::1"), sl_log_u64("n", 2));
    assert_string_equal(heard.last, "level=info target=leaf1 msg=connected peer=::1 n=2");
    assert_true(heard.at_ns > INT64_C(1600000000) * SL_NS_PER_S);
    for (int i = 0; i < SL_LOG_BURST + 3; i++) {
        sl_log_plain(SL_LOG_ERROR, &subject, "ended");
    }
    assert_int_equal(heard.lines, 1 + SL_LOG_BURST);
    sl_log_end(&subject);
    assert_string_equal(heard.last, "level=info target=leaf1 msg=\"no more lines\" left-out=3");
    sl_log_tap(NULL, NULL);
    sl_log_plain(SL_LOG_ERROR, NULL, "nobody listens");
    sl_log_set_level(SL_LOG_INFO);
    char *text = end_capture();
    assert_int_equal(heard.lines, 2 + SL_LOG_BURST);
    assert_int_equal(count_lines(text, "level=info"), 0);
    assert_int_equal(count_lines(text, "level=error"), SL_LOG_BURST + 1);
    free(text);
}

static void the_level_may_change_at_any_time(void **state)
{
    (void)state;
    begin_capture();
    sl_log_plain(SL_LOG_DEBUG, NULL, "before");
    sl_log_set_level(SL_LOG_DEBUG);
    assert_int_equal(sl_log_level(), SL_LOG_DEBUG);
    sl_log_plain(SL_LOG_DEBUG, NULL, "between");
    sl_log_set_level(SL_LOG_WARN);
    sl_log_plain(SL_LOG_INFO, NULL, "behind");
    sl_log_plain(SL_LOG_WARN, NULL, "at last");
    sl_log_set_level(SL_LOG_INFO);
    char *text = end_capture();
    assert_null(strstr(text, "before"));
    assert_non_null(strstr(text, "level=debug msg=between\n"));
    assert_null(strstr(text, "behind"));
    assert_non_null(strstr(text, "level=warn msg=\"at last\"\n"));
    assert_string_equal(sl_log_level_name(SL_LOG_WARN), "warn");
    free(text);
}

enum { SPEAKERS = 4, LINES = 200, TAPS = 50 };

/* What a tap must never see once it was taken away. */
struct ear {
    atomic_uint lines;
    atomic_bool is_closed;
    atomic_uint late;
};

static void hear_or_complain(void *arg, const struct sl_log_event *event)
{
    struct ear *ear = arg;

    (void)event;
    atomic_fetch_add(&ear->lines, 1);
    atomic_fetch_add(&ear->late, atomic_load(&ear->is_closed));
}

static void *speak(void *arg)
{
    const struct sl_log_field who = sl_log_text("target", "leaf1");
    struct sl_log_subject subject;

    (void)arg;
    sl_log_subject_init(&subject, &who, 1);
    for (uint64_t i = 0; i < LINES; i++) {
        sl_log(SL_LOG_INFO, NULL, "said", sl_log_u64("i", i));
        sl_log(SL_LOG_WARN, &subject, "said again", sl_log_u64("i", i));
    }
    return NULL;
}

static void taps_and_levels_come_and_go_while_threads_log(void **state)
{
    pthread_t speakers[SPEAKERS];
    struct ear ears[TAPS] = {0};
    struct ear all = {0};

    (void)state;
    begin_capture();
    sl_log_tap(hear_or_complain, &all);
    for (size_t i = 0; i < SPEAKERS; i++) {
        assert_int_equal(pthread_create(&speakers[i], NULL, speak, NULL), 0);
    }
    for (size_t i = 0; i < TAPS; i++) {
        sl_log_tap(hear_or_complain, &ears[i]);
        sl_log_set(i % 2 ? SL_LOG_DEBUG : SL_LOG_ERROR, i % 3 ? SL_LOG_JSON : SL_LOG_LOGFMT);
        sl_log_tap(i + 1 < TAPS ? NULL : hear_or_complain, &all);
        atomic_store(&ears[i].is_closed, true);
    }
    for (size_t i = 0; i < SPEAKERS; i++) {
        pthread_join(speakers[i], NULL);
    }
    sl_log_plain(SL_LOG_INFO, NULL, "the last one");
    assert_true(atomic_load(&all.lines) > 0);
    sl_log_tap(NULL, NULL);
    sl_log_set(SL_LOG_INFO, SL_LOG_LOGFMT);
    free(end_capture());
    for (size_t i = 0; i < TAPS; i++) {
        assert_int_equal(atomic_load(&ears[i].late), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_who_speaks_what_happened_and_the_fields),
        cmocka_unit_test(no_byte_of_a_value_can_end_it),
        cmocka_unit_test(a_long_line_is_cut_off_and_stays_well_formed),
        cmocka_unit_test(a_streams_line_has_its_number_once_it_has_one),
        cmocka_unit_test(what_is_said_again_and_again_is_left_out_and_counted),
        cmocka_unit_test(a_new_reason_is_printed_but_not_without_end),
        cmocka_unit_test(the_tap_is_told_what_is_info_and_above),
        cmocka_unit_test(the_level_may_change_at_any_time),
        cmocka_unit_test(taps_and_levels_come_and_go_while_threads_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
