/* Why TLS did not come about, as an operator wants to read it, with what to try where that is
 * plain. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "net/tls_internal.h"

enum { MAX_NAMES = 8, MAX_WORDS_BYTES = 120 };

const char *sl_tls_openssl_words(void)
{
    unsigned long error = ERR_peek_last_error();
    const char *words = error ? ERR_reason_error_string(error) : NULL;

    if (ERR_SYSTEM_ERROR(error)) {
        words = strerror(ERR_GET_REASON(error));
    }
    ERR_clear_error();
    return words ? words : "out of memory"; /* the one error that may leave nothing behind */
}

/* ---- certificates ---- */

static void print_day(const ASN1_TIME *time, char *day, size_t room)
{
    struct tm tm;

    if (!time || ASN1_TIME_to_tm(time, &tm) != 1 || strftime(day, room, "%Y-%m-%d", &tm) == 0) {
        snprintf(day, room, "an unreadable day");
    }
}

static void add_name(const GENERAL_NAME *name, struct sl_buf *out)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);

    if (type == GEN_DNS) {
        sl_buf_add(out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    } else if (type == GEN_IPADD && ASN1_STRING_length(value) == 4) {
        const unsigned char *ip = ASN1_STRING_get0_data(value);
        sl_buf_printf(out, "%d.%d.%d.%d", ip[0], ip[1], ip[2], ip[3]);
    } else {
        sl_buf_add_c(out, type == GEN_IPADD ? "an IPv6 address" : "another kind of name");
    }
}

/* "leaf1.example leaf2.example": whom the certificate is for. */
static void print_names(const X509 *certificate, struct sl_buf *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int count = names ? sk_GENERAL_NAME_num(names) : 0;

    for (int i = 0; i < count && i < MAX_NAMES && out->len < MAX_WORDS_BYTES; i++) {
        sl_buf_add_c(out, i ? " " : "");
        add_name(sk_GENERAL_NAME_value(names, i), out);
    }
    GENERAL_NAMES_free(names);
    if (count == 0) {
        sl_buf_add_c(out, "no name at all");
    }
}

static struct sl_status name_error(const X509 *certificate, const char *name)
{
    struct sl_buf names;
    char text[SL_STATUS_TEXT_BYTES];

    sl_buf_init(&names, 0);
    if (certificate) {
        print_names(certificate, &names);
    }
    names.len = sl_min_size(names.len, MAX_WORDS_BYTES);
    snprintf(text, sizeof(text), "the certificate is not for '%.100s' (tls.server-name) but for",
             name ? name : "");
    struct sl_status why = sl_status_quote(SL_UNAVAILABLE, text, sl_buf_str(&names));
    sl_buf_fini(&names);
    return sl_status_because("tls-name-mismatch", why);
}

static struct sl_status issuer_error(const X509 *certificate)
{
    char issuer[MAX_WORDS_BYTES] = "";

    if (certificate) {
        X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
    }
    return sl_status_because("tls-unknown-issuer",
                             sl_status_quote(SL_UNAVAILABLE,
                                             "the certificate's issuer is not known here (tls.ca)",
                                             sl_str_from(issuer)));
}

static struct sl_status time_error(const X509 *certificate, int depth, bool is_expired)
{
    const char *whose = depth > 0 ? "a certificate of the issuers" : "the certificate";
    char day[sizeof("2026-01-01") + 16];

    print_day(!certificate ? NULL
              : is_expired ? X509_get0_notAfter(certificate)
                           : X509_get0_notBefore(certificate),
              day, sizeof(day));
    if (is_expired) {
        return sl_status_because("tls-certificate-expired",
                                 sl_status_error(SL_UNAVAILABLE, "%s expired on %s", whose, day));
    }
    return sl_status_because("tls-certificate-not-yet-valid",
                             sl_status_error(SL_UNAVAILABLE,
                                             "%s is valid from %s on: is the clock right here?",
                                             whose, day));
}

