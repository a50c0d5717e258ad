/* sink.h - the host side of plugins/sluice_plugin.h: instances, tokens, acknowledgements.
 *
 * A sink is one plugin instance on one worker. It takes records for routes; a route is one stream
 * at one sink. Every record taken is a token, and every token comes back exactly once, on the loop
 * thread, to the `on_ack` of its owner, never from within sl_sink_accept, whatever the plugin does:
 * what it does wrong (enum sl_sink_bug) changes nothing, but is counted, and logged with its name.
 *
 * Loop thread only; see sl_sink_adopt.
 */
#ifndef SLUICE_SINK_SINK_H
#define SLUICE_SINK_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/log.h"
#include "base/buf.h"
#include "base/status.h"
#include "loop/loop.h"
#include "metrics/histogram.h"
#include "sluice_plugin.h"

struct sl_processor_spec; /* processor.h */
struct sl_sink;

/* A sink as configured: the same for all workers. */
struct sl_sink_spec {
    const char *name;
    const struct sluice_sink_plugin *plugin;
    const void *options;                    /* the plugin's own, parsed */
    int format;                             /* enum sl_format of normalise/encoder.h */
    int unit;                               /* enum sl_record_unit of the same */
    bool is_float64;                        /* sl_encoder_config has it */
    const char *host;                       /* the same; "": this machine's name */
    bool is_hostless;                       /* the same */
    const struct sluice_strings *json_keys; /* the same */
    struct {
        uint64_t bytes; /* 0: no batch; stream/batch.h */
        int64_t delay_ns;
    } batch;
    bool is_last_only; /* of updates with one path in a notification */
    bool has_markers;
    bool is_required;
    uint64_t memory_bytes;  /* not required: what its records may hold, in each worker */
    int64_t stall_after_ns; /* no report for this long with records out: it takes no new streams */
    int64_t overdue_after_ns; /* a record out, or FULL, for longer is told of; 0: none is */
    const struct sl_processor_spec *const *processors; /* what stands before it, in order */
    size_t processor_count;
};

/* What a plugin can do wrong so that it is noticed. */
enum sl_sink_bug {
    SL_BUG_TWICE,     /* acknowledged what it had acknowledged before */
    SL_BUG_UNKNOWN,   /* acknowledged what it never got */
    SL_BUG_ACCEPT,    /* acknowledged from within accept */
    SL_BUG_THREAD,    /* called from another thread than the loop's, other than by post */
    SL_BUG_ANSWER,    /* accept answered neither TAKEN nor FULL */
    SL_BUG_RESULT,    /* acknowledged with what is no result */
    SL_BUG_FORGOTTEN, /* a record that it had not acknowledged when it was closed */
    SL_BUG_LEFT,      /* closed with timers or watches that it had not freed */
    SL_BUG_VERDICT,   /* a processor: process gave no verdict */
    SL_BUG_PAYLOAD,   /* a processor: kept a record without a payload, or with one too long */
    SL_BUG_PROCESSOR, /* a processor: ack, ready or available */
};

enum { SL_BUGS = 11 };

const char *sl_sink_bug_name(enum sl_sink_bug bug); /* "acknowledged-twice" */

/* One record in flight. The owner embeds it or points at it, fills `owner`, and may reuse it after
 * on_ack. The memory must stay until then. The plugin knows it by a handle (token.h). */
struct sl_token {
    struct sl_sink *sink; /* NULL: not in flight */
    void *owner;
    uint32_t payload_bytes;
    int64_t grown_bytes; /* what processors made its payload's allocation larger by */
};

enum sl_sink_answer {
    SL_SINK_TAKEN,    /* the payload is gone and the token is in flight */
    SL_SINK_FULL,     /* nothing changed, and on_ready follows */
    SL_SINK_FILTERED, /* a processor let it end here: the payload is gone, the token is not used */
    SL_SINK_LOST,     /* the same, because a processor could not do with it */
};

struct sl_sink_events {
    /* `token` (its `owner` is the one who knows) was acknowledged. */
    void (*on_ack)(struct sl_token *token, enum sluice_result result, void *arg);
    /* There is room after a FULL: offer again what was refused. */
    void (*on_ready)(struct sl_sink *sink, void *arg);
    /* Whether streams that require it may be opened (see sl_sink_is_taking) has changed. */
    void (*on_taking)(struct sl_sink *sink, bool is_taking, void *arg);
    /* It will never take anything again. NULL: nobody wants to know. */
    void (*on_over)(struct sl_sink *sink, void *arg);
};

