/* random.h - numbers that follow from a seed, the same on every machine.
 *
 * xoshiro256** (Blackman, Vigna: "Scrambled linear pseudorandom number generators"). Whoever draws
 * has a generator of its own, made from the seed and a name, so that one more draw in one place
 * changes nothing in another: that is what lets a failing seed shrink.
 */
#ifndef SLUICE_TESTS_WORLD_RANDOM_H
#define SLUICE_TESTS_WORLD_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct world_random {
    uint64_t state[4];
};

/* A generator of its own for each pair of `seed` and `name`. */
void world_random_init(struct world_random *random, uint64_t seed, const char *name);

uint64_t world_random_next(struct world_random *random);

/* 0 <= x < `count`, which is at least 1. */
uint64_t world_random_below(struct world_random *random, uint64_t count);

/* `low` <= x <= `high`. */
uint64_t world_random_between(struct world_random *random, uint64_t low, uint64_t high);

/* The same, with small ones as likely as large ones: each power of two has an even chance. */
uint64_t world_random_scale(struct world_random *random, uint64_t low, uint64_t high);

/* True in `in_thousand` of a thousand cases. */
bool world_random_chance(struct world_random *random, unsigned in_thousand);

#endif
