/* workplace.h - targets and their streams, made of what the settings say, where a worker has its
 * loop, sinks and memory.
 *
 * Before the worker runs, or on its thread.
 */
#ifndef SLUICE_DAEMON_WORKPLACE_H
#define SLUICE_DAEMON_WORKPLACE_H

#include "base/status.h"
#include "daemon/settings.h"
#include "normalise/encoder.h"
#include "sink/sink.h"
#include "stream/stream.h"
#include "target/target.h"

/* Everything here outlives the targets. */
struct sl_workplace {
    const struct sl_settings *settings;
    struct sl_loop *loop;
    struct sl_sink *const *sinks; /* as settings->sinks */
    struct sl_stream_pool *pool;
    const struct sl_h2_limits *limits; /* of connections to devices */
    struct sl_encoder_memory *interned;
    void (*on_closed)(struct sl_target *target, void *arg); /* sl_target_config has it */
    void *arg;
};

/* One target, not opened yet. NULL: `why`. */
struct sl_target *sl_workplace_target(const struct sl_workplace *place,
                                      const struct sl_target_settings *target,
                                      struct sl_status *why) SL_MUST_CHECK;

/* `target` goes over to `to` (sl_target_change); `is_anew` is for each of its streams. */
bool sl_workplace_change(const struct sl_workplace *place, struct sl_target *target,
                         const struct sl_target_settings *to, const bool *is_anew, bool redials,
                         struct sl_status *why) SL_MUST_CHECK;

#endif
