/* admin_client.h - asks a running sluice: the client of its admin API.
 *
 * One connection, kept, and one request at a time, which does not block whoever does something else
 * meanwhile. Everything on one thread. What the flags say of it is in sl_tool_options.
 *
 * An answer is at most SL_ADMIN_CLIENT_MAX_BYTES of JSON, or a file. The token is sent over TLS, a
 * unix socket or to this machine, and nowhere else; it comes out of a file or the environment,
 * never from the command line, and reaches no message. Redirects are not followed, proxies not
 * used.
 */
#ifndef SLUICE_TOOL_ADMIN_CLIENT_H
#define SLUICE_TOOL_ADMIN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "tool/dial.h"
#include "tool/options.h"

enum {
    SL_ADMIN_CLIENT_MAX_BYTES = 32 * 1024 * 1024,
    SL_ADMIN_CLIENT_MAX_TOKEN_BYTES = 8 * 1024,
};

/* --admin, --config, --token-file, --tls-..., --timeout. */
extern const struct sl_flag sl_tool_admin_flags[];

struct sl_admin_client;

struct sl_admin_request {
    const char *method; /* "GET", "POST", "DELETE" */
    const char *path;   /* "/api/v1/status?..." */
    const char *body;   /* JSON; NULL: none */
    int64_t timeout_ns; /* until the answer is there; 0: --timeout */
    size_t most_bytes;  /* of a file: what is answered well is any bytes, so many; 0: it is JSON */
};

/* How a request ended. */
struct sl_admin_reply {
    enum sl_tool_exit exit; /* OK: there is an answer in JSON, of a status of 200 to 299 */
    long http;              /* the status; 0: no answer */
    struct sl_str body;     /* as it came */
    json_t *json;           /* NULL: it is none */
    char why[600];          /* what was wrong, for a person: plain text on one line */
    char hint[240];         /* what to try; "": nothing comes to mind */
};

/* Works out where to ask and with what; asks nobody yet. NULL: what is wrong is printed, and the
 * exit code is SL_TOOL_EXIT_USAGE. `options` outlive the client. */
struct sl_admin_client *sl_admin_client_new(const struct sl_tool_options *options) SL_MUST_CHECK;
void sl_admin_client_free(struct sl_admin_client *client); /* NULL is nothing */

/* Begins a request; there is none under way. What the last one's reply points at is gone. */
void sl_admin_client_begin(struct sl_admin_client *client, const struct sl_admin_request *request);
bool sl_admin_client_is_busy(const struct sl_admin_client *client);

/* Waits until `fd` is readable (-1: no such), a signal came, something happened to the request
 * under way (there may be none), or so much time has passed. True: the request is through, once. */
bool sl_admin_client_poll(struct sl_admin_client *client, int fd, int timeout_ms) SL_MUST_CHECK;

/* Of the last request that is through. Lives until the next begins; json may be held for longer
 * (json_incref). */
const struct sl_admin_reply *sl_admin_client_reply(const struct sl_admin_client *client);

/* All of it: begins, and waits. What went wrong is printed on standard error, with the hint. */
const struct sl_admin_reply *sl_admin_client_ask(struct sl_admin_client *client,
                                                 const struct sl_admin_request *request);

/* Appends `text` as a part of a path or a query: what is not unreserved (RFC 3986, 2.3) as %XX. */
void sl_admin_add_escaped(struct sl_buf *out, const char *text);

#endif
