#include "http/curl.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/lazy.h"

#define FUNCTION(name) {"curl_" #name, offsetof(struct sl_curl, name)}

static const struct sl_lazy_symbol symbols[] = {
    FUNCTION(global_init),
    FUNCTION(easy_init),
    FUNCTION(easy_cleanup),
    FUNCTION(easy_reset),
    FUNCTION(easy_perform),
    FUNCTION(easy_pause),
    FUNCTION(easy_strerror),
    FUNCTION(easy_escape),
    FUNCTION(free),
    FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),
    FUNCTION(slist_append),
    FUNCTION(slist_free_all),
    FUNCTION(multi_init),
    FUNCTION(multi_cleanup),
    FUNCTION(multi_add_handle),
    FUNCTION(multi_remove_handle),
    FUNCTION(multi_perform),
    FUNCTION(multi_poll),
    FUNCTION(multi_wakeup),
    FUNCTION(multi_info_read),
    FUNCTION(multi_socket_action),
    FUNCTION(multi_assign),
    FUNCTION(multi_setopt),
    {NULL, 0},
};

/* Written once, by load. */
static struct sl_curl curl;
static struct sl_status failure;
static bool is_loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    if (!sl_lazy_load("libcurl.so.4", symbols, &curl, &failure)) {
        return;
    }
    if (curl.global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
        failure = sl_status_error(SL_RESOURCE_EXHAUSTED, "libcurl cannot be initialised");
        return;
    }
    is_loaded = true;
}

const struct sl_curl *sl_curl(struct sl_status *why)
{
    pthread_once(&once, load);
    if (!is_loaded) {
        *why = failure;
        return NULL;
    }
    return &curl;
}
