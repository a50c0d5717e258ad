#include "certificates.h"

#include "test.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY_S = 24 * 3600, PATH_BYTES = 64 };

static char directory[] = "/tmp/sluice-tls-XXXXXX";

static const struct wish wishes[] = {
    {"ca", NULL, NULL, -1, 30},
    {"other-ca", NULL, NULL, -1, 30},
    {"leaf", "ca", "DNS:leaf1,DNS:*.net.example,IP:127.0.0.1,IP:::1", -1, 30},
    {"old", "ca", "DNS:leaf1", -30, -2},
    {"young", "ca", "DNS:leaf1", 2, 30},
    {"client", "ca", NULL, -1, 30},
    {"foreign", "other-ca", "DNS:leaf1", -1, 30},
    {"own", NULL, "DNS:leaf1", -1, 30},
    {"service", "ca", "email:a@b.example,URI:spiffe://example/collector,DNS:collector", -1, 30},
    {"mailbox", "ca", "email:a@b.example,IP:192.0.2.1", -1, 30},
};

static FILE *open_file(const char *name, const char *suffix, const char *mode)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s.%s", name, suffix);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *text)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, text);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void fill(X509 *certificate, const struct wish *wish, EVP_PKEY *key)
{
    static long serial;

    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), (long)wish->from_day * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), (long)wish->to_day * DAY_S);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)wish->name, -1, -1, 0);
}

static void sign(X509 *certificate, const struct wish *wish, EVP_PKEY *key)
{
    X509 *issuer = certificate;

    if (wish->issuer) {
        FILE *file = open_file(wish->issuer, "pem", "r");
        issuer = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
        file = open_file(wish->issuer, "key", "r");
        key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
    }
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints,
                  wish->issuer || wish->names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (wish->names) {
        add_extension(certificate, issuer, NID_subject_alt_name, wish->names);
    }
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    if (wish->issuer) {
        X509_free(issuer);
        EVP_PKEY_free(key);
    }
}

static void make(const struct wish *wish)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();

    fill(certificate, wish, key);
    sign(certificate, wish, key);
    FILE *file = open_file(wish->name, "pem", "w");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    file = open_file(wish->name, "key", "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

int make_certificates(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        make(&wishes[i]);
    }
    return 0;
}

int remove_certificates(void **state)
{
    DIR *files = opendir(".");

    (void)state;
    for (const struct dirent *entry = readdir(files); entry; entry = readdir(files)) {
        if (entry->d_name[0] != '.') {
            unlink(entry->d_name);
        }
    }
    closedir(files);
    return rmdir(directory);
}
