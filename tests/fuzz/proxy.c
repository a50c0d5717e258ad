/* proxy.c - what a proxy answers (HTTP CONNECT, SOCKS5), in any pieces, against a reader that has
 * all of it; and what a user may write as the address of one.
 *
 * Input: which; where to; the number of steering bytes and those (how long each piece is); then the
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/proxy.h"

static const char password[] = "s3cr3t";
static const char token[] = "bWU6czNjcjN0"; /* of "me:s3cr3t" */

/* ---- readers of a whole answer: what comes of it, and of how much ---- */

struct verdict {
    enum sl_proxy_step step;
    size_t used;
};

static const struct verdict more = {SL_PROXY_WANTS_INPUT, 0};

static struct verdict failed_at(size_t used)
{
    return (struct verdict){SL_PROXY_FAILED, used};
}

/* The end of the header that begins at `start`: behind its first empty line; 0: it has none. */
static size_t end_of_header(struct sl_str said, size_t start)
{
    for (size_t at = start; at < said.len; at++) {
        size_t next = at + 1 < said.len && said.data[at + 1] == '\r' ? at + 2 : at + 1;
        if (said.data[at] == '\n' && next < said.len && said.data[next] == '\n') {
            return next + 1;
        }
    }
    return 0;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* RFC 9112 section 4; those of 1xx are followed by another. */
static struct verdict plain_http(struct sl_str said)
{
    static const char begin[] = "HTTP/1.";
    size_t start = 0;

    for (;;) {
        for (size_t i = 0; i < sizeof(begin) - 1; i++) {
            if (start + i >= said.len) {
                return more;
            }
            if (said.data[start + i] != begin[i]) {
                return failed_at(start + i + 1);
            }
        }
        size_t end = end_of_header(said, start);
        const char *line = said.data + start;
        if (!end) {
            return more;
        }
        bool is_line = end - start > 12 && line[8] == ' ' && is_digit(line[9]) &&
                       is_digit(line[10]) && is_digit(line[11]);
        if (is_line && line[9] == '2') {
            return (struct verdict){SL_PROXY_DONE, end};
        }
        if (!is_line || line[9] != '1') {
            return failed_at(end);
        }
        start = end;
    }
}

/* RFC 1928 section 6: version, reply, reserved, kind of address, the address, the port. */
static struct verdict plain_socks_reply(struct sl_str said, size_t at)
{
    const uint8_t *reply = (const uint8_t *)said.data + at;
    size_t len = said.len - at;

    if (len >= 1 && reply[0] != 5) {
        return failed_at(at + 1);
    }
    if (len >= 2 && reply[1] != 0) {
        return failed_at(at + 2);
    }
    if (len >= 4 && reply[3] != 1 && reply[3] != 3 && reply[3] != 4) {
        return failed_at(at + 4);
    }
    if (len < 5) {
        return more;
    }
    size_t whole = reply[3] == 1 ? 10 : reply[3] == 4 ? 22 : 7u + reply[4];
    return len >= whole ? (struct verdict){SL_PROXY_DONE, at + whole} : more;
}

static struct verdict plain_socks(struct sl_str said, bool has_login)
{
    const uint8_t *bytes = (const uint8_t *)said.data;

    if (said.len >= 1 && bytes[0] != 5) {
        return failed_at(1);
    }
    if (said.len < 2) {
        return more;
    }
    if (bytes[1] == 0) {
        return plain_socks_reply(said, 2);
    }
    if (bytes[1] != 2 || !has_login) {
        return failed_at(2);
    }
    if (said.len >= 3 && bytes[2] != 1) {
        return failed_at(3);
    }
    if (said.len < 4) {
        return more;
    }
    return bytes[3] == 0 ? plain_socks_reply(said, 4) : failed_at(4);
}

/* ---- the talk ---- */

static void assert_tells_no_secret(const struct sl_status *why, bool has_login)
{
    SL_ASSERT(why->text[0] && why->code == SL_UNAVAILABLE && why->reason);
    SL_ASSERT(!has_login || (!strstr(why->text, password) && !strstr(why->text, token)));
    for (const char *at = why->text; *at; at++) {
        SL_ASSERT(*at >= ' ' && *at <= '~');
    }
}

/* In a block of its own, so that a sanitizer sees each byte too many. */
static enum sl_proxy_step feed(struct sl_proxy_talk *talk, struct sl_str piece, size_t *used,
                               struct sl_buf *out)
{
    uint8_t *copy = malloc(piece.len ? piece.len : 1);

    SL_ASSERT(copy);
    if (piece.len) {
        memcpy(copy, piece.data, piece.len);
    }
    enum sl_proxy_step step = sl_proxy_talk_feed(talk, copy, piece.len, used, out);
    free(copy);
    SL_ASSERT(*used <= piece.len && (step != SL_PROXY_WANTS_INPUT || *used == piece.len));
    return step;
}

static void fuzz_talk(const struct sl_proxy *proxy, const struct sl_address *to,
                      struct fuzz_input *steering, struct fuzz_input *input)
{
    struct sl_str said = {(const char *)input->at, (size_t)(input->end - input->at)};
    bool has_login = proxy->user[0] != '\0';
    struct verdict wanted =
        proxy->kind == SL_PROXY_HTTP ? plain_http(said) : plain_socks(said, has_login);
    struct sl_buf out = {0};
    struct sl_proxy_talk talk;
    size_t total = 0;
    size_t used;

    sl_proxy_talk_init(&talk, proxy, to);
    enum sl_proxy_step step = feed(&talk, (struct sl_str){NULL, 0}, &used, &out);
    SL_ASSERT(step == SL_PROXY_WANTS_INPUT && out.len > 0);
    while (step == SL_PROXY_WANTS_INPUT && input->at < input->end) {
        uint8_t len = fuzz_byte(steering);
        step = feed(&talk, fuzz_bytes(input, len ? len : SIZE_MAX), &used, &out);
        total += used;
        SL_ASSERT(talk.reply.cap <= SL_PROXY_MAX_REPLY_BYTES);
    }
    SL_ASSERT(step == wanted.step && (step == SL_PROXY_WANTS_INPUT || total == wanted.used));
    if (step == SL_PROXY_FAILED) {
        assert_tells_no_secret(&talk.why, has_login);
    }
    SL_ASSERT(out.len < 1024);
    sl_proxy_talk_fini(&talk);
    sl_buf_fini(&out);
}

/* ---- what a user writes ---- */

/* What is shown of it is one too, the same but for its password. */
static void fuzz_address(struct sl_str bytes)
{
    char text[512];
    char shown[512];
    struct sl_proxy proxy;
    struct sl_proxy again;
    struct sl_status why;
    size_t len = sl_min_size(bytes.len, sizeof(text) - 1);

    if (len) {
        memcpy(text, bytes.data, len);
    }
    text[len] = '\0';
    bool is_good = sl_proxy_parse(text, &proxy, &why);
    sl_proxy_mask(text, shown, sizeof(shown));
    SL_ASSERT(is_good == sl_status_is_ok(&why));
    if (!is_good) {
        SL_ASSERT(strcmp(shown, *text ? "***" : "") == 0);
        return;
    }
    SL_ASSERT(proxy.kind != SL_PROXY_NONE && proxy.address.port && proxy.address.host[0]);
    SL_ASSERT(sl_proxy_parse(shown, &again, &why));
    SL_ASSERT(again.kind == proxy.kind && again.address.port == proxy.address.port);
    SL_ASSERT(strcmp(again.address.host, proxy.address.host) == 0);
    SL_ASSERT(strcmp(again.user, proxy.user) == 0);
    SL_ASSERT(strcmp(again.password, "***") == 0 || !*proxy.password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sl_address places[] = {
        {.host = "leaf1.example", .port = 57400},
        {.host = "192.0.2.1", .port = 1},
        {.host = "2001:db8::1", .port = 65535},
    };
    struct fuzz_input input = {data, data + size};
    uint8_t mode = fuzz_byte(&input);
    struct sl_proxy proxy = {.kind = mode % 2 ? SL_PROXY_HTTP : SL_PROXY_SOCKS5};

    if (mode % 8 == 7) {
        fuzz_address(fuzz_rest(&input));
        return 0;
    }
    if (mode & 2) {
        memcpy(proxy.user, "me", sizeof("me"));
        memcpy(proxy.password, password, sizeof(password));
    }
    const struct sl_address *to = &places[fuzz_byte(&input) % SL_ARRAY_LEN(places)];
    struct sl_str steering = fuzz_bytes(&input, fuzz_byte(&input) % 32);
    struct fuzz_input pieces = {(const uint8_t *)steering.data,
                                (const uint8_t *)steering.data + steering.len};
    fuzz_talk(&proxy, to, &pieces, &input);
    return 0;
}
