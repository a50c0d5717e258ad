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

#include "daemon/admin.h"

enum { WAIT_MS = 5000, PAGE_BYTES = 16 * 1024 * 1024 };

/* What the pages say; written before the request that asks. */
struct pages {
    bool can_render;
    bool is_healthy;
    size_t page_bytes; /* 0: a short page */
    unsigned renders;
};

static bool render(struct sl_buf *out, void *arg)
{
    struct pages *pages = arg;

    pages->renders++;
    sl_buf_add_c(out, "sluice_up 1\n");
    if (pages->page_bytes > 0 && sl_buf_reserve(out, pages->page_bytes)) {
        memset(out->data + out->len, 'x', pages->page_bytes);
        out->len += pages->page_bytes;
    }
    return pages->can_render;
}

static bool is_healthy(struct sl_buf *why, void *arg)
{
    const struct pages *pages = arg;

    if (!pages->is_healthy) {
        sl_buf_add_c(why, "worker 1 stands still\n");
    }
    return pages->is_healthy;
}

static const struct sl_admin_pages functions = {.render = render, .is_healthy = is_healthy};

static struct sl_admin *open_admin(struct pages *pages)
{
    const struct sl_address address = {.host = "127.0.0.1", .port = 0};
    struct sl_status why = sl_status_ok();
    struct sl_admin *admin;

    *pages = (struct pages){.can_render = true, .is_healthy = true};
    admin = sl_admin_open(&address, &functions, pages, &why);
    assert_non_null(admin);
    assert_true(sl_admin_port(admin) > 0);
    return admin;
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

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             path);
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
        ask(admin, "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    (void)state;
    assert_answer(answer, "200", "Content-Length: 12\r\n");
    assert_null(strstr(answer, "sluice_up"));
    sl_admin_close(admin);
}

static void metrics_that_cannot_be_made_are_a_503(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);

    (void)state;
    pages.can_render = false;
    assert_answer(get(admin, "/metrics"), "503", "did not answer in time");
    pages.can_render = true;
    pages.page_bytes = SL_ADMIN_MAX_PAGE_BYTES;
    assert_answer(get(admin, "/metrics"), "503", "too large");
    pages.can_render = false;
    assert_answer(get(admin, "/metrics"), "503", "too large");
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
    assert_answer(get(admin, "/"), "404", "/metrics");
    assert_answer(get(admin, "/metrics/"), "404", "");
    assert_answer(get(admin, "/../etc/passwd"), "404", "");
    assert_answer(ask(admin, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                             "Connection: close\r\n\r\nabc"),
                  "405", "Allow: GET, HEAD\r\n");
    assert_answer(ask(admin, "DELETE /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
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
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
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
    int held[SL_ADMIN_MAX_PAGES];

    (void)state;
    pages.page_bytes = PAGE_BYTES;
    for (size_t i = 0; i < SL_ARRAY_LEN(held); i++) {
        held[i] = take_and_hold_a_page(admin);
    }
    assert_answer(get(admin, "/metrics"), "503", "other readers");
    assert_int_equal(pages.renders, SL_ADMIN_MAX_PAGES);
    assert_answer(get(admin, "/healthz"), "200", "ok");
    pages.page_bytes = 0;
    close(held[0]);
    while (strstr(get(admin, "/metrics"), "other readers")) {
        assert_int_equal(pages.renders, SL_ADMIN_MAX_PAGES);
    }
    assert_int_equal(pages.renders, SL_ADMIN_MAX_PAGES + 1);
    sl_admin_close(admin); /* with a page under way */
    close(held[1]);
}

static void connections_beyond_the_limit_are_turned_away(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    int fds[SL_ADMIN_MAX_CONNECTIONS];

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(fds); i++) {
        static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        char answer[512];

        fds[i] = dial(admin);
        assert_int_equal(send(fds[i], request, sizeof(request) - 1, MSG_NOSIGNAL),
                         sizeof(request) - 1);
        assert_true(read_some(fds[i], answer, sizeof(answer)) > 0);
    }
    int one_more = dial(admin);
    struct pollfd wait = {.fd = one_more, .events = POLLIN};
    assert_true(send(one_more, "G", 1, MSG_NOSIGNAL) <= 1);
    char byte;
    assert_false(poll(&wait, 1, 200) == 1 && read(one_more, &byte, 1) > 0);
    close(one_more);
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
    struct sl_status why;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        struct sl_address address = {.port = 0};

        snprintf(address.host, sizeof(address.host), "%s", bad[i]);
        assert_null(sl_admin_open(&address, &functions, NULL, &why));
        assert_non_null(strstr(why.text, "not a loopback address"));
        assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        struct sl_address address = {.port = 0};

        snprintf(address.host, sizeof(address.host), "%s", good[i]);
        struct sl_admin *admin = sl_admin_open(&address, &functions, NULL, &why);
        assert_non_null(admin);
        sl_admin_close(admin);
    }
    sl_admin_close(NULL);
}

static void a_port_in_use_is_told(void **state)
{
    struct pages pages;
    struct sl_admin *admin = open_admin(&pages);
    const struct sl_address address = {.host = "127.0.0.1", .port = sl_admin_port(admin)};
    struct sl_status why = sl_status_ok();
    char text[80];

    (void)state;
    snprintf(text, sizeof(text), "admin listener 127.0.0.1:%u: Address already in use",
             (unsigned)address.port);
    assert_null(sl_admin_open(&address, &functions, &pages, &why));
    assert_string_equal(why.text, text);
    sl_admin_close(admin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_what_render_makes),
        cmocka_unit_test(a_head_has_no_body),
        cmocka_unit_test(metrics_that_cannot_be_made_are_a_503),
        cmocka_unit_test(health_says_why_not),
        cmocka_unit_test(other_pages_and_methods_are_refused),
        cmocka_unit_test(an_endless_request_is_cut_off),
        cmocka_unit_test(readers_that_do_not_read_hold_a_bounded_number_of_pages),
        cmocka_unit_test(connections_beyond_the_limit_are_turned_away),
        cmocka_unit_test(high_descriptors_are_served_too),
        cmocka_unit_test(only_loopback_addresses_are_served),
        cmocka_unit_test(a_port_in_use_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
