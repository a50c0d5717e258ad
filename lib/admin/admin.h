/* admin.h - the admin listener: HTTP/1.1 by libmicrohttpd, for requests that a table names.
 *
 * It has a thread with a loop of its own, on which libmicrohttpd and every function of the table
 * run. Who may listen in, and what is asked of a request before its function sees it:
 *
 *     loopback       plaintext; Host is checked (guard.h)
 *     unix socket    plaintext, for whom the file's mode lets in
 *     elsewhere      TLS alone, which lib/net ends: libmicrohttpd gets the plaintext end of a pair
 *
 * With a token every request needs it, but for rows that are open to all; with a client CA every
 * connection needs a certificate (tls.h). A POST or DELETE needs a JSON content type or "X-Sluice:
 * 1", and no foreign Origin.
 *
 * GET of what is no path of the table, but a file of the status page (page/page.h), is answered by
 * that, without a token.
 *
 * Nobody makes it grow: the limits below, each of which ends in a status code and an error object
 * (answer.h), but for a head beyond SL_ADMIN_CONNECTION_BYTES, which libmicrohttpd refuses by
 * itself, and connections beyond twice the limit, which are closed.
 */
#ifndef SLUICE_ADMIN_ADMIN_H
#define SLUICE_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/answer.h"
#include "base/base.h"
#include "base/status.h"
#include "net/net.h"
#include "sluice_option.h"

enum {
    SL_ADMIN_MAX_CONNECTIONS = 32,         /* 503 "busy" */
    SL_ADMIN_HEAD_BYTES = 8 * 1024,        /* of a request: 431 "head-too-large" */
    SL_ADMIN_BODY_BYTES = 64 * 1024,       /* 413 "body-too-large" */
    SL_ADMIN_DRAIN_BYTES = 1024 * 1024,    /* of a body that is too large: read before the 413 */
    SL_ADMIN_CONNECTION_BYTES = 32 * 1024, /* memory of one connection, its head included */
    SL_ADMIN_SEGMENT_BYTES = 256,          /* of the part of a path that is a name */
    SL_ADMIN_IDLE_S = 10,                  /* of silence: closed */
    SL_ADMIN_REQUEST_S = 15,               /* for a whole request: 408 "slow" */
    SL_ADMIN_ANSWER_S = 60,                /* for reading an answer: closed */
    SL_ADMIN_MAX_PAGE_BYTES = 64 * 1024 * 1024,
    SL_ADMIN_MAX_OUT_BYTES = 64 * 1024 * 1024, /* of answers not read yet; then 503 "unread" */
    SL_ADMIN_MAX_PARAMS = 16,                  /* of a query: 400 */
    SL_ADMIN_PARAM_BYTES = 512,                /* of one of them, with its name */
    SL_ADMIN_SOCKET_MODE = 0660,               /* of a unix socket's file */
};

struct sl_admin;
struct sl_admin_params;

/* What a function of the table sees: valid until it returns. */
struct sl_admin_request {
    const char *name; /* what "{}" of the path stands for; "" */
    const struct sl_admin_params *params;
    struct sl_str body;
};

/* The value of a query's parameter; NULL: it is not there. */
const char *sl_admin_param(const struct sl_admin_request *request, const char *name);

/* The same as a number of at most `most`; `fallback` where it is not there. False: it is no such
 * number, and `answer` says so. */
bool sl_admin_param_u64(const struct sl_admin_request *request, const char *name, uint64_t fallback,
                        uint64_t most, uint64_t *value,
                        struct sl_admin_answer *answer) SL_MUST_CHECK;

enum {
    SL_ADMIN_NO_TOKEN = 1, /* for anybody who may connect */
    SL_ADMIN_ANY_HOST = 2, /* likewise, by whatever name: it has nothing to hide */
    SL_ADMIN_SMALL = 4,    /* answered also while others do not read their pages */
};

struct sl_admin_route {
    const char *method; /* "GET", which answers HEAD too, "POST" or "DELETE" */
    const char *path;   /* "/api/v1/targets/{}/pause" */
    unsigned flags;
    void (*fn)(const struct sl_admin_request *request, struct sl_admin_answer *answer, void *arg);
};

/* All of it outlives the listener. */
struct sl_admin_config {
    struct sl_address address;
    struct sl_tls *tls;                  /* a server's; NULL: plaintext */
    const char *token;                   /* NULL or "": none */
    const struct sluice_strings *hosts;  /* names that Host may say beside ours; NULL: none */
    const struct sl_admin_route *routes; /* ends with a NULL method */
    void *arg;                           /* of their functions */
};

/* A loopback address in numbers ("127.0.0.1", "::1"), "localhost" or a unix socket; with TLS any
 * address. Port 0 takes a free one. NULL: `why`. */
struct sl_admin *sl_admin_open(const struct sl_admin_config *config,
                               struct sl_status *why) SL_MUST_CHECK;
uint16_t sl_admin_port(const struct sl_admin *admin); /* 0 of a unix socket */

/* Waits for the function that runs; answers that are not read yet are cut off. NULL is nothing. */
void sl_admin_close(struct sl_admin *admin);

#endif
