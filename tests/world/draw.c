#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/plan.h"

#define MS(n) ((int64_t)(n) * 1000 * 1000)

static const char *const fault_names[FAULT_KINDS] = {
    [FAULT_STALL] = "stall",
    [FAULT_CUT] = "cut",
    [FAULT_RESET] = "reset",
    [FAULT_HANG_UP] = "hang-up",
    [FAULT_REFUSE] = "refuse",
    [FAULT_NO_ANSWER] = "no-answer",
    [FAULT_SLOW] = "slow-link",
    [FAULT_LATENCY] = "latency",
    [FAULT_RAGGED] = "ragged",
    [FAULT_GOAWAY] = "goaway",
    [FAULT_TOO_MANY_PINGS] = "too-many-pings",
    [FAULT_RESET_STREAM] = "reset-stream",
    [FAULT_STATUS] = "status",
    [FAULT_HALF_MESSAGE] = "half-message",
    [FAULT_UNDECODABLE] = "undecodable",
    [FAULT_TOO_LARGE] = "too-large",
    [FAULT_OVERRUN] = "overrun",
    [FAULT_SILENT_DEVICE] = "silent-device",
    [FAULT_BURST] = "burst",
    [FAULT_HUGE] = "huge",
    [FAULT_SLOW_HUGE] = "slow-huge",
    [FAULT_PADDING] = "padding",
    [FAULT_REFUSE_CALLS] = "refuse-calls",
    [FAULT_NO_CAPABILITIES] = "no-capabilities",
    [FAULT_NO_SETTINGS] = "no-settings",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_FEW_STREAMS] = "few-streams",
    [FAULT_PARTITION_STALL] = "partition-stall",
    [FAULT_PARTITION_FAILS] = "partition-fails",
    [FAULT_FULL] = "full",
    [FAULT_FLICKER] = "flicker",
    [FAULT_UNAVAILABLE] = "unavailable",
    [FAULT_SILENT_SINK] = "silent-sink",
    [FAULT_SLOW_SINK] = "slow-sink",
    [FAULT_BUDGET] = "budget",
    [FAULT_CLOCK] = "clock",
    [FAULT_CLOSE] = "close",
    [FAULT_ABORT] = "abort",
};

const char *plan_fault_name(enum plan_fault_kind kind)
{
    return fault_names[kind];
}

static int64_t between_ms(struct world_random *random, uint64_t low, uint64_t high)
{
    return MS(world_random_scale(random, low, high));
}

static void draw_sink(struct plan_sink *sink, struct world_random *random)
{
    sink->is_there = true;
    sink->format = world_random_chance(random, 700) ? SL_FORMAT_SLUICE_V1 : SL_FORMAT_PROTO;
    sink->unit = world_random_chance(random, 200) ? SL_RECORD_UPDATE : SL_RECORD_NOTIFICATION;
    sink->is_required = world_random_chance(random, 750);
    sink->memory_bytes = world_random_scale(random, 64 * 1024, 1024 * 1024);
    sink->partitions = (unsigned)world_random_between(random, 1, PLAN_PARTITIONS);
    sink->latency_ns = between_ms(random, 1, 100);
    sink->jitter_ns = between_ms(random, 1, 100);
    sink->room =
        world_random_chance(random, 500) ? 1000 * 1000 : world_random_scale(random, 4, 200);
    sink->stall_after_ns = between_ms(random, 1000, 20 * 1000);
}

static const char *const priorities[] = {"auto", "low", "normal", "high"};

