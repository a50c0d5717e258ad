#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/admin.h"
#include "page/page.h"

enum { WAIT_MS = 5000, PAGE_BYTES = 16 * 1024 * 1024 };

/* What the pages say; written before the request that asks. */
struct pages {
    bool is_healthy;
    size_t page_bytes; /* 0: a short page */
    unsigned renders;
};

static void render(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    struct pages *pages = arg;
    struct sl_buf *out = &answer->body;

    (void)request;
    pages->renders++;
    answer->type = "application/openmetrics-text";
    sl_buf_add_c(out, "sluice_up 1\n");
    if (pages->page_bytes > 0 && sl_buf_reserve(out, pages->page_bytes)) {
        memset(out->data + out->len, 'x', pages->page_bytes);
        out->len += pages->page_bytes;
    }
}

static void health(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    const struct pages *pages = arg;

    (void)request;
    sl_admin_answer_text(answer, pages->is_healthy ? 200 : 503,
                         pages->is_healthy ? "ok\n" : "worker 1 stands still\n");
}

/* Says back what it was asked. */
static void echo(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg)
{
    const char *what = sl_admin_param(request, "what");
    uint64_t count;

    (void)arg;
    if (!sl_admin_param_u64(request, "count", 7, 10, &count, answer)) {
        return;
    }
    sl_admin_answer_text(answer, 200, "");
    sl_buf_printf(&answer->body, "name=%s what=%s count=%u body=%.*s", request->name,
                  what ? what : "-", (unsigned)count, SL_STR_ARG(request->body));
}

static const struct sl_admin_route routes[] = {
    {"GET", "/healthz", SL_ADMIN_NO_TOKEN | SL_ADMIN_ANY_HOST | SL_ADMIN_SMALL, health},
    {"GET", "/metrics", 0, render},
    {"GET", "/echo/{}", 0, echo},
    {"POST", "/echo/{}/do", 0, echo},
    {.method = NULL},
};

static struct sl_admin *open_with(struct pages *pages, const char *token)
{
    const struct sl_admin_config config = {
        .address = {.host = "127.0.0.1", .port = 0},
        .token = token,
        .routes = routes,
        .arg = pages,
    };
    struct sl_status why = sl_status_ok();
    struct sl_admin *admin;

    *pages = (struct pages){.is_healthy = true};
    admin = sl_admin_open(&config, &why);
    assert_non_null(admin);
    assert_true(sl_admin_port(admin) > 0);
    return admin;
}

static struct sl_admin *open_admin(struct pages *pages)
{
    return open_with(pages, NULL);
}

static int dial(const struct sl_admin *admin)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(sl_admin_port(admin))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* The next bytes; 0 at the end or a reset. */
static size_t read_some(int fd, char *bytes, size_t size)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t got;

    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    got = read(fd, bytes, size);
    return got > 0 ? (size_t)got : 0;
}

/* Sends `request`, reads until the server closes. */
static const char *ask(const struct sl_admin *admin, const char *request)
{
    static char answer[65536];
    size_t len = 0, got;
    int fd = dial(admin);

    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while ((got = read_some(fd, answer + len, sizeof(answer) - 1 - len)) > 0) {
        len += got;
    }
    answer[len] = '\0';
    close(fd);
    return answer;
}

static const char *get(const struct sl_admin *admin, const char *path)
{
    char request[256];

    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return ask(admin, request);
}

static void assert_answer(const char *answer, const char *status, const char *part)
{
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || strncmp(answer + 9, status, 3) != 0 ||
        !strstr(answer, part)) {
        fail_msg("not %s with %s: %s", status, part, answer);
    }
}

static void metrics_are_what_render_makes(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(get(admin, "/metrics"), "200", "\r\n\r\nsluice_up 1\n");
    assert_answer(get(admin, "/metrics?x=1"), "200", "application/openmetrics-text");
    sl_admin_close(admin);
    assert_int_equal(pages.renders, 2);
}

