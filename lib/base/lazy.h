/* lazy.h - a shared library that is loaded when it is first wanted.
 *
 * For what only some commands or configurations use: a library that the program is linked with
 * costs its memory in every process, used or not. The functions that are wanted become members of a
 * struct, filled in by their names.
 */
#ifndef SLUICE_BASE_LAZY_H
#define SLUICE_BASE_LAZY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"

/* A function, and where in the struct its pointer stands. */
struct sl_lazy_symbol {
    const char *name; /* NULL ends a table */
    size_t offset;
};

/* Loads `file` (its soname: "libcurl.so.4"), which stays until the process ends, and fills in
 * `functions`. False: `why` names the library or the function that there is none of
 * (FAILED_PRECONDITION, "library-missing"). Any thread; the struct is the caller's to guard. */
bool sl_lazy_load(const char *file, const struct sl_lazy_symbol *symbols, void *functions,
                  struct sl_status *why) SL_MUST_CHECK;

#endif
