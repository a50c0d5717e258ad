#include "net/proxy.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* ---- the words of a user ---- */

static const char *const expected = "expected http://host:port, http://user:password@host:port or "
                                    "the same with socks5://";

static bool fail_parse(struct sl_status *why, const char *text)
{
    *why = sl_status_error(SL_INVALID_ARGUMENT, "%s", text);
    return false;
}

/* What stands behind "scheme://", and which scheme it is; NULL: none that is known. */
static const char *read_scheme(const char *text, enum sl_proxy_kind *kind)
{
    static const struct {
        struct sl_str prefix;
        enum sl_proxy_kind kind;
    } schemes[] = {
        {{"http://", 7}, SL_PROXY_HTTP},
        {{"socks5://", 9}, SL_PROXY_SOCKS5},
        {{"socks5h://", 10}, SL_PROXY_SOCKS5},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(schemes); i++) {
        if (sl_str_starts_with(sl_str_from(text), schemes[i].prefix)) {
            *kind = schemes[i].kind;
            return text + schemes[i].prefix.len;
        }
    }
    return NULL;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A user name or a password, %41 and all, into `word`. False when it cannot be one. */
static bool read_word(struct sl_str text, char word[SL_PROXY_WORD_BYTES + 1])
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if ((unsigned char)c < ' ' || c == 0x7f || len == SL_PROXY_WORD_BYTES) {
            return false;
        }
        word[len++] = c;
    }
    word[len] = '\0';
    return true;
}

static bool read_login(struct sl_str login, struct sl_proxy *proxy, struct sl_status *why)
{
    const char *colon = memchr(login.data, ':', login.len);
    struct sl_str user = {login.data, colon ? (size_t)(colon - login.data) : login.len};
    struct sl_str password = {colon ? colon + 1 : "", colon ? login.len - user.len - 1 : 0};

    if (!read_word(user, proxy->user) || !read_word(password, proxy->password)) {
        return fail_parse(why, "a proxy's user name and password have at most 255 bytes each, no "
                               "control characters, and behind each % two hexadecimal digits");
    }
    if (!*proxy->user) {
        return fail_parse(why, "a proxy's password wants a user name before it");
    }
    if (proxy->kind == SL_PROXY_HTTP && strchr(proxy->user, ':')) {
        return fail_parse(why, "an HTTP proxy's user name can have no colon"); /* RFC 7617 */
    }
    return true;
}

static bool read_place(const char *text, struct sl_proxy *proxy)
{
    uint16_t port = proxy->kind == SL_PROXY_HTTP ? SL_PROXY_HTTP_PORT : SL_PROXY_SOCKS_PORT;
    char place[sizeof(proxy->address.host) + sizeof("[]:65535")];
    size_t len = strlen(text);

    len -= len > 0 && text[len - 1] == '/';
    if (len >= sizeof(place)) {
        return false;
    }
    memcpy(place, text, len);
    place[len] = '\0';
    return sl_address_parse(place, port, &proxy->address) && !sl_address_is_unix(&proxy->address) &&
           proxy->address.port != 0;
}

bool sl_proxy_parse(const char *text, struct sl_proxy *proxy, struct sl_status *why)
{
    memset(proxy, 0, sizeof(*proxy));
    *why = sl_status_ok();
    const char *rest = read_scheme(text, &proxy->kind);
    if (!rest) {
        return fail_parse(why, expected);
    }
    const char *at = strrchr(rest, '@');
    if (at && !read_login((struct sl_str){rest, (size_t)(at - rest)}, proxy, why)) {
        return false;
    }
    return read_place(at ? at + 1 : rest, proxy) || fail_parse(why, expected);
}

void sl_proxy_mask(const char *text, char *shown, size_t room)
{
    struct sl_proxy proxy;
    struct sl_status why;

    if (!*text || !sl_proxy_parse(text, &proxy, &why)) {
        snprintf(shown, room, "%s", *text ? "***" : "");
        return;
    }
    const char *rest = strstr(text, "://") + 3;
    const char *at = strrchr(rest, '@');
    const char *colon = at ? memchr(rest, ':', (size_t)(at - rest)) : NULL;
    if (colon) {
        snprintf(shown, room, "%.*s***%s", (int)(colon + 1 - text), text, at);
    } else {
        snprintf(shown, room, "%s", text);
    }
    OPENSSL_cleanse(&proxy, sizeof(proxy));
}

/* ---- the talk ---- */

static enum sl_proxy_step fail(struct sl_proxy_talk *talk, const char *reason, const char *text)
{
    talk->why = sl_status_because(reason, sl_status_error(SL_UNAVAILABLE, "%s", text));
    return SL_PROXY_FAILED;
}

