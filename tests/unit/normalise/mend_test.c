/* Mends: what comes in as a vendor sends it, and what goes on. */
#include "normalise/mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/extension.h"
#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "test.h"

static const char *const asked_paths[] = {"/interfaces/interface[name=*]/state", "/a/.../z", NULL};
static const struct sl_gnmi_asked asked = {.paths = asked_paths};
static const struct sl_gnmi_subscribe subscribe = {
    .asked = &asked, .asked_count = 1, .target = "r1"};

/* One response, made field by field, and what became of it. */
struct scene {
    struct sl_mend mend;
    struct sl_buf message;
    struct sl_buf scratch;
    struct sl_buf out;
    struct sl_gnmi_response response;
    struct sl_mended mended;
};

static void begin(struct scene *scene, uint32_t works)
{
    *scene = (struct scene){.mend = {.works = 0}};
    assert_true(sl_mend_set(&scene->mend, works, &subscribe));
}

static void end(struct scene *scene)
{
    sl_mend_fini(&scene->mend);
    sl_buf_fini(&scene->message);
    sl_buf_fini(&scene->scratch);
    sl_buf_fini(&scene->out);
}

/* The path of `text`; one that begins with '[' is an element without a name. */
static void add_path(struct sl_buf *out, uint32_t number, const char *text, const char *target)
{
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(sl_str_from(text), &why);
    size_t start = sl_pack_begin(out, number);

    assert_non_null(path);
    assert_true(sl_buf_reserve(out, gnmi__path__get_packed_size(path)));
    out->len += gnmi__path__pack(path, (uint8_t *)out->data + out->len);
    if (target) {
        sl_pack_bytes(out, 4, sl_str_from(target));
    }
    sl_pack_end(out, start);
    gnmi__path__free_unpacked(path, NULL);
}

struct row {
    char kind; /* 'u'pdate, 'd'elete, 'e'mpty update */
    const char *path;
};

/* The text of a notification: "prefix(target): u path, d path". */
static void write_text(const struct sl_gnmi_response *response, struct sl_buf *out)
{
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(response);
    struct sl_gnmi_cursor deletes = updates;
    struct sl_gnmi_update update;
    struct sl_gnmi_path prefix;
    struct sl_str path;

    sl_gnmi_path_read(response->prefix, &prefix);
    assert_true(sl_gnmi_path_print(SL_STR(""), response->prefix, out));
    sl_buf_printf(out, "(%.*s):", SL_STR_ARG(prefix.target));
    while (sl_gnmi_next_update(&updates, &update)) {
        sl_buf_add_c(out, " u ");
        assert_true(sl_gnmi_path_print(SL_STR(""), update.path, out));
        assert_true(update.value.kind == SL_GNMI_VALUE_UINT || update.path.len == 0);
    }
    while (sl_gnmi_next_delete(&deletes, &path)) {
        sl_buf_add_c(out, " d ");
        assert_true(sl_gnmi_path_print(SL_STR(""), path, out));
    }
}

static void make(struct scene *scene, int64_t timestamp_ns, const char *prefix, const char *target,
                 const struct row *rows, size_t count)
{
    struct sl_buf *out = &scene->message;

    sl_buf_reset(out);
    size_t notification = sl_pack_begin(out, 1);

    if (timestamp_ns) {
        sl_pack_varint(out, 1, (uint64_t)timestamp_ns);
    }
    if (prefix) {
        add_path(out, 2, prefix, target);
    }
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == 'd') {
            add_path(out, 5, rows[i].path, NULL);
            continue;
        }
        size_t update = sl_pack_begin(out, 4);

        if (rows[i].kind == 'u') {
            add_path(out, 1, rows[i].path, NULL);
            size_t value = sl_pack_begin(out, 3);

            sl_pack_varint(out, 3, 7);
            sl_pack_end(out, value);
        }
        sl_pack_end(out, update);
    }
    sl_pack_end(out, notification);
}

static void apply(struct scene *scene)
{
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(&scene->message), &scene->scratch, &scene->response);

    assert_true(sl_status_is_ok(&status));
    assert_true(sl_mend_apply(&scene->mend, &scene->response, true, &scene->out, &scene->mended));
}

static void expect(struct scene *scene, const char *text, uint32_t filtered)
{
    struct sl_buf found = {.data = NULL};

    assert_false(scene->mended.is_dropped);
    write_text(&scene->mended.response, &found);
    assert_string_equal(sl_buf_text(&found), text);
    assert_int_equal(scene->mended.filtered, filtered);
    assert_int_equal(scene->mended.response.updates + scene->mended.response.deletes + filtered,
                     scene->response.updates + scene->response.deletes);
    sl_buf_fini(&found);
}

