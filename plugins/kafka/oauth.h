/* oauth.h - SASL OAUTHBEARER with a token out of a file, which somebody else keeps fresh.
 *
 * librdkafka asks for a token before it connects, and again when four fifths of its life are over.
 * The file is read then. A JSON Web Token says itself until when it is good and whose it is; one
 * that is anything else is good for the time that the options say. A file that cannot be read, or
 * whose token is over, is looked at again, which librdkafka asks for after ten seconds.
 */
#ifndef SLUICE_KAFKA_OAUTH_H
#define SLUICE_KAFKA_OAUTH_H

#include <librdkafka/rdkafka.h>

#include "conf.h"

enum { KAFKA_MAX_TOKEN_BYTES = 64 * 1024, KAFKA_MAX_PRINCIPAL_BYTES = 256 };

/* A token and what it says of itself. */
struct kafka_token {
    char text[KAFKA_MAX_TOKEN_BYTES];
    char principal[KAFKA_MAX_PRINCIPAL_BYTES];
    int64_t until_ms; /* wall clock */
};

/* False: `error`, which never holds the token. */
bool kafka_token_read(const struct kafka_oauth *oauth, int64_t now_ms, struct kafka_token *token,
                      char *error, size_t error_size);

/* librdkafka's callback; loop thread. */
void kafka_on_token_wanted(rd_kafka_t *rk, const char *config, void *arg);

#endif
