#include "world/random.h"

#include "base/base.h"

/* splitmix64: what xoshiro's authors seed it with. */
static uint64_t mix(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void world_random_init(struct world_random *random, uint64_t seed, const char *name)
{
    uint64_t state = seed;

    for (const char *letter = name; *letter; letter++) {
        state = mix(&state) ^ (uint8_t)*letter;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(random->state); i++) {
        random->state[i] = mix(&state);
    }
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t world_random_next(struct world_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The bias of the remainder is below 2^-32 for every count that is asked for here. */
uint64_t world_random_below(struct world_random *random, uint64_t count)
{
    SL_ASSERT(count > 0);
    return world_random_next(random) % count;
}

uint64_t world_random_between(struct world_random *random, uint64_t low, uint64_t high)
{
    SL_ASSERT(low <= high);
    return high - low == UINT64_MAX ? world_random_next(random)
                                    : low + world_random_below(random, high - low + 1);
}

uint64_t world_random_scale(struct world_random *random, uint64_t low, uint64_t high)
{
    unsigned steps = 0;

    SL_ASSERT(low <= high && high - low <= INT64_MAX);
    while ((high - low) >> steps > 0) {
        steps++;
    }
    uint64_t ceiling = UINT64_MAX >> (63 - world_random_below(random, steps + 1U)) >> 1;
    return low + world_random_between(random, 0, sl_min_u64(ceiling, high - low));
}

bool world_random_chance(struct world_random *random, unsigned in_thousand)
{
    return world_random_below(random, 1000) < in_thousand;
}
