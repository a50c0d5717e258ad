#include "failing_everywhere.h"

#include <execinfo.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <uv.h>

#include "base/base.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

enum { MOST_FRAMES = 24 };

static atomic_long left =
    -1; /* allocations of `failing_side` until one fails; below 0: none does */
static atomic_int failing_side;
static _Thread_local enum failing_side own_side = FAILING_COLLECTOR;

static void *frames[MOST_FRAMES]; /* of the call that failed */
static int frame_count;

static bool fails(void)
{
    if (atomic_load(&left) < 0 || (int)own_side != atomic_load(&failing_side) ||
        atomic_fetch_sub(&left, 1) != 0) {
        return false;
    }
    frame_count = backtrace(frames, MOST_FRAMES);
    return true;
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

/* ---- OpenSSL ---- */

static void *ssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *ssl_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(old, size);
}

static void ssl_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- public ---- */

void failing_init(void)
{
    int is_told = CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free);

    SL_ASSERT(is_told == 1);
    int error = uv_replace_allocator(__wrap_malloc, __real_realloc, __wrap_calloc, free);

    SL_ASSERT(error == 0);
    frame_count = backtrace(frames, MOST_FRAMES); /* its first call allocates */
}

void failing_set_side(enum failing_side side)
{
    own_side = side;
}

void failing_start(enum failing_side side, long count)
{
    atomic_store(&failing_side, (int)side);
    atomic_store(&left, count);
}

/* It went below 0 when one failed, and stays there. */
bool failing_has_failed(void)
{
    return atomic_load(&left) < 0;
}

void failing_stop(void)
{
    atomic_store(&left, -1);
}

void failing_print_place(void)
{
    backtrace_symbols_fd(frames, frame_count, STDERR_FILENO);
}
