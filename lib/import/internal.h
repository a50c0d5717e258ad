/* internal.h - what the readers of foreign configurations share. */
#ifndef SLUICE_IMPORT_INTERNAL_H
#define SLUICE_IMPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "import/import.h"

enum { SL_IMPORT_MAX_CARRIED = 1000 /* lists of rules */ };

struct sl_import_secret {
    char *value;
    char *variable;
};

struct sl_import {
    const struct sl_config *config;
    struct sl_import_options options;
    const struct sl_config_node *root;
    struct sl_buf *out;
    struct sl_import_note notes[SL_IMPORT_MAX_NOTES];
    size_t note_count;
    size_t left_out;
    struct sl_import_secret secrets[SL_IMPORT_MAX_SECRETS];
    size_t secret_count;
    const char *carried[SL_IMPORT_MAX_CARRIED]; /* lists of rules that were written */
    size_t carried_count;
    bool is_failed; /* memory is out */
};

/* ---- notes (import.c) ---- */

/* At the line of `node`; NULL: of the file as a whole. */
void sl_import_note(struct sl_import *import, const struct sl_config_node *node,
                    enum sl_import_note_kind kind, const char *format, ...) SL_PRINTF(4, 5);

/* Of a trial: what holds for the collector; its target's device; and a sink of that name, without
 * its format. */
void sl_import_put_trial(struct sl_import *import);
void sl_import_put_trial_device(struct sl_import *import);
void sl_import_put_trial_sink(struct sl_import *import, const char *name);

/* Whether it is a trial, and one without that subscription, or target. */
bool sl_import_is_left_aside(const char *only, const char *name);

/* Comments for the head of the file: what it is, and the notes. */
void sl_import_add_head(const struct sl_import *import, const char *collector, const char *source,
                        struct sl_buf *out);

/* ---- what is read (rows.c) ---- */

/* Of a map: the value under `key`, whatever its case; NULL: none, or nothing behind it. */
const struct sl_config_node *sl_import_get(const struct sl_config_node *map, const char *key);

/* The text of a scalar as it stands there; "" of anything else, and of NULL. */
const char *sl_import_text(const struct sl_config_node *node);
bool sl_import_is_true(const struct sl_config_node *node);

/* A number of items: of a list its own, of a scalar 1, of NULL 0; and the i-th as text. */
size_t sl_import_items(const struct sl_config_node *node);
const char *sl_import_item(const struct sl_config_node *node, size_t i);

/* Of a list of maps how many there are, of a map 1: sl_config_item has them. */
size_t sl_import_tables(const struct sl_config_node *node);

/* What becomes of a key. */
enum sl_import_carry {
    SL_IMPORT_READ,   /* its reader knows */
    SL_IMPORT_QUIET,  /* it has no meaning for the data */
    SL_IMPORT_LEAVE,  /* left out: `note` says what to do */
    SL_IMPORT_CHANGE, /* changed: `note` says how */
    SL_IMPORT_TEXT,   /* written as `as`, like the rest below */
    SL_IMPORT_SECRET,
    SL_IMPORT_BOOL,
    SL_IMPORT_NUMBER,
    SL_IMPORT_DURATION, /* Go's: "1m30s", "1.5s", a number of nanoseconds */
    SL_IMPORT_PERIOD,   /* Telegraf's duration: the same, with days; a number of seconds */
    SL_IMPORT_SIZE,     /* Telegraf's: "4MB", "4MiB", a number of bytes */
    SL_IMPORT_WORD,     /* text in small letters, with - for _ */
};

struct sl_import_row {
    const char *key; /* NULL ends a table */
    enum sl_import_carry carry;
    const char *as;
    const char *note;
};

/* Notes of every key of `map` that the table leaves out, changes or does not know. */
void sl_import_judge(struct sl_import *import, const struct sl_config_node *map,
                     const struct sl_import_row *rows);

/* Writes one value under row->as; nothing of a row that is not written, and of NULL. */
void sl_import_put_row(struct sl_import *import, const struct sl_import_row *row,
                       const struct sl_config_node *node, unsigned indent);

