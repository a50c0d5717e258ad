/* curl.h - libcurl, loaded when it is first wanted.
 *
 * With what stands behind it libcurl takes more than a MiB in every process that is linked with it;
 * a collector that fetches nothing by HTTP does without. So its functions are members here, named
 * like libcurl's without their prefix: curl->easy_init() is curl_easy_init(). Constants and types
 * are those of <curl/curl.h>. Numbers that easy_setopt is given are long: nothing checks them.
 */
#ifndef SLUICE_HTTP_CURL_H
#define SLUICE_HTTP_CURL_H

#include <curl/curl.h>

#include "base/base.h"
#include "base/status.h"

struct sl_curl {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) easy_init;
    __typeof__(&curl_easy_cleanup) easy_cleanup;
    __typeof__(&curl_easy_reset) easy_reset;
    __typeof__(&curl_easy_perform) easy_perform;
    __typeof__(&curl_easy_pause) easy_pause;
    __typeof__(&curl_easy_strerror) easy_strerror;
    __typeof__(&curl_easy_escape) easy_escape;
    __typeof__(&curl_free) free;
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    __typeof__(&curl_slist_append) slist_append;
    __typeof__(&curl_slist_free_all) slist_free_all;
    __typeof__(&curl_multi_init) multi_init;
    __typeof__(&curl_multi_cleanup) multi_cleanup;
    __typeof__(&curl_multi_add_handle) multi_add_handle;
    __typeof__(&curl_multi_remove_handle) multi_remove_handle;
    __typeof__(&curl_multi_perform) multi_perform;
    __typeof__(&curl_multi_poll) multi_poll;
    __typeof__(&curl_multi_wakeup) multi_wakeup;
    __typeof__(&curl_multi_info_read) multi_info_read;
    __typeof__(&curl_multi_socket_action) multi_socket_action;
    __typeof__(&curl_multi_assign) multi_assign;
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
};

/* NULL: `why`. Any thread. */
const struct sl_curl *sl_curl(struct sl_status *why) SL_MUST_CHECK;

#endif