static bool has_login(const struct sl_proxy_talk *talk)
{
    return *talk->proxy->user != '\0';
}

/* Nobody learns of a login from what a proxy says of it. */
static enum sl_proxy_step fail_login(struct sl_proxy_talk *talk)
{
    return fail(talk, "proxy-login",
                has_login(talk) ? "it refuses the user name or the password"
                                : "it wants a user name and a password");
}

/* ---- HTTP ---- */

enum { LOGIN_BYTES = 2 * SL_PROXY_WORD_BYTES + 2, TOKEN_BYTES = 4 * LOGIN_BYTES / 3 + 4 };

/* What stands behind "Basic" (RFC 7617). */
static void make_token(const struct sl_proxy *proxy, char token[TOKEN_BYTES])
{
    char login[LOGIN_BYTES];
    int len = snprintf(login, sizeof(login), "%s:%s", proxy->user, proxy->password);

    EVP_EncodeBlock((unsigned char *)token, (const unsigned char *)login, len);
    OPENSSL_cleanse(login, sizeof(login));
}

static void add_login(const struct sl_proxy *proxy, struct sl_buf *out)
{
    char token[TOKEN_BYTES];

    make_token(proxy, token);
    sl_buf_add_c(out, "Proxy-Authorization: Basic ");
    sl_buf_add_c(out, token);
    sl_buf_add_c(out, "\r\n");
    OPENSSL_cleanse(token, sizeof(token));
}

/* A proxy may say back what it was told. */
static void hide_login(const struct sl_proxy *proxy, struct sl_status *why)
{
    char token[TOKEN_BYTES];

    make_token(proxy, token);
    sl_status_hide(why, token);
    sl_status_hide(why, proxy->password);
    OPENSSL_cleanse(token, sizeof(token));
}

static void ask_http(const struct sl_proxy_talk *talk, struct sl_buf *out)
{
    char to[SL_ADDRESS_TEXT_BYTES];

    sl_address_print(talk->to, to);
    sl_buf_printf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", to, to);
    if (has_login(talk)) {
        add_login(talk->proxy, out);
    }
    sl_buf_add_c(out, "\r\n");
}

/* "HTTP/1.1 200 Connection established", which begins `reply`; 0: it does not. */
static unsigned http_code(struct sl_str reply, struct sl_str *phrase)
{
    static const size_t code_at = sizeof("HTTP/1.x ") - 1;
    unsigned code = 0;

    if (reply.len < code_at + 3 || reply.data[code_at - 1] != ' ') {
        return 0;
    }
    for (size_t i = code_at; i < code_at + 3; i++) {
        if (reply.data[i] < '0' || reply.data[i] > '9') {
            return 0;
        }
        code = code * 10 + (unsigned)(reply.data[i] - '0');
    }
    *phrase = (struct sl_str){reply.data + code_at, 0};
    while (code_at + phrase->len < reply.len && phrase->data[phrase->len] != '\r' &&
           phrase->data[phrase->len] != '\n') {
        phrase->len++;
    }
    return code;
}

/* The header is whole. */
static enum sl_proxy_step judge_http(struct sl_proxy_talk *talk)
{
    struct sl_str phrase;
    unsigned code = http_code(sl_buf_str(&talk->reply), &phrase);

    if (code / 100 == 2) {
        return SL_PROXY_DONE;
    }
    if (code / 100 == 1) { /* the answer is still to come */
        sl_buf_reset(&talk->reply);
        return SL_PROXY_WANTS_INPUT;
    }
    if (code == 407) {
        return fail_login(talk);
    }
    if (code == 0) {
        return fail(talk, "proxy-protocol", "it answers with what is not HTTP");
    }
    struct sl_status why = sl_status_quote(SL_UNAVAILABLE, "it answers", phrase);
    if (has_login(talk)) {
        hide_login(talk->proxy, &why);
    }
    talk->why = sl_status_because("proxy-refused", why);
    return SL_PROXY_FAILED;
}

static bool ends_header(struct sl_str reply)
{
    return (reply.len >= 2 && memcmp(reply.data + reply.len - 2, "\n\n", 2) == 0) ||
           (reply.len >= 3 && memcmp(reply.data + reply.len - 3, "\n\r\n", 3) == 0);
}

static enum sl_proxy_step hear_http(struct sl_proxy_talk *talk, uint8_t byte)
{
    static const char begin[] = "HTTP/1.";
    struct sl_buf *reply = &talk->reply;