static void draw_stream(struct plan_stream *stream, unsigned sinks, struct world_random *random)
{
    stream->is_there = true;
    stream->members = world_random_chance(random, 250) ? 2 : 1;
    do {
        stream->sinks = (unsigned)world_random_below(random, 1 << PLAN_SINKS) & sinks;
    } while (!stream->sinks);
    stream->limit_bytes = world_random_scale(random, 16 * 1024, 256 * 1024);
    stream->most_bytes = stream->limit_bytes * world_random_scale(random, 1, 16);
    stream->policy = world_random_chance(random, 500)
                         ? SL_STALL_BLOCK
                         : (enum sl_stall_policy)world_random_below(random, SL_STALL_SHED + 1);
    stream->stall_after_ns = between_ms(random, 100, 10 * 1000);
    stream->priority = priorities[world_random_below(random, SL_ARRAY_LEN(priorities))];
    stream->interval_ns = between_ms(random, 4, 1500);
    stream->small_bytes = (uint32_t)world_random_scale(random, 1, 4000);
    stream->large_bytes = (uint32_t)world_random_scale(random, 1000, 60 * 1000);
    stream->large_in_thousand =
        world_random_chance(random, 400) ? (unsigned)world_random_scale(random, 1, 300) : 0;
    stream->updates = (unsigned)world_random_scale(random, 1, 12);
    stream->baseline = (unsigned)world_random_below(random, 8);
}

static void draw_link(struct world_link *link, struct world_random *random)
{
    *link = world_default_link;
    link->latency_ns = (int64_t)world_random_scale(random, 10 * 1000, 50 * 1000 * 1000);
    link->jitter_ns = world_random_chance(random, 500) ? link->latency_ns : 0;
    link->bytes_per_s = world_random_chance(random, 500)
                            ? 0
                            : world_random_scale(random, 1000 * 1000, 100 * 1000 * 1000);
    link->buffer_bytes = (uint32_t)world_random_scale(random, 4096, 512 * 1024);
    link->piece_bytes =
        world_random_chance(random, 700) ? 0 : (uint32_t)world_random_scale(random, 100, 16 * 1024);
    link->is_ragged = world_random_chance(random, 100);
}

static void draw_device(struct plan_device *device, unsigned sinks, uint64_t seed, unsigned index)
{
    struct world_random random;
    char name[32];

    snprintf(name, sizeof(name), "device %u", index);
    world_random_init(&random, seed, name);
    device->is_there = true;
    draw_link(&device->link, &random);
    device->is_asked = world_random_chance(&random, 600);
    device->is_called = world_random_chance(&random, 300);
    device->ping_interval_ns =
        world_random_chance(&random, 500) ? 0 : between_ms(&random, 2000, 20 * 1000);
    unsigned streams = (unsigned)world_random_between(&random, 1, PLAN_STREAMS);
    for (unsigned i = 0; i < streams; i++) {
        draw_stream(&device->streams[i], sinks, &random);
    }
}

static bool lasts_long(enum plan_fault_kind kind)
{
    return kind == FAULT_SILENT_SINK || kind == FAULT_PARTITION_STALL || kind == FAULT_FULL;
}

static void draw_fault(struct plan_fault *fault, int64_t at_ns, uint64_t seed, unsigned index)
{
    struct world_random random;
    char name[32];

    snprintf(name, sizeof(name), "fault %u", index);
    world_random_init(&random, seed, name);
    fault->is_there = true;
    fault->kind = (enum plan_fault_kind)world_random_below(&random, FAULT_KINDS);
    fault->at_ns = at_ns;
    fault->lasts_ns = between_ms(&random, 5, lasts_long(fault->kind) ? 20 * 1000 : 5000);
    fault->device = (unsigned)world_random_below(&random, PLAN_DEVICES);
    fault->stream = (unsigned)world_random_below(&random, PLAN_STREAMS);
    fault->sink = (unsigned)world_random_below(&random, PLAN_SINKS);
    fault->partition = (unsigned)world_random_below(&random, PLAN_PARTITIONS);
    fault->amount = world_random_next(&random);
}

