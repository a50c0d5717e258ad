/* inquiry.h - asks a device for its Capabilities, on a connection that stands.
 *
 * One question at a time, each answered once, later and never from within. A device has
 * SL_INQUIRY_TIMEOUT_MS for it and may say SL_INQUIRY_MAX_BYTES: routers list a thousand models.
 *
 * Loop thread only.
 */
#ifndef SLUICE_TARGET_INQUIRY_H
#define SLUICE_TARGET_INQUIRY_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"
#include "gnmi/vendor.h"
#include "grpc/call.h"
#include "loop/loop.h"

enum { SL_INQUIRY_TIMEOUT_MS = 5000, SL_INQUIRY_MAX_BYTES = 4 * 1024 * 1024 };

/* `told` is NULL when the device did not answer; `why` says what became of the call. Both are
 * borrowed until return. */
typedef void (*sl_inquiry_done_fn)(const struct sl_gnmi_capabilities *told,
                                   const struct sl_status *why, void *arg);

struct sl_inquiry {
    struct sl_grpc_context *grpc;
    const char *authority;
    const char *username; /* "" : none */
    const char *password;
    struct sl_loop *loop;
    struct sl_timer *timer;    /* while something is asked */
    struct sl_grpc_call *call; /* NULL: nothing is asked */
    struct sl_gnmi_capabilities told;
    bool has_told;
    sl_inquiry_done_fn on_done;
    void *arg;
};

/* The strings and the context outlive it. */
void sl_inquiry_init(struct sl_inquiry *inquiry, struct sl_loop *loop, sl_inquiry_done_fn on_done,
                     void *arg);
void sl_inquiry_fini(struct sl_inquiry *inquiry); /* nothing is asked any more */

/* False: no call could be made, and on_done does not follow. */
bool sl_inquiry_begin(struct sl_inquiry *inquiry, struct sl_h2_session *session) SL_MUST_CHECK;

#endif