static uint64_t changed(const struct scene *scene, enum sl_gnmi_workaround work)
{
    return scene->mend.counts.changed[work];
}

static void without_mends_it_is_the_same(void **state)
{
    const struct row rows[] = {{'u', "/__x__"}, {'e', NULL}};
    struct scene scene;

    (void)state;
    begin(&scene, 0);
    make(&scene, 0, "/[k=v]", NULL, rows, 2);
    apply(&scene);
    assert_ptr_equal(scene.mended.response.notification.data, scene.response.notification.data);
    assert_int_equal(scene.mended.filtered, 0);
    end(&scene);
}

static void with_all_mends_a_good_one_is_the_same(void **state)
{
    const struct row rows[] = {{'u', "/state/counters/in"}, {'d', "/state/x"}};
    struct scene scene;

    (void)state;
    begin(&scene, UINT32_MAX);
    make(&scene, 5, "openconfig:/interfaces/interface[name=a]", "r1", rows, 2);
    apply(&scene);
    assert_ptr_equal(scene.mended.response.notification.data, scene.response.notification.data);
    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        assert_int_equal(scene.mend.counts.changed[i], 0);
    }
    end(&scene);
}

static void a_notification_of_time_0_is_left_out(void **state)
{
    const struct row rows[] = {{'u', "/a"}, {'d', "/b"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_TIMELESS));
    make(&scene, 0, NULL, NULL, rows, 2);
    apply(&scene);
    assert_true(scene.mended.is_dropped);
    assert_int_equal(scene.mended.filtered, 2);
    make(&scene, 0, NULL, NULL, rows, 0);
    apply(&scene);
    assert_true(scene.mended.is_dropped);
    assert_int_equal(changed(&scene, SL_GNMI_DROPS_TIMELESS), 3);
    make(&scene, 1, NULL, NULL, rows, 2);
    apply(&scene);
    expect(&scene, "/(): u /a d /b", 0);
    end(&scene);
}

