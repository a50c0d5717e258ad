/* proxy.h - the way to a peer through a proxy: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC
 * 1928, with user name and password RFC 1929).
 *
 * The peer's name is the proxy's to resolve; it travels as it stands. What was asked of a proxy,
 * and what it answered, passes through here as bytes, without a socket and without a clock. The
 * password goes to the proxy and to nobody else: in no error, not even where the proxy says it
 * back.
 */
#ifndef SLUICE_NET_PROXY_H
#define SLUICE_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "net/address.h"

enum {
    SL_PROXY_HTTP_PORT = 8080, /* where the address has none */
    SL_PROXY_SOCKS_PORT = 1080,
    SL_PROXY_WORD_BYTES = 255,            /* of a user name or a password: what RFC 1929 carries */
    SL_PROXY_MAX_REPLY_BYTES = 16 * 1024, /* of all that an HTTP proxy says before the peer does */
};

enum sl_proxy_kind { SL_PROXY_NONE, SL_PROXY_HTTP, SL_PROXY_SOCKS5 };

struct sl_proxy {
    enum sl_proxy_kind kind;
    struct sl_address address;
    char user[SL_PROXY_WORD_BYTES + 1]; /* "" : no name and no password */
    char password[SL_PROXY_WORD_BYTES + 1];
};

/* "http://host:port", "http://user:password@host:port", "socks5://…"; "socks5h://" is the same.
 * Bytes of user and password may be written %41 (RFC 3986 section 2.1). False: `why` (without a
 * byte of the password), INVALID_ARGUMENT. */
bool sl_proxy_parse(const char *text, struct sl_proxy *proxy, struct sl_status *why) SL_MUST_CHECK;

/* `text` as it may be shown, with the password as "***". At most `room` bytes with the NUL. Also of
 * one that cannot be parsed: then nothing but its scheme is shown. */
void sl_proxy_mask(const char *text, char *shown, size_t room);

/* ---- the talk with it ---- */

enum sl_proxy_step {
    SL_PROXY_WANTS_INPUT, /* `out` is to be sent; everything that was fed is used up */
    SL_PROXY_DONE,        /* the way is open; what was not used up is the peer's */
    SL_PROXY_FAILED,      /* `why` */
};

enum sl_proxy_state { SL_PROXY_ASKING, SL_PROXY_METHOD, SL_PROXY_LOGIN, SL_PROXY_REPLY };

struct sl_proxy_talk {
    const struct sl_proxy *proxy; /* borrowed, like `to` */
    const struct sl_address *to;
    struct sl_buf reply; /* what came and is not understood yet */
    size_t heard_bytes;
    enum sl_proxy_state state;
    struct sl_status why;
};

/* False: no proxy leads there (a unix socket, an address with a %zone), as `why` says. */
bool sl_proxy_can_reach(const struct sl_address *to, struct sl_status *why) SL_MUST_CHECK;

/* `to` can be reached. */
void sl_proxy_talk_init(struct sl_proxy_talk *talk, const struct sl_proxy *proxy,
                        const struct sl_address *to);
void sl_proxy_talk_fini(struct sl_proxy_talk *talk);

/* The first call has no bytes. What has to be sent is added to `out`, secrets and all: wipe it.
 * `used` says how many of the bytes were the proxy's. */
enum sl_proxy_step sl_proxy_talk_feed(struct sl_proxy_talk *talk, const uint8_t *bytes, size_t len,
                                      size_t *used, struct sl_buf *out) SL_MUST_CHECK;

#endif