    sl_buf_add_byte(reply, (char)byte);
    if (reply->failed) {
        return fail(talk, "out-of-memory", "out of memory");
    }
    if (memcmp(reply->data, begin, sl_min_size(reply->len, sizeof(begin) - 1)) != 0) {
        return fail(talk, "proxy-protocol", "it answers with what is not HTTP");
    }
    return ends_header(sl_buf_str(reply)) ? judge_http(talk) : SL_PROXY_WANTS_INPUT;
}

/* ---- SOCKS5 ---- */

enum {
    SOCKS_VERSION = 5,
    SOCKS_NO_LOGIN = 0,
    SOCKS_LOGIN = 2,
    SOCKS_CONNECT = 1,
    SOCKS_V4 = 1,
    SOCKS_NAME = 3,
    SOCKS_V6 = 4,
    LOGIN_VERSION = 1,
};

static void add_bytes(struct sl_buf *out, const uint8_t *bytes, size_t len)
{
    sl_buf_add(out, bytes, len);
}

static void greet_socks(const struct sl_proxy_talk *talk, struct sl_buf *out)
{
    const uint8_t greeting[] = {SOCKS_VERSION, 2, SOCKS_NO_LOGIN, SOCKS_LOGIN};
    const uint8_t short_greeting[] = {SOCKS_VERSION, 1, SOCKS_NO_LOGIN};

    if (has_login(talk)) {
        add_bytes(out, greeting, sizeof(greeting));
    } else {
        add_bytes(out, short_greeting, sizeof(short_greeting));
    }
}

static void add_word(struct sl_buf *out, const char *word)
{
    sl_buf_add_byte(out, (char)strlen(word));
    sl_buf_add_c(out, word);
}

static void log_in(struct sl_proxy_talk *talk, struct sl_buf *out)
{
    sl_buf_add_byte(out, LOGIN_VERSION);
    add_word(out, talk->proxy->user);
    add_word(out, talk->proxy->password);
    talk->state = SL_PROXY_LOGIN;
}

static void ask_socks(struct sl_proxy_talk *talk, struct sl_buf *out)
{
    const uint8_t request[] = {SOCKS_VERSION, SOCKS_CONNECT, 0};
    const uint8_t port[] = {(uint8_t)(talk->to->port >> 8), (uint8_t)talk->to->port};
    uint8_t address[sizeof(struct in6_addr)];

    add_bytes(out, request, sizeof(request));
    if (inet_pton(AF_INET, talk->to->host, address) == 1) {
        sl_buf_add_byte(out, SOCKS_V4);
        add_bytes(out, address, sizeof(struct in_addr));
    } else if (inet_pton(AF_INET6, talk->to->host, address) == 1) {
        sl_buf_add_byte(out, SOCKS_V6);
        add_bytes(out, address, sizeof(struct in6_addr));
    } else {
        sl_buf_add_byte(out, SOCKS_NAME);
        add_word(out, talk->to->host);
    }
    add_bytes(out, port, sizeof(port));
    talk->state = SL_PROXY_REPLY;
}

static enum sl_proxy_step refuse_socks(struct sl_proxy_talk *talk, unsigned code)
{
    static const char *const words[] = {
        [1] = "it has failed",
        [2] = "its rules do not allow it",
        [3] = "it cannot reach the network",
        [4] = "it cannot reach the host",
        [5] = "the connection was refused",
        [6] = "the way is too long (TTL)",
        [7] = "it does not know CONNECT",
        [8] = "it does not know this kind of address",
    };
    const char *text = code < SL_ARRAY_LEN(words) ? words[code] : "it refuses";

    talk->why = sl_status_because("proxy-refused",
                                  sl_status_error(SL_UNAVAILABLE, "%s (SOCKS %u)", text, code));
    return SL_PROXY_FAILED;
}

static enum sl_proxy_step judge_method(struct sl_proxy_talk *talk, uint8_t method,
                                       struct sl_buf *out)
{
    if (method == SOCKS_LOGIN && has_login(talk)) {
        log_in(talk, out);
    } else if (method == SOCKS_NO_LOGIN) {
        ask_socks(talk, out);
    } else if (method == 0xff) {
        return fail_login(talk);
    } else {
        return fail(talk, "proxy-protocol", "it chooses a login that was not offered");
    }
    return SL_PROXY_WANTS_INPUT;
}

/* The length of the reply to CONNECT, once enough of it is there to tell; 0: not yet. */
static size_t reply_bytes(const uint8_t *reply, size_t len)
{
    enum { HEAD = 4, PORT = 2 };

    if (len < HEAD + 1) {
        return 0;
    }
    size_t address = reply[3] == SOCKS_V4   ? sizeof(struct in_addr)
                     : reply[3] == SOCKS_V6 ? sizeof(struct in6_addr)
                                            : 1 + (size_t)reply[4];
    return HEAD + address + PORT;
}

