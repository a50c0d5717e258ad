#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "net/internal.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_name(struct sl_str host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!is_host_char(host.data[i])) {
            return false;
        }
    }
    return host.len > 0;
}

/* "fe80::1" or "fe80::1%eth0" */
static bool is_v6(struct sl_str host)
{
    const char *zone = memchr(host.data, '%', host.len);
    size_t len = zone ? (size_t)(zone - host.data) : host.len;
    char text[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.data, len);
    text[len] = '\0';
    if (zone && !is_name((struct sl_str){zone + 1, host.len - len - 1})) {
        return false;
    }
    return inet_pton(AF_INET6, text, &ignored) == 1;
}

/* What stands behind the host: nothing, or ":port". */
static bool read_port(struct sl_str rest, uint16_t default_port, uint16_t *port)
{
    uint64_t value;

    if (rest.len == 0) {
        *port = default_port;
        return true;
    }
    if (rest.data[0] != ':' || rest.len > sizeof(":65535") - 1) {
        return false;
    }
    if (!sl_str_to_u64((struct sl_str){rest.data + 1, rest.len - 1}, &value)) {
        return false;
    }
    *port = (uint16_t)value;
    return value <= UINT16_MAX;
}

/* "unix:path", "unix:///path" or "unix-abstract:name"; what stands before the path is nobody's
 * authority, so it must be empty. */
static bool parse_unix(const char *text, struct sl_address *address)
{
    struct sl_str rest = sl_str_from(strchr(text, ':') + 1);

    if (address->kind == SL_ADDRESS_UNIX && sl_str_starts_with(rest, SL_STR("//"))) {
        rest = (struct sl_str){rest.data + 2, rest.len - 2};
        if (rest.data[0] != '/') {
            return false;
        }
    }
    if (rest.len == 0 || rest.len >= sizeof(address->host)) {
        return false;
    }
    memcpy(address->host, rest.data, rest.len + 1);
    address->port = 0;
    return true;
}

static bool parse_host(const char *text, uint16_t default_port, struct sl_address *address)
{
    bool has_brackets = text[0] == '[';
    struct sl_str host = {has_brackets ? text + 1 : text, 0};
    const char *rest;

    host.len = strcspn(host.data, has_brackets ? "]" : ":");
    rest = host.data + host.len;
    if (has_brackets && *rest++ != ']') {
        return false;
    }
    if (host.len >= sizeof(address->host) || !(has_brackets ? is_v6(host) : is_name(host))) {
        return false;
    }
    if (!read_port(sl_str_from(rest), default_port, &address->port)) {
        return false;
    }
    memcpy(address->host, host.data, host.len);
    address->host[host.len] = '\0';
    return true;
}

bool sl_address_parse(const char *text, uint16_t default_port, struct sl_address *address)
{
    struct sl_str all = sl_str_from(text);

    address->kind = sl_str_starts_with(all, SL_STR("unix:"))            ? SL_ADDRESS_UNIX
                    : sl_str_starts_with(all, SL_STR("unix-abstract:")) ? SL_ADDRESS_ABSTRACT
                                                                        : SL_ADDRESS_HOST;
    return sl_address_is_unix(address) ? parse_unix(text, address)
                                       : parse_host(text, default_port, address);
}

bool sl_address_check(const struct sl_address *address, struct sl_status *why)
{
    size_t len = strlen(address->host);

    *why = sl_status_ok();
    if (sl_address_is_unix(address) && len > SL_ADDRESS_UNIX_BYTES) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "a unix socket's %s has at most %d bytes, this one %zu: %.60s...",
                               address->kind == SL_ADDRESS_UNIX ? "path" : "name",
                               SL_ADDRESS_UNIX_BYTES, len, address->host);
    }
    return sl_status_is_ok(why);
}

void sl_address_print(const struct sl_address *address, char text[SL_ADDRESS_TEXT_BYTES])
{
    if (address->kind == SL_ADDRESS_PRIVATE) {
        snprintf(text, SL_ADDRESS_TEXT_BYTES, "private");
    } else if (sl_address_is_unix(address)) {
        snprintf(text, SL_ADDRESS_TEXT_BYTES, "%s:%s",
                 address->kind == SL_ADDRESS_UNIX ? "unix" : "unix-abstract", address->host);
    } else {
        snprintf(text, SL_ADDRESS_TEXT_BYTES, strchr(address->host, ':') ? "[%s]:%u" : "%s:%u",
                 address->host, (unsigned)address->port);
    }
}

bool sl_host_is_valid(const char *text)
{
    struct sl_str host = sl_str_from(text);

    return host.len < sizeof(((struct sl_address *)NULL)->host) && (is_name(host) || is_v6(host));
}

void sl_net_name(const struct sockaddr *address, socklen_t len, char name[SL_NET_NAME_BYTES])
{
    char host[SL_NET_NAME_BYTES - sizeof("[]:65535")];
    char port[sizeof("65535")];

    if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(name, SL_NET_NAME_BYTES, "unknown");
        return;
    }
    snprintf(name, SL_NET_NAME_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

/* NULL: nothing more telling than the code. */
static const char *reason_of(int error)
{
    switch (error) {
    case UV_ECONNREFUSED:
        return "connection-refused";
    case UV_ECONNRESET:
    case UV_EPIPE:
        return "connection-reset";
    case UV_ETIMEDOUT:
        return "timed-out";
    case UV_EHOSTUNREACH:
    case UV_ENETUNREACH:
        return "unreachable";
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
        return "name-unknown";
    default:
        return NULL;
    }
}

struct sl_status sl_net_closed(void)
{
    return sl_status_because("closed-by-peer", sl_status_error(SL_UNAVAILABLE, "closed by peer"));
}

struct sl_status sl_net_error(const char *verb, const char *name, int error)
{
    struct sl_status why =
        sl_status_error(SL_UNAVAILABLE, "%s %s: %s", verb, name, uv_strerror(error));

    return sl_status_because(reason_of(error), why);
}
