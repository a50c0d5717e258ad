/* hint.h - what a person may try when something has failed.
 *
 * One table for all who tell of failures: the one-off tools, which have flags, and the collector,
 * which has a file. deploy/errors.md has its words, too, and a test that makes each happen.
 */
#ifndef SLUICE_BASE_HINT_H
#define SLUICE_BASE_HINT_H

#include <stdbool.h>

#include "base/base.h"
#include "base/status.h"

enum sl_hint_reader {
    SL_HINT_FLAGS, /* who has a command line before him */
    SL_HINT_FILE,  /* who has a configuration */
};

/* By the status's reason; where the peer said it (no reason), by its code. NULL: nothing comes to
 * mind. A literal. */
const char *sl_hint(const struct sl_status *status, enum sl_hint_reader reader);

/* Whether the peer hung up without a word. Before it has answered anything, that has causes of its
 * own: it did not want to hear this, or not from us. */
bool sl_hint_is_end(const struct sl_status *status);

/* What those are. */
const char *sl_hint_of_end(bool has_tls, enum sl_hint_reader reader);

#endif