static void a_prefix_gets_the_target_that_was_asked_for(void **state)
{
    const struct row rows[] = {{'u', "/a"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(RESTORES_TARGET));
    make(&scene, 1, "Cisco-IOS-XR-ifmgr-oper:/", NULL, rows, 1);
    apply(&scene);
    expect(&scene, "Cisco-IOS-XR-ifmgr-oper:/(r1): u /a", 0);
    make(&scene, 1, NULL, NULL, rows, 1);
    apply(&scene);
    expect(&scene, "/(r1): u /a", 0);
    make(&scene, 1, "/x", "other", rows, 1);
    apply(&scene);
    expect(&scene, "/x(other): u /a", 0);
    assert_int_equal(changed(&scene, SL_GNMI_RESTORES_TARGET), 2);
    end(&scene);
}

static void an_origin_of_all_paths_goes_into_the_prefix(void **state)
{
    const struct row same[] = {{'u', "o:/a"}, {'u', "/b[k=1]"}, {'d', "o:/c"}};
    const struct row two[] = {{'u', "o:/a"}, {'d', "p:/c"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(LIFTS_ORIGIN));
    make(&scene, 1, "/x[k=v]", "t", same, 3);
    apply(&scene);
    expect(&scene, "o:/x[k=v](t): u /a u /b[k=1] d /c", 0);
    make(&scene, 1, NULL, NULL, same, 1);
    apply(&scene);
    expect(&scene, "o:/(): u /a", 0);
    make(&scene, 1, "/x", NULL, two, 2);
    apply(&scene);
    expect(&scene, "/x(): u o:/a d p:/c", 0);
    make(&scene, 1, "q:/x", NULL, same, 1);
    apply(&scene);
    expect(&scene, "q:/x(): u o:/a", 0);
    assert_int_equal(changed(&scene, SL_GNMI_LIFTS_ORIGIN), 2);
    end(&scene);
}

static void keys_without_a_name_belong_to_the_element_before(void **state)
{
    const struct row inside[] = {{'u', "/interfaces/interface/[name=ge0]/state"}, {'u', "/b"}};
    const struct row first[] = {{'u', "/[name=ge0]/state"}, {'d', "/[name=ge1]"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(JOINS_NAMELESS));
    make(&scene, 1, NULL, NULL, inside, 2);
    apply(&scene);
    expect(&scene, "/(): u /interfaces/interface[name=ge0]/state u /b", 0);
    make(&scene, 1, "o:/interfaces/interface", "t", first, 2);
    apply(&scene);
    expect(&scene,
           "o:/(t): u /interfaces/interface[name=ge0]/state d /interfaces/interface[name=ge1]", 0);
    make(&scene, 1, "/interfaces/interface/[name=x]", NULL, inside + 1, 1);
    apply(&scene);
    expect(&scene, "/(): u /interfaces/interface[name=x]/b", 0);
    make(&scene, 1, NULL, NULL, first, 1);
    apply(&scene);
    expect(&scene, "/(): u /[name=ge0]/state", 0);
    end(&scene);
}

static void internal_leaves_are_left_out(void **state)
{
    const struct row rows[] = {{'u', "/__timestamp__"},
                               {'u', "/a"},
                               {'u', "/b/__junos_re_stream_creation_timestamp__"},
                               {'u', "/__half"},
                               {'u', "/____"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_INTERNAL));
    make(&scene, 1, "/x", NULL, rows, 5);
    apply(&scene);
    expect(&scene, "/x(): u /a u /__half u /____", 2);
    make(&scene, 1, "/x", NULL, rows, 1);
    apply(&scene);
    assert_true(scene.mended.is_dropped);
    assert_int_equal(changed(&scene, SL_GNMI_DROPS_INTERNAL), 3);
    end(&scene);
}

static void what_nobody_asked_for_is_left_out(void **state)
{
    static const struct {
        const char *prefix;
        const char *path;
        bool is_asked;
    } rows[] = {
        {NULL, "/interfaces/interface[name=a]/state/counters", true},
        {NULL, "/interfaces/interface[name=a]/state", true},
        {NULL, "/interfaces", true}, /* its value may hold it */
        {"/interfaces/interface[name=a]", "/state/x", true},
        {NULL, "/openconfig-interfaces:interfaces/interface/state", true},
        {"/interfaces/interface", "/[name=a]/state/x", true},
        {NULL, "/interfaces/interface[name=a]/config", false},
        {NULL, "/system/state", false},
        {"/interfaces", "/other", false},
        {NULL, "/a/b/c/z", true},
        {NULL, "/b", false},
    };
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_UNASKED));
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        const struct row row = {'u', rows[i].path};

        make(&scene, 1, rows[i].prefix, NULL, &row, 1);
        apply(&scene);
        assert_int_equal(scene.mended.is_dropped, !rows[i].is_asked);
    }
    assert_int_equal(changed(&scene, SL_GNMI_DROPS_UNASKED), 4);
    end(&scene);
}

static void keys_that_were_asked_for_count(void **state)
{
    static const char *const paths[] = {"/if[name=a]/state", NULL};
    const struct sl_gnmi_asked keyed = {.paths = paths};
    const struct sl_gnmi_subscribe with_key = {.asked = &keyed, .asked_count = 1, .prefix = "/top"};
    const struct row rows[] = {
        {'u', "/if[name=a]/state/x"}, {'u', "/if[name=b]/state/x"}, {'u', "/if[id=b]/state/x"}};
    const struct row nameless[] = {{'u', "/if/[name=b]/state"}, {'u', "/if/[name=a]/state"}};
    struct scene scene;

    (void)state;
    begin(&scene, 0);
    assert_true(sl_mend_set(&scene.mend, SL_GNMI_WORK(DROPS_UNASKED), &with_key));
    make(&scene, 1, "/top", NULL, rows, 3);
    apply(&scene);
    expect(&scene, "/top(): u /if[name=a]/state/x u /if[id=b]/state/x", 1);
    make(&scene, 1, "/top", NULL, nameless, 2);
    apply(&scene);
    expect(&scene, "/top(): u /if/[name=a]/state", 1);
    end(&scene);
}

static void updates_with_nothing_in_them_are_left_out(void **state)
{
    const struct row rows[] = {{'e', NULL}, {'d', "/a"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_EMPTY));
    make(&scene, 1, "/x", NULL, rows, 2);
    apply(&scene);
    expect(&scene, "/x(): d /a", 1);
    make(&scene, 1, "/x", NULL, rows, 1);
    apply(&scene);
    assert_true(scene.mended.is_dropped);
    end(&scene);
}

