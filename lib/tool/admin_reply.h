/* admin_reply.h - what became of a request to a running sluice, in words for a person. */
#ifndef SLUICE_TOOL_ADMIN_REPLY_H
#define SLUICE_TOOL_ADMIN_REPLY_H

#include <curl/curl.h>

#include "tool/admin_client.h"

struct sl_admin_outcome {
    const char *place; /* whom we asked */
    bool is_tls;
    bool has_token;
    bool is_too_large;
    bool is_file; /* what was asked for: no JSON, where it went well */
    CURLcode code;
    int error;         /* of errno; 0: none */
    const char *words; /* libcurl's */
    long http;
    struct sl_str body;
};

/* Fills a zeroed reply. What the other side said is made harmless for a terminal. */
void sl_admin_reply_fill(struct sl_admin_reply *reply, const struct sl_admin_outcome *outcome);

#endif
