/* store.h - what a route keeps of its updates while its sink stands still: the newest of each path.
 *
 * An update takes the place of an older one of the same path; a delete that of everything at and
 * beneath its path; an atomic notification stands for all that is beneath its prefix, and stays
 * whole. What has lost its place is gone, and counted as conflated. What stays leaves in the order
 * in which its newest came, so that whoever applies it has in the end what the device has: a delete
 * that came before an update leaves before it. The first sync_response keeps its place among them.
 *
 * (An atomic notification without updates stays, too: it says that nothing is left.)
 *
 * Two paths are one when their canonical texts are (gnmi/path_print.h), under one prefix.target.
 * Keys that are left out and wildcards of a delete outdo nothing, for who knows how a device means
 * them: what they may mean is still there, in order, before the delete.
 *
 * What finds no room is gone, too, and counted as shed; and so is an older value of it, which is
 * not true any more. Extensions of a message are not kept, but for those of an atomic one.
 *
 * Memory is counted as it is allocated, the blocks' heads included. Pure: no I/O, no clock. One
 * thread.
 */
#ifndef SLUICE_STREAM_STORE_H
#define SLUICE_STREAM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/list.h"
#include "gnmi/response.h"

enum { SL_STORE_MAX_KEY_BYTES = 16 * 1024 }; /* of a path's text; what has a longer one is shed */

/* What a message says beside its bytes, for those who make records of it. */
struct sl_store_when {
    int64_t received_ns;
    int64_t sent_timestamp;
    int64_t device_ns;
    int64_t settled_ns;
    bool is_synced; /* a sync_response had come */
};

/* In updates and deletes; `duplicates` is the sum over those updates. */
struct sl_store_lost {
    uint64_t conflated;
    uint64_t shed;
    uint64_t duplicates;
};

struct sl_store {
    struct sl_list items; /* in the order in which they leave */
    void *tree;           /* of those that have a path, by it: tsearch(3) */
    uint64_t cost_bytes;  /* memory held */
    uint64_t updates;     /* and deletes, that wait */
    bool has_sync;        /* a sync_response is among them */
    struct sl_buf key;    /* of the path that is looked at */
};

void sl_store_init(struct sl_store *store);
void sl_store_fini(struct sl_store *store);

/* Nothing waits, not even a sync_response. */
bool sl_store_is_empty(const struct sl_store *store);

/* Takes what the response says, as long as that costs no more than `limit_bytes` in all. Each of
 * its updates and deletes waits from now on or is in `lost`, to which those are added that lost
 * their places. */
void sl_store_add(struct sl_store *store, const struct sl_gnmi_response *response,
                  const struct sl_store_when *when, uint64_t limit_bytes,
                  struct sl_store_lost *lost);

struct sl_store_taken {
    struct sl_str message; /* in the caller's buffer; NULL data: there was no memory for it */
    struct sl_store_when when;
    uint32_t updates; /* and deletes in it */
};

/* Takes the oldest out as a SubscribeResponse in `out`: what is left of one notification, as far as
 * nothing else stands between. The store is not empty. */
void sl_store_take(struct sl_store *store, struct sl_buf *out, struct sl_store_taken *taken);

/* Empties it; how many updates and deletes there were. */
uint64_t sl_store_clear(struct sl_store *store);

#endif
