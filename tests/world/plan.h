/* plan.h - one scenario: devices, streams, sinks, and what goes wrong when.
 *
 * A plan follows from its seed alone. Every part of it is drawn from a generator of its own (named
 * after the part), so that a part which is taken out changes no other: that is what lets a failing
 * seed shrink.
 */
#ifndef SLUICE_TESTS_WORLD_PLAN_H
#define SLUICE_TESTS_WORLD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "normalise/encoder.h"
#include "stream/stall.h"
#include "world/world.h"

enum {
    PLAN_SINKS = 3,
    PLAN_PARTITIONS = 4,
    PLAN_DEVICES = 5,
    PLAN_STREAMS = 4, /* of a device */
    PLAN_MEMBERS = 2, /* of a stream */
    PLAN_FAULTS = 128,
};

struct plan_sink {
    bool is_there;
    bool is_required;
    uint64_t memory_bytes; /* where it is not */
    enum sl_format format;
    enum sl_record_unit unit;
    unsigned partitions;
    int64_t latency_ns; /* from taken to reported, at least … */
    int64_t jitter_ns;  /* … and up to so much more */
    uint64_t room;      /* records that it has at most; more is FULL */
    int64_t stall_after_ns;
};

struct plan_stream {
    bool is_there;
    unsigned members;
    unsigned sinks;       /* a set */
    uint64_t limit_bytes; /* to begin with, */
    uint64_t most_bytes;  /* and at most */
    enum sl_stall_policy policy;
    int64_t stall_after_ns;
    const char *priority;
    int64_t interval_ns;               /* from message to message */
    uint32_t small_bytes, large_bytes; /* what is beside the numbers */
    unsigned large_in_thousand;
    unsigned updates;  /* of a message, at most */
    unsigned baseline; /* messages before the sync_response */
};

struct plan_device {
    bool is_there;
    struct plan_stream streams[PLAN_STREAMS];
    struct world_link link;
    bool is_asked;  /* for its Capabilities, on each connection */
    bool is_called; /* by a channel, beside its target */
    int64_t ping_interval_ns;
};

enum plan_fault_kind {
    /* The network of a device. */
    FAULT_STALL,
    FAULT_CUT,
    FAULT_RESET,
    FAULT_HANG_UP,
    FAULT_REFUSE,
    FAULT_NO_ANSWER,
    FAULT_SLOW,
    FAULT_LATENCY,
    FAULT_RAGGED,
    /* What it does. */
    FAULT_GOAWAY,
    FAULT_TOO_MANY_PINGS,
    FAULT_RESET_STREAM,
    FAULT_STATUS,
    FAULT_HALF_MESSAGE,
    FAULT_UNDECODABLE,
    FAULT_TOO_LARGE,
    FAULT_OVERRUN,
    FAULT_SILENT_DEVICE,
    FAULT_BURST,
    FAULT_HUGE,
    FAULT_SLOW_HUGE,
    FAULT_PADDING,
    FAULT_REFUSE_CALLS,
    FAULT_NO_CAPABILITIES,
    FAULT_NO_SETTINGS,
    FAULT_GARBAGE,
    FAULT_FEW_STREAMS,
    /* A sink. */
    FAULT_PARTITION_STALL,
    FAULT_PARTITION_FAILS,
    FAULT_FULL,
    FAULT_FLICKER,
    FAULT_UNAVAILABLE,
    FAULT_SILENT_SINK,
    FAULT_SLOW_SINK,
    /* Ourselves. */
    FAULT_BUDGET,
    FAULT_CLOCK,
    FAULT_CLOSE,
    FAULT_ABORT,
};

enum { FAULT_KINDS = FAULT_ABORT + 1 };

const char *plan_fault_name(enum plan_fault_kind kind); /* "stall" */

struct plan_fault {
    bool is_there;
    enum plan_fault_kind kind;
    int64_t at_ns;    /* from the beginning */
    int64_t lasts_ns; /* of those that last */
    unsigned device, stream, sink, partition;
    uint64_t amount; /* whatever the kind needs to have drawn */
};

enum plan_end { PLAN_END_QUIET, PLAN_END_DRAIN, PLAN_END_ABORT };

struct plan {
    uint64_t seed;
    uint64_t events; /* deliveries, acknowledgements and faults, then it comes to its end */
    uint64_t memory_bytes;
    uint32_t max_message_bytes;
    enum plan_end end;
    struct plan_sink sinks[PLAN_SINKS];
    struct plan_device devices[PLAN_DEVICES];
    struct plan_fault faults[PLAN_FAULTS];
};

void plan_draw(struct plan *plan, uint64_t seed, uint64_t events);

/* Takes parts out. Words with commas between them: "d1" a device, "s1.0" its stream, "k0" a sink,
 * "f12" a fault, "f3-20" several. False: a word that is none. */
bool plan_drop(struct plan *plan, const char *words);

#endif
