#include "base/machine.h"

unsigned sl_machine_next(const struct sl_machine *machine, unsigned state, unsigned event)
{
    SL_ASSERT(state < machine->states && event < machine->events);
    return machine->next[state * machine->events + event];
}