static void a_message_mended_twice_counts_once(void **state)
{
    const struct row rows[] = {{'e', NULL}, {'d', "/a"}};
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_EMPTY));
    make(&scene, 1, "/x", NULL, rows, 2);
    apply(&scene);
    assert_true(sl_mend_apply(&scene.mend, &scene.response, false, &scene.out, &scene.mended));
    expect(&scene, "/x(): d /a", 1);
    assert_int_equal(changed(&scene, SL_GNMI_DROPS_EMPTY), 1);
    end(&scene);
}

/* ---- the header of Junos ---- */

static uint64_t note(struct scene *scene, const char *component, uint64_t sequence, bool is_end)
{
    struct sl_buf *out = &scene->message;

    sl_buf_reset(out);
    size_t extension = sl_pack_begin(out, 5);
    size_t registered = sl_pack_begin(out, 1);

    sl_pack_varint(out, 1, 1);
    size_t header = sl_pack_begin(out, 2);

    sl_pack_bytes(out, 1, SL_STR("re0:10.0.0.1"));
    sl_pack_varint(out, 2, 65535);
    sl_pack_bytes(out, 7, sl_str_from(component));
    sl_pack_varint(out, 8, sequence);
    sl_pack_varint(out, 14, is_end);
    sl_pack_end(out, header);
    sl_pack_end(out, registered);
    sl_pack_end(out, extension);
    struct sl_status status =
        sl_gnmi_response_read(sl_buf_str(out), &scene->scratch, &scene->response);

    assert_true(sl_status_is_ok(&status));
    return sl_mend_note(&scene->mend, &scene->response);
}

static void numbers_that_are_missing_are_messages_lost(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(COUNTS_SEQUENCE));
    assert_int_equal(note(&scene, "mib2d", 5, false), 0);
    assert_int_equal(note(&scene, "mib2d", 6, false), 0);
    assert_int_equal(note(&scene, "mib2d", 6, true), 0); /* a part of the same */
    assert_int_equal(note(&scene, "chassisd", 100, false), 0);
    assert_int_equal(note(&scene, "mib2d", 9, false), 2);
    assert_int_equal(note(&scene, "mib2d", 1 << 21, false), 0); /* a range of its own */
    assert_int_equal(note(&scene, "mib2d", 10, false), 0);
    assert_int_equal(note(&scene, "mib2d", 0, false), 0); /* anew */
    assert_int_equal(note(&scene, "chassisd", 102, false), 1);
    assert_int_equal(scene.mend.counts.headers, 9);
    assert_int_equal(scene.mend.counts.ends, 1);
    assert_int_equal(scene.mend.counts.lost, 3);
    sl_mend_begin(&scene.mend);
    assert_int_equal(note(&scene, "mib2d", 900, false), 0);
    end(&scene);
}

static void the_oldest_of_too_many_sensors_is_forgotten(void **state)
{
    struct scene scene;
    char name[16];

    (void)state;
    begin(&scene, SL_GNMI_WORK(COUNTS_SEQUENCE));
    for (int i = 0; i <= SL_MEND_SENSORS; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        assert_int_equal(note(&scene, name, 1, false), 0);
    }
    assert_int_equal(note(&scene, name, 3, false), 1);
    assert_int_equal(note(&scene, "c1", 3, false), 1);
    assert_int_equal(note(&scene, "c0", 3, false), 0);
    end(&scene);
}

static void without_the_vendor_no_header_is_read(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, SL_GNMI_WORK(DROPS_EMPTY));
    assert_int_equal(note(&scene, "mib2d", 5, false), 0);
    assert_int_equal(note(&scene, "mib2d", 9, false), 0);
    assert_int_equal(scene.mend.counts.headers, 0);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_mends_it_is_the_same),
        cmocka_unit_test(with_all_mends_a_good_one_is_the_same),
        cmocka_unit_test(a_notification_of_time_0_is_left_out),
        cmocka_unit_test(a_prefix_gets_the_target_that_was_asked_for),
        cmocka_unit_test(an_origin_of_all_paths_goes_into_the_prefix),
        cmocka_unit_test(keys_without_a_name_belong_to_the_element_before),
        cmocka_unit_test(internal_leaves_are_left_out),
        cmocka_unit_test(what_nobody_asked_for_is_left_out),
        cmocka_unit_test(keys_that_were_asked_for_count),
        cmocka_unit_test(updates_with_nothing_in_them_are_left_out),
        cmocka_unit_test(a_message_mended_twice_counts_once),
        cmocka_unit_test(numbers_that_are_missing_are_messages_lost),
        cmocka_unit_test(the_oldest_of_too_many_sensors_is_forgotten),
        cmocka_unit_test(without_the_vendor_no_header_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
