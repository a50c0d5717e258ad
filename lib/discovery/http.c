/* HTTP: one question after the other, with what tells the server what is known already. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "discovery/source.h"
#include "http/curl.h"

enum { OK = 200, NOT_MODIFIED = 304, TAG_BYTES = SL_SOURCE_TAG_BYTES };

struct http {
    struct sl_source *source;
    const struct sl_curl *curl;
    CURL *easy;
    struct curl_slist *headers; /* of each request */
    struct sl_buf text;
    bool is_too_long;
    char tag[TAG_BYTES];      /* of what is known; "": none */
    char modified[TAG_BYTES]; /* when that was changed, as the server says it; likewise */
    char new_tag[TAG_BYTES];
    char new_modified[TAG_BYTES];
    char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct http *http = arg;
    size_t len = size * count;

    http->is_too_long = len > http->source->spec->options.max_bytes - http->text.len;
    if (!http->is_too_long) {
        sl_buf_add(&http->text, bytes, len);
    }
    return http->is_too_long || http->text.failed ? 0 : len;
}

/* The value of a header, when it is that one and fits. */
static void take_header(const char *name, const char *line, size_t len, char *value)
{
    size_t name_len = strlen(name);

    if (len <= name_len || strncasecmp(line, name, name_len) != 0) {
        return;
    }
    line += name_len;
    len -= name_len;
    while (len && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    while (len && strchr("\r\n \t", line[len - 1])) {
        len--;
    }
    if (len < TAG_BYTES && !memchr(line, '\0', len)) {
        memcpy(value, line, len);
        value[len] = '\0';
    }
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct http *http = arg;

    if (size * count >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* of the next answer */
        http->new_tag[0] = http->new_modified[0] = '\0';
    }
    take_header("ETag:", line, size * count, http->new_tag);
    take_header("Last-Modified:", line, size * count, http->new_modified);
    return size * count;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct http *http = arg;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return sl_source_is_stopping(http->source);
}

static bool add_header(struct http *http, struct curl_slist **list, const char *name,
                       const char *between, const char *value)
{
    struct sl_buf line = {0};

    sl_buf_printf(&line, "%s%s%s", name, between, value);
    struct curl_slist *more =
        line.failed ? NULL : http->curl->slist_append(*list, sl_buf_text(&line));
    sl_buf_fini(&line);
    *list = more ? more : *list;
    return more != NULL;
}

static bool make_headers(struct http *http, struct curl_slist **list)
{
    const struct sl_source_options *options = &http->source->spec->options;
    bool is_made =
        add_header(http, list, "Accept", ": ",
                   "application/yaml, application/json, text/yaml, text/plain, */*;q=0.1");

    for (size_t i = 0; is_made && i < options->headers.count; i++) {
        const struct sluice_pair *pair = &options->headers.pairs[i];
        is_made = add_header(http, list, pair->name, ": ", pair->value);
    }
    if (is_made && options->token && options->token[0]) {
        is_made = add_header(http, list, "Authorization", ": Bearer ", options->token);
    }
    if (is_made && http->tag[0]) {
        is_made = add_header(http, list, "If-None-Match", ": ", http->tag);
    } else if (is_made && http->modified[0]) {
        is_made = add_header(http, list, "If-Modified-Since", ": ", http->modified);
    }
    return is_made;
}

static void set_file(struct http *http, CURLoption option, const char *path)
{
    if (path && path[0]) {
        http->curl->easy_setopt(http->easy, option, path);
    }
}

/* What is the same for all questions. Redirects are not followed: a token must not go elsewhere. */
static void set_up(struct http *http)
{
    const struct sl_source_options *options = &http->source->spec->options;
    const struct sl_curl *curl = http->curl;
    CURL *easy = http->easy;

    curl->easy_setopt(easy, CURLOPT_URL, options->url);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(options->timeout_ns / SL_NS_PER_MS));
    curl->easy_setopt(easy, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, http);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, http);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl->easy_setopt(easy, CURLOPT_XFERINFODATA, http);
    set_file(http, CURLOPT_CAINFO, options->tls.ca);
    set_file(http, CURLOPT_SSLCERT, options->tls.cert);
    set_file(http, CURLOPT_SSLKEY, options->tls.key);
}

static void fail(const struct http *http, const char *words)
{
    struct sl_status why =
        sl_status_error(SL_UNAVAILABLE, "%.100s: %.120s", http->source->spec->options.url, words);

    sl_source_fail(http->source, &why);
}

/* What the server said. */
static void take(struct http *http, struct sl_str text)
{
    struct sl_source *source = http->source;
    struct sl_found *found = NULL;
    size_t count = 0;
    struct sl_status why;

    if (!sl_source_is_document(source->spec->options.url, text, &why)) {
        sl_source_fail(source, &why);
        return;
    }
    if (!sl_source_add(&found, &count, source, source->spec->options.url, text)) {
        sl_found_free(found, count);
        fail(http, "out of memory");
        return;
    }
    snprintf(http->tag, sizeof(http->tag), "%s", http->new_tag);
    snprintf(http->modified, sizeof(http->modified), "%s", http->new_modified);
    if (!sl_source_knows(source, text)) {
        sl_source_keep(source, text);
    }
    sl_source_publish(source, found, count, http->tag, NULL);
}

static void judge(struct http *http, CURLcode code)
{
    char words[64];
    long status = 0;

    if (http->is_too_long) {
        fail(http, "the answer is longer than max-bytes");
        return;
    }
    if (code != CURLE_OK) {
        fail(http, http->error[0] ? http->error : http->curl->easy_strerror(code));
        return;
    }
    http->curl->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == NOT_MODIFIED && (http->tag[0] || http->modified[0])) {
        sl_source_confirm(http->source);
    } else if (status == OK) {
        take(http, sl_buf_str(&http->text));
    } else {
        snprintf(words, sizeof(words), "the server answered with status %ld", status);
        fail(http, words);
    }
}

static void ask(struct http *http)
{
    struct curl_slist *headers = NULL;

    sl_buf_reset(&http->text);
    http->is_too_long = false;
    http->error[0] = http->new_tag[0] = http->new_modified[0] = '\0';
    if (make_headers(http, &headers)) {
        http->curl->easy_setopt(http->easy, CURLOPT_HTTPHEADER, headers);
        CURLcode code = http->curl->easy_perform(http->easy);
        if (!sl_source_is_stopping(http->source)) {
            judge(http, code);
        }
    } else {
        fail(http, "out of memory");
    }
    http->curl->easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
    http->curl->slist_free_all(headers);
    sl_buf_trim(&http->text, 0);
}

void sl_source_run_http(struct sl_source *source)
{
    struct http http = {.source = source};
    struct sl_status why;

    sl_source_take_kept(source, source->spec->options.url);
    http.curl = sl_curl(&why);
    http.easy = http.curl ? http.curl->easy_init() : NULL;
    if (!http.easy) {
        why = http.curl ? sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory") : why;
        sl_source_fail(source, &why);
        return;
    }
    set_up(&http);
    do {
        ask(&http);
    } while (!sl_source_sleep(source, source->spec->options.interval_ns));
    http.curl->easy_cleanup(http.easy);
    sl_buf_fini(&http.text);
}