/* About how long the scenario takes if nothing goes wrong. */
static int64_t likely_ns(const struct plan *plan)
{
    double events_per_s = 0;

    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            const struct plan_stream *stream = &plan->devices[i].streams[j];
            if (stream->is_there) {
                events_per_s += 2e9 * __builtin_popcount(stream->sinks) * stream->members /
                                (double)stream->interval_ns;
            }
        }
    }
    return (int64_t)((double)plan->events / events_per_s * 1e9);
}

static void draw_faults(struct plan *plan, struct world_random *random)
{
    int64_t pace_ns = likely_ns(plan) / (int64_t)world_random_scale(random, 20, PLAN_FAULTS);
    int64_t at_ns = 0;

    for (unsigned i = 0; i < PLAN_FAULTS; i++) {
        at_ns += (int64_t)world_random_below(random, (uint64_t)(2 * pace_ns) + 1);
        draw_fault(&plan->faults[i], at_ns, plan->seed, i);
    }
}

void plan_draw(struct plan *plan, uint64_t seed, uint64_t events)
{
    struct world_random random;
    unsigned sinks = 0;

    *plan = (struct plan){.seed = seed, .events = events};
    world_random_init(&random, seed, "plan");
    plan->max_message_bytes = (uint32_t)world_random_scale(&random, 64 * 1024, 512 * 1024);
    plan->memory_bytes = world_random_chance(&random, 300)
                             ? 1024 * 1024 /* and what it needs at least */
                             : world_random_scale(&random, 1024 * 1024, 16 * 1024 * 1024);
    plan->end = (enum plan_end)world_random_below(&random, PLAN_END_ABORT + 1);
    unsigned count = (unsigned)world_random_between(&random, 1, PLAN_SINKS);
    for (unsigned i = 0; i < count; i++) {
        draw_sink(&plan->sinks[i], &random);
        sinks |= 1U << i;
    }
    count = (unsigned)world_random_between(&random, 1, PLAN_DEVICES);
    for (unsigned i = 0; i < count; i++) {
        draw_device(&plan->devices[i], sinks, seed, i);
    }
    draw_faults(plan, &random);
}

/* ---- taking parts out ---- */

static bool drop_faults(struct plan *plan, const char *range)
{
    unsigned first = 0;
    unsigned last = 0;
    int numbers = sscanf(range, "%u-%u", &first, &last);

    last = numbers == 2 ? last : first;
    for (unsigned i = first; i <= last && i < PLAN_FAULTS; i++) {
        plan->faults[i].is_there = false;
    }
    return numbers >= 1 && last < PLAN_FAULTS;
}

/* A sink that is gone takes no stream's records; a stream without one is gone, too. */
static void drop_sink(struct plan *plan, unsigned sink)
{
    plan->sinks[sink].is_there = false;
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            struct plan_stream *stream = &plan->devices[i].streams[j];
            stream->sinks &= ~(1U << sink);
            stream->is_there = stream->is_there && stream->sinks;
        }
    }
}

static bool drop_word(struct plan *plan, const char *word)
{
    unsigned a = 0;
    unsigned b = 0;

    if (sscanf(word, "d%u", &a) == 1 && a < PLAN_DEVICES) {
        plan->devices[a].is_there = false;
        return true;
    }
    if (sscanf(word, "s%u.%u", &a, &b) == 2 && a < PLAN_DEVICES && b < PLAN_STREAMS) {
        plan->devices[a].streams[b].is_there = false;
        return true;
    }
    if (sscanf(word, "k%u", &a) == 1 && a < PLAN_SINKS) {
        drop_sink(plan, a);
        return true;
    }
    return word[0] == 'f' && drop_faults(plan, word + 1);
}

bool plan_drop(struct plan *plan, const char *words)
{
    char *copy = strdup(words);
    bool is_good = copy != NULL;
    char *rest = NULL;

    for (char *word = copy ? strtok_r(copy, ",", &rest) : NULL; word && is_good;
         word = strtok_r(NULL, ",", &rest)) {
        is_good = drop_word(plan, word);
    }
    free(copy);
    return is_good;
}
