/* cases.h - the cases of gRPC's interoperability suite (doc/interop-test-descriptions.md), as a
 * client.
 *
 * Each is one function: it makes its calls, and says on standard error what it expected and what it
 * got where the two differ.
 */
#ifndef SLUICE_INTEROP_CASES_H
#define SLUICE_INTEROP_CASES_H

#include <stdbool.h>

#include "calls.h"

struct interop_case {
    const char *name; /* NULL ends the table */
    bool (*run)(struct interop_client *client);
};

extern const struct interop_case interop_cases[];

#endif
