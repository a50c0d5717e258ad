/* certificates.h - authorities and certificates for the tests of TLS, made anew in a directory of
 * their own: NAME.pem and NAME.key. */
#ifndef SLUICE_TESTS_UNIT_NET_CERTIFICATES_H
#define SLUICE_TESTS_UNIT_NET_CERTIFICATES_H

struct wish {
    const char *name;   /* of the files, and the subject */
    const char *issuer; /* the `name` of one made before; NULL: itself */
    const char *names;  /* subjectAltName: "DNS:leaf1,IP:127.0.0.1"; NULL: none */
    int from_day;       /* from now */
    int to_day;
};

/* A group set-up and tear-down: makes
 *     ca, other-ca                                 authorities
 *     leaf (leaf1, *.net.example, 127.0.0.1, ::1)      by ca, as are
 *     old (expired), young (not yet valid), client
 *     foreign (leaf1)                              by other-ca
 *     own (leaf1)                                  by itself
 *     service (a mail address, a URI, a DNS name), mailbox (no URI, no DNS name)    by ca
 * and the working directory is theirs until the end. */
int make_certificates(void **state);
int remove_certificates(void **state);

#endif