static void a_head_has_no_body(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    const char *answer =
        ask(admin, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");

    (void)state;
    assert_answer(answer, "200", "Content-Length: 12\r\n");
    assert_null(strstr(answer, "sluice_up"));
    sl_admin_close(admin);
}

static void metrics_that_are_too_large_are_a_503(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    pages.page_bytes = SL_ADMIN_MAX_PAGE_BYTES;
    assert_answer(get(admin, "/metrics"), "503", "\"too-large\"");
    sl_admin_close(admin);
}

static void health_says_why_not(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(get(admin, "/healthz"), "200", "\r\n\r\nok\n");
    pages.is_healthy = false;
    assert_answer(get(admin, "/healthz"), "503", "\r\n\r\nworker 1 stands still\n");
    sl_admin_close(admin);
}

static void other_pages_and_methods_are_refused(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(get(admin, "/metric"), "404", "/metrics");
    assert_answer(get(admin, "/metrics/"), "404", "");
    assert_answer(get(admin, "/../etc/passwd"), "404", "");
    assert_answer(ask(admin, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                             "X-Sluice: 1\r\nConnection: close\r\n\r\nabc"),
                  "405", "Allow: GET, HEAD\r\n");
    assert_answer(
        ask(admin, "DELETE /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        "405", "");
    assert_int_equal(pages.renders, 0);
    sl_admin_close(admin);
}

/* A request larger than a connection's memory is refused, not stored. */
static void an_endless_request_is_cut_off(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    char lines[1000], answer[4096];
    size_t sent = 0;
    int fd = dial(admin);

    (void)state;
    memset(lines, 'a', sizeof(lines));
    memcpy(lines, "X: ", 3);
    memcpy(lines + sizeof(lines) - 2, "\r\n", 2);
    assert_true(send(fd, "GET /metrics HTTP/1.1\r\n", 23, MSG_NOSIGNAL) == 23);
    while (sent < 64 * sizeof(lines)) {
        ssize_t got = send(fd, lines, sizeof(lines), MSG_NOSIGNAL);
        if (got <= 0) {
            break;
        }
        sent += (size_t)got;
    }
    size_t len = read_some(fd, answer, sizeof(answer) - 1);
    answer[len] = '\0';
    assert_true(len == 0 || strncmp(answer, "HTTP/1.1 4", 10) == 0);
    close(fd);
    assert_answer(get(admin, "/healthz"), "200", "ok");
    sl_admin_close(admin);
    assert_int_equal(pages.renders, 0);
}

/* Reads a little of a large page, so that it is known to be under way. */
static int take_and_hold_a_page(const struct sl_admin *admin)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char some[16];
    int fd = dial(admin);

    assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
    assert_true(read_some(fd, some, sizeof(some)) > 0);
    return fd;
}

static void readers_that_do_not_read_hold_a_bounded_number_of_pages(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    int held[SL_ADMIN_MAX_OUT_BYTES / PAGE_BYTES];

    (void)state;
    pages.page_bytes = PAGE_BYTES;
    for (size_t i = 0; i < SL_ARRAY_LEN(held); i++) {
        held[i] = take_and_hold_a_page(admin);
    }
    assert_answer(get(admin, "/metrics"), "503", "other readers");
    assert_int_equal(pages.renders, SL_ARRAY_LEN(held));
    assert_answer(get(admin, "/healthz"), "200", "ok");
    pages.page_bytes = 0;
    close(held[0]);
    while (strstr(get(admin, "/metrics"), "other readers")) {
        assert_int_equal(pages.renders, SL_ARRAY_LEN(held));
    }
    assert_int_equal(pages.renders, SL_ARRAY_LEN(held) + 1);
    sl_admin_close(admin); /* with a page under way */
    for (size_t i = 1; i < SL_ARRAY_LEN(held); i++) {
        close(held[i]);
    }
}

static void connections_beyond_the_limit_are_turned_away(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    int fds[SL_ADMIN_MAX_CONNECTIONS];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        char answer[512];

        fds[i] = dial(admin);
        assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
                         sizeof(request) - 1);
        assert_true(read_some(fds[i], answer, sizeof(answer)) > 0);
    }
    assert_answer(get(admin, "/metrics"), "503", "\"busy\"");
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    sl_admin_close(admin);
}

/* Descriptors above 1024, as a collector of many devices has them. */
static void high_descriptors_are_served_too(void **state)
{
    struct rlimit limit;
    struct pages pages;
    int fds[1100];

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 2048) {
        skip();
    }
    limit.rlim_cur = 2048;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    struct sl_admin *admin = open_admin(&pages);
    assert_answer(get(admin, "/metrics"), "200", "sluice_up");
    sl_admin_close(admin);
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
}

