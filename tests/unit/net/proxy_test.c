/* The talk with a proxy: what a user may write, what is asked, and every answer, each a second time
 * byte by byte. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "net/proxy.h"

/* ---- the words of a user ---- */

struct good_case {
    const char *text;
    enum sl_proxy_kind kind;
    const char *host;
    uint16_t port;
    const char *user, *password;
    const char *shown;
};

static const struct good_case good_cases[] = {
    {"http://proxy", SL_PROXY_HTTP, "proxy", 8080, "", "", "http://proxy"},
    {"http://proxy:3128/", SL_PROXY_HTTP, "proxy", 3128, "", "", "http://proxy:3128/"},
    {"socks5://[::1]", SL_PROXY_SOCKS5, "::1", 1080, "", "", "socks5://[::1]"},
    {"socks5h://a:b@10.0.0.1:9", SL_PROXY_SOCKS5, "10.0.0.1", 9, "a", "b",
     "socks5h://a:***@10.0.0.1:9"},
    {"http://me@proxy", SL_PROXY_HTTP, "proxy", 8080, "me", "", "http://me@proxy"},
    {"http://me:s%3a%40c%20r:t@proxy", SL_PROXY_HTTP, "proxy", 8080, "me", "s:@c r:t",
     "http://me:***@proxy"},
    {"http://me:a@b/c@proxy:1", SL_PROXY_HTTP, "proxy", 1, "me", "a@b/c", "http://me:***@proxy:1"},
    {"socks5://a%3Ab:c@proxy", SL_PROXY_SOCKS5, "proxy", 1080, "a:b", "c",
     "socks5://a%3Ab:***@proxy"},
};

static void a_proxy_is_taken_apart_and_shown_without_its_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good_cases); i++) {
        const struct good_case *test = &good_cases[i];
        struct sl_proxy proxy;
        struct sl_status why;
        char shown[100];

        if (!sl_proxy_parse(test->text, &proxy, &why)) {
            fail_msg("%s: %s", test->text, why.text);
        }
        assert_int_equal(proxy.kind, test->kind);
        assert_string_equal(proxy.address.host, test->host);
        assert_int_equal(proxy.address.port, test->port);
        assert_string_equal(proxy.user, test->user);
        assert_string_equal(proxy.password, test->password);
        sl_proxy_mask(test->text, shown, sizeof(shown));
        assert_string_equal(shown, test->shown);
        assert_true(sl_proxy_parse(shown, &proxy, &why)); /* what is shown can be read again */
    }
}

static const char *const bad_cases[][2] = {
    {"", "expected http://host:port"},
    {"proxy:3128", "expected http://host:port"},
    {"https://proxy:3128", "expected http://host:port"},
    {"socks4://proxy", "expected http://host:port"},
    {"HTTP://proxy", "expected http://host:port"},
    {"http://", "expected http://host:port"},
    {"http:///", "expected http://host:port"},
    {"http://me:secret@", "expected http://host:port"},
    {"http://me:secret", "expected http://host:port"},
    {"http://proxy:0", "expected http://host:port"},
    {"http://proxy:99999", "expected http://host:port"},
    {"http://proxy/path", "expected http://host:port"},
    {"http://unix:/run/x.sock", "expected http://host:port"},
    {"http://:secret@proxy", "a proxy's password wants a user name"},
    {"http://@proxy", "a proxy's password wants a user name"},
    {"http://a%3Ab:secret@proxy", "can have no colon"},
    {"http://me:secret%@proxy", "two hexadecimal digits"},
    {"http://me:secret%0@proxy", "two hexadecimal digits"},
    {"http://me:secret%zz@proxy", "two hexadecimal digits"},
    {"http://me:secret%0a@proxy", "no control characters"},
    {"http://me:secret%00@proxy", "no control characters"},
};

static void a_proxy_that_cannot_be_is_refused_without_its_password(void **state)
{
    struct sl_proxy proxy;
    struct sl_status why;
    char text[400], shown[400];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad_cases); i++) {
        assert_false(sl_proxy_parse(bad_cases[i][0], &proxy, &why));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
        if (!strstr(why.text, bad_cases[i][1]) || strstr(why.text, "secret")) {
            fail_msg("%s: %s\nand not %s", bad_cases[i][0], why.text, bad_cases[i][1]);
        }
        sl_proxy_mask(bad_cases[i][0], shown, sizeof(shown));
        assert_string_equal(shown, *bad_cases[i][0] ? "***" : "");
    }
    snprintf(text, sizeof(text), "http://me:%0255d@proxy", 7);
    assert_true(sl_proxy_parse(text, &proxy, &why));
    snprintf(text, sizeof(text), "http://me:%0256d@proxy", 7);
    assert_false(sl_proxy_parse(text, &proxy, &why));
    snprintf(text, sizeof(text), "http://%0300d", 7);
    assert_false(sl_proxy_parse(text, &proxy, &why));
}

/* ---- the talk ---- */

/* What the proxy says when it was asked: `answer`, of which `peer_bytes` are the peer's. */
struct talk_case {
    const char *proxy, *to;
    const char *asked; /* all that it hears */
    size_t asked_len;
    const char *answer;
    size_t answer_len;
    size_t peer_bytes;
    const char *reason; /* NULL: the way is open */
    const char *words;
};