struct sl_status sl_tls_certificate_error(X509_STORE_CTX *chain, const char *name)
{
    int error = X509_STORE_CTX_get_error(chain);
    int depth = X509_STORE_CTX_get_error_depth(chain);
    const X509 *certificate = X509_STORE_CTX_get_current_cert(chain);

    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return time_error(certificate, depth, error == X509_V_ERR_CERT_HAS_EXPIRED);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return sl_status_because(
            "tls-self-signed",
            sl_status_error(SL_UNAVAILABLE,
                            "the certificate is self-signed: to trust it, name it in tls.ca"));
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return issuer_error(certificate);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return name_error(certificate, name);
    default:
        return sl_status_because("tls-certificate",
                                 sl_status_error(SL_UNAVAILABLE, "the certificate is refused: %s",
                                                 X509_verify_cert_error_string(error)));
    }
}

/* ---- alerts and the protocol ---- */

struct hint {
    int number;
    const char *text;
};

/* By the number of the alert (RFC 8446 section 6). */
static const struct hint alert_hints[] = {
    {SSL_AD_HANDSHAKE_FAILURE, " (does it want a client certificate, tls.cert?)"},
    {SSL_AD_BAD_CERTIFICATE, " (ours, tls.cert)"},
    {SSL_AD_CERTIFICATE_EXPIRED, " (ours, tls.cert)"},
    {SSL_AD_CERTIFICATE_UNKNOWN, " (ours, tls.cert)"},
    {SSL_AD_UNKNOWN_CA, " (that issued ours, tls.cert)"},
    {SSL_AD_PROTOCOL_VERSION,
     " (it must speak TLS 1.2 or later, and what tls.min-version asks for)"},
    {SSL_AD_UNRECOGNIZED_NAME, " (tls.server-name)"},
    {SSL_AD_CERTIFICATE_REQUIRED, " (a client certificate, tls.cert)"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, " (ALPN: it does not speak HTTP/2 there)"},
};

static const char *alert_hint(int number)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(alert_hints); i++) {
        if (alert_hints[i].number == number) {
            return alert_hints[i].text;
        }
    }
    return "";
}

/* OpenSSL's own words end in "... alert NAME". */
static struct sl_status alert_error(unsigned long error)
{
    int number = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
    const char *words = ERR_reason_error_string(error);
    const char *name = words ? strstr(words, "alert ") : NULL;

    return sl_status_because("tls-alert",
                             sl_status_error(SL_UNAVAILABLE, "the peer refuses with alert %d, %s%s",
                                             number, name ? name + strlen("alert ") : "unknown",
                                             alert_hint(number)));
}

struct kind {
    int number; /* OpenSSL's reason code */
    const char *reason;
    const char *text;
};

static const struct kind kinds[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "tls-not-tls", "the peer does not speak TLS"},
    {SSL_R_HTTP_REQUEST, "tls-not-tls", "the peer does not speak TLS but HTTP"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "tls-version",
     "the peer does not speak TLS 1.2 or later, or not what tls.min-version asks for"},
    {SSL_R_WRONG_SSL_VERSION, "tls-version",
     "the peer does not speak TLS 1.2 or later, or not what tls.min-version asks for"},
    {SSL_R_NO_SHARED_CIPHER, "tls-ciphers", "the peer offers no cipher that is allowed here"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "tls-alpn", "the peer does not offer HTTP/2 (ALPN h2)"},
    {SSL_R_CALLBACK_FAILED, "tls-alpn", "the peer does not offer ALPN: HTTP/2 wants h2"},
    {SSL_R_BAD_EXTENSION, "tls-alpn", "the peer answers with a protocol that was not offered"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "tls-certificate-missing",
     "the peer has no certificate"},
};

struct sl_status sl_tls_protocol_error(void)
{
    unsigned long error = ERR_peek_last_error();
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;

    if (reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
        struct sl_status why = alert_error(error);
        ERR_clear_error();
        return why;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(kinds); i++) {
        if (kinds[i].number == reason) {
            ERR_clear_error();
            return sl_status_because(kinds[i].reason,
                                     sl_status_error(SL_UNAVAILABLE, "%s", kinds[i].text));
        }
    }
    return sl_status_because("tls-protocol",
                             sl_status_error(SL_UNAVAILABLE, "%s", sl_tls_openssl_words()));
}
