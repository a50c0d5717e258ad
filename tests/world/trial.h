/* trial.h - one run in a process of its own, so that each begins alike and none takes others along.
 */
#ifndef SLUICE_TESTS_WORLD_TRIAL_H
#define SLUICE_TESTS_WORLD_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world/cover.h"

struct trial {
    uint64_t seed;
    uint64_t events;
    const char *drop; /* plan_drop; "" : nothing */
    bool has_log;
    bool is_quiet; /* whatever it writes to standard error is not seen */
};

struct trial_outcome {
    bool has_failed;
    uint64_t events; /* that happened */
    uint64_t trace;
    const void *kind; /* of a failure: the same for the same promise; NULL: it died */
    char text[640];   /* of a failure */
};

/* Zeroed memory that children share. */
void *trial_shared(size_t bytes);

/* `cover` is shared memory; NULL: nobody wants to know. */
void trial_run(const struct trial *trial, struct cover *cover, struct trial_outcome *outcome);

#endif
