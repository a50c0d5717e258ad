/* Who the owner of a verified certificate is, in one word. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/tls_internal.h"

/* A copy of `text` if it can stand for a peer: printable ASCII, not empty, and not so long that a
 * part would have to do. A NUL within is not printable. */
static char *take(const unsigned char *text, int len)
{
    if (len < 1 || len > SL_TLS_MAX_IDENTITY_BYTES) {
        return NULL;
    }
    for (int i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            return NULL;
        }
    }
    return sl_str_dup((struct sl_str){(const char *)text, (size_t)len});
}

/* The first URI or DNS name; NULL: there is none. */
static const ASN1_STRING *first_name(const GENERAL_NAMES *names)
{
    int count = names ? sk_GENERAL_NAME_num(names) : 0;

    for (int i = 0; i < count; i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        if (type == GEN_URI || type == GEN_DNS) {
            return value;
        }
    }
    return NULL;
}

static char *from_subject(const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;

    if (at < 0) {
        return NULL;
    }
    int len =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    char *identity = len > 0 ? take(text, len) : NULL;
    OPENSSL_free(text);
    return identity;
}

char *sl_tls_identity(const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *name = first_name(names);
    char *identity = name ? take(ASN1_STRING_get0_data(name), ASN1_STRING_length(name))
                          : from_subject(certificate);

    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return identity;
}
