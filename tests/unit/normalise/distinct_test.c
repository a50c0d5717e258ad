/* Of several updates of one path the last one counts. */
#include <stdlib.h>
#include <string.h>

#include "gnmi/pack.h"
#include "normalise/distinct.h"
#include "test.h"

struct sample {
    struct sl_buf message;
    struct sl_buf scratch;
    struct sl_gnmi_response response;
};

static void add_path(struct sl_buf *out, uint32_t number, const char *name)
{
    size_t path = sl_pack_begin(out, number);
    size_t elem = sl_pack_begin(out, 3);

    sl_pack_bytes(out, 1, sl_str_from(name));
    sl_pack_end(out, elem);
    sl_pack_end(out, path);
}

static void add_update(struct sl_buf *out, const char *name, uint64_t value, uint32_t duplicates)
{
    size_t update = sl_pack_begin(out, 4);

    add_path(out, 1, name);
    size_t typed = sl_pack_begin(out, 3);
    sl_pack_varint(out, 3, value);
    sl_pack_end(out, typed);
    sl_pack_varint(out, 4, duplicates);
    sl_pack_end(out, update);
}

/* "a1 b2 -c": updates of /a and /b with these values, a delete of /c. */
static void make(struct sample *sample, const char *text)
{
    *sample = (struct sample){0};
    size_t notification = sl_pack_begin(&sample->message, 1);

    sl_pack_varint(&sample->message, 1, 42);
    sl_pack_varint(&sample->message, 6, 1);
    for (; *text; text += strspn(text, " ")) {
        char name[2] = {*text == '-' ? text[1] : text[0], '\0'};
        if (*text == '-') {
            add_path(&sample->message, 5, name);
        } else {
            add_update(&sample->message, name, (uint64_t)(text[1] - '0'), 1);
        }
        text += 2;
    }
    sl_pack_end(&sample->message, notification);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&sample->message), &sample->scratch, &sample->response);
    assert_true(sl_status_is_ok(&status));
}

static void drop(struct sample *sample)
{
    sl_buf_fini(&sample->message);
    sl_buf_fini(&sample->scratch);
}

/* The other way round. */
static void spell(const struct sl_gnmi_response *response, char *text)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;
    struct sl_str path;

    for (; sl_gnmi_next_update(&cursor, &update); *text++ = ' ') {
        *text++ = update.path.data[update.path.len - 1];
        *text++ = (char)('0' + update.value.of.u64);
    }
    cursor = sl_gnmi_response_begin(response);
    for (; sl_gnmi_next_delete(&cursor, &path); *text++ = ' ') {
        *text++ = '-';
        *text++ = path.data[path.len - 1];
    }
    text[-1] = '\0';
}

static void assert_distinct(struct sl_distinct *distinct, const char *sent, const char *kept)
{
    struct sample sample;
    struct sl_gnmi_response made;
    char text[256];

    make(&sample, sent);
    const struct sl_gnmi_response *response = sl_distinct_apply(distinct, &sample.response, &made);
    assert_non_null(response);
    spell(response, text);
    assert_string_equal(text, kept);
    assert_int_equal(response == &sample.response, strcmp(sent, kept) == 0);
    assert_int_equal(response->updates + response->deletes, (strlen(kept) + 1) / 3);
    assert_int_equal(response->timestamp_ns, 42);
    assert_true(response->is_atomic);
    drop(&sample);
}

static void the_last_update_of_a_path_counts(void **state)
{
    struct sl_distinct distinct = {0};

    (void)state;
    assert_distinct(&distinct, "a1", "a1");
    assert_distinct(&distinct, "a1 b2", "a1 b2");
    assert_distinct(&distinct, "a1 a2", "a2");
    assert_distinct(&distinct, "a1 b2 a3 c4 b5", "a3 c4 b5");
    assert_distinct(&distinct, "a1 a1 a1 a1", "a1");
    sl_distinct_fini(&distinct);
}

static void a_delete_of_the_same_path_stays(void **state)
{
    struct sl_distinct distinct = {0};

    (void)state;
    assert_distinct(&distinct, "a1 a2 -a -a", "a2 -a -a");
    assert_distinct(&distinct, "a1 -a", "a1 -a");
    sl_distinct_fini(&distinct);
}

static void one_notification_says_nothing_of_the_next(void **state)
{
    struct sl_distinct distinct = {0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_distinct(&distinct, "a1 b1", "a1 b1");
    }
    distinct.stamp = UINT32_MAX;
    assert_distinct(&distinct, "a1 b1 a2", "b1 a2");
    assert_distinct(&distinct, "a1 b1", "a1 b1");
    sl_distinct_fini(&distinct);
}

/* More updates than are looked at: of those the last counts, those behind stay, memory is bounded.
 */
static void there_is_a_limit(void **state)
{
    struct sl_distinct distinct = {0};
    struct sample sample = {0};
    struct sl_gnmi_response made;
    size_t notification = sl_pack_begin(&sample.message, 1);

    (void)state;
    for (int i = 0; i < SL_DISTINCT_MAX_UPDATES + 10; i++) {
        add_update(&sample.message, "a", (uint64_t)i, 0);
    }
    sl_pack_end(&sample.message, notification);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&sample.message), &sample.scratch, &sample.response);
    assert_true(sl_status_is_ok(&status));
    const struct sl_gnmi_response *response = sl_distinct_apply(&distinct, &sample.response, &made);
    assert_non_null(response);
    assert_int_equal(response->updates, 11);
    drop(&sample);
    assert_distinct(&distinct, "a1 a2", "a2");
    assert_true(distinct.slots.cap <= SL_DISTINCT_KEPT_BYTES);
    assert_true(distinct.dead.cap <= SL_DISTINCT_KEPT_BYTES);
    sl_distinct_fini(&distinct);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_update_of_a_path_counts),
        cmocka_unit_test(a_delete_of_the_same_path_stays),
        cmocka_unit_test(one_notification_says_nothing_of_the_next),
        cmocka_unit_test(there_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
