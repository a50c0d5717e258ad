#include "tool/admin_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "http/curl.h"
#include "tool/admin_place.h"
#include "tool/admin_reply.h"

#define AT(field) offsetof(struct sl_tool_options, field)

const struct sl_flag sl_tool_admin_flags[] = {
    {.name = "admin",
     .type = SL_FLAG_TEXT,
     .offset = AT(admin),
     .value = "ADDRESS",
     .env = "SLUICE_ADMIN",
     .doc = "where it listens: HOST:PORT, https://HOST:PORT or unix:PATH; without it "
            "collector.admin of --config, else 127.0.0.1:9804"},
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(config),
     .value = "FILE",
     .doc = "the configuration that it runs on, for its address and token"},
    {.name = "token-file",
     .type = SL_FLAG_TEXT,
     .offset = AT(token_file),
     .value = "FILE",
     .doc = "a file with the token; the variable SLUICE_TOKEN may hold the token itself"},
    {.name = "skip-verify",
     .type = SL_FLAG_SWITCH,
     .offset = AT(skip_verify),
     .doc = "TLS, but whoever answers is taken for it"},
    {.name = "tls-ca",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_ca),
     .value = "FILE",
     .doc = "whom to trust, PEM; without it the system's store"},
    {.name = "tls-cert",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_cert),
     .value = "FILE",
     .doc = "our certificate, PEM"},
    {.name = "tls-key",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_key),
     .value = "FILE",
     .doc = "its private key, PEM"},
    {.name = "timeout",
     .type = SL_FLAG_DURATION,
     .offset = AT(timeout_ns),
     .value = "DURATION",
     .initial = "10s",
     .doc = "until the connection stands, and until the answer is there"},
    {.name = NULL},
};

struct sl_admin_client {
    const struct sl_tool_options *options;
    const struct sl_curl *curl;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct sl_admin_place place;
    char *token; /* NULL: none */
    struct sl_buf body;
    struct sl_admin_reply reply;
    char error[CURL_ERROR_SIZE]; /* libcurl's words */
    bool is_busy;
    bool is_stuck; /* it could not begin */
    bool is_too_large;
    bool is_file; /* what is asked for */
};

/* ---- where, and who asks ---- */

static bool wants_tls(const struct sl_tool_options *options)
{
    return options->tls_ca || options->tls_cert || options->skip_verify;
}

/* What the file says under collector.admin; good for no more than that: a file that cannot be taken
 * is one that its sluice may be asked about. */
struct file {
    struct sl_config *config;
    const struct sl_config_node *admin; /* NULL: it says nothing */
};

static bool read_file(const struct sl_tool_options *options, struct file *file)
{
    struct sl_buf errors = {0};

    *file = (struct file){0};
    if (!options->config) {
        return true;
    }
    file->config = sl_config_read(options->config);
    if (!file->config) {
        return sl_tool_complain(options, "out of memory");
    }
    const struct sl_config_node *root = sl_config_root(file->config);
    if (!root) {
        sl_config_print_errors(file->config, &errors);
        sl_tool_complain(options, "no address out of that file; --admin says one");
        fputs(sl_buf_text(&errors), stderr);
        sl_buf_fini(&errors);
        return false;
    }
    file->admin = sl_config_get(sl_config_get(root, "collector"), "admin");
    return true;
}

static const char *file_text(const struct file *file, const char *key)
{
    const struct sl_config_node *node = sl_config_get(file->admin, key);
    const char *text =
        node && sl_config_kind(node) == SL_CONFIG_SCALAR ? sl_config_text(file->config, node) : "";

    return *text ? text : NULL;
}

static bool find_place(struct sl_admin_client *client, const struct file *file)
{
    const struct sl_tool_options *options = client->options;
    const char *of_file = file_text(file, "listen");
    bool is_tls = wants_tls(options) || (!options->admin && sl_config_get(file->admin, "tls"));
    struct sl_status why;

    if (sl_admin_place_parse(options->admin ? options->admin
                             : of_file      ? of_file
                                            : "127.0.0.1",
                             is_tls, &client->place, &why)) {
        return true;
    }
    return sl_tool_complain(options, "%s: %s", options->admin ? "--admin" : options->config,
                            why.text);
}