static enum sl_proxy_step judge_reply(struct sl_proxy_talk *talk, const uint8_t *reply, size_t len)
{
    if (len >= 2 && reply[1] != 0) {
        return refuse_socks(talk, reply[1]);
    }
    if (len >= 4 && reply[3] != SOCKS_V4 && reply[3] != SOCKS_V6 && reply[3] != SOCKS_NAME) {
        return fail(talk, "proxy-protocol", "it answers with an unknown kind of address");
    }
    return len == reply_bytes(reply, len) ? SL_PROXY_DONE : SL_PROXY_WANTS_INPUT;
}

static enum sl_proxy_step hear_socks(struct sl_proxy_talk *talk, uint8_t byte, struct sl_buf *out)
{
    struct sl_buf *reply = &talk->reply;
    uint8_t version = talk->state == SL_PROXY_LOGIN ? LOGIN_VERSION : SOCKS_VERSION;

    sl_buf_add_byte(reply, (char)byte);
    if (reply->failed) {
        return fail(talk, "out-of-memory", "out of memory");
    }
    const uint8_t *bytes = (const uint8_t *)reply->data;
    if (bytes[0] != version) {
        return fail(talk, "proxy-protocol", "it answers with what is not SOCKS5");
    }
    if (talk->state == SL_PROXY_REPLY) {
        return judge_reply(talk, bytes, reply->len);
    }
    if (reply->len < 2) {
        return SL_PROXY_WANTS_INPUT;
    }
    uint8_t answer = bytes[1];
    sl_buf_reset(reply);
    if (talk->state == SL_PROXY_METHOD) {
        return judge_method(talk, answer, out);
    }
    if (answer != 0) {
        return fail_login(talk);
    }
    ask_socks(talk, out);
    return SL_PROXY_WANTS_INPUT;
}

/* ---- both ---- */

bool sl_proxy_can_reach(const struct sl_address *to, struct sl_status *why)
{
    *why = sl_status_ok();
    if (sl_address_is_unix(to)) {
        return fail_parse(why, "no proxy leads to a unix socket");
    }
    return !strchr(to->host, '%') ||
           fail_parse(why, "no proxy leads to an address with a zone (%)");
}

void sl_proxy_talk_init(struct sl_proxy_talk *talk, const struct sl_proxy *proxy,
                        const struct sl_address *to)
{
    SL_ASSERT(!sl_address_is_unix(to) && proxy->kind != SL_PROXY_NONE);
    memset(talk, 0, sizeof(*talk));
    talk->proxy = proxy;
    talk->to = to;
    talk->state = SL_PROXY_ASKING;
    sl_buf_init(&talk->reply, SL_PROXY_MAX_REPLY_BYTES);
    talk->why = sl_status_ok();
}

void sl_proxy_talk_fini(struct sl_proxy_talk *talk)
{
    sl_buf_fini(&talk->reply);
}

static void ask(struct sl_proxy_talk *talk, struct sl_buf *out)
{
    if (talk->proxy->kind == SL_PROXY_HTTP) {
        talk->state = SL_PROXY_REPLY;
        ask_http(talk, out);
    } else {
        talk->state = SL_PROXY_METHOD;
        greet_socks(talk, out);
    }
}

static enum sl_proxy_step hear(struct sl_proxy_talk *talk, uint8_t byte, struct sl_buf *out)
{
    if (++talk->heard_bytes > SL_PROXY_MAX_REPLY_BYTES) {
        return fail(talk, "proxy-protocol", "its answer is longer than 16 KiB");
    }
    return talk->proxy->kind == SL_PROXY_HTTP ? hear_http(talk, byte) : hear_socks(talk, byte, out);
}

enum sl_proxy_step sl_proxy_talk_feed(struct sl_proxy_talk *talk, const uint8_t *bytes, size_t len,
                                      size_t *used, struct sl_buf *out)
{
    enum sl_proxy_step step = SL_PROXY_WANTS_INPUT;

    *used = 0;
    if (talk->state == SL_PROXY_ASKING) {
        ask(talk, out);
    }
    while (step == SL_PROXY_WANTS_INPUT && *used < len) {
        step = hear(talk, bytes[(*used)++], out);
    }
    if (step == SL_PROXY_WANTS_INPUT && out->failed) {
        return fail(talk, "out-of-memory", "out of memory");
    }
    return step;
}
