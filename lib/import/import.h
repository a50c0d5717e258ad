/* import.h - another collector's configuration becomes one of sluice's.
 *
 * What is read is a document (config/config.h), as YAML or TOML; what is written is the text of a
 * file that `sluice check` takes, which keeps the payloads, keys, topics and partitions that the
 * old collector's consumers read. What cannot be carried over is never left out in silence: each is
 * a note with its line of the source, and the notes stand at the head of the text too.
 *
 * Secrets: a reference to the environment stays one. What stands in plain text is written as a
 * reference to a variable with a name made for it, unless options say otherwise; no note ever has
 * the value.
 *
 * A trial is a file with the same subscriptions, rules and formats, which runs by itself: its one
 * target plays a capture, and it has no secrets and no addresses.
 *
 * Pure. One thread at a time.
 */
#ifndef SLUICE_IMPORT_IMPORT_H
#define SLUICE_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"

enum {
    SL_IMPORT_MAX_NOTES = 2000, /* that are kept; the rest is counted */
    SL_IMPORT_MAX_SECRETS = 1000,
    SL_IMPORT_MAX_BYTES = 256 * 1024 * 1024, /* of what is written */
};

enum sl_import_note_kind {
    SL_IMPORT_LEFT_OUT, /* it is not in the new file: what to do is for a person to decide */
    SL_IMPORT_CHANGED,  /* it is, or need not be, and something is different from now on */
};

struct sl_import_note {
    uint32_t line; /* of the source */
    enum sl_import_note_kind kind;
    const char *text; /* one line; no value of a secret */
};

struct sl_import_options {
    bool keeps_secrets;       /* plain text stays plain text */
    const char *host;         /* this machine's name, for Telegraf's tag `host`; NULL: not known */
    const char *replay;       /* a trial: the one target plays this capture; NULL: no trial */
    const char *target;       /* of a trial: which target's ways it has; NULL: the first one's */
    const char *subscription; /* of a trial: the only one; NULL: all of the target's */
    const char
        *output; /* of a trial: the sink that writes to standard output; all others nowhere */
};

struct sl_import;

/* `config` is borrowed: it outlives the import, and has no errors. NULL when memory is out. */
struct sl_import *sl_import_new(const struct sl_config *config,
                                const struct sl_import_options *options) SL_MUST_CHECK;
void sl_import_free(struct sl_import *import);

/* Writes the file of a gnmic configuration; `source` is its name in comments. False: there is
 * nothing in it that sluice could run, or memory is out; the notes say what is missing. */
bool sl_import_gnmic(struct sl_import *import, const char *source,
                     struct sl_buf *out) SL_MUST_CHECK;

/* The same of a configuration of Telegraf. */
bool sl_import_telegraf(struct sl_import *import, const char *source,
                        struct sl_buf *out) SL_MUST_CHECK;

/* In the order of the source. */
size_t sl_import_notes(const struct sl_import *import);
const struct sl_import_note *sl_import_note_at(const struct sl_import *import, size_t i);
size_t sl_import_left_out(const struct sl_import *import); /* all, also those beyond the limit */

/* "changed" or "left out". */
const char *sl_import_note_name(enum sl_import_note_kind kind);

#endif
