#include "net/tls_resume.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "base/str.h"
#include "net/tls.h"

enum { NAME_BYTES = 16, SECRET_BYTES = 32, KEYS = 2 };

enum { GIVE_ANOTHER = 2 }; /* of a ticket that opened: the client gets a new one */

struct saved {
    char *key; /* first: what the tree compares */
    struct sl_list node;
    SSL_SESSION *session;
};

struct ticket_key {
    int64_t made_ns;
    bool is_made;
    unsigned char name[NAME_BYTES];
    unsigned char cipher[SECRET_BYTES];
    unsigned char mac[SECRET_BYTES];
};

struct sl_tls_resume {
    pthread_mutex_t lock;
    void *saved;          /* of tsearch */
    struct sl_list order; /* of the same, the oldest first */
    size_t count;
    struct ticket_key keys[KEYS]; /* the newest first */
};

/* ---- a client's sessions ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct saved *)a)->key, ((const struct saved *)b)->key);
}

static void drop(struct sl_tls_resume *resume, struct saved *saved)
{
    tdelete(saved, &resume->saved, compare);
    sl_list_remove(&saved->node);
    resume->count--;
    SSL_SESSION_free(saved->session);
    free(saved->key);
    free(saved);
}

static struct saved *find(struct sl_tls_resume *resume, const char *key)
{
    const struct saved wanted = {.key = (char *)(uintptr_t)key}; /* compared only */
    struct saved *const *found = tfind(&wanted, &resume->saved, compare);

    return found ? *found : NULL;
}

/* NULL when memory is out. */
static struct saved *add(struct sl_tls_resume *resume, const char *key)
{
    struct saved *saved = calloc(1, sizeof(*saved));

    if (saved) {
        saved->key = sl_str_dup(sl_str_from(key));
    }
    if (!saved || !saved->key || !tsearch(saved, &resume->saved, compare)) {
        free(saved ? saved->key : NULL);
        free(saved);
        return NULL;
    }
    sl_list_init(&saved->node);
    sl_list_append(&resume->order, &saved->node);
    resume->count++;
    return saved;
}

void sl_tls_resume_put(struct sl_tls_resume *resume, const char *key, SSL_SESSION *session)
{
    pthread_mutex_lock(&resume->lock);
    struct saved *saved = find(resume, key);
    if (saved) {
        SSL_SESSION_free(saved->session);
        saved->session = session;
        sl_list_remove(&saved->node);
        sl_list_append(&resume->order, &saved->node);
    } else {
        saved = add(resume, key);
        if (saved) {
            saved->session = session;
        } else {
            SSL_SESSION_free(session);
        }
    }
    if (resume->count > SL_TLS_MAX_SESSIONS) {
        drop(resume, SL_CONTAINER_OF(resume->order.next, struct saved, node));
    }
    pthread_mutex_unlock(&resume->lock);
}

/* A resumed session is not verified anew: what was verified must still hold. */
static bool is_fit(const SSL_SESSION *session)
{
    X509 *certificate = SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session);
    long age_s = (long)time(NULL) - SSL_SESSION_get_time(session);

    return SSL_SESSION_is_resumable(session) && age_s >= 0 && age_s < SL_TLS_SESSION_S &&
           certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

SSL_SESSION *sl_tls_resume_take(struct sl_tls_resume *resume, const char *key)
{
    SSL_SESSION *session = NULL;

    pthread_mutex_lock(&resume->lock);
    struct saved *saved = find(resume, key);
    if (saved) {
        session = saved->session;
        saved->session = NULL;
        drop(resume, saved);
    }
    pthread_mutex_unlock(&resume->lock);
    if (session && !is_fit(session)) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    return session;
}

/* ---- a server's tickets ---- */

static bool is_young(const struct ticket_key *key, int64_t now_ns, int64_t periods)
{
    return key->is_made && now_ns - key->made_ns < periods * SL_TLS_TICKET_KEY_S * SL_NS_PER_S;
}