#define BYTES(literal) (literal), sizeof(literal) - 1
#define HTTP_ASKED     BYTES("CONNECT leaf1:57400 HTTP/1.1\r\nHost: leaf1:57400\r\n\r\n")
#define SOCKS_ASKED    BYTES("\5\1\0\5\1\0\3\5leaf1\xe0\x38")
#define LOGIN_ASKED    BYTES("\5\2\0\2\1\2me\6secret")
#define HTTP           "http://proxy", "leaf1:57400"
#define HTTP_LOGIN     "http://me:secret@proxy", "leaf1:57400"
#define SOCKS          "socks5://proxy", "leaf1:57400"
#define SOCKS_LOGIN    "socks5://me:secret@proxy", "leaf1:57400"

static const struct talk_case talk_cases[] = {
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 200 Connection established\r\n\r\n"), 0, NULL, NULL},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.0 200\n\nPRI"), 3, NULL, NULL},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 204 X\r\nA: b\r\nContent-Length: 5\r\n\r\n\r\n\r\n"), 4,
     NULL, NULL},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"), 1, NULL, NULL},
    {"http://proxy", "[2001:db8::1]:9",
     BYTES("CONNECT [2001:db8::1]:9 HTTP/1.1\r\nHost: [2001:db8::1]:9\r\n\r\n"),
     BYTES("HTTP/1.1 200 OK\r\n\r\n"), 0, NULL, NULL},
    {HTTP_LOGIN,
     BYTES("CONNECT leaf1:57400 HTTP/1.1\r\nHost: leaf1:57400\r\n"
           "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"),
     BYTES("HTTP/1.1 200 OK\r\n\r\n"), 0, NULL, NULL},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 403 Forbidden\r\n\r\n"), 0, "proxy-refused",
     "it answers: 403 Forbidden"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 502 Bad \x1b[31m\r\n\r\n"), 0, "proxy-refused",
     "502 Bad .[31m"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"), 0, "proxy-refused",
     "302 Found"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 407 Login\r\n\r\n"), 0, "proxy-login",
     "it wants a user name and a password"},
    {HTTP_LOGIN,
     BYTES("CONNECT leaf1:57400 HTTP/1.1\r\nHost: leaf1:57400\r\n"
           "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"),
     BYTES("HTTP/1.1 407 me:secret is wrong\r\n\r\n"), 0, "proxy-login",
     "it refuses the user name or the password"},
    {HTTP_LOGIN,
     BYTES("CONNECT leaf1:57400 HTTP/1.1\r\nHost: leaf1:57400\r\n"
           "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"),
     BYTES("HTTP/1.1 403 no secret bWU6c2VjcmV0\r\n\r\n"), 0, "proxy-refused",
     "it answers: 403 no *** ***"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/2.0 200 OK\r\n\r\n"), 0, "proxy-protocol", "not HTTP"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 2OO OK\r\n\r\n"), 0, "proxy-protocol", "not HTTP"},
    {HTTP, HTTP_ASKED, BYTES("HTTP/1.1 20\r\n\r\n"), 0, "proxy-protocol", "not HTTP"},
    {HTTP, HTTP_ASKED, BYTES("SSH-2.0-x\r\n"), 0, "proxy-protocol", "not HTTP"},
    {HTTP, HTTP_ASKED, BYTES("\r\n"), 0, "proxy-protocol", "not HTTP"},

    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\0\0\1\1\2\3\4\0\0"), 0, NULL, NULL},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\0\0\3\4host\0\0PRI"), 3, NULL, NULL},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\0\0\3\0\0\0"), 0, NULL, NULL},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\0\0\4\1\2\3\4\5\6\7\1\1\2\3\4\5\6\7\1\0\0x"), 1, NULL, NULL},
    {"socks5://proxy", "192.0.2.1:1", BYTES("\5\1\0\5\1\0\1\xc0\0\2\1\0\1"),
     BYTES("\5\0\5\0\0\1\1\2\3\4\0\0"), 0, NULL, NULL},
    {"socks5://proxy", "[2001:db8::1]:1",
     BYTES("\5\1\0\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\1"),
     BYTES("\5\0\5\0\0\1\1\2\3\4\0\0"), 0, NULL, NULL},
    {SOCKS_LOGIN, BYTES("\5\2\0\2\1\2me\6secret\5\1\0\3\5leaf1\xe0\x38"),
     BYTES("\5\2\1\0\5\0\0\1\1\2\3\4\0\0"), 0, NULL, NULL},
    {SOCKS_LOGIN, BYTES("\5\2\0\2\5\1\0\3\5leaf1\xe0\x38"), BYTES("\5\0\5\0\0\1\1\2\3\4\0\0"), 0,
     NULL, NULL}, /* it wants no login */
    {SOCKS_LOGIN, LOGIN_ASKED, BYTES("\5\2\1\1"), 0, "proxy-login", "it refuses"},
    {SOCKS_LOGIN, BYTES("\5\2\0\2"), BYTES("\5\xff"), 0, "proxy-login", "it refuses"},
    {SOCKS, BYTES("\5\1\0"), BYTES("\5\xff"), 0, "proxy-login", "it wants a user name"},
    {SOCKS, BYTES("\5\1\0"), BYTES("\5\2"), 0, "proxy-protocol", "that was not offered"},
    {SOCKS, BYTES("\5\1\0"), BYTES("\4\0"), 0, "proxy-protocol", "not SOCKS5"},
    {SOCKS, BYTES("\5\1\0"), BYTES("HTTP/1.1 400 Bad\r\n\r\n"), 0, "proxy-protocol", "not SOCKS5"},
    {SOCKS_LOGIN, LOGIN_ASKED, BYTES("\5\2\5\0"), 0, "proxy-protocol", "not SOCKS5"},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\2"), 0, "proxy-refused",
     "its rules do not allow it (SOCKS 2)"},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\5\0\1\0\0\0\0\0\0"), 0, "proxy-refused",
     "the connection was refused (SOCKS 5)"},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\x63"), 0, "proxy-refused", "it refuses (SOCKS 99)"},
    {SOCKS, SOCKS_ASKED, BYTES("\5\0\5\0\0\2"), 0, "proxy-protocol", "unknown kind of address"},
};

