/* hub.h - the core of a run: a real worker, configured as anybody configures it. */
#ifndef SLUICE_TESTS_WORLD_HUB_H
#define SLUICE_TESTS_WORLD_HUB_H

#include "stream/stream.h"
#include "world/run.h"

struct hub;

struct hub *hub_new(struct run *run);

/* Dials. */
void hub_open(struct hub *hub);

/* As SIGTERM does: hub_is_done says when it is over. */
void hub_drain(struct hub *hub);
bool hub_is_done(const struct hub *hub);

/* Closes the sinks: what they have is lost. */
void hub_free(struct hub *hub);

/* NULL: the plan has none there. */
struct sl_stream *hub_stream(const struct hub *hub, unsigned device, unsigned stream);

uint64_t hub_memory_bytes(const struct hub *hub);

/* From now on streams share another part of the memory, between what is promised already and all.
 */
void hub_set_budget(struct hub *hub, uint64_t amount);

/* The target of a device ends, and does not come back. False: it has already, or it is the last
 * one. */
bool hub_end_target(struct hub *hub, unsigned device, bool at_once);

#endif
