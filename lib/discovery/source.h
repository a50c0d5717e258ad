/* source.h - what the sources share: one's documents and status, behind a lock, and its thread. */
#ifndef SLUICE_DISCOVERY_SOURCE_H
#define SLUICE_DISCOVERY_SOURCE_H

#include <pthread.h>

#include "base/buf.h"
#include "discovery/discovery.h"

struct sl_source {
    const struct sl_source_spec *spec;
    struct sl_discovery *discovery;
    const char *state_dir;
    pthread_t thread;
    bool is_started;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    bool is_stopping;
    bool has_answered;
    struct sl_found *found;
    size_t count;
    struct sl_source_status status;
    struct sl_loop *loop; /* of the thread, to be stopped; NULL: it waits for `changed` */
    struct sl_post stop_due;
};

/* What the thread of each type runs, until it is to stop. */
void sl_source_run_files(struct sl_source *source);
void sl_source_run_http(struct sl_source *source);
void sl_source_run_kafka(struct sl_source *source);

bool sl_source_is_stopping(struct sl_source *source);
/* Until it is to stop (true), or so long. */
bool sl_source_sleep(struct sl_source *source, int64_t ns);

/* Whether `text` is a document: else `why`, with its place. */
bool sl_source_is_document(const char *place, struct sl_str text,
                           struct sl_status *why) SL_MUST_CHECK;

/* These documents are what is known now; taken over. `tag` may be NULL. `why` (or NULL) is what
 * failed of it nevertheless. Tells on_change if they are others. */
void sl_source_publish(struct sl_source *source, struct sl_found *found, size_t count,
                       const char *tag, const struct sl_status *why);
/* These were kept on disk, and are known until the source itself has answered; taken over. Where
 * something is known already, that stays, and these are freed. */
void sl_source_publish_kept(struct sl_source *source, struct sl_found *found, size_t count);
/* They still are what is known. */
void sl_source_confirm(struct sl_source *source);
/* It failed: what is known stays. */
void sl_source_fail(struct sl_source *source, const struct sl_status *why);

/* One document more. False when memory is out: nothing has changed. */
bool sl_source_add(struct sl_found **found, size_t *count, const struct sl_source *source,
                   const char *place, struct sl_str text) SL_MUST_CHECK;

/* What is known of `before` is known of it, as if it had been kept on disk. With the lock of
 * `before`, and before its own thread runs. False when memory is out. */
bool sl_source_copy(struct sl_source *source, const struct sl_source *before) SL_MUST_CHECK;

/* On its thread: whether all that is known is this one document, and not only from disk. */
bool sl_source_knows(const struct sl_source *source, struct sl_str text);

/* kept.c: the last good document on disk; it is published, where there is one. */
void sl_source_take_kept(struct sl_source *source, const char *place);
void sl_source_keep(struct sl_source *source, struct sl_str text);

/* discovery.c: from any thread. */
void sl_discovery_tell(struct sl_discovery *discovery);

#endif
