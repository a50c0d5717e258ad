/* sources.h - discovery for a daemon: targets of the sources go into the settings.
 *
 * On the main thread, but for the status.
 */
#ifndef SLUICE_DAEMON_SOURCES_H
#define SLUICE_DAEMON_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "daemon/settings.h"
#include "discovery/discovery.h"

enum { SL_SOURCES_WAIT_MS = 5000 }; /* at the start, for first answers */

struct sl_sources;

/* Starts the sources of the settings, which outlive them, and waits for their first answers.
 * `on_change(arg)` comes on `loop` when they have found something else. NULL: `why`. */
struct sl_sources *sl_sources_open(const struct sl_settings *settings, struct sl_loop *loop,
                                   void (*on_change)(void *arg), void *arg,
                                   struct sl_status *why) SL_MUST_CHECK;
void sl_sources_close(struct sl_sources *sources); /* NULL is nothing */

/* The settings of `file` with what the sources have found (NULL: nothing); which targets had to be
 * left out is in the log, once. NULL: `errors`. */
struct sl_settings *sl_sources_read(struct sl_sources *sources, const char *file,
                                    struct sl_buf *errors) SL_MUST_CHECK;

/* Goes over to the sources of the settings that have been taken, which were read from `file`, where
 * they are other ones. */
void sl_sources_follow(struct sl_sources *sources, const struct sl_settings *taken,
                       const char *file);

/* Whether they have found something since. */
bool sl_sources_have_news(const struct sl_sources *sources);

/* For people and metrics. */
struct sl_sources_row {
    struct sl_source_status source;
    size_t targets;   /* taken, when the settings were read last */
    size_t wrong;     /* left out: not as a target is to be */
    size_t conflicts; /* left out: the name is somewhere else */
    size_t elsewhere; /* of other shards */
};

/* Any thread, between open and close. */
size_t sl_sources_count(const struct sl_sources *sources); /* of NULL: 0 */
/* False: there are not so many any more. */
bool sl_sources_row(struct sl_sources *sources, size_t i, struct sl_sources_row *row) SL_MUST_CHECK;

#endif
