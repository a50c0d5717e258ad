#include "admin/guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { HOST_BYTES = 256 };

/* The host of "host:port" without port and brackets. False: there is none, or it is too long. */
static bool take_host(const char *text, char host[HOST_BYTES])
{
    bool is_v6 = *text == '[';
    const char *begin = text + is_v6;
    size_t len = strcspn(begin, is_v6 ? "]" : ":");

    if (len == 0 || len >= HOST_BYTES || (is_v6 && begin[len] != ']')) {
        return false;
    }
    memcpy(host, begin, len);
    host[len] = '\0';
    const char *rest = begin + len + is_v6;
    return *rest == '\0' || (*rest == ':' && strspn(rest + 1, "0123456789") == strlen(rest + 1));
}

static bool is_number(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

bool sl_guard_host(const char *host, const struct sluice_strings *names)
{
    char own[HOST_BYTES];

    if (!host) {
        return true;
    }
    if (!take_host(host, own)) {
        return false;
    }
    if (is_number(own) || strcasecmp(own, "localhost") == 0) {
        return true;
    }
    for (size_t i = 0; names && i < names->count; i++) {
        if (strcasecmp(own, names->items[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool sl_guard_origin(const char *origin, const char *host)
{
    const char *begin;

    if (!origin) {
        return true;
    }
    begin = strstr(origin, "://");
    return begin && host && strcasecmp(begin + 3, host) == 0;
}

bool sl_guard_token(const char *authorization, const char *token)
{
    static const char scheme[] = "Bearer ";
    uint32_t differs = 0;

    if (!authorization || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0) {
        return false;
    }
    const char *given = authorization + sizeof(scheme) - 1;
    size_t given_len = strlen(given), len = strlen(token);
    differs = given_len != len || len == 0;
    for (size_t i = 0; i < given_len; i++) {
        differs |= (uint32_t)(unsigned char)given[i] ^ (unsigned char)token[len ? i % len : 0];
    }
    return differs == 0;
}

bool sl_guard_is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof(json) - 1;

    return content_type && strncasecmp(content_type, json, len) == 0 &&
           (content_type[len] == '\0' || content_type[len] == ';' || content_type[len] == ' ');
}
