/* Every allocation of mending, and of a request in a vendor's shape, fails once: it is said,
 * nothing is left over, and the next attempt goes through. */
#include "normalise/mend.h"

#include <stdlib.h>

#include "failing.h"
#include "gnmi/pack.h"
#include "test.h"

static const char *const paths[] = {"native:/a/b[k=v]", "/c/...", "native:/a/b[k=v]", NULL};
static const struct sl_gnmi_asked asked = {.paths = paths, .mode = SL_GNMI_ON_CHANGE};
static const struct sl_gnmi_subscribe subscribe = {
    .asked = &asked, .asked_count = 1, .prefix = "/", .target = "r1"};

static void add_elem(struct sl_buf *out, struct sl_str name, bool has_key)
{
    size_t elem = sl_pack_begin(out, 3);

    if (name.len) {
        sl_pack_bytes(out, 1, name);
    }
    if (has_key) {
        size_t key = sl_pack_begin(out, 2);

        sl_pack_bytes(out, 1, SL_STR("name"));
        sl_pack_bytes(out, 2, SL_STR("x"));
        sl_pack_end(out, key);
    }
    sl_pack_end(out, elem);
}

/* An update under an origin, its key in an element of its own, and one to be left out. */
static void write_message(struct sl_buf *out)
{
    size_t notification = sl_pack_begin(out, 1);

    sl_pack_varint(out, 1, 5);
    size_t update = sl_pack_begin(out, 4);
    size_t path = sl_pack_begin(out, 1);

    sl_pack_bytes(out, 2, SL_STR("native"));
    add_elem(out, SL_STR("a"), false);
    add_elem(out, SL_STR(""), true);
    sl_pack_end(out, path);
    sl_pack_end(out, update);
    size_t internal = sl_pack_begin(out, 4);

    path = sl_pack_begin(out, 1);
    add_elem(out, SL_STR("__x__"), false);
    sl_pack_end(out, path);
    sl_pack_end(out, internal);
    sl_pack_end(out, notification);
}

static void each_allocation_of_mending_may_fail(void **state)
{
    struct sl_buf message = {.data = NULL};
    struct sl_buf scratch = {.data = NULL};
    struct sl_gnmi_response response;
    bool is_done = false;
    long runs = 0;

    (void)state;
    write_message(&message);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);

    assert_true(sl_status_is_ok(&status));
    while (!is_done) {
        struct sl_mend mend = {.works = 0};
        struct sl_buf out = {.data = NULL};
        struct sl_mended mended;

        has_failed = false;
        left = runs++;
        is_done = sl_mend_set(&mend, UINT32_MAX, &subscribe) &&
                  sl_mend_apply(&mend, &response, true, &out, &mended);
        left = -1;
        assert_int_equal(is_done, !has_failed);
        if (is_done) {
            assert_int_equal(mended.filtered, 1);
            assert_int_equal(mended.response.updates, 1);
        }
        sl_buf_fini(&out);
        sl_mend_fini(&mend);
    }
    assert_true(runs > 10);
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
}

static void each_allocation_of_a_shaped_request_may_fail(void **state)
{
    (void)state;
    for (const struct sl_gnmi_vendor *vendor = sl_gnmi_vendors; vendor->name; vendor++) {
        struct sl_gnmi_profile profile = sl_gnmi_profile_of(vendor);
        struct sl_gnmi_subscribe without = subscribe;
        bool is_done = false;

        without.prefix = NULL;
        without.target = NULL;
        for (long run = 0; !is_done; run++) {
            struct sl_buf out = {.data = NULL};
            uint32_t in_force = 0;

            has_failed = false;
            left = run;
            struct sl_status status =
                sl_gnmi_subscribe_pack_for(&without, &profile, &out, &in_force);

            left = -1;
            is_done = sl_status_is_ok(&status);
            assert_int_equal(is_done, !has_failed);
            sl_buf_fini(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_mending_may_fail),
        cmocka_unit_test(each_allocation_of_a_shaped_request_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
