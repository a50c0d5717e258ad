/* internal.h - the listener as admin.c, listen.c, request.c and bridge.c see it. */
#ifndef SLUICE_ADMIN_INTERNAL_H
#define SLUICE_ADMIN_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>

#include "admin/admin.h"
#include "base/list.h"
#include "base/log.h"
#include "loop/loop.h"
#include "net/unix.h"
#include "page/page.h"

struct sl_admin {
    struct sl_admin_config config;
    struct sl_loop *loop;
    pthread_t thread;
    bool is_running;
    struct sl_post stop_due;
    struct MHD_Daemon *daemon;
    struct sl_watch *watch; /* of what libmicrohttpd waits for */
    struct sl_timer *turn;  /* of its time-outs */
    struct sl_timer *sweep; /* looks for those who are slow, while anybody is there */
    struct sl_list visitors;
    unsigned visitor_count;
    size_t out_bytes; /* of answers that are not read yet */
    uint16_t port;
    struct sl_unix_file file;     /* of a unix socket */
    struct sl_listener *listener; /* with TLS; else NULL */
    struct sl_list bridges;
    struct sl_log_subject subject; /* who speaks of peers that were refused */
};

/* A connection. */
struct sl_admin_visitor {
    struct sl_list node;
    struct sl_admin *admin;
    int fd;
    int64_t since_ns;  /* the request began, or its answer did */
    bool is_answering; /* the request was read whole */
    bool is_cut;       /* it was too slow */
};

/* listen.c: libmicrohttpd at the address. False: `why`. */
bool sl_admin_listen(struct sl_admin *admin, struct sl_status *why) SL_MUST_CHECK;

/* asset.c: a file of the page, or 304 where If-None-Match (`known`, NULL: none) has its ETag (RFC
 * 9110 section 13.1.2). NULL when memory is out. */
struct MHD_Response *sl_admin_asset_response(const struct sl_page_asset *asset, const char *known,
                                             unsigned *code) SL_MUST_CHECK;

/* bridge.c: a listener with TLS. Closing it ends its connections when their callbacks run. */
bool sl_admin_bridge_open(struct sl_admin *admin, struct sl_status *why) SL_MUST_CHECK;
void sl_admin_bridge_close(struct sl_admin *admin);

/* request.c: libmicrohttpd's callbacks; `arg` is the sl_admin. */
enum MHD_Result sl_admin_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_len, void **state);
void sl_admin_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode how);

#endif
