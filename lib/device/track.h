/* track.h - the pace of one part of a simulated stream: how many messages are due, and where the
 * next one begins.
 *
 * A round carries every leaf of the part once, in as many messages as it takes. By the clock of a
 * sample interval or of the options, rounds follow one another. Where only changes are asked for, a
 * look at each interval begins a round of the leaves that have another value than in the last one;
 * a look that finds nothing makes no message. The values of such a round are all of one time, so
 * that nothing need be kept per leaf. A heartbeat is a round of all leaves.
 *
 * No I/O and no clock: times are arguments. A track belongs to one flow.
 */
#ifndef SLUICE_DEVICE_TRACK_H
#define SLUICE_DEVICE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "device/device.h"
#include "device/leaves.h"
#include "device/subscription.h"

struct sl_device_now {
    int64_t now_ns;
    uint64_t elapsed_ms; /* what the leaves' values follow from */
};

struct sl_device_track {
    const struct sl_device_part *part;
    const struct sl_device_leaves *table;
    uint32_t device;
    uint64_t rate_per_s; /* 0: the clock is the interval */
    int64_t interval_ns;
    bool as_fast;   /* no clock at all */
    uint32_t round; /* messages that carry every leaf once */
    bool is_bare;   /* … without leaves: there is no room for them */
    uint32_t next;  /* index into the selection */
    uint32_t dumped;

    int64_t clock_ns; /* when the clock began */
    uint64_t made;    /* messages of the clock, merged ones too; with only_changes: looks */
    uint64_t merging; /* due while the flow was blocked, for `as_fast` */
    bool merges;      /* the next message stands for all that are due */

    bool is_in_round; /* with only_changes, as all below */
    bool is_beat;     /* the round is one of all leaves */
    uint64_t beats;
    uint64_t looks;    /* that the next message of the round stands for */
    uint64_t round_ms; /* what the values of the round follow from */
    uint64_t sent_ms;  /* … and those of the round before */
};

/* What `part`, which outlives the track, is to come by. */
void sl_device_track_init(struct sl_device_track *track, const struct sl_device_part *part,
                          const struct sl_device_leaves *table, uint32_t device,
                          const struct sl_device_options *options);

/* The initial dump is over, or there is none: the clock begins. */
void sl_device_track_start(struct sl_device_track *track, const struct sl_device_now *now);

/* Messages that are due now. */
uint64_t sl_device_track_owed(struct sl_device_track *track, const struct sl_device_now *now);

/* When the next one is due; INT64_MAX: at any time. */
int64_t sl_device_track_next_ns(const struct sl_device_track *track);

/* The time that the values of the next message follow from. */
uint64_t sl_device_track_value_ms(const struct sl_device_track *track,
                                  const struct sl_device_now *now);

/* A message that stands for `merged` has left with `passed` leaves; in the dump, or behind it. */
void sl_device_track_dumped(struct sl_device_track *track, const struct sl_device_now *now,
                            uint32_t passed);
void sl_device_track_sent(struct sl_device_track *track, uint64_t merged, uint32_t passed);

/* The flow could not send for `blocked_ns`: the clock stood still, or it went on and what is due
 * now merges. */
void sl_device_track_wait(struct sl_device_track *track, int64_t blocked_ns);
void sl_device_track_merge(struct sl_device_track *track, const struct sl_device_now *now,
                           int64_t blocked_ns);

#endif
