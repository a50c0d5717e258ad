/* worker_internal.h - the inside of a worker: worker.c has its life and its end, worker_sinks.c its
 * sinks, worker_change.c its way to another configuration, worker_capture.c captures. */
#ifndef SLUICE_DAEMON_WORKER_INTERNAL_H
#define SLUICE_DAEMON_WORKER_INTERNAL_H

#include <pthread.h>

#include "daemon/difference.h"
#include "daemon/worker.h"
#include "daemon/worker_capture.h"
#include "daemon/workplace.h"
#include "loop/loop.h"
#include "normalise/encoder.h"
#include "sink/sink.h"

enum {
    SL_WORKER_GENERATIONS = 96, /* of settings that something still borrows from */
    SL_WORKER_KEPT = 8,         /* a target that is older goes over to the newest, changed or not */
};

struct sl_worker_sink {
    struct sl_sink *sink; /* NULL once closed */
    uint64_t generation;  /* of the settings that it borrows from */
    size_t first_ready;   /* the stream that is offered its room first */
    bool is_retired;      /* it goes as soon as nobody has anything with it */
    int64_t retired_ns;   /* since when; 0: it is not */
};

struct sl_worker_target {
    struct sl_target *target;
    const struct sl_target_settings *settings; /* of `newest` */
    uint64_t oldest;                           /* generations that it borrows from: this one, */
    uint64_t newest;                           /* to this one */
    bool is_going;                             /* it is not in the newest settings any more */
};

/* What is made before the worker goes over to other settings, and can still be dropped. */
struct sl_worker_change {
    struct sl_post prepare_due;
    struct sl_post commit_due;
    const struct sl_difference *difference;
    void (*on_step)(void *arg);
    void *arg;
    bool goes; /* or is dropped */
    bool is_prepared;
    struct sl_status why;            /* when it is not */
    struct sl_sink **places;         /* as to->sinks */
    struct sl_target **made;         /* as difference->targets: the new ones */
    struct sl_worker_target **names; /* those that are there, in the order of their names */
    size_t name_count;
};

struct sl_worker {
    struct sl_settings *settings;                           /* the newest of the generations */
    struct sl_settings *generations[SL_WORKER_GENERATIONS]; /* held, the oldest first */
    size_t generation_count;
    unsigned index;
    struct sl_loop *loop;
    pthread_t thread;
    bool is_started;
    struct sl_stream_pool pool;
    struct sl_h2_limits limits; /* of the connections to devices */
    struct sl_encoder_memory interned;
    struct sl_worker_sink *sinks;
    size_t sink_count;
    struct sl_sink **places; /* as settings->sinks: those that are not retired */
    struct sl_worker_target *targets;
    size_t target_count;
    size_t open_targets;
    struct sl_list captures; /* of worker_capture.c */
    struct sl_worker_change change;
    bool is_unsettled;         /* something of an older generation is about to go, or to change */
    struct sl_post drain_due;  /* sl_worker_drain was called */
    struct sl_timer *deadline; /* of the drain */
    struct sl_timer *grace;  /* what sinks that are not required have left, once all else is done */
    struct sl_timer *govern; /* sweeps the streams' shares of the memory, again and again */
    struct sl_timer *calm;   /* looks whether anything is held, again and again */
    unsigned calm_looks;     /* in a row that saw nothing held */
    struct sl_deferred finish_due;
    bool is_draining;
    bool is_over;    /* drained: what is posted comes too late */
    bool has_failed; /* a replay's file was damaged, or a required sink is over */
    bool is_late;    /* the deadline passed: nobody waits for what is held */
    bool is_graced;  /* nobody waits for sinks that are not required */
    void (*on_done)(void *arg);
    void *arg;
    void (*on_over)(void *arg);
    void *over_arg;
};

/* worker_sinks.c */

/* Opens the sinks of the settings. */
bool sl_worker_open_sinks(struct sl_worker *worker, struct sl_status *why) SL_MUST_CHECK;
struct sl_sink *sl_worker_open_sink(struct sl_worker *worker, const struct sl_sink_settings *sink,
                                    struct sl_status *why) SL_MUST_CHECK;

/* What is still out comes back as failed. */
void sl_worker_close_sinks(struct sl_worker *worker);

/* Those that are retired and have nothing left. True: no retired one is there any more. */
bool sl_worker_close_retired(struct sl_worker *worker);

/* worker.c: the targets go, and nothing of them is with any sink. */
void sl_worker_finish_if_drained(struct sl_worker *worker);

/* Where targets of `settings` are made, with their sinks in `places`. */
struct sl_workplace sl_worker_place(struct sl_worker *worker, const struct sl_settings *settings,
                                    struct sl_sink *const *places);

/* worker_change.c */
void sl_worker_change_init(struct sl_worker *worker);

/* Now and then: what older generations still lent is given back. */
void sl_worker_settle(struct sl_worker *worker);

/* Frees what was prepared and never came into force. */
void sl_worker_drop_change(struct sl_worker *worker);

#endif
