/* mend.h - what a vendor's devices send otherwise than gNMI has it, put right before anything else
 * sees it: responses in, responses out.
 *
 * Which mends there are is a set of SL_GNMI_WORK, as the device's vendor has them (gnmi/vendor.h);
 * without any a response goes through untouched, at the price of one comparison. Each mend is
 * independent of the others:
 *
 *     DROPS_TIMELESS    notifications with the timestamp 0 are left out
 *     DROPS_EMPTY       updates with neither path nor value are left out
 *     DROPS_INTERNAL    updates and deletes of a leaf named __like_this__ are left out; what it
 *                       says (a time in milliseconds) the notification's own timestamp says finer
 *     DROPS_UNASKED     updates and deletes that are under no path of the subscription, and above
 *                       none, are left out; modules and origins do not count
 *     JOINS_NAMELESS    the keys of an element without a name belong to the one before it; the
 *                       paths of such a message are whole, and its prefix has no elements
 *     LIFTS_ORIGIN      where the prefix has no origin, and all paths that have one have the same,
 *                       it is the prefix's
 *     RESTORES_TARGET   a prefix without a target has the one that was asked for
 *     COUNTS_SEQUENCE   the vendor's header (registered extension 1 of Junos) is read, and numbers
 *                       that it leaves out are messages that the device lost
 *
 * One stream has one; one thread.
 */
#ifndef SLUICE_NORMALISE_MEND_H
#define SLUICE_NORMALISE_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/request.h"
#include "gnmi/response.h"
#include "gnmi/vendor.h"

enum {
    SL_MEND_SENSORS = 64, /* whose numbers are kept; beyond them the oldest is forgotten */
    SL_MEND_MAX_ASKED_ELEMS = 64 * 1024, /* in the paths of one subscription */
};

struct sl_mend_counts {
    uint64_t changed[SL_GNMI_WORKAROUNDS]; /* updates and deletes left out, or messages changed */
    uint64_t headers;                      /* of the vendor's, read */
    uint64_t ends; /* of them, the last ones of what was collected at once */
    uint64_t lost; /* messages, by the numbers in them */
};

struct sl_mend {
    uint32_t works;
    const char *target; /* asked for; NULL: none */
    struct sl_mend_asked *asked;
    struct sl_mend_sensors *sensors;
    struct sl_buf prefix; /* those that are made anew */
    struct sl_buf path;
    struct sl_mend_counts counts;
};

/* Whether any of these is a mend. */
bool sl_mend_does(uint32_t works);

/* Zeroed storage mends nothing. */
void sl_mend_fini(struct sl_mend *mend);

/* The same for one on the heap; NULL: nothing. */
void sl_mend_free(struct sl_mend *mend);

/* What is to be mended from now on, of responses to `subscribe`, whose target outlives it. False
 * when memory is out, or the paths have too many elements; then it is what it was. */
bool sl_mend_set(struct sl_mend *mend, uint32_t works,
                 const struct sl_gnmi_subscribe *subscribe) SL_MUST_CHECK;

/* A new call: the device counts anew. */
void sl_mend_begin(struct sl_mend *mend);

/* Counts what the header of a response says. Once for each. Returns how many messages are missing
 * before this one. */
uint64_t sl_mend_note(struct sl_mend *mend, const struct sl_gnmi_response *response);

struct sl_mended {
    struct sl_gnmi_response response; /* the same, or one that points into the buffer */
    uint32_t filtered;                /* updates and deletes of it that were left out */
    bool is_dropped;                  /* all of it is: nothing is left to be told */
};

/* What `response` should have been, made in `out` where it is another. Counts where `is_first`: a
 * message may be mended again, and comes out the same. False when memory is out. */
bool sl_mend_apply(struct sl_mend *mend, const struct sl_gnmi_response *response, bool is_first,
                   struct sl_buf *out, struct sl_mended *mended) SL_MUST_CHECK;

#endif
