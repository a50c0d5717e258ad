/* set_words.h - the operations of `sluice set`, out of the words of its command line. */
#ifndef SLUICE_CMD_SET_WORDS_H
#define SLUICE_CMD_SET_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "gnmi/ask.h"
#include "tool/options.h"

enum { SET_MAX_FILE_BYTES = 64 * 1024 * 1024 };

/* Zeroed storage is an empty one. */
struct set_words {
    struct sl_gnmi_write *writes; /* in the order of the command line */
    size_t count;
    char **owned; /* texts that the writes point at */
    size_t owned_count;
};

/* What one flag does; set.c's table of flags has one for each name, in its order. */
bool set_words_read(const struct sl_tool_options *options, const struct sl_tool_words *given,
                    const char *delimiter, struct set_words *words) SL_MUST_CHECK;
void set_words_fini(struct set_words *words);

#endif
