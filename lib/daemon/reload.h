/* reload.h - the running collector takes its file anew, as a difference.
 *
 * The file is read beside the settings in force, the difference is worked out (difference.h), every
 * worker makes what is new (sl_worker_prepare); when all could, all go over, else none does. What
 * is wrong with the file, or could not be made, is logged and told by the outcome, and nothing has
 * changed.
 */
#ifndef SLUICE_DAEMON_RELOAD_H
#define SLUICE_DAEMON_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "daemon/settings.h"
#include "daemon/worker.h"
#include "loop/loop.h"

enum sl_reload_result {
    SL_RELOAD_NONE, /* none was asked for yet */
    SL_RELOAD_OK,   /* the new settings are in force, or about to be where sinks are waited for */
    SL_RELOAD_UNCHANGED, /* they are the ones in force */
    SL_RELOAD_REFUSED,   /* nothing has changed: `text` */
};

enum { SL_RELOAD_RESULTS = 4 };

const char *sl_reload_result_name(enum sl_reload_result result); /* "ok" */

enum { SL_RELOAD_TEXT_BYTES = 4096 };

struct sl_reload_outcome {
    enum sl_reload_result result;
    const char *why;     /* who asked: a literal such as "SIGHUP" */
    int64_t at_ns;       /* wall clock */
    uint64_t generation; /* in force afterwards, from 1 */
    uint32_t added;      /* targets */
    uint32_t removed;
    uint32_t changed;
    int64_t in_force_ns; /* when the file said what is in force last: taken, or found the same */
    uint64_t counts[SL_RELOAD_RESULTS]; /* of all reloads, by result */
    char text[SL_RELOAD_TEXT_BYTES];    /* errors, or what needs a restart; a line each */
};

struct sl_reload;

struct sl_reload_config {
    struct sl_loop *loop;        /* on which it works */
    const char *file;            /* outlives it */
    struct sl_settings *running; /* held */
    struct sl_worker *const *workers;
    unsigned worker_count;
    /* Reads the file; as sl_settings_read. */
    struct sl_settings *(*read)(const char *file, struct sl_buf *errors, void *arg);
    /* On its loop, once others are in force; NULL: nobody wants to know. */
    void (*on_taken)(const struct sl_settings *settings, void *arg);
    void *arg;
};

/* NULL when memory is out. */
struct sl_reload *sl_reload_new(const struct sl_reload_config *config) SL_MUST_CHECK;
void sl_reload_free(struct sl_reload *reload); /* after the workers' end; NULL is nothing */

/* Any thread: reads the file as soon as the reload under way, if there is one, is over. `why` is a
 * literal. Asked for several times meanwhile it is done once. */
void sl_reload_ask(struct sl_reload *reload, const char *why);

/* Any thread. */
void sl_reload_last(struct sl_reload *reload, struct sl_reload_outcome *outcome);

/* Any thread: the settings in force, held for the caller (sl_settings_release). */
struct sl_settings *sl_reload_hold(struct sl_reload *reload) SL_MUST_CHECK;

/* On its loop: the settings in force, borrowed until the loop's turn is over. */
struct sl_settings *sl_reload_settings(const struct sl_reload *reload);

/* On its loop: none begins any more, the collector is about to end. */
void sl_reload_stop(struct sl_reload *reload);

#endif
