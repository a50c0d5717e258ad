/* bisect_test.c - a device that refuses any request with a bad path in it, and does not say which.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/bisect.h"
#include "stream/quarantine.h"

enum { MOST = 2048 };

struct device {
    uint8_t is_bad[MOST];
    size_t limit;    /* of paths in a request; 0: none */
    size_t requests; /* that it was asked */
};

static bool accepts(struct device *device, const uint8_t *is_in, size_t count)
{
    size_t paths = 0;
    bool is_good = true;

    device->requests++;
    for (size_t i = 0; i < count; i++) {
        paths += is_in[i];
        is_good = is_good && !(is_in[i] && device->is_bad[i]);
    }
    assert_true(paths > 0);
    return is_good && (!device->limit || paths <= device->limit);
}

/* Runs the search to its end. */
static enum sl_bisect_verdict search(struct device *device, size_t count, bool was_refused,
                                     struct sl_bisect *bisect)
{
    static uint8_t is_in[MOST];
    static uint8_t again[MOST];

    memset(is_in, 1, count);
    assert_true(sl_bisect_init(bisect, count));
    sl_bisect_begin(bisect, is_in, was_refused);
    while (sl_bisect_next(bisect, is_in)) {
        assert_int_equal(sl_bisect_verdict(bisect), SL_BISECT_OPEN);
        assert_true(sl_bisect_next(bisect, again)); /* the same part until its outcome is told */
        assert_memory_equal(is_in, again, count);
        sl_bisect_tell(bisect, accepts(device, is_in, count));
    }
    return sl_bisect_verdict(bisect);
}

static size_t count_bad(const struct device *device, size_t count)
{
    size_t bad = 0;

    for (size_t i = 0; i < count; i++) {
        bad += device->is_bad[i];
    }
    return bad;
}

static void assert_found(const struct device *device, const struct sl_bisect *bisect, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sl_bisect_is_bad(bisect, i), device->is_bad[i]);
    }
}

static size_t log2_of(size_t count)
{
    size_t bits = 0;

    while (count > ((size_t)1 << bits)) {
        bits++;
    }
    return bits;
}

static void exactly_the_refused_paths_are_found(void **state)
{
    static struct device device;

    (void)state;
    srand(7);
    for (int round = 0; round < 3000; round++) {
        size_t count = 2 + (size_t)rand() % (round % 10 ? 64 : MOST - 2);
        size_t share = 1 + (size_t)rand() % 100; /* one in so many is bad */
        bool is_block = rand() % 3 == 0;         /* or so many beside one another */
        size_t at = (size_t)rand() % count;
        struct sl_bisect bisect;

        memset(&device, 0, sizeof(device));
        for (size_t i = 0; i < count; i++) {
            device.is_bad[i] =
                is_block ? i >= at && i < at + count / 3 : (size_t)rand() % share == 0;
        }
        device.is_bad[at] = 1;
        size_t bad = count_bad(&device, count);
        enum sl_bisect_verdict verdict = search(&device, count, true, &bisect);

        if (bad == count) {
            assert_int_equal(verdict, SL_BISECT_ALL);
        } else if (bad <= SL_BISECT_IN_VAIN || bad < count / 2) {
            assert_int_equal(verdict, SL_BISECT_FOUND);
            assert_found(&device, &bisect, count);
        }
        assert_true(device.requests <= bad * (2 * log2_of(count) + 2) + 2);
        sl_bisect_fini(&bisect);
    }
}

static void one_bad_path_of_many_takes_few_tries(void **state)
{
    (void)state;
    for (size_t at = 0; at < 1024; at += 31) {
        struct device device = {.requests = 0};
        struct sl_bisect bisect;

        device.is_bad[at] = 1;
        assert_int_equal(search(&device, 1024, true, &bisect), SL_BISECT_FOUND);
        assert_found(&device, &bisect, 1024);
        assert_true(device.requests <= 2 * 10 + 4);
        sl_bisect_fini(&bisect);
    }
}

static void a_device_that_refuses_everything_is_soon_let_be(void **state)
{
    static const size_t counts[] = {2, 3, 64, 65, MOST};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(counts); i++) {
        struct device device = {.requests = 0};
        struct sl_bisect bisect;

        memset(device.is_bad, 1, counts[i]);
        assert_int_equal(search(&device, counts[i], true, &bisect), SL_BISECT_ALL);
        assert_true(device.requests <= SL_BISECT_IN_VAIN + log2_of(counts[i]));
        assert_true(device.requests >= 2);
        sl_bisect_fini(&bisect);
    }
}

