/* asking.h - what a stream asks for, path by path, and the request for all of it or for some.
 *
 * The paths of its members in their order: the n-th is the n-th Subscription of the request.
 */
#ifndef SLUICE_STREAM_ASKING_H
#define SLUICE_STREAM_ASKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "gnmi/request.h"
#include "gnmi/vendor.h"
#include "stream/member.h"

struct sl_asking_path {
    size_t member;
    const struct sl_gnmi_asked *asked; /* the way of asking */
    const char *path;
};

struct sl_asking {
    struct sl_asking_path *paths;
    size_t count;
};

/* False when memory is out. What `members` points at outlives it. */
bool sl_asking_init(struct sl_asking *asking, const struct sl_stream_member *members,
                    size_t count) SL_MUST_CHECK;
void sl_asking_fini(struct sl_asking *asking);

/* Appends the request for the paths whose byte in `is_in` is not 0 (NULL: all). `subscribe` has all
 * but what is asked; `profile` and `in_force` as in sl_gnmi_subscribe_pack_for. */
struct sl_status sl_asking_pack(const struct sl_asking *asking, const uint8_t *is_in,
                                const struct sl_gnmi_subscribe *subscribe,
                                const struct sl_gnmi_profile *profile, struct sl_buf *out,
                                uint32_t *in_force) SL_MUST_CHECK;

#endif
