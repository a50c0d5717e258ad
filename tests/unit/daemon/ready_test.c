#include "test.h"

#include "daemon/ready.h"

static const struct sl_sink_spec main_sink = {.name = "main", .is_required = true};
static const struct sl_sink_spec spare_sink = {.name = "spare"};

/* Two workers with both sinks, which take records. */
static void set_up(struct sl_sink_row rows[2][2], struct sl_snapshot snapshots[2])
{
    for (unsigned w = 0; w < 2; w++) {
        rows[w][0] = (struct sl_sink_row){.spec = &main_sink, .is_taking = true, .reason = ""};
        rows[w][1] = (struct sl_sink_row){.spec = &spare_sink, .is_taking = true, .reason = ""};
        snapshots[w] = (struct sl_snapshot){.worker = w, .sinks = rows[w], .sink_count = 2};
    }
}

static void assert_ready(const struct sl_ready_view *view, const char *expected)
{
    struct sl_buf why = {0};

    assert_int_equal(sl_ready_look(view, &why), expected[0] == '\0');
    assert_string_equal(sl_buf_text(&why), expected);
    sl_buf_fini(&why);
}

static void what_takes_records_is_ready(void **state)
{
    struct sl_sink_row rows[2][2];
    struct sl_snapshot snapshots[2];
    const struct sl_ready_view view = {.snapshots = snapshots, .count = 2};

    (void)state;
    set_up(rows, snapshots);
    assert_ready(&view, "");
    rows[1][1].is_taking = false; /* nobody waits for that one */
    rows[1][1].reason = "no broker";
    assert_ready(&view, "");
}

static void a_required_sink_that_takes_none_is_named_with_its_reason(void **state)
{
    struct sl_sink_row rows[2][2];
    struct sl_snapshot snapshots[2];
    const struct sl_ready_view view = {.snapshots = snapshots, .count = 2};

    (void)state;
    set_up(rows, snapshots);
    rows[1][0].is_taking = false;
    rows[1][0].reason = "no broker answers";
    assert_ready(&view, "sink main takes no records in 1 of 2 workers: no broker answers\n");
    rows[0][0].is_taking = false;
    rows[0][0].reason = "records are out";
    assert_ready(&view, "sink main takes no records in 2 of 2 workers: records are out\n");
}

static void neither_the_end_nor_a_worker_without_an_answer_is_ready(void **state)
{
    struct sl_sink_row rows[2][2];
    struct sl_snapshot snapshots[2];
    struct sl_ready_view view = {.snapshots = snapshots, .count = 2, .is_draining = true};

    (void)state;
    set_up(rows, snapshots);
    assert_ready(&view, "the end has begun: what is held is published, nothing more is taken\n");
    view = (struct sl_ready_view){.snapshots = NULL, .count = 2};
    assert_ready(&view, "a worker does not answer\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_records_is_ready),
        cmocka_unit_test(a_required_sink_that_takes_none_is_named_with_its_reason),
        cmocka_unit_test(neither_the_end_nor_a_worker_without_an_answer_is_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
