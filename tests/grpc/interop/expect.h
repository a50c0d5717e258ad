/* expect.h - what a case holds against what came: prints both where they differ. */
#ifndef SLUICE_INTEROP_EXPECT_H
#define SLUICE_INTEROP_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange.h"

/* Prints "expected ...", and is false, where `holds` is. */
bool expect(bool holds, const char *format, ...) SL_PRINTF(2, 3);

bool expect_status(const struct sl_status *status, enum sl_code code);

/* grpc-message, every byte of it. */
bool expect_message(const struct exchange_outcome *outcome, const char *text);

/* OK, and `count` replies with payloads of these sizes, all zeros. */
bool expect_replies(const struct exchange_outcome *outcome, const int64_t *bytes, size_t count);

/* Whether the reply came compressed. */
bool expect_compressed(const struct exchange_outcome *outcome, size_t reply, bool is_compressed);

#endif
