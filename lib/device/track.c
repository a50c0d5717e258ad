#include "device/track.h"

#define DEFAULT_INTERVAL_NS SL_NS_PER_S

enum {
    FAST_TICKS_PER_S = 1000, /* the clock of `as_fast` while its flow is blocked */
    UPDATES_OF_THE_SIM = 2,  /* seq and session */
};

/* a * b / c without passing 64 bits, where a % c * b does not. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    return a / c * b + a % c * b / c;
}

static bool only_changes(const struct sl_device_track *track)
{
    return track->part->only_changes;
}

/* How often a time of `interval_ns` has passed since the clock began. */
static uint64_t passed(const struct sl_device_track *track, int64_t now_ns, int64_t interval_ns)
{
    int64_t passed_ns = now_ns - track->clock_ns;

    return passed_ns > 0 && interval_ns > 0 ? (uint64_t)(passed_ns / interval_ns) : 0;
}

/* How many messages the clock has asked for since it began. */
static uint64_t clock_total(const struct sl_device_track *track, int64_t now_ns)
{
    int64_t passed_ns = now_ns - track->clock_ns;

    if (track->rate_per_s > 0) {
        return passed_ns > 0 ? scale((uint64_t)passed_ns, track->rate_per_s, (uint64_t)SL_NS_PER_S)
                             : 0;
    }
    return passed(track, now_ns, track->interval_ns) * track->round;
}

/* The next leaf of a round that has something to say; false: there is none. */
static bool find_change(struct sl_device_track *track)
{
    const struct sl_device_selection *selection = &track->part->selection;

    while (!track->is_beat && track->next < selection->count &&
           !sl_device_leaf_differs(track->table, track->device,
                                   sl_device_selected(selection, track->next), track->sent_ms,
                                   track->round_ms)) {
        track->next++;
    }
    return track->next < selection->count;
}

static void end_round_if_over(struct sl_device_track *track)
{
    if (track->is_in_round && !find_change(track)) {
        track->is_in_round = false;
        track->is_beat = false;
        track->sent_ms = track->round_ms;
    }
}

static void look(struct sl_device_track *track, const struct sl_device_now *now)
{
    uint64_t looks = passed(track, now->now_ns, track->interval_ns);
    uint64_t beats = passed(track, now->now_ns, track->part->heartbeat_ns);

    looks -= sl_min_u64(looks, track->made);
    beats -= sl_min_u64(beats, track->beats);
    if (looks == 0 && beats == 0) {
        return;
    }
    track->made += looks;
    track->beats += beats;
    track->looks = sl_max_u64(looks, 1);
    track->is_beat = beats > 0;
    track->is_in_round = true;
    track->round_ms = now->elapsed_ms;
    track->next = 0;
    end_round_if_over(track);
}

void sl_device_track_init(struct sl_device_track *track, const struct sl_device_part *part,
                          const struct sl_device_leaves *table, uint32_t device,
                          const struct sl_device_options *options)
{
    uint32_t leaves_each = options->updates;
    uint32_t count = part->selection.count;
    bool has_interval = part->interval_ns > 0;

    *track = (struct sl_device_track){
        .part = part,
        .table = table,
        .device = device,
        .rate_per_s = has_interval ? 0 : options->rate_per_s,
        .interval_ns = has_interval ? part->interval_ns : DEFAULT_INTERVAL_NS,
        .as_fast = !has_interval && options->as_fast,
        .round = 1,
        .is_bare = options->updates <= UPDATES_OF_THE_SIM,
    };
    if (!track->is_bare && count > 0) {
        leaves_each -= UPDATES_OF_THE_SIM;
        track->round = (count + leaves_each - 1) / leaves_each;
    }
}

void sl_device_track_start(struct sl_device_track *track, const struct sl_device_now *now)
{
    track->next = 0;
    track->clock_ns = now->now_ns;
    if (track->dumped == 0) {
        track->sent_ms = now->elapsed_ms; /* what there is now is not told: updates_only */
    }
}

uint64_t sl_device_track_owed(struct sl_device_track *track, const struct sl_device_now *now)
{
    uint64_t total;

    if (track->as_fast) {
        return 1 + track->merging;
    }
    if (only_changes(track)) {
        if (!track->is_in_round) {
            look(track, now);
        }
        return track->is_in_round ? track->looks : 0;
    }
    total = clock_total(track, now->now_ns);
    return total > track->made ? total - track->made : 0;
}

int64_t sl_device_track_next_ns(const struct sl_device_track *track)
{
    int64_t heartbeat_ns = track->part->heartbeat_ns;
    int64_t next_ns;

    if (track->as_fast) {
        return INT64_MAX;
    }
    if (track->rate_per_s > 0) {
        return track->clock_ns +
               (int64_t)scale(track->made + 1, (uint64_t)SL_NS_PER_S, track->rate_per_s);
    }
    if (!only_changes(track)) {
        return track->clock_ns + (int64_t)(track->made / track->round + 1) * track->interval_ns;
    }
    next_ns = (int64_t)(track->made + 1) * track->interval_ns;
    if (heartbeat_ns > 0 && (int64_t)(track->beats + 1) * heartbeat_ns < next_ns) {
        next_ns = (int64_t)(track->beats + 1) * heartbeat_ns;
    }
    return track->clock_ns + next_ns;
}

uint64_t sl_device_track_value_ms(const struct sl_device_track *track,
                                  const struct sl_device_now *now)
{
    if (!only_changes(track)) {
        return now->elapsed_ms;
    }
    if (track->is_in_round) {
        return track->round_ms;
    }
    return track->dumped > 0 ? track->sent_ms : now->elapsed_ms; /* in the dump */
}

void sl_device_track_dumped(struct sl_device_track *track, const struct sl_device_now *now,
                            uint32_t passed_leaves)
{
    if (track->dumped == 0) {
        track->sent_ms = now->elapsed_ms;
    }
    track->dumped++;
    track->next += passed_leaves;
    if (track->next >= track->part->selection.count) {
        track->next = 0;
    }
}

void sl_device_track_sent(struct sl_device_track *track, uint64_t merged, uint32_t passed_leaves)
{
    uint32_t count = track->part->selection.count;

    track->merges = false;
    track->merging = 0;
    if (only_changes(track)) {
        track->looks = 1;
        if (track->is_bare) {
            track->next = count;
        } else { /* a leaf that a message of this size does not take is left out */
            track->next += passed_leaves > 0 ? passed_leaves : 1;
        }
        end_round_if_over(track);
        return;
    }
    track->made += merged;
    track->next += passed_leaves;
    if (track->next >= count) {
        track->next -= count;
    }
}

void sl_device_track_wait(struct sl_device_track *track, int64_t blocked_ns)
{
    track->clock_ns += blocked_ns;
}

void sl_device_track_merge(struct sl_device_track *track, const struct sl_device_now *now,
                           int64_t blocked_ns)
{
    track->merging = (uint64_t)blocked_ns / (uint64_t)(SL_NS_PER_S / FAST_TICKS_PER_S);
    track->merges = sl_device_track_owed(track, now) > 0;
}
