/* failing_libuv.h - what libuv allocates is counted with ours (failing.h).
 *
 * Its realloc never fails: it holds a loop's table of descriptors, without which libuv aborts. */
#ifndef SLUICE_TESTS_UNIT_FAILING_LIBUV_H
#define SLUICE_TESTS_UNIT_FAILING_LIBUV_H

#include <stdlib.h>

#include <uv.h>

#include "base/base.h"
#include "failing.h"

/* Once, before the first loop. */
static void failing_libuv(void)
{
    int error = uv_replace_allocator(__wrap_malloc, __real_realloc, __wrap_calloc, free);

    SL_ASSERT(error == 0);
}

#endif