/* NULL with the reason in `why`. `spec`, `collector` and `events` outlive the sink. */
struct sl_sink *sl_sink_open(struct sl_loop *loop, const struct sl_sink_spec *spec,
                             const char *collector, unsigned worker,
                             const struct sl_sink_events *events, void *arg,
                             struct sl_status *why) SL_MUST_CHECK;

/* Every token still out comes back FAILED before this returns, whatever the plugin does. */
void sl_sink_close(struct sl_sink *sink);

/* Nobody waits for its plugin any more, which is closed before this returns. Every token still out
 * comes back RESTARTED, where the plugin does not say at its end that it is delivered; so does each
 * record that is offered from now on, once it was taken. Twice is once. sl_sink_close stays due. */
void sl_sink_give_up(struct sl_sink *sink);
bool sl_sink_is_given_up(const struct sl_sink *sink);

enum sl_sink_answer sl_sink_accept(struct sl_sink *sink, const struct sluice_record *record,
                                   struct sl_token *token) SL_MUST_CHECK;

/* The calling thread is the sink's loop thread from now on: first it is that which opens it, at
 * last that which closes it, once the loop has ended. */
void sl_sink_adopt(struct sl_sink *sink);

void sl_sink_flush(struct sl_sink *sink);

/* Available by its own word, and not silent for stall_after_ns with records out. */
bool sl_sink_is_taking(const struct sl_sink *sink);
const char *sl_sink_reason(const struct sl_sink *sink); /* why not; "" while it takes */

/* Of a sink that is not required: whether it takes a record now. It does not between FULL and
 * on_ready; nor once its records hold all of memory_bytes, until half of that is free again, and
 * then on_ready comes, too. A required one always has room, until it says FULL itself. */
bool sl_sink_has_room(const struct sl_sink *sink);

/* Memory that records of a sink that is not required hold from now on, or no longer. */
void sl_sink_cost_add(struct sl_sink *sink, uint64_t bytes);
void sl_sink_cost_sub(struct sl_sink *sink, uint64_t bytes);
uint64_t sl_sink_cost(const struct sl_sink *sink);

size_t sl_sink_record_cost(const struct sl_sink *sink);
uint64_t sl_sink_in_flight(const struct sl_sink *sink); /* tokens out */
uint64_t sl_sink_overdue(const struct sl_sink *sink);  /* of them, for overdue_after_ns or longer */
int64_t sl_sink_oldest_ns(const struct sl_sink *sink); /* how long the oldest is out; 0: none is */
int64_t sl_sink_full_ns(const struct sl_sink *sink);   /* since FULL without ready; 0: not now */
const struct sl_histogram *sl_sink_latency(const struct sl_sink *sink); /* taken to delivered */
uint64_t sl_sink_bugs(const struct sl_sink *sink, enum sl_sink_bug bug);
void sl_sink_tell_out(struct sl_sink *sink); /* nobody waits for them any more: to the log */

/* The payload that such a record may have; SIZE_MAX: any. Its payload is not looked at. */
size_t sl_sink_most_bytes(const struct sl_sink *sink, const struct sluice_record *record);
void sl_sink_stats(struct sl_sink *sink, struct sluice_stats *stats);

/* What it knows of its partitions: fills up to SLUICE_MAX_PARTITIONS, and returns how many. Their
 * names are borrowed until the sink is called again. */
size_t sl_sink_partitions(struct sl_sink *sink, struct sluice_partition *partitions);
struct sl_log_subject *sl_sink_subject(struct sl_sink *sink); /* who speaks, for the log */
const struct sl_sink_spec *sl_sink_spec(const struct sl_sink *sink);

/* A destination or key template, read once: "telemetry.${label.site}". */
struct sl_template;

struct sl_template_values {
    const char *target;
    const char *subscription;
    const struct sluice_map *labels;
};

/* NULL with the reason (byte, what was expected, nearest name) in `why`: an unknown ${…}, an open
 * brace. "$$" is a dollar. */
struct sl_template *sl_template_new(const char *text, struct sl_status *why) SL_MUST_CHECK;
void sl_template_free(struct sl_template *templ);
bool sl_template_uses_origin(const struct sl_template *templ);
bool sl_template_uses_subscription(const struct sl_template *templ);
/* Appends the text. A label that the target does not have is the empty string. */
void sl_template_fill(const struct sl_template *templ, const struct sl_template_values *values,
                      struct sl_str origin, struct sl_buf *out);

#endif