static void only_loopback_addresses_are_served(void **state)
{
    static const char *const bad[] = {"0.0.0.0", "192.0.2.1", "::",       "2001:db8::1",
                                      "leaf1",   "",          "128.0.0.1"};
    static const char *const good[] = {"127.0.0.1", "127.1.2.3", "localhost"};
    struct sl_admin_config config = {.routes = routes};
    struct sl_status why;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        snprintf(config.address.host, sizeof(config.address.host), "%s", bad[i]);
        assert_null(sl_admin_open(&config, &why));
        assert_non_null(strstr(why.text, "not a loopback address"));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        snprintf(config.address.host, sizeof(config.address.host), "%s", good[i]);
        struct sl_admin *admin = sl_admin_open(&config, &why);
        assert_non_null(admin);
        sl_admin_close(admin);
    }
    sl_admin_close(NULL);
}

static void a_port_in_use_is_told(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    const struct sl_admin_config config = {
        .address = {.host = "127.0.0.1", .port = sl_admin_port(admin)}, .routes = routes};
    struct sl_status why = sl_status_ok();
    char text[80];

    (void)state;
    snprintf(text, sizeof(text), "admin listener 127.0.0.1:%u: Address already in use",
             (unsigned)config.address.port);
    assert_null(sl_admin_open(&config, &why));
    assert_string_equal(why.text, text);
    sl_admin_close(admin);
}

static void names_and_parameters_are_decoded(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(get(admin, "/echo/a%2fb%20c?what=x%26y+z&count=3"), "200",
                  "name=a/b c what=x&y z count=3 body=");
    assert_answer(get(admin, "/echo/leaf1?what"), "200", "what= count=7");
    assert_answer(get(admin, "/echo/leaf1?count=11"), "400", "at most 10");
    assert_answer(get(admin, "/echo/leaf1?count=-1"), "400", "bad-parameter");
    assert_answer(get(admin, "/echo/leaf1?what=%00"), "400", "bad-parameter");
    assert_answer(get(admin, "/echo/leaf1?a=1&a=2"), "400", "bad-parameter");
    assert_answer(get(admin, "/echo/%zz"), "404", "not-found");
    assert_answer(get(admin, "/echo/a/b"), "404", "not-found");
    sl_admin_close(admin);
}

static const char *post(const struct sl_admin *admin, const char *headers, const char *body)
{
    char request[1024];

    snprintf(request, sizeof(request),
             "POST /echo/leaf1/do HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Length: %zu\r\n%s\r\n%s",
             strlen(body), headers, body);
    return ask(admin, request);
}

static void a_post_says_that_it_is_meant(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(post(admin, "X-Sluice: 1\r\n", "abc"), "200", "body=abc");
    assert_answer(post(admin, "Content-Type: application/json\r\n", "{}"), "200", "body={}");
    assert_answer(post(admin, "", "abc"), "403", "no-intent");
    assert_answer(post(admin, "Content-Type: text/plain\r\n", "{}"), "403", "no-intent");
    assert_answer(post(admin, "X-Sluice: 1\r\nOrigin: http://evil.example\r\n", ""), "403",
                  "foreign-origin");
    assert_answer(post(admin, "X-Sluice: 1\r\nOrigin: http://localhost\r\n", "abc"), "200",
                  "body=abc");
    assert_answer(get(admin, "/echo/leaf1/do"), "405", "Allow: POST\r\n");
    sl_admin_close(admin);
}

static const char *get_as(const struct sl_admin *admin, const char *path, const char *header)
{
    char request[512];

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nConnection: close\r\n%s\r\n\r\n", path,
             header);
    return ask(admin, request);
}

static void a_foreign_host_is_refused(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    assert_answer(get_as(admin, "/metrics", "Host: evil.example"), "403", "foreign-host");
    assert_answer(get_as(admin, "/metrics", "Host: localhost.evil.example:80"), "403", "foreign");
    assert_answer(get_as(admin, "/metrics", "Host: 127.0.0.1:9804"), "200", "sluice_up");
    assert_answer(get_as(admin, "/metrics", "Host: [::1]:9804"), "200", "sluice_up");
    assert_answer(get_as(admin, "/healthz", "Host: evil.example"), "200", "ok");
    sl_admin_close(admin);
}

