/* failing_nghttp2.h - nghttp2's allocations are the wrapped ones too.
 *
 * For one file of a test that has __wrap_malloc, calloc and realloc and is linked with
 * --wrap=nghttp2_session_client_new2 and --wrap=nghttp2_session_server_new2. */
#ifndef SLUICE_TESTS_UNIT_FAILING_NGHTTP2_H
#define SLUICE_TESTS_UNIT_FAILING_NGHTTP2_H

#include <stdlib.h>

#include <nghttp2/nghttp2.h>

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_nghttp2_session_client_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *arg,
                                       const nghttp2_option *option);
int __wrap_nghttp2_session_server_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *arg,
                                       const nghttp2_option *option);

/* nghttp2 allocates inside its own library, where nothing is wrapped; but it can be told how. */
static void *ng_malloc(size_t size, void *arg)
{
    (void)arg;
    return __wrap_malloc(size);
}

static void *ng_calloc(size_t count, size_t size, void *arg)
{
    (void)arg;
    return __wrap_calloc(count, size);
}

static void *ng_realloc(void *old, size_t size, void *arg)
{
    (void)arg;
    return __wrap_realloc(old, size);
}

static void ng_free(void *old, void *arg)
{
    (void)arg;
    free(old);
}

static nghttp2_mem memory = {NULL, ng_malloc, ng_free, ng_calloc, ng_realloc};

int __wrap_nghttp2_session_client_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *arg,
                                       const nghttp2_option *option)
{
    return nghttp2_session_client_new3(ng, callbacks, arg, option, &memory);
}

int __wrap_nghttp2_session_server_new2(nghttp2_session **ng,
                                       const nghttp2_session_callbacks *callbacks, void *arg,
                                       const nghttp2_option *option)
{
    return nghttp2_session_server_new3(ng, callbacks, arg, option, &memory);
}

#endif
