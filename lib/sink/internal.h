/* internal.h - the inside of a sink: sink.c has its life and its records, host.c what its plugins
 * may call, processor.c what stands before it. */
#ifndef SLUICE_SINK_INTERNAL_H
#define SLUICE_SINK_INTERNAL_H

#include <stdatomic.h>

#include "base/list.h"
#include "sink/mailbox.h"
#include "sink/processor.h"
#include "sink/sink.h"
#include "sink/token.h"

/* What one instance, the sink's or a processor's, holds of its host. */
struct sl_host {
    struct sluice_host host; /* SL_CONTAINER_OF leads back */
    struct sl_sink *sink;
    struct sl_list watches; /* and timers, that it made and has not freed */
    struct sl_list timers;
};

/* A processed record that the plugin refused: no processor sees a record twice. */
struct sl_parked {
    struct sl_token *token; /* NULL: there is none */
    struct sluice_record record;
    char *texts; /* what the record borrows */
};

enum { SL_SINK_WORKER_DIGITS = 16 };

struct sl_sink {
    struct sl_host host;
    const struct sl_sink_spec *spec;
    struct sl_loop *loop;
    const struct sl_sink_events *events;
    void *arg;
    void *instance;
    struct sl_processors *processors; /* NULL: there are none */
    struct sl_mailbox *mailbox;
    struct sl_timer *stall_timer;
    struct sl_timer *overdue_timer;
    struct sl_timer *retry_timer; /* after a FULL that is ours: for want of memory */
    struct sl_deferred taking_due;
    struct sl_deferred ready_due;
    struct sl_deferred room_due;
    struct sl_deferred over_due;
    struct sl_deferred lost_due; /* what was offered after it was given up */
    size_t record_cost;
    uint64_t cost_bytes; /* of a sink that is not required: what its records hold */
    struct sl_tokens tokens;
    struct sl_histogram latency;
    struct sl_parked parked;
    int64_t full_since_ns; /* FULL was said then, and nothing since; 0: there is room */
    int64_t report_ns; /* of the last report, or of the first record out since there were none */
    bool is_available;
    bool is_stalled;       /* no report for stall_after_ns with records out */
    bool is_taking_told;   /* what on_taking said last */
    bool is_ready_awaited; /* FULL was said */
    bool is_over;          /* its records held all of memory_bytes, and hold more than half still */
    bool is_accepting;     /* the plugin's accept is running */
    bool is_closing;
    bool is_given_up;                   /* there is no instance any more */
    _Atomic(const void *) thread;       /* the loop thread's mark */
    atomic_bool is_foreign_told;        /* a letter about SL_BUG_THREAD is on its way */
    atomic_ulong foreign;               /* calls from other threads */
    uint64_t bugs[SL_BUGS];             /* without these */
    char reason[SL_STATUS_TEXT_BYTES];  /* the plugin's, why it is not available */
    char worker[SL_SINK_WORKER_DIGITS]; /* its number, for the log */
    struct sl_log_subject subject;
};

/* host.c */

/* `processor`: its name; NULL: the sink's own. */
void sl_host_init(struct sl_host *host, struct sl_sink *sink, const char *collector,
                  unsigned worker, const char *processor);

/* Frees what its instance has left behind. */
void sl_host_fini(struct sl_host *host);

/* Counts what a plugin did wrong, and says so. Loop thread. */
void sl_sink_note_bug(struct sl_sink *sink, enum sl_sink_bug bug, const char *processor);

/* sink.c */

/* Whether streams may be opened has perhaps changed; a record is back. */
void sl_sink_look(struct sl_sink *sink);
void sl_sink_return(struct sl_sink *sink, struct sl_token *token, enum sluice_result result);

#endif
