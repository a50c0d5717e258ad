/* Which paths there are, and which of them a path with wildcards matches. */
#include "gnmi/path.h"
#include "test.h"
#include "tool/found.h"

static void assert_matched(const struct sl_found *found, const char *prefix, const char *path,
                           const char *expected)
{
    struct sl_buf out = {0};
    struct sl_status why;
    size_t count;
    Gnmi__Path *before = sl_gnmi_path_parse(sl_str_from(prefix), &why);
    Gnmi__Path *asked = sl_gnmi_path_parse(sl_str_from(path), &why);

    assert_non_null(before);
    assert_non_null(asked);
    why = sl_found_match(found, before, asked, &out, &count);
    assert_string_equal(why.text, "");
    assert_string_equal(sl_buf_text(&out), expected);
    gnmi__path__free_unpacked(before, NULL);
    gnmi__path__free_unpacked(asked, NULL);
    sl_buf_fini(&out);
}

static void begin(struct sl_found *found)
{
    assert_true(sl_found_init(found));
}

static void end(struct sl_found *found)
{
    struct sl_status why = sl_found_end(found);

    assert_string_equal(why.text, "");
}

static void a_file_of_data_is_matched(void **state)
{
    struct sl_found found;

    (void)state;
    begin(&found);
    struct sl_status why =
        sl_found_read(&found, SL_STR("{\"interfaces\":{\"interface\":["
                                     "{\"name\":\"e1\",\"config\":{\"mtu\":1,\"name\":\"e1\"}},"
                                     "{\"name\":\"e/2\",\"config\":{\"mtu\":2,\"name\":\"e/2\"}}]},"
                                     "\"native:/a/b\":{\"mtu\":3}}"));
    assert_string_equal(why.text, "");
    end(&found);
    assert_matched(&found, "/", "/interfaces/interface[name=*]",
                   "/interfaces/interface[name=e/2]\n/interfaces/interface[name=e1]\n");
    assert_matched(&found, "/interfaces", "/interface[name=e1]/config/mtu",
                   "/interfaces/interface[name=e1]/config/mtu\n");
    assert_matched(&found, "/", "/.../mtu",
                   "/interfaces/interface[name=e/2]/config/mtu\n"
                   "/interfaces/interface[name=e1]/config/mtu\n");
    assert_matched(&found, "native:/", "/.../mtu", "native:/a/b/mtu\n");
    assert_matched(&found, "/", "openconfig:/interfaces", "openconfig:/interfaces\n");
    assert_matched(&found, "/", "/nothing", "");
    sl_found_fini(&found);
}

/* Notification{prefix: /i, update: [{path: x[n=1]/n, "1"}, {path: x[n=1]/v, json}, {path: "", no
 * name}]} */
static void add_message(struct sl_found *found)
{
    struct sl_str message = SL_STR("\x0a\x49"
                                   "\x12\x05\x1a\x03\x0a\x01i"
                                   "\x22\x18\x0a\x12\x1a\x0b\x0a\x01x\x12\x06\x0a\x01n\x12\x01"
                                   "1\x1a\x03\x0a\x01n\x1a\x02\x10\x01"
                                   "\x22\x1a\x0a\x0d\x1a\x0b\x0a\x01x\x12\x06\x0a\x01n\x12\x01"
                                   "1\x1a\x09\x52\x07{\"v\":2}"
                                   "\x22\x0a\x0a\x04\x1a\x02\x12\x00\x1a\x02\x18\x01");
    struct sl_status why = sl_found_add_response(found, message);

    assert_string_equal(why.text, "");
}

static void what_a_device_sent_is_matched(void **state)
{
    struct sl_found found;

    (void)state;
    begin(&found);
    add_message(&found);
    add_message(&found); /* the same again changes nothing */
    end(&found);
    assert_matched(&found, "/", "/i/x[n=*]", "/i/x[n=1]\n");
    assert_matched(&found, "/", "/i/*/v", "/i/x[n=1]/v\n");
    assert_int_equal(found.skipped, 2); /* an element without a name */
    sl_found_fini(&found);
}

static void nothing_matches_in_nothing(void **state)
{
    struct sl_found found;

    (void)state;
    begin(&found);
    end(&found);
    assert_matched(&found, "/", "/", "");
    sl_found_fini(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_data_is_matched),
        cmocka_unit_test(what_a_device_sent_is_matched),
        cmocka_unit_test(nothing_matches_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