static void expect_talk(const struct talk_case *test, size_t chunk)
{
    struct sl_proxy proxy;
    struct sl_status why;
    struct sl_address to;
    struct sl_proxy_talk talk;
    struct sl_buf out;
    size_t at = 0, used;

    assert_true(sl_proxy_parse(test->proxy, &proxy, &why));
    assert_true(sl_address_parse(test->to, 1, &to));
    assert_true(sl_proxy_can_reach(&to, &why));
    sl_proxy_talk_init(&talk, &proxy, &to);
    sl_buf_init(&out, 0);
    enum sl_proxy_step step = sl_proxy_talk_feed(&talk, NULL, 0, &used, &out);
    while (step == SL_PROXY_WANTS_INPUT && at < test->answer_len) {
        step = sl_proxy_talk_feed(&talk, (const uint8_t *)test->answer + at,
                                  sl_min_size(chunk, test->answer_len - at), &used, &out);
        at += used;
    }
    assert_int_equal(step, test->reason ? SL_PROXY_FAILED : SL_PROXY_DONE);
    assert_int_equal(out.len, test->asked_len);
    assert_memory_equal(out.data, test->asked, out.len);
    if (test->reason) {
        assert_string_equal(sl_status_reason(&talk.why), test->reason);
        assert_non_null(strstr(talk.why.text, test->words));
        assert_null(strstr(talk.why.text, "secret"));
    } else {
        assert_int_equal(test->answer_len - at, test->peer_bytes);
    }
    sl_buf_fini(&out);
    sl_proxy_talk_fini(&talk);
}

static void each_answer_is_understood_in_one_piece_and_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(talk_cases); i++) {
        expect_talk(&talk_cases[i], SIZE_MAX);
        expect_talk(&talk_cases[i], 1);
    }
}

static void no_answer_is_longer_than_its_limit(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 100 Go on\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(lines); i++) {
        struct sl_proxy proxy = {.kind = SL_PROXY_HTTP};
        struct sl_address to = {.host = "leaf1", .port = 1};
        enum sl_proxy_step step = SL_PROXY_WANTS_INPUT;
        struct sl_proxy_talk talk;
        struct sl_buf out;
        size_t used, heard = 0;

        sl_proxy_talk_init(&talk, &proxy, &to);
        sl_buf_init(&out, 0);
        for (size_t n = 0; step == SL_PROXY_WANTS_INPUT; n++) {
            const char *line = i == 0 && n > 0 ? "XXXXXXXX" : lines[i];
            step = sl_proxy_talk_feed(&talk, (const uint8_t *)line, strlen(line), &used, &out);
            heard += used;
        }
        assert_int_equal(heard, SL_PROXY_MAX_REPLY_BYTES + 1);
        assert_string_equal(talk.why.text, "its answer is longer than 16 KiB");
        assert_true(talk.reply.cap <= SL_PROXY_MAX_REPLY_BYTES);
        sl_buf_fini(&out);
        sl_proxy_talk_fini(&talk);
    }
}

static void some_addresses_are_behind_no_proxy(void **state)
{
    static const char *const addresses[] = {"unix:/run/x.sock", "unix-abstract:x",
                                            "[fe80::1%eth0]:1"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(addresses); i++) {
        struct sl_address to;
        struct sl_status why;

        assert_true(sl_address_parse(addresses[i], 1, &to));
        assert_false(sl_proxy_can_reach(&to, &why));
        assert_int_equal(strncmp(why.text, "no proxy leads to ", 18), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proxy_is_taken_apart_and_shown_without_its_password),
        cmocka_unit_test(a_proxy_that_cannot_be_is_refused_without_its_password),
        cmocka_unit_test(each_answer_is_understood_in_one_piece_and_byte_by_byte),
        cmocka_unit_test(no_answer_is_longer_than_its_limit),
        cmocka_unit_test(some_addresses_are_behind_no_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
