/* member_memory_test.c - each allocation of members fails once: what is said, and nothing is lost.
 */
#include "failing.h"
#include "test.h"

#include "stream/asking.h"
#include "stream/bisect.h"
#include "stream/member.h"
#include "stream/quarantine.h"

static const char *const paths_a[] = {"/a", "/b[k=v]", NULL};
static const char *const paths_c[] = {"/c", NULL};
static const struct sl_gnmi_asked asked_a = {.paths = paths_a};
static const struct sl_gnmi_asked asked_c = {.paths = paths_c};
static const struct sl_stream_member two[] = {{"ab", &asked_a, 1}, {"c", &asked_c, 1}};

/* Updates of /a and /c, each an int of 1, in one notification. */
static const uint8_t mixed[] = {0x0a, 0x1c, 0x08, 0x01, 0x22, 0x0b, 0x0a, 0x05, 0x1a, 0x03,
                                0x0a, 0x01, 'a',  0x1a, 0x02, 0x10, 0x01, 0x22, 0x0b, 0x0a,
                                0x05, 0x1a, 0x03, 0x0a, 0x01, 'c',  0x1a, 0x02, 0x10, 0x01};

/* Shares and splits one message; false when memory was out. */
static bool share(struct sl_members *members)
{
    struct sl_str message = {(const char *)mixed, sizeof(mixed)};
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    assert_int_equal(status.code, SL_OK);
    if (!sl_members_share(members, &response)) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(sl_members_updates(members, i), 1);
        const struct sl_gnmi_response *part = sl_members_part(members, &response, i);
        if (!part) {
            return false;
        }
        assert_int_equal(part->updates, 1);
    }
    return true;
}

static bool run_members(void)
{
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_members_scratch scratch = {.owners = {0}};
    struct sl_status why = sl_status_ok();
    struct sl_members *members = sl_members_new(two, 2, "/", &memory, &scratch, &why);
    bool is_whole = members && share(members);

    assert_true(members || why.code == SL_RESOURCE_EXHAUSTED);
    sl_members_free(members);
    sl_buf_fini(&scratch.owners);
    sl_buf_fini(&scratch.part);
    assert_int_equal(memory.used_bytes, 0);
    return is_whole;
}

static bool run_asking(void)
{
    const struct sl_gnmi_subscribe subscribe = {.encoding = SL_GNMI_PROTO, .prefix = "/p"};
    static const uint8_t is_in[] = {1, 0, 1};
    struct sl_asking asking = {.paths = NULL};
    struct sl_buf request = {0};
    uint32_t in_force = 0;
    bool is_whole = sl_asking_init(&asking, two, 2);

    if (is_whole) {
        struct sl_status status =
            sl_asking_pack(&asking, is_in, &subscribe, NULL, &request, &in_force);
        is_whole = sl_status_is_ok(&status);
        assert_true(is_whole || status.code == SL_RESOURCE_EXHAUSTED);
    }
    sl_asking_fini(&asking);
    sl_buf_fini(&request);
    return is_whole;
}

static bool run_bisect(void)
{
    struct sl_bisect bisect;
    struct sl_quarantine quarantine;
    bool is_whole = sl_bisect_init(&bisect, 10);

    if (is_whole) {
        is_whole = sl_quarantine_init(&quarantine, 10, 1, 2);
        sl_quarantine_fini(&quarantine);
        sl_bisect_fini(&bisect);
    }
    return is_whole;
}

static void fail_each(bool (*run)(void))
{
    long runs = 0;
    bool is_whole;

    do {
        has_failed = false;
        left = runs++;
        is_whole = run();
        left = -1;
        assert_true(is_whole || has_failed);
    } while (has_failed);
    assert_true(is_whole);
    assert_true(runs > 3);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    fail_each(run_members);
    fail_each(run_asking);
    fail_each(run_bisect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
