/* machine.h - a state machine as a table: which state follows which by which event.
 *
 * States and events are the owner's enums; state 0 is none, and as a cell of the table it says that
 * the event cannot happen in that state. One function reads the tables, so that whoever wants to
 * know which cells are ever used (tests/world) has one place to look at. Any thread.
 */
#ifndef SLUICE_BASE_MACHINE_H
#define SLUICE_BASE_MACHINE_H

#include <stdint.h>

#include "base/base.h"

struct sl_machine {
    const char *name; /* "stream" */
    unsigned states;
    unsigned events;
    const uint8_t *next; /* [states][events] */
    const char *(*state_name)(unsigned state);
    const char *const *event_names;
};

/* 0: the event cannot happen there. */
unsigned sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event);

#endif
