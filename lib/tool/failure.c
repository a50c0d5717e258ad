/* What a failure is for a script, and what a person may try. */
#include <string.h>

#include "base/base.h"
#include "tool/internal.h"

enum sl_tool_exit sl_tool_class(const struct sl_tool_target *target, const struct sl_status *status)
{
    bool is_theirs = !status->reason; /* the device's own words */

    if (sl_status_is_ok(status) || strcmp(sl_status_reason(status), "output-closed") == 0) {
        return SL_TOOL_EXIT_OK;
    }
    if (status->code == SL_CANCELLED && !is_theirs) {
        return SL_TOOL_EXIT_FAILED;
    }
    if (!target->has_begun || status->code == SL_UNAVAILABLE) {
        return SL_TOOL_EXIT_CONNECTION;
    }
    if (status->code == SL_UNAUTHENTICATED || status->code == SL_PERMISSION_DENIED) {
        return SL_TOOL_EXIT_LOGIN;
    }
    if (status->code == SL_DEADLINE_EXCEEDED) {
        return SL_TOOL_EXIT_TIMEOUT;
    }
    return is_theirs ? SL_TOOL_EXIT_REFUSED : SL_TOOL_EXIT_FAILED;
}

/* By the reason of a status of our own. */
static const struct {
    const char *reason;
    const char *hint;
} reasons[] = {
    {"connection-refused",
     "is gNMI enabled, and is this its port? (57400, 9339, 6030, 50051, ...)"},
    {"name-unknown", "is the name spelled right?"},
    {"timed-out", "is the address right, and does a firewall let us through? --timeout is how long "
                  "to wait"},
    {"tls-not-tls", "it does not speak TLS: --insecure for plaintext"},
    {"tls-alpn", "it speaks TLS, but not HTTP/2: is this its gNMI port?"},
    {"tls-unknown-issuer", "--tls-ca FILE names whom to trust; --skip-verify trusts anybody"},
    {"tls-self-signed", "--tls-ca FILE with that certificate trusts it; --skip-verify trusts "
                        "anybody"},
    {"tls-name-mismatch", "--tls-server-name NAME, with one of those names"},
    {"tls-certificate-expired", "--skip-verify takes it all the same"},
    {"tls-certificate-not-yet-valid", "--skip-verify takes it all the same"},
    {"tls-certificate-missing", "--tls-cert FILE and --tls-key FILE"},
    {"tls-alert", "a client certificate: --tls-cert FILE and --tls-key FILE"},
    {"tls-version", "--tls-min-version; the device may be too old"},
    {"proxy-login", "the user name and password of --proxy"},
    {"proxy-refused", "is that proxy allowed to go there?"},
    {"http-status", "an HTTP server that is no gRPC server: is this its gNMI port?"},
    {"not-grpc", "an HTTP server that is no gRPC server: is this its gNMI port?"},
    {"message-too-large", "--max-msg-size BYTES takes larger answers"},
    {"deadline", "--timeout is how long to wait"},
};

/* By the code, where the device said it. */
static const char *code_hint(enum sl_code code)
{
    static const char *const hints[SL_CODES] = {
        [SL_INVALID_ARGUMENT] =
            "a path, a value or an encoding that it does not take: 'sluice path' "
            "checks paths, 'sluice capabilities' shows encodings",
        [SL_DEADLINE_EXCEEDED] = "--timeout is how long to wait",
        [SL_NOT_FOUND] = "is the path right, and its origin? 'sluice path' checks it",
        [SL_PERMISSION_DENIED] = "the user may not do that",
        [SL_UNIMPLEMENTED] = "it does not do that; another --encoding, or a path of another model?",
        [SL_UNAUTHENTICATED] = "--username and --password, or --token",
        [SL_FAILED_PRECONDITION] = "it is not in a state for that: another commit under way, or "
                                   "another election id?",
    };

    return (unsigned)code < SL_CODES ? hints[code] : NULL;
}

/* It ended what it did not want to hear, or whom it did not want to hear. */
static const char *end_hint(const struct sl_tool_target *target)
{
    return target->run->dial->tls ? "a client certificate: --tls-cert FILE and --tls-key FILE"
                                  : "does it speak TLS? then without --insecure";
}

static bool is_end(const char *reason)
{
    return strcmp(reason, "closed-by-peer") == 0 || strcmp(reason, "connection-reset") == 0 ||
           strcmp(reason, "reset-by-peer") == 0;
}

const char *sl_tool_hint(const struct sl_tool_target *target, const struct sl_status *status)
{
    const char *reason = sl_status_reason(status);

    /* The file of -c has other names for these. */
    if (target->settings && strncmp(reason, "tls-", 4) == 0) {
        return NULL;
    }
    if (is_end(reason) && !target->settings && !target->has_begun) {
        return end_hint(target);
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(reasons); i++) {
        if (strcmp(reasons[i].reason, reason) == 0) {
            return reasons[i].hint;
        }
    }
    return status->reason ? NULL : code_hint(status->code);
}
