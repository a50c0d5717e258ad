/* notify.h - notifications out of words, and back. */
#ifndef SLUICE_TESTS_UNIT_STREAM_NOTIFY_H
#define SLUICE_TESTS_UNIT_STREAM_NOTIFY_H

#include "test.h"

#include "base/buf.h"
#include "gnmi/response.h"

enum { NOTIFY_BYTES = 64 * 1024 };

/* Lists of paths end with NULL; NULL: none. */
struct notify {
    const char *prefix;
    const char *target;
    const char *const *updates;
    const char *const *deletes;
    int value;        /* of all updates */
    const char *text; /* instead of it */
    bool is_atomic;
};

/* The SubscribeResponse, until the next call. */
struct sl_str notify_bytes(const struct notify *what);

/* As words: "-path" for a delete, "path=value" for an update, "!prefix" in front of all of an
 * atomic one, "sync". */
void notify_print(const struct sl_gnmi_response *response, struct sl_buf *text);

#endif
