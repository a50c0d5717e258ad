/* shrink.h - a smaller scenario that fails as well. */
#ifndef SLUICE_TESTS_WORLD_SHRINK_H
#define SLUICE_TESTS_WORLD_SHRINK_H

#include <stdint.h>
#include <stdio.h>

/* Takes out of the plan of a seed that fails, without the parts in `drop`, whatever it fails
 * without: devices, streams, sinks, faults, and events at its end. The same seed gives the same.
 * Prints what is left as a command. */
void shrink(uint64_t seed, uint64_t events, const char *drop, FILE *file);

#endif