/* Writes all rows that `map` has. */
void sl_import_put_rows(struct sl_import *import, const struct sl_import_row *rows,
                        const struct sl_config_node *map, unsigned indent);

/* Go's durations, and Telegraf's. False: it is none. */
bool sl_import_to_duration(const char *text, int64_t *ns) SL_MUST_CHECK;
bool sl_import_to_period(const char *text, int64_t *ns) SL_MUST_CHECK;
bool sl_import_to_size(const char *text, uint64_t *bytes) SL_MUST_CHECK;

/* ---- what is written (write.c) ---- */

/* The end of a buffer that holds a part of what is written: where it failed, the import has. */
void sl_import_drop(struct sl_import *import, struct sl_buf *part);

/* "key:" and a line's end. */
void sl_import_put_key(struct sl_import *import, const char *key, unsigned indent);
/* A literal: nothing in it is filled in. */
void sl_import_put_text(struct sl_import *import, const char *key, const char *text,
                        unsigned indent);
/* Text of the source, in which $NAME and ${NAME} are the environment's, as they stay. */
void sl_import_put_expanded(struct sl_import *import, const char *key, const char *text,
                            unsigned indent);
/* A template, or a word of ours, as it stands. */
void sl_import_put_raw(struct sl_import *import, const char *key, const char *text,
                       unsigned indent);
/* What is not a reference becomes one, or stays (options). `node` is where it stands. */
void sl_import_put_secret(struct sl_import *import, const char *key,
                          const struct sl_config_node *node, unsigned indent);
/* [a, b]: for the values of a list, one at a time. */
void sl_import_add_text(struct sl_buf *out, const char *text);
void sl_import_add_expanded(struct sl_buf *out, const char *text);
void sl_import_add_references(struct sl_buf *out, const char *text); /* without the quotes */
/* key: [the items of `node`, expanded]; nothing when there are none. */
void sl_import_put_items(struct sl_import *import, const char *key,
                         const struct sl_config_node *node, unsigned indent);
/* As sluice takes names: of targets, sinks, subscriptions, labels. */
bool sl_import_is_name(const char *text);

/* ---- regular expressions (pattern.c) ---- */

/* Appends globs of paths that select what `regex` (Go's, not anchored) matches of keyless paths, as
 * items of a list: "/a/b*", "/b/..."; none and true: it matches every path. False, with nothing
 * appended: no globs are the same. */
bool sl_import_path_globs(const char *regex, struct sl_buf *out, size_t *count,
                          bool *is_everything) SL_MUST_CHECK;

/* Likewise for a text: one glob. */
bool sl_import_text_glob(const char *regex, struct sl_buf *out) SL_MUST_CHECK;

/* ---- gnmic ---- */

#define SL_IMPORT_TOPIC_LABEL "topic-name"

enum { SL_IMPORT_TOPIC_NAME_BYTES = 256 };

/* gnmic_subscriptions.c: all of them; how many. And whether one of that name is among them. */
size_t sl_import_gnmic_subscriptions(struct sl_import *import);
bool sl_import_gnmic_has_subscription(const struct sl_import *import, const char *name);

/* gnmic_outputs.c: those that sluice has a sink for; how many. */
size_t sl_import_gnmic_outputs(struct sl_import *import);
bool sl_import_gnmic_has_output(const struct sl_import *import, const char *name);

/* Whether a topic has the target's name in a form that the name itself has not; that form. */
bool sl_import_gnmic_topic_name(const struct sl_import *import, const char *target,
                                char topic[SL_IMPORT_TOPIC_NAME_BYTES]) SL_MUST_CHECK;

/* gnmic.c: sinks: [the outputs of that list which are sinks], of a target or subscription. */
void sl_import_gnmic_put_sinks(struct sl_import *import, const struct sl_config_node *outputs);

/* gnmic_processors.c: `rules:`, those of processors that outputs name, and of event tags. */
void sl_import_gnmic_rules(struct sl_import *import);

/* Whether an event tag of that name can be a label. */
bool sl_import_gnmic_is_tag(const char *name);

/* rules: [the lists that an output's processors and the targets' event tags have become]. */
void sl_import_gnmic_put_rules(struct sl_import *import, const struct sl_config_node *output,
                               unsigned indent);

#endif
