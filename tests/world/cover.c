#include "world/cover.h"

#include <string.h>

#include "grpc/channel.h"
#include "stream/stall.h"
#include "stream/state.h"
#include "target/target.h"

enum { FAULTS_EACH = 100, HELD_PERCENT = 10, EVENTS_EACH = 2000 };

static const struct sl_machine *const machines[COVER_MACHINES] = {
    &sl_stream_machine,
    &sl_stall_machine,
    &sl_target_machine,
    &sl_grpc_channel_machine,
};

/* Cells that no scenario can reach, and why; or that few of thousands do. */
static const struct beyond {
    const char *machine, *state, *event;
    bool is_seldom;
    const char *why;
} beyond[] = {
    {"stream", "waiting", "no-call", true,
     "memory is never out, and a session that takes no calls is taken back at once"},
    {"stream", "ending", "opened", false,
     "a call that is cancelled before its headers left has none"},
    {"target", "idle", "close", false, "a worker opens its targets before anything can close them"},
    {"target", "going", "goaway", false, "a link tells its first GOAWAY alone"},
    {"target", "ending", "up", false, "a dial that is closed has no event but its end"},
    {"target", "ending", "goaway", false, "a link that is closed has no event but its end"},
};

static struct cover *watching;

void cover_watch(struct cover *cover)
{
    watching = cover;
}

unsigned __wrap_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event);
unsigned __real_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event);

/* Between the core and lib/base/machine.c (the linker's --wrap). */
unsigned __wrap_sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event)
{
    SL_ASSERT(machine->states <= COVER_STATES && machine->events <= COVER_EVENTS);
    for (unsigned i = 0; watching && i < COVER_MACHINES; i++) {
        if (machines[i] == machine) {
            watching->cells[i][state][event]++;
        }
    }
    return __real_sl_machine_next(machine, state, event);
}

void cover_fault(struct cover *cover, enum plan_fault_kind kind)
{
    cover->faults[kind]++;
}

void cover_add(struct cover *sum, const struct cover *more)
{
    const uint64_t *from = (const uint64_t *)(const void *)more;
    uint64_t *to = (uint64_t *)(void *)sum;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++) {
        __atomic_fetch_add(&to[i], from[i], __ATOMIC_RELAXED);
    }
}

/* ---- the bounds ---- */

static const struct beyond *find_beyond(const struct sl_machine *machine, unsigned state,
                                        unsigned event)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(beyond); i++) {
        if (strcmp(beyond[i].machine, machine->name) == 0 &&
            strcmp(beyond[i].state, machine->state_name(state)) == 0 &&
            strcmp(beyond[i].event, machine->event_names[event]) == 0) {
            return &beyond[i];
        }
    }
    return NULL;
}

/* A cell that is not absent. */
static bool print_cell(const struct cover *cover, FILE *file, unsigned index, unsigned state,
                       unsigned event)
{
    const struct sl_machine *machine = machines[index];
    const struct beyond *out = find_beyond(machine, state, event);
    uint64_t count = cover->cells[index][state][event];

    if (count == 0 && !out) {
        fprintf(file, "world: never seen: %s %s %s\n", machine->name, machine->state_name(state),
                machine->event_names[event]);
    } else if (count > 0 && out && !out->is_seldom) {
        fprintf(file, "world: %s %s %s is listed as out of reach (%s), and was seen\n",
                machine->name, machine->state_name(state), machine->event_names[event], out->why);
    }
    return (count > 0) != (out != NULL) || (out && out->is_seldom);
}

static bool print_cells(const struct cover *cover, FILE *file, unsigned index)
{
    const struct sl_machine *machine = machines[index];
    unsigned cells = 0;
    unsigned good = 0;

    for (unsigned state = 1; state < machine->states; state++) {
        for (unsigned event = 0; event < machine->events; event++) {
            if (machine->next[state * machine->events + event]) {
                cells++;
                good += print_cell(cover, file, index, state, event);
            }
        }
    }
    fprintf(file, "world: %s: %u of %u cells as they should be\n", machine->name, good, cells);
    return good == cells;
}

static bool print_faults(const struct cover *cover, FILE *file)
{
    bool is_good = true;

    fprintf(file, "world: faults:");
    for (int i = 0; i < FAULT_KINDS; i++) {
        uint64_t count = cover->faults[i];
        fprintf(file, " %s %llu%s", plan_fault_name((enum plan_fault_kind)i),
                (unsigned long long)count, count < FAULTS_EACH ? " (too few)" : "");
        is_good = is_good && count >= FAULTS_EACH;
    }
    fprintf(file, "\n");
    return is_good;
}

static bool print_held(const struct cover *cover, FILE *file, uint64_t events)
{
    uint64_t held = cover->held_events * 100 / (events ? events : 1);
    uint64_t full = cover->full_events * 100 / (events ? events : 1);

    fprintf(file, "world: %llu%% of the events with a stream pushed back, %llu%% with one held\n",
            (unsigned long long)held, (unsigned long long)full);
    return full >= HELD_PERCENT;
}

bool cover_print(const struct cover *cover, FILE *file, double seconds, bool is_short)
{
    uint64_t events = cover->deliveries + cover->reports + cover->fault_count;
    bool is_good = events >= cover->seeds * EVENTS_EACH;

    fprintf(file,
            "world: %llu seeds in %.0f s: %llu deliveries, %llu acknowledgements, %llu faults, "
            "%llu turns, %llu checks, %llu s of their own time, %llu watched to their recovery\n",
            (unsigned long long)cover->seeds, seconds, (unsigned long long)cover->deliveries,
            (unsigned long long)cover->reports, (unsigned long long)cover->fault_count,
            (unsigned long long)cover->turns, (unsigned long long)cover->checks,
            (unsigned long long)cover->virtual_ms / 1000, (unsigned long long)cover->calm);
    is_good = print_held(cover, file, events) && is_good;
    is_good = print_faults(cover, file) && is_good;
    for (unsigned i = 0; i < COVER_MACHINES; i++) {
        is_good = print_cells(cover, file, i) && is_good;
    }
    return is_good || is_short;
}
