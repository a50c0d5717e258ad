/* clock.h - what the timestamps of a stream mean, and what is made of them.
 *
 * gNMI wants nanoseconds since 1970. Devices send seconds, milliseconds and microseconds too, zero,
 * negative numbers, and times of a clock that nobody has set. So a clock says two things.
 *
 * The unit, of a stream as a whole. A number speaks for a unit when it is, in that unit, near our
 * clock: within SL_CLOCK_NEAR_NS of it in nanoseconds, which are tried first, within
 * SL_CLOCK_CLOSE_NS in the others. Both are so narrow that no number speaks for two, and so wide
 * that an old change (`on-change`, before the sync_response) still does. The first number that
 * speaks decides; until then it is nanoseconds. Then the unit stays, also for numbers that speak
 * for another one or for none, until SL_CLOCK_CONTRARY in a row were so: a device whose clock is at
 * 1970 passes, for moments, where another unit would be. Zero and negative numbers speak for
 * nothing.
 *
 * The policy, which makes the time of the record out of that of the device. Which number is zero,
 * negative, or more than max_skew_ns from our clock is counted whatever the policy is.
 *
 * Pure arithmetic: our clock is an argument. One thread.
 */
#ifndef SLUICE_NORMALISE_CLOCK_H
#define SLUICE_NORMALISE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define SL_CLOCK_NEAR_NS  (INT64_C(10) * 366 * 24 * 3600 * SL_NS_PER_S)
#define SL_CLOCK_CLOSE_NS (INT64_C(366) * 24 * 3600 * SL_NS_PER_S)

enum { SL_CLOCK_CONTRARY = 8 };

enum sl_clock_policy {
    /* Of the format: DEVICE for sluice.v1 and its JSON, which say what was sent beside it; as sent
     * for those of gnmic and Telegraf, whose readers have got that number so far. */
    SL_CLOCK_OF_FORMAT,
    SL_CLOCK_DEVICE,  /* the device's, in nanoseconds; zero and negative as sent */
    SL_CLOCK_RECEIVE, /* ours, when the message arrived */
    SL_CLOCK_CLAMP,   /* the device's where it is within max_skew_ns of ours, else the nearest time
                         that is; zero and negative: ours */
};

enum sl_clock_unit {
    SL_CLOCK_AUTO, /* as configured: to be found out; of a clock: not known yet, nanoseconds */
    SL_CLOCK_S,
    SL_CLOCK_MS,
    SL_CLOCK_US,
    SL_CLOCK_NS,
};

const char *sl_clock_unit_name(enum sl_clock_unit unit); /* "ms"; AUTO: "" */

struct sl_clock_config {
    enum sl_clock_policy policy;
    enum sl_clock_unit unit; /* other than AUTO: it is that, whatever is sent */
    int64_t max_skew_ns;     /* not negative */
};

/* Of notifications. */
struct sl_clock_counts {
    uint64_t zero;
    uint64_t negative;
    uint64_t future; /* more than max_skew_ns ahead of our clock */
    uint64_t past;   /* more than that behind it, as an old change rightly is */
    uint64_t scaled; /* sent in another unit than nanoseconds */
    int64_t max_ahead_ns;
    int64_t max_behind_ns;
};

struct sl_clock {
    struct sl_clock_config config;
    enum sl_clock_unit unit;
    enum sl_clock_unit contrary; /* what the last contrary numbers spoke for; AUTO: for nothing */
    unsigned contrary_count;     /* in a row */
    struct sl_clock_counts counts;
};

void sl_clock_init(struct sl_clock *clock, const struct sl_clock_config *config);

/* The time that `sent` says, in nanoseconds; one that would not fit into them, zero and negative as
 * they are. Once for each notification: it notes the unit and counts. */
int64_t sl_clock_read(struct sl_clock *clock, int64_t sent, int64_t received_ns);

/* What `policy` makes of a time of the device, as sl_clock_read returned it. OF_FORMAT: as DEVICE.
 */
int64_t sl_clock_settle(enum sl_clock_policy policy, int64_t max_skew_ns, int64_t device_ns,
                        int64_t received_ns);

#endif
