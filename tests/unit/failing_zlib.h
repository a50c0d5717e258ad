/* failing_zlib.h - what zlib allocates is counted with ours (failing.h).
 *
 * For one file of a test that is linked with --wrap=deflateInit2_ and inflateInit2_ too. */
#ifndef SLUICE_TESTS_UNIT_FAILING_ZLIB_H
#define SLUICE_TESTS_UNIT_FAILING_ZLIB_H

#include <stdlib.h>

#include <zlib.h>

#include "failing.h"

int __real_deflateInit2_(z_stream *stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int stream_size);
int __real_inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size);
int __wrap_deflateInit2_(z_stream *stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int stream_size);
int __wrap_inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size);

static void *z_alloc(void *arg, unsigned count, unsigned size)
{
    (void)arg;
    return __wrap_malloc((size_t)count * size);
}

static void z_free(void *arg, void *block)
{
    (void)arg;
    free(block);
}

int __wrap_deflateInit2_(z_stream *stream, int level, int method, int window_bits, int memory_level,
                         int strategy, const char *version, int stream_size)
{
    stream->zalloc = z_alloc;
    stream->zfree = z_free;
    return __real_deflateInit2_(stream, level, method, window_bits, memory_level, strategy, version,
                                stream_size);
}

int __wrap_inflateInit2_(z_stream *stream, int window_bits, const char *version, int stream_size)
{
    stream->zalloc = z_alloc;
    stream->zfree = z_free;
    return __real_inflateInit2_(stream, window_bits, version, stream_size);
}

#endif
