/* nghttp2 reserves 16 KiB for the frame that it is sending, of which a collector uses a few hundred
 * bytes. In fresh memory the rest costs nothing; in memory that something else has used and freed
 * (a TLS handshake has, just before) it would stay resident with each idle connection. */
#include <stdlib.h>
#include <sys/mman.h>

#include "h2/internal.h"

enum { PAGE_BYTES = 4096, LARGE_BYTES = 16 * 1024 };

static void *allocate(size_t size, void *arg)
{
    (void)arg;
    if (size < LARGE_BYTES) {
        return malloc(size);
    }
    size_t whole = (size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    void *block = aligned_alloc(PAGE_BYTES, whole);
    if (block) {
        madvise(block, whole, MADV_DONTNEED);
    }
    return block;
}

static void release(void *block, void *arg)
{
    (void)arg;
    free(block);
}

static void *allocate_zeroed(size_t count, size_t size, void *arg)
{
    (void)arg;
    return calloc(count, size);
}

static void *reallocate(void *block, size_t size, void *arg)
{
    return block ? realloc(block, size) : allocate(size, arg);
}

nghttp2_mem *sl_h2_memory(void)
{
    static nghttp2_mem memory = {
        .malloc = allocate, .free = release, .calloc = allocate_zeroed, .realloc = reallocate};

    return &memory;
}
