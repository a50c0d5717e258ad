/* caller.h - gRPC channels to the devices, which make a call now and then: what tools use. */
#ifndef SLUICE_TESTS_WORLD_CALLER_H
#define SLUICE_TESTS_WORLD_CALLER_H

#include "world/run.h"

struct callers;

struct callers *callers_open(struct run *run);

/* The first calls. */
void callers_begin(struct callers *callers);

/* No more calls, and no connections; free them when these are gone. */
void callers_close(struct callers *callers);
bool callers_are_closed(const struct callers *callers);
void callers_free(struct callers *callers);

#endif
