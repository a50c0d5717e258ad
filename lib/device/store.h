/* store.h - what one simulated device has set: its data tree, the versions that it had, and who may
 * set it.
 *
 * Sets are atomic: a request makes one new version, or none. Of those that were a number is kept,
 * for questions about the past. Who commits with a rollback (gnmi-commit-confirmed.md) and does not
 * confirm in time gets the version before it back. Of clients that arbitrate
 * (gnmi-master-arbitration.md) the one with the highest election id may set, for each role.
 *
 * Loop thread only.
 */
#ifndef SLUICE_DEVICE_STORE_H
#define SLUICE_DEVICE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/list.h"
#include "base/status.h"
#include "device/tree.h"
#include "loop/loop.h"

enum {
    SL_DEVICE_MAX_VERSIONS = 64,                    /* the one that holds among them */
    SL_DEVICE_MAX_VERSION_BYTES = 64 * 1024 * 1024, /* of all but the newest, each counted whole */
    SL_DEVICE_MAX_ROLES = 16,
    SL_DEVICE_MAX_ID_BYTES = 128, /* of a role, of a commit; the end included */
    SL_DEVICE_MAX_SET_OPERATIONS = 1024,
    SL_DEVICE_ROLLBACK_S = 600, /* where a commit does not say */
    SL_DEVICE_MAX_ROLLBACK_S = 7 * 24 * 3600,
};

struct sl_device_role {
    char id[SL_DEVICE_MAX_ID_BYTES]; /* "": the default role */
    uint64_t high;
    uint64_t low;
};

/* A commit that is neither confirmed nor taken back. */
struct sl_device_commit {
    bool is_open;
    bool has_changed; /* something was set by it */
    char id[SL_DEVICE_MAX_ID_BYTES];
    struct sl_device_tree *before; /* held */
};

struct sl_device_version {
    struct sl_device_tree *tree;            /* held */
    int64_t made_ns;                        /* since 1970 */
    uint64_t number;                        /* of the commit, from 1; 0: what was there at first */
    char commit_id[SL_DEVICE_MAX_ID_BYTES]; /* the client's; "": none */
};

/* Somebody who wants to know of new versions. */
struct sl_device_hook {
    struct sl_list node;
    void (*on_version)(void *arg);
    void *arg;
};

struct sl_device_store {
    struct sl_device_version versions[SL_DEVICE_MAX_VERSIONS]; /* the last one holds */
    uint32_t version_count;
    struct sl_device_role roles[SL_DEVICE_MAX_ROLES];
    uint32_t role_count;
    struct sl_device_commit commit;
    struct sl_timer *rollback;
    struct sl_list hooks;
};

/* Holds `tree`, which was there from `now_ns` on. NULL when memory is out. */
struct sl_device_store *sl_device_store_new(struct sl_loop *loop, struct sl_device_tree *tree,
                                            int64_t now_ns) SL_MUST_CHECK;

/* Nobody is hooked on any more. NULL: nothing. */
void sl_device_store_free(struct sl_device_store *store);

/* The version that holds. */
const struct sl_device_version *sl_device_store_now(const struct sl_device_store *store);

/* Calls `on_version` for each new version, in the midst of the call that makes it, until `hook` is
 * taken off its list. */
void sl_device_store_watch(struct sl_device_store *store, struct sl_device_hook *hook,
                           void (*on_version)(void *arg), void *arg);

/* What a SetRequest asks for, whole or not at all, at `now_ns` (since 1970). The codes are those of
 * gnmi-specification.md 3.4.7 and of the extensions' documents; after an error all is as it was,
 * but for a higher election id. */
struct sl_status sl_device_store_set(struct sl_device_store *store, const Gnmi__SetRequest *request,
                                     int64_t now_ns) SL_MUST_CHECK;

#endif