static void paths_that_are_refused_only_together_are_not_called_bad(void **state)
{
    (void)state;
    for (size_t count = 2; count < 100; count++) {
        struct device device = {.limit = 1};
        struct sl_bisect bisect;

        assert_int_equal(search(&device, count, true, &bisect), SL_BISECT_TOGETHER);
        assert_int_equal(bisect.bad, 0);
        sl_bisect_fini(&bisect);
    }
}

static void what_was_not_refused_yet_is_tried_as_a_whole(void **state)
{
    struct device device = {.requests = 0};
    struct sl_bisect bisect;

    (void)state;
    assert_int_equal(search(&device, 10, false, &bisect), SL_BISECT_NONE);
    assert_int_equal(device.requests, 1);
    sl_bisect_fini(&bisect);
    device = (struct device){.requests = 0};
    device.is_bad[3] = 1;
    assert_int_equal(search(&device, 10, false, &bisect), SL_BISECT_FOUND);
    assert_found(&device, &bisect, 10);
    sl_bisect_fini(&bisect);
    device = (struct device){.requests = 0};
    device.is_bad[0] = 1;
    assert_int_equal(search(&device, 1, false, &bisect), SL_BISECT_ALL);
    sl_bisect_fini(&bisect);
}

static void a_path_that_is_not_looked_at_is_not_tried(void **state)
{
    uint8_t is_in[8] = {0, 1, 0, 1, 0, 1, 0, 0};
    struct sl_bisect bisect;

    (void)state;
    assert_true(sl_bisect_init(&bisect, 8));
    sl_bisect_begin(&bisect, is_in, true);
    while (sl_bisect_next(&bisect, is_in)) {
        assert_false(is_in[0] || is_in[2] || is_in[4] || is_in[6] || is_in[7]);
        sl_bisect_tell(&bisect, !is_in[5]);
    }
    assert_int_equal(sl_bisect_verdict(&bisect), SL_BISECT_FOUND);
    assert_true(sl_bisect_is_bad(&bisect, 5));
    assert_int_equal(bisect.bad, 1);
    sl_bisect_fini(&bisect);
}

/* ---- quarantine ---- */

static void a_path_waits_twice_as_long_each_time_up_to_the_longest(void **state)
{
    struct sl_quarantine quarantine;
    uint8_t is_in[3];

    (void)state;
    assert_true(sl_quarantine_init(&quarantine, 3, 10, 50));
    assert_true(sl_quarantine_next(&quarantine) == INT64_MAX);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 100), 10);
    assert_true(sl_quarantine_has(&quarantine, 1) && !sl_quarantine_has(&quarantine, 0));
    assert_int_equal(sl_quarantine_next(&quarantine), 110);
    assert_int_equal(sl_quarantine_due(&quarantine, 109, is_in), 0);
    assert_int_equal(sl_quarantine_due(&quarantine, 110, is_in), 1);
    assert_true(is_in[1] && !is_in[0]);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 110), 20);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 130), 40);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 170), 50);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 220), 50);
    assert_int_equal(sl_quarantine_put(&quarantine, 2, 220), 10);
    assert_int_equal(quarantine.count, 2);
    assert_int_equal(sl_quarantine_next(&quarantine), 230);
    sl_quarantine_release(&quarantine, 1);
    sl_quarantine_release(&quarantine, 1);
    assert_int_equal(quarantine.count, 1);
    assert_int_equal(sl_quarantine_put(&quarantine, 1, 300), 10);
    sl_quarantine_fini(&quarantine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_refused_paths_are_found),
        cmocka_unit_test(one_bad_path_of_many_takes_few_tries),
        cmocka_unit_test(a_device_that_refuses_everything_is_soon_let_be),
        cmocka_unit_test(paths_that_are_refused_only_together_are_not_called_bad),
        cmocka_unit_test(what_was_not_refused_yet_is_tried_as_a_whole),
        cmocka_unit_test(a_path_that_is_not_looked_at_is_not_tried),
        cmocka_unit_test(a_path_waits_twice_as_long_each_time_up_to_the_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
