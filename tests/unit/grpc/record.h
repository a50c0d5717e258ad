/* record.h - a call whose events are written down, one word each. */
#ifndef SLUICE_TESTS_GRPC_RECORD_H
#define SLUICE_TESTS_GRPC_RECORD_H

#include "test.h"

#include <stdbool.h>

#include "base/buf.h"
#include "grpc/call.h"

struct record {
    struct sl_grpc_call *call; /* NULL once it has ended */
    struct sl_buf said;        /* "open headers msg:hello half-close status:OK " */
    struct sl_status status;
    size_t received_bytes;
    size_t limit_bytes;         /* of window; more is refused. 0: none */
    uint32_t max_message_bytes; /* 0: the protocol's */
    unsigned holds;             /* messages to come that are held */
    unsigned writables;
    bool stops;    /* STOP at a message */
    bool cancels;  /* cancels within a message */
    bool is_quiet; /* messages are counted, not written down */
    size_t messages;
    size_t message_bytes;
};

extern const struct sl_grpc_call_events record_events;

void record_fini(struct record *record);

/* What was said since the last call. */
void expect_said(struct record *record, const char *words);

#endif
