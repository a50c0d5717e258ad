/* member.h - the subscriptions that share one RPC, and which of them a message is for.
 *
 * A device says nothing of who asked: the paths do. An update is the member's whose asked path it
 * is at or beneath (of several the one that says it best, pattern.h), else the first one's that
 * asked for something beneath it; a delete above what was asked for is told to all who asked
 * beneath it. What nobody asked for is the first member's, and counted. A response without updates
 * and deletes (sync_response, a keepalive) is everybody's.
 *
 * Whose a path is gets worked out once and is kept as encoders keep their paths (intern.h). With
 * one member nothing is looked at.
 */
#ifndef SLUICE_STREAM_MEMBER_H
#define SLUICE_STREAM_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "gnmi/request.h"
#include "gnmi/response.h"
#include "normalise/encoder.h"

enum {
    SL_STREAM_MAX_MEMBERS = 64,
    SL_STREAM_MAX_PATHS = 2048, /* of several members together; a single one may ask for more */
    SL_STREAM_MAX_TOLD = 1024,  /* deletes of one message that several members are told; beyond it
                                   the first of them alone is */
};

struct sl_stream_member {
    const char *subscription;
    const struct sl_gnmi_asked *asked;
    size_t asked_count;
};

struct sl_members;

/* What all sl_members of one thread share, while one message is looked at. */
struct sl_members_scratch {
    struct sl_buf owners; /* whose each update and each delete is */
    struct sl_buf part;   /* a member's part of a message */
};

/* `members` (at most SL_STREAM_MAX_MEMBERS), `memory` and `scratch` outlive it; `prefix` is the
 * RPC's, or NULL. NULL: `why`. */
struct sl_members *sl_members_new(const struct sl_stream_member *members, size_t count,
                                  const char *prefix, struct sl_encoder_memory *memory,
                                  struct sl_members_scratch *scratch,
                                  struct sl_status *why) SL_MUST_CHECK;
void sl_members_free(struct sl_members *members);

/* Works out who gets what of the response. The answers below are of this response, until another
 * one is shared with the same scratch. False when memory is out. */
bool sl_members_share(struct sl_members *members,
                      const struct sl_gnmi_response *response) SL_MUST_CHECK;

/* Of the last response: its updates and deletes that the member gets; how many of all nobody asked
 * for; and whether the member gets anything of it. */
uint32_t sl_members_updates(const struct sl_members *members, size_t member);
uint32_t sl_members_unasked(const struct sl_members *members);
bool sl_members_gets(const struct sl_members *members, size_t member);

/* What a member that gets something gets: the response itself where that is all of it, else its
 * part, built in the scratch. NULL when memory is out. */
const struct sl_gnmi_response *sl_members_part(struct sl_members *members,
                                               const struct sl_gnmi_response *response,
                                               size_t member) SL_MUST_CHECK;

#endif