/* The first line. */
static char *read_token(const char *path)
{
    char text[SL_ADMIN_CLIENT_MAX_TOKEN_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    char *token = NULL;

    if (fd >= 0) {
        close(fd);
    }
    if (len >= 0) {
        text[len] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        token = strdup(text);
    }
    explicit_bzero(text, sizeof(text));
    return token;
}

/* It becomes a header. */
static bool is_good_token(const char *token)
{
    for (const char *at = token; *at; at++) {
        if (*at <= ' ' || *at > '~') {
            return false;
        }
    }
    return *token != '\0';
}

/* The file's own token, for whoever may read it: no word where he may not. */
static char *token_of_file(const struct file *file)
{
    const struct sl_config_node *token = sl_config_get(file->admin, "token");
    const struct sl_config_node *path =
        token && sl_config_kind(token) == SL_CONFIG_MAP ? sl_config_get(token, "file") : NULL;

    return path && sl_config_kind(path) == SL_CONFIG_SCALAR
               ? read_token(sl_config_text(file->config, path))
               : NULL;
}

static bool find_token(struct sl_admin_client *client, const struct file *file)
{
    const struct sl_tool_options *options = client->options;
    const char *variable = getenv("SLUICE_TOKEN");

    if (options->token_file) {
        client->token = read_token(options->token_file);
        if (!client->token) {
            return sl_tool_complain(options, "--token-file %s: %s", options->token_file,
                                    strerror(errno));
        }
    } else if (variable && *variable) {
        client->token = strdup(variable);
    } else {
        client->token = token_of_file(file);
    }
    if (client->token && !is_good_token(client->token)) {
        return sl_tool_complain(options, "the token is empty, or has bytes that no token has");
    }
    if (client->token && !client->place.is_tls && !client->place.is_local) {
        return sl_tool_complain(options, "a token goes to %s over TLS alone: --admin https://%s",
                                client->place.text, client->place.text);
    }
    return true;
}

/* ---- libcurl ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct sl_admin_client *client = arg;

    sl_buf_add(&client->body, bytes, size * count);
    client->is_too_large = client->body.failed;
    return client->is_too_large ? 0 : size * count;
}

static bool add_header(struct sl_admin_client *client, const char *text)
{
    struct curl_slist *longer = client->curl->slist_append(client->headers, text);

    client->headers = longer ? longer : client->headers;
    return longer != NULL;
}

static bool make_headers(struct sl_admin_client *client)
{
    struct sl_buf line = {0};
    bool is_good = add_header(client, "X-Sluice: 1") && add_header(client, "Expect:") &&
                   add_header(client, "Accept: application/json") &&
                   add_header(client, "Content-Type: application/json");

    if (is_good && client->token) {
        sl_buf_printf(&line, "Authorization: Bearer %s", client->token);
        is_good = add_header(client, sl_buf_text(&line)) && !line.failed;
        if (line.data) {
            explicit_bzero(line.data, line.cap);
        }
        sl_buf_fini(&line);
    }
    return is_good;
}

static bool set_tls(struct sl_admin_client *client)
{
    const struct sl_tool_options *options = client->options;
    const struct sl_curl *curl = client->curl;
    CURL *easy = client->easy;
    const char *const key = options->tls_key ? options->tls_key : options->tls_cert;
    CURLcode code = CURLE_OK;

    if (options->tls_ca) {
        code = curl->easy_setopt(easy, CURLOPT_CAINFO, options->tls_ca);
    }
    if (code == CURLE_OK && options->tls_cert) {
        code = curl->easy_setopt(easy, CURLOPT_SSLCERT, options->tls_cert);
    }
    if (code == CURLE_OK && key) {
        code = curl->easy_setopt(easy, CURLOPT_SSLKEY, key);
    }
    if (options->skip_verify) {
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return code == CURLE_OK;
}

static bool set_up(struct sl_admin_client *client)
{
    const struct sl_curl *curl = client->curl;
    CURL *easy = client->easy = curl->easy_init();
    CURLcode code = CURLE_OK;

    client->multi = curl->multi_init();
    if (!easy || !client->multi || !make_headers(client) || !set_tls(client)) {
        return false;
    }
    if (*client->place.socket) {
        bool is_abstract = *client->place.socket == '@';
        code = curl->easy_setopt(
            easy, is_abstract ? CURLOPT_ABSTRACT_UNIX_SOCKET : CURLOPT_UNIX_SOCKET_PATH,
            client->place.socket + is_abstract);
    }
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_PROXY, "");
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, client);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                      (long)(client->options->timeout_ns / SL_NS_PER_MS + 1));
    return code == CURLE_OK &&
           curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
}

static bool load(struct sl_admin_client *client)
{
    struct sl_status why;

    client->curl = sl_curl(&why);
    if (!client->curl) {
        return sl_tool_complain(client->options, "%s", why.text);
    }
    return set_up(client) || sl_tool_complain(client->options, "out of memory");
}

struct sl_admin_client *sl_admin_client_new(const struct sl_tool_options *options)
{
    struct sl_admin_client *client = calloc(1, sizeof(*client));
    struct file file = {0};

    if (!client) {
        sl_tool_complain(options, "out of memory");
        return NULL;
    }
    client->options = options;
    sl_buf_init(&client->body, SL_ADMIN_CLIENT_MAX_BYTES);
    bool is_good = read_file(options, &file) && find_place(client, &file) &&
                   find_token(client, &file) && load(client);
    sl_config_free(file.config);
    if (!is_good) {
        sl_admin_client_free(client);
        return NULL;
    }
    return client;
}

static void wipe_headers(struct sl_admin_client *client)
{
    for (struct curl_slist *header = client->headers; header; header = header->next) {
        explicit_bzero(header->data, strlen(header->data));
    }
    client->curl->slist_free_all(client->headers);
}

void sl_admin_client_free(struct sl_admin_client *client)
{
    if (!client) {
        return;
    }
    if (client->multi && client->is_busy) {
        client->curl->multi_remove_handle(client->multi, client->easy);
    }
    if (client->easy) {
        client->curl->easy_cleanup(client->easy);
    }
    if (client->multi) {
        client->curl->multi_cleanup(client->multi);
    }
    if (client->headers) {
        wipe_headers(client);
    }
    if (client->token) {
        explicit_bzero(client->token, strlen(client->token));
        free(client->token);
    }
    json_decref(client->reply.json);
    sl_buf_fini(&client->body);
    free(client);
}

/* ---- a request ---- */

static void finish(struct sl_admin_client *client, CURLcode code)
{
    long error = 0;
    struct sl_admin_outcome outcome = {
        .place = client->place.text,
        .is_tls = client->place.is_tls,
        .has_token = client->token != NULL,
        .is_too_large = client->is_too_large,
        .is_file = client->is_file,
        .code = code,
        .words = client->error,
        .body = sl_buf_str(&client->body),
    };

    client->is_busy = false;
    client->curl->easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &outcome.http);
    client->curl->easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &error);
    outcome.error = (int)error;
    sl_admin_reply_fill(&client->reply, &outcome);
}

