/* The admin listener: who may reach it, and what is asked of those who can. */
#include <arpa/inet.h>
#include <string.h>

#include "daemon/settings_read.h"

#define AT(field) offsetof(struct sl_collector_options, admin.field)

static const struct sluice_option tls_table[] = {
    {.name = "cert",
     .type = SLUICE_STRING,
     .offset = AT(tls.cert),
     .default_text = "",
     .doc = "The listener's certificate, PEM, and those between it and its CA; makes it HTTPS."},
    {.name = "key",
     .type = SLUICE_STRING,
     .offset = AT(tls.key),
     .default_text = "",
     .doc = "Its private key, PEM."},
    {.name = "client-ca",
     .type = SLUICE_STRING,
     .offset = AT(tls.client_ca),
     .default_text = "",
     .doc = "CA file: every client needs a certificate that it issued, and with a token that too."},
    {.name = NULL},
};

const struct sluice_option sl_admin_table[] = {
    {.name = "listen",
     .type = SLUICE_STRING,
     .offset = AT(listen),
     .default_text = "127.0.0.1:9804",
     .doc = "An address and port, or unix:/path for a socket of mode 0660; beyond loopback only "
            "with tls and a token or client-ca; \"\" for none."},
    {.name = "token",
     .type = SLUICE_SECRET,
     .offset = AT(token),
     .default_text = "",
     .doc = "What requests must bring as 'Authorization: Bearer'; all but /healthz and the page's "
            "own files."},
    {.name = "hosts",
     .type = SLUICE_STRINGS,
     .offset = AT(hosts),
     .doc = "Names by which it is asked, beside localhost and addresses in numbers; of plaintext."},
    {.name = "tls", .type = SLUICE_OBJECT, .table = tls_table, .doc = "HTTPS."},
    {.name = NULL},
};

static bool is_loopback(const char *host)
{
    struct in6_addr v6;
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return strcmp(host, "localhost") == 0 ||
           (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

/* A header carries it as it is. */
static bool is_token(const char *text)
{
    size_t len = 0;

    for (; text[len]; len++) {
        if (text[len] <= ' ' || text[len] > '~') {
            return false;
        }
    }
    return len >= SL_SETTINGS_MIN_TOKEN_BYTES;
}

static void read_tls(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    static const char *const keys[] = {[SL_TLS_NO_PART] = "cert",
                                       [SL_TLS_CA] = "client-ca",
                                       [SL_TLS_CERT] = "cert",
                                       [SL_TLS_KEY] = "key"};
    const struct sl_collector_options *collector = &reader->settings->collector;
    const struct sl_tls_options options = {.ca = collector->admin.tls.client_ca,
                                           .cert = collector->admin.tls.cert,
                                           .key = collector->admin.tls.key,
                                           .is_http1 = true};
    enum sl_tls_part part;
    struct sl_status why;

    if (!*options.ca && !*options.cert && !*options.key) {
        return;
    }
    if (!*options.cert || !*options.key) {
        sl_config_error(reader->config, node, "'tls': expected both 'cert' and 'key'");
        return;
    }
    reader->settings->admin_tls = sl_tls_new(SL_TLS_SERVER, &options, &why, &part);
    if (!reader->settings->admin_tls) {
        const char *key = part < SL_ARRAY_LEN(keys) ? keys[part] : keys[SL_TLS_NO_PART];
        sl_config_error(reader->config, sl_settings_own_or(node, NULL, key), "'%s': %s", key,
                        why.text);
    }
}

static void check_secrets(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    const struct sl_collector_options *collector = &reader->settings->collector;
    const struct sluice_strings *hosts = &collector->admin.hosts;

    if (*collector->admin.token && !is_token(collector->admin.token)) {
        sl_config_error(reader->config, sl_settings_own_or(node, NULL, "token"),
                        "'token': expected at least %d printable ASCII characters without blanks",
                        SL_SETTINGS_MIN_TOKEN_BYTES);
    }
    for (size_t i = 0; i < hosts->count; i++) {
        if (!sl_host_is_valid(hosts->items[i])) {
            sl_config_error(reader->config, sl_settings_own_or(node, NULL, "hosts"),
                            "'hosts': expected host names, found '%.80s'", hosts->items[i]);
        }
    }
}

/* Where everybody on the network can ask, plaintext and strangers are no choice. */
static void check_reach(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    const struct sl_collector_options *collector = &reader->settings->collector;
    const struct sl_address *address = &reader->settings->admin;
    bool has_tls = *collector->admin.tls.cert && *collector->admin.tls.key;
    bool knows_clients = *collector->admin.token || *collector->admin.tls.client_ca;

    if (sl_address_is_unix(address)) {
        if (has_tls) {
            sl_config_error(reader->config, node,
                            "'listen': a unix socket has no TLS; its file's mode says who may");
        }
    } else if (!is_loopback(address->host) && (!has_tls || !knows_clients)) {
        sl_config_error(reader->config, node,
                        "'listen': '%.80s' is not a loopback address: add %s%s%s to "
                        "collector.admin, or listen on 127.0.0.1:%d or unix:/path",
                        collector->admin.listen, has_tls ? "" : "'tls: {cert, key}'",
                        has_tls || knows_clients ? "" : " and ",
                        knows_clients ? "" : "a 'token' or 'tls.client-ca'",
                        SL_SETTINGS_DEFAULT_ADMIN_PORT);
    }
}

void sl_settings_read_admin(struct sl_settings_reader *reader, const struct sl_config_node *node)
{
    const char *listen = reader->settings->collector.admin.listen;
    struct sl_address *address = &reader->settings->admin;
    const struct sl_config_node *place = sl_settings_own_or(node, NULL, "listen");
    struct sl_status why;

    if (!*listen) {
        return;
    }
    check_secrets(reader, node);
    read_tls(reader, sl_settings_own_or(node, NULL, "tls"));
    if (!sl_address_parse(listen, SL_SETTINGS_DEFAULT_ADMIN_PORT, address) ||
        address->kind == SL_ADDRESS_ABSTRACT ||
        (address->kind == SL_ADDRESS_UNIX && address->host[0] != '/')) {
        sl_config_error(reader->config, place,
                        "'listen': expected a loopback address such as 127.0.0.1:%d, unix:/path, "
                        "or \"\" for none, found '%.80s'",
                        SL_SETTINGS_DEFAULT_ADMIN_PORT, listen);
    } else if (!sl_address_check(address, &why)) {
        sl_config_error(reader->config, place, "'listen': %s", why.text);
    } else {
        check_reach(reader, place);
    }
}