static void a_token_is_asked_of_all_but_health(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_with(&pages, "s3cret");

    (void)state;
    assert_answer(get(admin, "/metrics"), "401", "WWW-Authenticate: Bearer\r\n");
    assert_answer(get(admin, "/nowhere"), "401", "unauthorized");
    assert_answer(get(admin, "/healthz"), "200", "ok");
    assert_answer(get_as(admin, "/metrics", "Host: localhost\r\nAuthorization: Bearer wrong"),
                  "401", "");
    assert_answer(get_as(admin, "/metrics", "Host: localhost\r\nAuthorization: Bearer s3cret"),
                  "200", "sluice_up");
    assert_int_equal(pages.renders, 1);
    sl_admin_close(admin);
}

/* Whoever may connect gets the page, which asks for the token itself; but under no foreign name. */
static void the_page_is_served_without_a_token(void **state)
{
    const struct sl_page_asset *index = sl_page_find("/");
    struct pages pages;
    struct sl_admin *admin = open_with(&pages, "secret");
    char request[256];

    (void)state;
    if (index) {
        assert_answer(get(admin, "/"), "200", "\r\n\r\n<!doctype html>");
        assert_answer(get(admin, "/page/page.css"), "200", "Content-Security-Policy: ");
        snprintf(request, sizeof(request),
                 "GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"other\", %s\r\n"
                 "Connection: close\r\n\r\n",
                 index->etag);
        assert_answer(ask(admin, request), "304", index->etag);
        assert_null(strstr(ask(admin, request), "<html"));
        assert_answer(ask(admin, "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n"
                                 "Connection: close\r\n\r\n"),
                      "403", "foreign-host");
        assert_answer(ask(admin, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n"),
                      "401", "");
    }
    assert_answer(get(admin, "/page/none.js"), "401", "");
    sl_admin_close(admin);
}

static void a_body_has_a_limit(void **state)
{
    static const char head[] = "POST /echo/x/do HTTP/1.1\r\nHost: localhost\r\nX-Sluice: 1\r\n"
                               "Connection: close\r\nContent-Length: %d\r\n\r\n";
    static char request[SL_ADMIN_BODY_BYTES + 1024];
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    int len = snprintf(request, sizeof(request), head, SL_ADMIN_BODY_BYTES + 1);
    memset(request + len, 'x', SL_ADMIN_BODY_BYTES + 1);
    assert_answer(ask(admin, request), "413", "body-too-large");
    len = snprintf(request, sizeof(request), head, SL_ADMIN_DRAIN_BYTES + 1);
    assert_answer(ask(admin, request), "413", "body-too-large");
    sl_admin_close(admin);
}

static void a_head_has_a_limit(void **state)
{
    static char request[SL_ADMIN_HEAD_BYTES + 1024];
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    int len = snprintf(request, sizeof(request), "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(request + len, 'x', SL_ADMIN_HEAD_BYTES);
    strcpy(request + len + SL_ADMIN_HEAD_BYTES, "\r\n\r\n");
    assert_answer(ask(admin, request), "431", "head-too-large");
    sl_admin_close(admin);
    assert_int_equal(pages.renders, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_what_render_makes),
        cmocka_unit_test(a_head_has_no_body),
        cmocka_unit_test(metrics_that_are_too_large_are_a_503),
        cmocka_unit_test(health_says_why_not),
        cmocka_unit_test(other_pages_and_methods_are_refused),
        cmocka_unit_test(an_endless_request_is_cut_off),
        cmocka_unit_test(readers_that_do_not_read_hold_a_bounded_number_of_pages),
        cmocka_unit_test(connections_beyond_the_limit_are_turned_away),
        cmocka_unit_test(high_descriptors_are_served_too),
        cmocka_unit_test(only_loopback_addresses_are_served),
        cmocka_unit_test(a_port_in_use_is_told),
        cmocka_unit_test(names_and_parameters_are_decoded),
        cmocka_unit_test(a_post_says_that_it_is_meant),
        cmocka_unit_test(a_foreign_host_is_refused),
        cmocka_unit_test(a_token_is_asked_of_all_but_health),
        cmocka_unit_test(the_page_is_served_without_a_token),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(a_head_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
