#include "oauth.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "inside.h"

/* ---- the file ---- */

static bool read_file(const char *path, char text[KAFKA_MAX_TOKEN_BYTES], char *error,
                      size_t error_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t len = 0;
    ssize_t count = 0;

    while (fd >= 0 && len < KAFKA_MAX_TOKEN_BYTES &&
           (count = read(fd, text + len, KAFKA_MAX_TOKEN_BYTES - len)) > 0) {
        len += (size_t)count;
    }
    if (fd < 0 || count < 0) {
        snprintf(error, error_size, "oauth token-file %s: %s", path, strerror(errno));
    } else if (len == KAFKA_MAX_TOKEN_BYTES) {
        snprintf(error, error_size, "oauth token-file %s: larger than 64 KiB", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    if (fd < 0 || count < 0 || len == KAFKA_MAX_TOKEN_BYTES) {
        return false;
    }
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    if (len == 0) {
        snprintf(error, error_size, "oauth token-file %s: it is empty", path);
    }
    return len > 0;
}

/* ---- what a JSON Web Token says (RFC 7519) ---- */

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* base64url without padding (RFC 4648, 5). Returns how many bytes, -1: it is not that. */
static ssize_t decode(const char *text, size_t len, char *bytes)
{
    uint32_t bits = 0;
    unsigned have = 0;
    ssize_t count = 0;

    for (size_t i = 0; i < len; i++) {
        int value = sextet(text[i]);
        if (value < 0) {
            return -1;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes[count++] = (char)(bits >> have & 0xff);
        }
    }
    return count;
}

/* NULL: the token is none. */
static json_t *claims_of(const char *token)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    json_t *claims = NULL;

    if (!second) {
        return NULL;
    }
    char *bytes = malloc((size_t)(second - first));
    ssize_t len = bytes ? decode(first + 1, (size_t)(second - first) - 1, bytes) : -1;
    if (len > 0) {
        claims = json_loadb(bytes, (size_t)len, 0, NULL);
    }
    free(bytes);
    return claims;
}

static void read_claims(const json_t *claims, struct kafka_token *token)
{
    const json_t *expires = json_object_get(claims, "exp");
    const char *subject = json_string_value(json_object_get(claims, "sub"));

    if (json_is_number(expires)) {
        double until_s = json_number_value(expires);
        token->until_ms = until_s > 0 && until_s < 1e12 ? (int64_t)(until_s * 1000) : 0;
    }
    if (subject && !token->principal[0]) {
        snprintf(token->principal, sizeof(token->principal), "%s", subject);
    }
}

bool kafka_token_read(const struct kafka_oauth *oauth, int64_t now_ms, struct kafka_token *token,
                      char *error, size_t error_size)
{
    if (!read_file(oauth->token_file, token->text, error, error_size)) {
        return false;
    }
    snprintf(token->principal, sizeof(token->principal), "%s",
             oauth->principal ? oauth->principal : "");
    token->until_ms = now_ms + oauth->lifetime_ns / NS_PER_MS;
    json_t *claims = claims_of(token->text);
    if (claims) {
        read_claims(claims, token);
        json_decref(claims);
    }
    if (!token->principal[0]) {
        snprintf(token->principal, sizeof(token->principal), "sluice");
    }
    if (token->until_ms <= now_ms) {
        snprintf(error, error_size, "oauth token-file %s: its token is over", oauth->token_file);
    }
    return token->until_ms > now_ms;
}

/* ---- librdkafka ---- */

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kafka_on_token_wanted(rd_kafka_t *rk, const char *config, void *arg)
{
    struct kafka *kafka = arg;
    struct kafka_token *token = calloc(1, sizeof(*token));
    char error[KAFKA_TEXT_BYTES] = "out of memory";
    bool is_set = false;

    (void)config;
    if (token && kafka_token_read(&kafka->options->oauth, wall_ms(), token, error, sizeof(error))) {
        is_set =
            rd_kafka_oauthbearer_set_token(rk, token->text, token->until_ms, token->principal, NULL,
                                           0, error, sizeof(error)) == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    if (is_set) {
        kafka->host->calls->log(kafka->host, SLUICE_INFO, "login: a new token, good for %lld s",
                                (long long)(token->until_ms - wall_ms()) / 1000);
    } else {
        kafka_note(kafka, "login-token", error);
        rd_kafka_oauthbearer_set_token_failure(rk, error);
    }
    if (token) {
        explicit_bzero(token, sizeof(*token));
    }
    free(token);
}
