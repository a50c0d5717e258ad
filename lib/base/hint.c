#include "base/hint.h"

#include <string.h>

#define ITS_PORT "an HTTP server that is no gRPC server: is this its gNMI port?"

/* By the reason of a status of our own; one text where both readers do the same. */
static const struct {
    const char *reason;
    const char *flags;
    const char *file; /* NULL: as `flags` */
} reasons[] = {
    {"connection-refused", "is gNMI enabled, and is this its port? (57400, 9339, 6030, 50051, ...)",
     NULL},
    {"name-unknown", "is the name spelled right?", NULL},
    {"unreachable", "is the address right, and is there a route to it?", NULL},
    {"timed-out",
     "is the address right, and does a firewall let us through? --timeout is how long to wait",
     "is the address right, and does a firewall let us through? 'dial-timeout' is how long to "
     "wait"},
    {"tls-not-tls", "it does not speak TLS: --insecure for plaintext",
     "it does not speak TLS: 'insecure: true' is plaintext"},
    {"tls-alpn", "it speaks TLS, but not HTTP/2: is this its gNMI port?", NULL},
    {"tls-unknown-issuer", "--tls-ca FILE names whom to trust; --skip-verify trusts anybody",
     "'tls: {ca: FILE}' names whom to trust; 'skip-verify: true' trusts anybody"},
    {"tls-self-signed",
     "--tls-ca FILE with that certificate trusts it; --skip-verify trusts anybody",
     "'tls: {ca: FILE}' with that certificate trusts it; 'skip-verify: true' trusts anybody"},
    {"tls-name-mismatch", "--tls-server-name NAME, with one of those names",
     "'tls: {server-name: NAME}', with one of those names"},
    {"tls-certificate-expired", "--skip-verify takes it all the same",
     "a new certificate for the device; until then 'skip-verify: true' takes it all the same"},
    {"tls-certificate-not-yet-valid", "--skip-verify takes it all the same",
     "is this machine's clock right? 'skip-verify: true' takes it all the same"},
    {"tls-certificate-missing", "--tls-cert FILE and --tls-key FILE",
     "'tls: {cert: FILE, key: FILE}'"},
    {"tls-alert", "a client certificate: --tls-cert FILE and --tls-key FILE",
     "a client certificate: 'tls: {cert: FILE, key: FILE}'"},
    {"tls-version", "--tls-min-version; the device may be too old",
     "'tls: {min-version:}'; the device may be too old"},
    {"tls-handshake-cut", "is it plaintext? then --insecure; or is another port its gNMI port?",
     "is it plaintext? then 'insecure: true'; or is another port its gNMI port?"},
    {"tls-handshake-timeout", "is this its gNMI port? --timeout is how long to wait",
     "is this its gNMI port? 'dial-timeout' is how long to wait"},
    {"proxy-login", "the user name and password of --proxy",
     "the user name and password in 'proxy'"},
    {"proxy-refused", "is that proxy allowed to go there?", NULL},
    {"http-status", ITS_PORT, NULL},
    {"not-grpc", ITS_PORT, NULL},
    {"not-http2", "does it speak TLS? then without --insecure; or is another port its gNMI port?",
     "does it speak TLS? then without 'insecure: true'; or is another port its gNMI port?"},
    {"message-too-large", "--max-msg-size BYTES takes larger answers",
     "'max-message' of the subscription takes larger ones"},
    {"too-many-pings", "a longer interval between PING",
     "nothing: PING are rarer from now on; 'keepalive: {interval:}' says so from the beginning"},
    {"deadline", "--timeout is how long to wait",
     "is the device busy? it is asked again by itself"},
};

/* By the code, where the peer said it. */
static const struct {
    const char *flags;
    const char *file; /* NULL: as `flags` */
} codes[SL_CODES] = {
    [SL_INVALID_ARGUMENT] = {"a path, a value or an encoding that it does not take: 'sluice path' "
                             "checks paths, 'sluice capabilities' shows encodings",
                             NULL},
    [SL_DEADLINE_EXCEEDED] = {"--timeout is how long to wait",
                              "is the device busy? it is tried again by itself"},
    [SL_NOT_FOUND] = {"is the path right, and its origin? 'sluice path' checks it", NULL},
    [SL_PERMISSION_DENIED] = {"the user may not do that", NULL},
    [SL_RESOURCE_EXHAUSTED] = {"it bears no more sessions or streams: end others, or ask for less",
                               NULL},
    [SL_UNIMPLEMENTED] = {"it does not do that; another --encoding, or a path of another model?",
                          "it does not do that; another 'encoding', or a path of another model?"},
    [SL_UNAUTHENTICATED] = {"--username and --password, or --token",
                            "'username' and 'password' of the target"},
    [SL_FAILED_PRECONDITION] = {"it is not in a state for that: another commit under way, or "
                                "another election id?",
                                NULL},
};

static const char *for_reader(const char *flags, const char *file, enum sl_hint_reader reader)
{
    return reader == SL_HINT_FILE && file ? file : flags;
}

const char *sl_hint(const struct sl_status *status, enum sl_hint_reader reader)
{
    const char *reason = sl_status_reason(status);

    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].reason, reason) == 0) {
            return for_reader(reasons[i].flags, reasons[i].file, reader);
        }
    }
    if (status->reason || (unsigned)status->code >= SL_CODES) {
        return NULL;
    }
    return for_reader(codes[status->code].flags, codes[status->code].file, reader);
}

bool sl_hint_is_end(const struct sl_status *status)
{
    const char *reason = sl_status_reason(status);

    return strcmp(reason, "closed-by-peer") == 0 || strcmp(reason, "connection-reset") == 0 ||
           strcmp(reason, "reset-by-peer") == 0;
}

const char *sl_hint_of_end(bool has_tls, enum sl_hint_reader reader)
{
    if (has_tls) {
        return for_reader("a client certificate: --tls-cert FILE and --tls-key FILE",
                          "a client certificate: 'tls: {cert: FILE, key: FILE}'", reader);
    }
    return for_reader("does it speak TLS? then without --insecure",
                      "does it speak TLS? then without 'insecure: true'", reader);
}