static bool set_body(struct sl_admin_client *client, const struct sl_admin_request *request)
{
    const struct sl_curl *curl = client->curl;
    const char *body = request->body ? request->body : "{}";

    curl->easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, NULL);
    if (strcmp(request->method, "DELETE") == 0) {
        curl->easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
        return curl->easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, "DELETE") == CURLE_OK;
    }
    if (strcmp(request->method, "POST") != 0) {
        return curl->easy_setopt(client->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    curl->easy_setopt(client->easy, CURLOPT_POST, 1L);
    curl->easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    return curl->easy_setopt(client->easy, CURLOPT_COPYPOSTFIELDS, body) == CURLE_OK;
}

static bool set_request(struct sl_admin_client *client, const struct sl_admin_request *request)
{
    const struct sl_curl *curl = client->curl;
    int64_t timeout_ns = request->timeout_ns ? request->timeout_ns : client->options->timeout_ns;
    struct sl_buf url = {0};

    sl_buf_printf(&url, "%s%s", client->place.url, request->path);
    bool is_good =
        curl->easy_setopt(client->easy, CURLOPT_URL, sl_buf_text(&url)) == CURLE_OK && !url.failed;
    sl_buf_fini(&url);
    curl->easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, (long)(timeout_ns / SL_NS_PER_MS + 1));
    return is_good && set_body(client, request);
}

void sl_admin_client_begin(struct sl_admin_client *client, const struct sl_admin_request *request)
{
    SL_ASSERT(!client->is_busy);
    json_decref(client->reply.json);
    client->reply = (struct sl_admin_reply){0};
    sl_buf_trim(&client->body, SL_MIB);
    client->is_too_large = false;
    client->is_file = request->most_bytes > 0;
    client->body.limit_bytes = client->is_file ? request->most_bytes : SL_ADMIN_CLIENT_MAX_BYTES;
    *client->error = '\0';
    client->is_busy = true;
    client->is_stuck = !set_request(client, request) ||
                       client->curl->multi_add_handle(client->multi, client->easy) != CURLM_OK;
}

bool sl_admin_client_is_busy(const struct sl_admin_client *client)
{
    return client->is_busy;
}

/* Moves it on; true when it is through. */
static bool turn(struct sl_admin_client *client)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    int count = 0;

    if (!client->is_busy) {
        return false;
    }
    if (!client->is_stuck && client->curl->multi_perform(client->multi, &count) == CURLM_OK) {
        const CURLMsg *message = client->curl->multi_info_read(client->multi, &count);
        if (!message || message->msg != CURLMSG_DONE) {
            return false;
        }
        code = message->data.result;
    }
    client->curl->multi_remove_handle(client->multi, client->easy);
    finish(client, code);
    return true;
}

bool sl_admin_client_poll(struct sl_admin_client *client, int fd, int timeout_ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};

    if (turn(client)) {
        return true;
    }
    client->curl->multi_poll(client->multi, &extra, fd >= 0, timeout_ms, NULL);
    return turn(client);
}

const struct sl_admin_reply *sl_admin_client_reply(const struct sl_admin_client *client)
{
    return &client->reply;
}

const struct sl_admin_reply *sl_admin_client_ask(struct sl_admin_client *client,
                                                 const struct sl_admin_request *request)
{
    const struct sl_admin_reply *reply = &client->reply;

    sl_admin_client_begin(client, request);
    while (client->is_busy && !sl_admin_client_poll(client, -1, 1000)) {
    }
    if (reply->exit != SL_TOOL_EXIT_OK) {
        sl_tool_complain(client->options, "%s", reply->why);
        if (*reply->hint) {
            fprintf(stderr, "  try: %s\n", reply->hint);
        }
    }
    return reply;
}

void sl_admin_add_escaped(struct sl_buf *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text)) {
            sl_buf_add_byte(out, *text);
        } else {
            sl_buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
        }
    }
}
