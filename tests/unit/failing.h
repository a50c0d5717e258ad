/* failing.h - one allocation of ours fails, the `left`th from now.
 *
 * Ours are nghttp2's too, which is told to allocate as we do. For one file of a test that is linked
 * with SL_FAILING_LINK. */
#ifndef SLUICE_TESTS_UNIT_FAILING_H
#define SLUICE_TESTS_UNIT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static long left = -1; /* allocations until one fails; below 0: none does */
static bool has_failed;

static bool fails(void)
{
    bool is_now = left == 0;

    left -= left >= 0;
    has_failed = has_failed || is_now;
    return is_now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

#endif
