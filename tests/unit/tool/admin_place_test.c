#include "tool/admin_place.h"

#include "test.h"

static void expect(const char *text, bool wants_tls, const char *url, bool is_local)
{
    struct sl_admin_place place;
    struct sl_status why;

    assert_true(sl_admin_place_parse(text, wants_tls, &place, &why));
    assert_string_equal(place.url, url);
    assert_int_equal(place.is_local, is_local);
    assert_int_equal(place.is_tls, strncmp(url, "https", 5) == 0);
}

static void hosts_have_a_port_and_a_scheme(void **state)
{
    (void)state;
    expect("127.0.0.1:1234", false, "http://127.0.0.1:1234", true);
    expect("localhost", false, "http://localhost:9804", true);
    expect("127.1.2.3", false, "http://127.1.2.3:9804", true);
    expect("[::1]:80", false, "http://[::1]:80", true);
    expect("[2001:db8::1]", true, "https://[2001:db8::1]:9804", false);
    expect("col1:80", false, "http://col1:80", false);
    expect("https://col1", false, "https://col1:9804", false);
    expect("https://col1:443/", false, "https://col1:443", false);
    expect("http://col1:443", true, "http://col1:443", false);
    expect("127.0.0.1.evil.example", false, "http://127.0.0.1.evil.example:9804", false);
}

static void a_unix_socket_is_local(void **state)
{
    struct sl_admin_place place;
    struct sl_status why;

    (void)state;
    expect("unix:/run/x.sock", false, "http://localhost", true);
    assert_true(sl_admin_place_parse("unix:/run/x.sock", false, &place, &why));
    assert_string_equal(place.socket, "/run/x.sock");
    assert_true(sl_admin_place_parse("unix-abstract:x", false, &place, &why));
    assert_string_equal(place.socket, "@x");
    assert_true(sl_admin_place_parse("127.0.0.1", false, &place, &why));
    assert_string_equal(place.socket, "");
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",          "http://",   "col1:99999",        "https://unix:/x",
        "user@col1", "col1/path", "https://col1/path", "col1?x",
        "col 1",     "\x1b[2J",   "http://http://x",
    };
    struct sl_admin_place place;
    struct sl_status why;
    char longest[400];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        if (sl_admin_place_parse(bad[i], false, &place, &why)) {
            fail_msg("'%s' is taken: %s", bad[i], place.url);
        }
    }
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_false(sl_admin_place_parse(longest, false, &place, &why));
    memcpy(longest, "unix:/", 6);
    assert_false(sl_admin_place_parse(longest, false, &place, &why));
    longest[200] = '\0';
    assert_false(sl_admin_place_parse(longest, false, &place, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_have_a_port_and_a_scheme),
        cmocka_unit_test(a_unix_socket_is_local),
        cmocka_unit_test(what_is_no_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
