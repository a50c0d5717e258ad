#include "tool/admin_place.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "daemon/settings.h"

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return strcmp(host, "localhost") == 0;
}

static void fill_unix(struct sl_admin_place *place, const struct sl_address *address)
{
    snprintf(place->socket, sizeof(place->socket), "%s%.*s",
             address->kind == SL_ADDRESS_ABSTRACT ? "@" : "", SL_ADDRESS_UNIX_BYTES, address->host);
    snprintf(place->url, sizeof(place->url), "%s://localhost", place->is_tls ? "https" : "http");
    place->is_local = true;
}

/* Takes the scheme off. */
static const char *skip_scheme(const char *text, struct sl_admin_place *place)
{
    static const char http[] = "http://";
    static const char https[] = "https://";

    if (strncmp(text, https, sizeof(https) - 1) == 0) {
        place->is_tls = true;
        return text + sizeof(https) - 1;
    }
    if (strncmp(text, http, sizeof(http) - 1) == 0) {
        place->is_tls = false;
        return text + sizeof(http) - 1;
    }
    return text;
}

/* "https://host:9804/" is what browsers show. */
static bool copy_authority(const char *text, bool is_url, char *copy, size_t room)
{
    size_t len = strlen(text);

    len -= is_url && len && text[len - 1] == '/';
    if (len >= room) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    return true;
}

bool sl_admin_place_parse(const char *text, bool wants_tls, struct sl_admin_place *place,
                          struct sl_status *why)
{
    struct sl_address address;
    char authority[SL_ADDRESS_TEXT_BYTES];

    *place = (struct sl_admin_place){.is_tls = wants_tls};
    const char *rest = skip_scheme(text, place);
    bool is_url = rest != text;

    if (!copy_authority(rest, is_url, authority, sizeof(authority)) ||
        !sl_address_parse(authority, SL_SETTINGS_DEFAULT_ADMIN_PORT, &address) ||
        (is_url && sl_address_is_unix(&address))) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "'%.100s' is no address; expected HOST:PORT, https://HOST:PORT or "
                               "unix:PATH",
                               text);
        return false;
    }
    if (!sl_address_check(&address, why)) {
        return false;
    }
    sl_address_print(&address, place->text);
    if (sl_address_is_unix(&address)) {
        fill_unix(place, &address);
        return true;
    }
    snprintf(place->url, sizeof(place->url), "%s://%s", place->is_tls ? "https" : "http",
             place->text);
    place->is_local = is_loopback(address.host);
    return true;
}