/* The key that seals now. NULL when there is no randomness. */
static struct ticket_key *sealing_key(struct sl_tls_resume *resume, int64_t now_ns)
{
    struct ticket_key *newest = &resume->keys[0];
    struct ticket_key fresh = {.made_ns = now_ns, .is_made = true};

    if (is_young(newest, now_ns, 1)) {
        return newest;
    }
    if (RAND_bytes(fresh.name, sizeof(fresh.name)) != 1 ||
        RAND_priv_bytes(fresh.cipher, sizeof(fresh.cipher)) != 1 ||
        RAND_priv_bytes(fresh.mac, sizeof(fresh.mac)) != 1) {
        return NULL;
    }
    resume->keys[1] = *newest;
    *newest = fresh;
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return newest;
}

static struct ticket_key *opening_key(struct sl_tls_resume *resume, const unsigned char *name,
                                      int64_t now_ns)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct ticket_key *key = &resume->keys[i];
        if (is_young(key, now_ns, 2) && memcmp(key->name, name, NAME_BYTES) == 0) {
            return key;
        }
    }
    return NULL;
}

static bool set_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal(struct sl_tls_resume *resume, int64_t now_ns, unsigned char *name,
                unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key *key = sealing_key(resume, now_ns);
    const EVP_CIPHER *kind = EVP_aes_256_cbc();

    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(kind)) != 1 ||
        EVP_EncryptInit_ex2(cipher, kind, key->cipher, iv, NULL) != 1 || !set_mac(mac, key)) {
        return -1;
    }
    memcpy(name, key->name, NAME_BYTES);
    return 1;
}

/* 0: a ticket that is not ours, or not any more: the whole handshake. */
static int open_ticket(struct sl_tls_resume *resume, int64_t now_ns, const unsigned char *name,
                       const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key *key = opening_key(resume, name, now_ns);

    if (!key) {
        return 0;
    }
    if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_cbc(), key->cipher, iv, NULL) != 1 ||
        !set_mac(mac, key)) {
        return -1;
    }
    return is_young(key, now_ns, 1) ? 1 : GIVE_ANOTHER;
}

/* A ticket of TLS 1.3 is for one use (RFC 8446 appendix C.4). */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_sealing)
{
    int64_t now_ns;
    struct sl_tls_resume *resume = sl_tls_resume_of(ssl, &now_ns);

    pthread_mutex_lock(&resume->lock);
    int result = is_sealing ? seal(resume, now_ns, name, iv, cipher, mac)
                            : open_ticket(resume, now_ns, name, iv, cipher, mac);
    pthread_mutex_unlock(&resume->lock);
    return result == 1 && !is_sealing && SSL_version(ssl) == TLS1_3_VERSION ? GIVE_ANOTHER : result;
}

bool sl_tls_resume_give_tickets(SSL_CTX *context)
{
    static const unsigned char where[] = "sluice";

    SSL_CTX_set_timeout(context, SL_TLS_SESSION_S);
    return SSL_CTX_set_session_id_context(context, where, sizeof(where) - 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 &&
           SSL_CTX_set_num_tickets(context, SL_TLS_TICKETS) == 1;
}

/* ---- life ---- */

struct sl_tls_resume *sl_tls_resume_new(void)
{
    struct sl_tls_resume *resume = calloc(1, sizeof(*resume));

    if (resume && pthread_mutex_init(&resume->lock, NULL) != 0) {
        free(resume);
        return NULL;
    }
    if (resume) {
        sl_list_init(&resume->order);
    }
    return resume;
}

void sl_tls_resume_free(struct sl_tls_resume *resume)
{
    if (resume) {
        while (resume->count > 0) {
            drop(resume, SL_CONTAINER_OF(resume->order.next, struct saved, node));
        }
        OPENSSL_cleanse(resume->keys, sizeof(resume->keys));
        pthread_mutex_destroy(&resume->lock);
        free(resume);
    }
}
