#include "test.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "net/net.h"
#include "net/words.h"

enum { DEFAULT_PORT = 57400 };

struct good_case {
    const char *text;
    const char *host;
    uint16_t port;
};

static const struct good_case good_cases[] = {
    {"leaf1", "leaf1", DEFAULT_PORT},
    {"leaf1:1", "leaf1", 1},
    {"leaf-1.example_net:65535", "leaf-1.example_net", 65535},
    {"192.0.2.1:9339", "192.0.2.1", 9339},
    {"192.0.2.1", "192.0.2.1", DEFAULT_PORT},
    {"127.0.0.1:0", "127.0.0.1", 0},
    {"[::1]:57401", "::1", 57401},
    {"[2001:db8::1]", "2001:db8::1", DEFAULT_PORT},
    {"[fe80::1%eth0]:80", "fe80::1%eth0", 80},
    {"[::ffff:192.0.2.1]:5", "::ffff:192.0.2.1", 5},
};

static const char *const bad_cases[] = {
    "",         ":57400",      "leaf1:",    "leaf1:65536",   "leaf1:-1",    "leaf1:+1",
    "leaf1:1x", "leaf1: 1",    "leaf1:1 ",  "leaf1:0x10",    "leaf1:99999", "leaf1:000001",
    "leaf 1:1", "leaf1:1:2",   "::1",       "2001:db8::1:5", "[::1",        "[::1]57400",
    "[::1]:",   "[leaf1]:1",   "[]:1",      "[127.0.0.1]:1", "[::1]]:1",    "[[::1]]:1",
    "[::1%]:1", "[::1%e/0]:1", "leaf\n1:1", "leaf\"1:1",     "http://x:1",  "leaf\xc3\xa9:1",
    "[::g]:1",  "[:::1]:1",    "user@x:1",  "[::1]:65536",   "%eth0",       "[%eth0]:1",
};

static void good_addresses_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good_cases); i++) {
        struct sl_address address;

        if (!sl_address_parse(good_cases[i].text, DEFAULT_PORT, &address)) {
            fail_msg("refused: %s", good_cases[i].text);
        }
        assert_string_equal(address.host, good_cases[i].host);
        assert_int_equal(address.port, good_cases[i].port);
    }
}

static void bad_addresses_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad_cases); i++) {
        struct sl_address address;

        if (sl_address_parse(bad_cases[i], DEFAULT_PORT, &address)) {
            fail_msg("taken: %s", bad_cases[i]);
        }
    }
}

static void a_host_is_a_name_or_an_address(void **state)
{
    static const char *const good[] = {"leaf1", "leaf-1.example.", "192.0.2.1", "::1",
                                       "fe80::1%eth0"};
    static const char *const bad[] = {"", "leaf1:57400", "[::1]", "http://leaf1", "leaf 1", "::g"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        assert_true(sl_host_is_valid(good[i]));
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(sl_host_is_valid(bad[i]));
    }
}

static void a_host_longer_than_its_room_is_refused(void **state)
{
    struct sl_address address;
    char text[300];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[255] = '\0';
    assert_true(sl_address_parse(text, 1, &address));
    assert_int_equal(strlen(address.host), 255);
    text[255] = 'a';
    text[256] = '\0';
    assert_false(sl_address_parse(text, 1, &address));
    memcpy(text, "[::1", 4);
    text[290] = ']';
    text[291] = '\0';
    assert_false(sl_address_parse(text, 1, &address));
}

struct unix_case {
    const char *text;
    enum sl_address_kind kind;
    const char *path;
    const char *again; /* as it is printed */
};

static const struct unix_case unix_cases[] = {
    {"unix:/run/x.sock", SL_ADDRESS_UNIX, "/run/x.sock", "unix:/run/x.sock"},
    {"unix:///run/x.sock", SL_ADDRESS_UNIX, "/run/x.sock", "unix:/run/x.sock"},
    {"unix:x.sock", SL_ADDRESS_UNIX, "x.sock", "unix:x.sock"},
    {"unix:a b:c", SL_ADDRESS_UNIX, "a b:c", "unix:a b:c"},
    {"unix-abstract:x/y", SL_ADDRESS_ABSTRACT, "x/y", "unix-abstract:x/y"},
    {"unix-abstract://x", SL_ADDRESS_ABSTRACT, "//x", "unix-abstract://x"},
};

static void unix_addresses_are_taken_apart_and_put_together(void **state)
{
    static const char *const bad[] = {"unix:", "unix://host/path", "unix://",
                                      "unix-abstract:", "unix-other:x"};
    struct sl_address address;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(unix_cases); i++) {
        char again[SL_ADDRESS_TEXT_BYTES];

        assert_true(sl_address_parse(unix_cases[i].text, 1, &address));
        assert_int_equal(address.kind, unix_cases[i].kind);
        assert_string_equal(address.host, unix_cases[i].path);
        assert_int_equal(address.port, 0);
        sl_address_print(&address, again);
        assert_string_equal(again, unix_cases[i].again);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        assert_false(sl_address_parse(bad[i], 1, &address));
    }
}

static void hosts_are_put_together_again(void **state)
{
    static const char *const texts[] = {"leaf1:57400", "127.0.0.1:0", "[fe80::1%eth0]:1"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        struct sl_address address;
        char again[SL_ADDRESS_TEXT_BYTES];

        assert_true(sl_address_parse(texts[i], 1, &address));
        sl_address_print(&address, again);
        assert_string_equal(again, texts[i]);
    }
}

/* What a counter and what to try hang on. */
static void errors_of_the_system_have_reasons(void **state)
{
    static const struct {
        int error;
        const char *reason;
    } rows[] = {
        {UV_ECONNREFUSED, "connection-refused"},
        {UV_ECONNRESET, "connection-reset"},
        {UV_EPIPE, "connection-reset"},
        {UV_ETIMEDOUT, "timed-out"},
        {UV_EHOSTUNREACH, "unreachable"},
        {UV_ENETUNREACH, "unreachable"},
        {UV_EAI_NONAME, "name-unknown"},
        {UV_EAI_NODATA, "name-unknown"},
        {UV_ENOBUFS, "unavailable"},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_status why = sl_net_error("connect", "leaf1:57400", rows[i].error);

        assert_string_equal(sl_status_reason(&why), rows[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses_are_taken_apart),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(a_host_is_a_name_or_an_address),
        cmocka_unit_test(a_host_longer_than_its_room_is_refused),
        cmocka_unit_test(unix_addresses_are_taken_apart_and_put_together),
        cmocka_unit_test(hosts_are_put_together_again),
        cmocka_unit_test(errors_of_the_system_have_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
