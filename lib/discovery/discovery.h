/* discovery.h - targets found elsewhere than in the configuration: files, HTTP, Kafka.
 *
 * Each source has a thread of its own, off the loops that carry data. What it finds are documents,
 * as text; whether the targets in them are good is not known here, but a text that is not YAML (or
 * JSON) with a map or a list never takes the place of one that was. A source that fails keeps what
 * it has found; with a directory for state that outlives the process, too.
 *
 * Any thread but where it says so.
 */
#ifndef SLUICE_DISCOVERY_DISCOVERY_H
#define SLUICE_DISCOVERY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "discovery/options.h"
#include "loop/loop.h"

enum { SL_SOURCE_NAME_BYTES = 65, SL_SOURCE_ERROR_BYTES = 256, SL_SOURCE_TAG_BYTES = 128 };

struct sl_discovery_config {
    const struct sl_source_spec *specs; /* outlive it, or a change after which they are not used */
    size_t count;
    const char *state_dir; /* outlives it; "": nothing is kept on disk */
    struct sl_loop *loop;  /* on which on_change comes */
    /* The documents are other ones than before. */
    void (*on_change)(void *arg);
    void *arg;
};

struct sl_discovery;

/* Starts all threads. NULL: `why`. On the loop's thread, as closing; closing waits for what is
 * under way, which ends at once. */
struct sl_discovery *sl_discovery_open(const struct sl_discovery_config *config,
                                       struct sl_status *why) SL_MUST_CHECK;
void sl_discovery_close(struct sl_discovery *discovery); /* NULL is nothing */

/* Goes over to other sources. One that is as before goes on, with its spec of before; another one
 * begins, with what was known of one of its name until it has found something itself; what is
 * known of those that are left out is forgotten. Waits for them as closing does; on_change comes
 * after it. On the loop's thread. False when memory is out, or threads: nothing has changed. */
bool sl_discovery_change(struct sl_discovery *discovery, const struct sl_source_spec *specs,
                         size_t count) SL_MUST_CHECK;

/* On the loop's thread: whether the spec is one of those in use, which still has to live. */
bool sl_discovery_uses(const struct sl_discovery *discovery, const struct sl_source_spec *spec);

/* Waits until each source has found something or failed once, at most so long. */
void sl_discovery_wait(struct sl_discovery *discovery, uint64_t timeout_ms);

struct sl_found {
    const char *source; /* its spec's name */
    char *place;        /* file, URL or topic */
    char *text;
    size_t len;
    bool is_foreign; /* from another machine */
};

/* What is known now, in the order of the sources: a copy, to be freed. False when memory is out. */
bool sl_discovery_found(struct sl_discovery *discovery, struct sl_found **found,
                        size_t *count) SL_MUST_CHECK;
void sl_found_free(struct sl_found *found, size_t count);

struct sl_source_status {
    char name[SL_SOURCE_NAME_BYTES];
    const char *type;
    int64_t success_ns; /* wall clock, when it last answered as it should; 0: never */
    int64_t error_ns;   /* when it last failed; 0: never */
    uint64_t failures;  /* how often it has */
    char error[SL_SOURCE_ERROR_BYTES]; /* "" : it is well */
    char tag[SL_SOURCE_TAG_BYTES];     /* the ETag of what is known; "": none */
    bool is_kept;                      /* what is known is what was kept on disk */
    size_t documents;
    uint64_t bytes; /* of them */
};

/* Whether it answered, and as it should, when it was asked last. */
static inline bool sl_source_is_well(const struct sl_source_status *status)
{
    return !status->error[0] && status->success_ns;
}

/* Counts how often something else was found. */
uint64_t sl_discovery_changes(const struct sl_discovery *discovery);

size_t sl_discovery_sources(struct sl_discovery *discovery);
/* False: there are not so many. */
bool sl_discovery_status(struct sl_discovery *discovery, size_t i, struct sl_source_status *status);

#endif
