/* base.h - the few words that every module uses.
 *
 * SL_ASSERT is for our own bugs only: no byte from a peer, a file or a user may trip one. It stays
 * in release builds. SL_INVARIANT is for checks too dear for every step of a release build; the
 * debug, asan and tsan presets switch it on.
 */
#ifndef SLUICE_BASE_BASE_H
#define SLUICE_BASE_BASE_H

#include <stddef.h>
#include <stdint.h>

#define SL_MUST_CHECK         __attribute__((warn_unused_result))
#define SL_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* The number of elements of a true array (not of a pointer). */
#define SL_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The object of `type` whose `member` is at `pointer`. */
#define SL_CONTAINER_OF(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#define SL_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : sl_assert_failed(#condition, __FILE__, __LINE__))

#ifdef SL_INVARIANTS
#define SL_INVARIANT(condition) SL_ASSERT(condition)
#else
#define SL_INVARIANT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

/* Prints the condition and its place on standard error and aborts. Any thread. */
_Noreturn void sl_assert_failed(const char *condition, const char *file, int line);

/* Zeroed memory, freed with free(); NULL when there is none. For what comes and goes with each
 * call: glibc's calloc passes by the blocks that the thread has just freed. Any thread. */
void *sl_zalloc(size_t size) SL_MUST_CHECK;

#define SL_KIB UINT64_C(1024)
#define SL_MIB (SL_KIB * 1024)
#define SL_GIB (SL_MIB * 1024)

#define SL_NS_PER_US INT64_C(1000)
#define SL_NS_PER_MS INT64_C(1000000)
#define SL_NS_PER_S  INT64_C(1000000000)

static inline uint32_t sl_min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint64_t sl_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t sl_max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline size_t sl_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

#endif
