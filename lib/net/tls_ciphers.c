/* Which versions and ciphers of TLS may be spoken: what a user asks for is checked word by word,
 * where OpenSSL leaves out what it does not know. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/tls_internal.h"

static const char *const version_names[] = {"1.2", "1.3", NULL};
static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* RFC 8446 appendix B.4. */
static const char *const suites[] = {
    "TLS_AES_128_GCM_SHA256",   "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_8_SHA256", "TLS_AES_128_CCM_SHA256", NULL,
};

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool is_in(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

static bool fail(struct sl_status *why, const char *text, const char *word)
{
    *why = sl_status_quote(SL_INVALID_ARGUMENT, text, sl_str_from(word));
    ERR_clear_error();
    return false;
}

/* ---- word by word ---- */

/* OpenSSL's separators. Calls `check` with each word; false when one of them did not pass. */
static bool each_word(const char *list, SSL_CTX *context, struct sl_status *why,
                      bool (*check)(const char *word, SSL_CTX *context, struct sl_status *why))
{
    char *copy = sl_str_dup(sl_str_from(list));
    char *rest = copy;
    bool is_good = true;

    if (!copy) {
        *why = sl_status_out_of_memory();
        return false;
    }
    for (char *word = strtok_r(copy, ":, ;", &rest); word && is_good;
         word = strtok_r(NULL, ":, ;", &rest)) {
        is_good = check(word, context, why);
    }
    free(copy);
    return is_good;
}

/* A word that takes something away may name what this OpenSSL does not have any more. */
static bool check_cipher(const char *word, SSL_CTX *context, struct sl_status *why)
{
    if (*word == '!' || *word == '-' || *word == '@') {
        return true;
    }
    word += *word == '+';
    if (is_in(suites, word)) {
        return fail(why, "a suite of TLS 1.3 goes into the ciphersuites", word);
    }
    return SSL_CTX_set_cipher_list(context, word) == 1 ||
           fail(why, "OpenSSL knows no such cipher of TLS 1.2", word);
}

static bool check_suite(const char *word, SSL_CTX *context, struct sl_status *why)
{
    char text[120];
    const char *nearest = sl_str_nearest(word, suites);

    (void)context;
    if (is_in(suites, word)) {
        return true;
    }
    snprintf(text, sizeof(text), "TLS 1.3 has no such cipher suite%s%s%s", nearest ? " (but " : "",
             nearest ? nearest : "", nearest ? ")" : "");
    return fail(why, text, word);
}

/* ---- the options ---- */

/* Nobody without a certificate, nobody in the clear, whatever the list says. */
static bool set_ciphers(SSL_CTX *context, const char *list, struct sl_status *why)
{
    struct sl_buf whole;

    if (!each_word(list, context, why, check_cipher)) {
        return false;
    }
    sl_buf_init(&whole, 0);
    sl_buf_printf(&whole, "%s:!aNULL:!eNULL", list);
    bool is_set = !whole.failed && SSL_CTX_set_cipher_list(context, sl_buf_text(&whole)) == 1;
    sl_buf_fini(&whole);
    return is_set || fail(why, "no cipher of TLS 1.2 is left of", list);
}

static bool set_suites(SSL_CTX *context, const char *list, struct sl_status *why)
{
    if (!each_word(list, context, why, check_suite)) {
        return false;
    }
    return SSL_CTX_set_ciphersuites(context, list) == 1 ||
           fail(why, "OpenSSL does not take the cipher suites", list);
}

static bool set_version(SSL_CTX *context, const char *name, int *version, struct sl_status *why)
{
    *version = TLS1_2_VERSION;
    for (size_t i = 0; *name && version_names[i]; i++) {
        *version = strcmp(name, version_names[i]) == 0 ? versions[i] : *version;
    }
    if (*name && !is_in(version_names, name)) {
        return fail(why, "the lowest version of TLS is 1.2 or 1.3, not", name);
    }
    return SSL_CTX_set_min_proto_version(context, *version) == 1 ||
           fail(why, "OpenSSL does not take the version", name);
}

bool sl_tls_set_ciphers(SSL_CTX *context, const struct sl_tls_options *options,
                        struct sl_status *why, enum sl_tls_part *part)
{
    const char *ciphers = or_empty(options->ciphers);
    const char *ciphersuites = or_empty(options->ciphersuites);
    int version;

    *part = SL_TLS_MIN_VERSION;
    if (!set_version(context, or_empty(options->min_version), &version, why)) {
        return false;
    }
    *part = SL_TLS_CIPHERS;
    if (*ciphers && version > TLS1_2_VERSION) {
        return fail(why, "the ciphers are of TLS 1.2, and the lowest version is",
                    options->min_version);
    }
    if (*ciphers && !set_ciphers(context, ciphers, why)) {
        return false;
    }
    *part = SL_TLS_CIPHERSUITES;
    if (*ciphersuites && !set_suites(context, ciphersuites, why)) {
        return false;
    }
    *part = SL_TLS_NO_PART;
    return true;
}
