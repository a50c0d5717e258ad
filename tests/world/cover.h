/* cover.h - what the runs have seen: without it a simulation that tries nothing passes, too. */
#ifndef SLUICE_TESTS_WORLD_COVER_H
#define SLUICE_TESTS_WORLD_COVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "world/plan.h"

enum { COVER_MACHINES = 4, COVER_STATES = 16, COVER_EVENTS = 32 };

struct cover {
    uint64_t seeds;
    uint64_t deliveries, reports, fault_count; /* which together are the events */
    uint64_t held_events;                      /* with some stream pushed back */
    uint64_t full_events;                      /* with some stream in the state "held" */
    uint64_t turns, checks;
    uint64_t virtual_ms;
    uint64_t calm; /* scenarios that were watched until everything had recovered */
    uint64_t faults[FAULT_KINDS];
    uint64_t cells[COVER_MACHINES][COVER_STATES][COVER_EVENTS];
};

void cover_fault(struct cover *cover, enum plan_fault_kind kind);

/* Cells of the core's state tables are counted here from now on. */
void cover_watch(struct cover *cover);

/* Other processes may add at the same time. */
void cover_add(struct cover *sum, const struct cover *more);

/* Prints it, with `seconds` of wall clock. False: it is less than it has to be. `is_short`: no
 * bound is held against it, for fewer seeds than the bounds are made for. */
bool cover_print(const struct cover *cover, FILE *file, double seconds, bool is_short);

#endif
