/* config.h - a YAML file read through option tables.
 *
 * libyaml parses; the tables of plugins/sluice_option.h say what may stand where. All errors of a
 * file are collected, each as "file:line:column: what is wrong, what was expected", with the
 * nearest known key or name where there is one. Values that are filled in live in the document and
 * are freed with it.
 *
 * Pure but for reading the file, {file: P} secrets and the environment. One thread at a time.
 */
#ifndef SLUICE_CONFIG_CONFIG_H
#define SLUICE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "sluice_option.h"

enum {
    SL_CONFIG_MAX_BYTES = 64 * 1024 * 1024,
    SL_CONFIG_MAX_DEPTH = 32,
    SL_CONFIG_MAX_VALUES = 1000 * 1000, /* scalars, lists and maps, with each alias written out */
    SL_CONFIG_MAX_ANCHORS = 1000,
    SL_CONFIG_MAX_SECRET_BYTES = 16 * 1024,
    SL_CONFIG_MAX_ERRORS = 100, /* that are kept and printed; the rest is counted */
};

#define SL_CONFIG_MASK "******"

struct sl_config;      /* a document and its errors */
struct sl_config_node; /* a place in it */

enum sl_config_kind { SL_CONFIG_NULL, SL_CONFIG_SCALAR, SL_CONFIG_LIST, SL_CONFIG_MAP };

/* Reads a file, or `text` under the name of `file`. Never NULL but when memory is out: what was
 * wrong is in the errors. YAML anchors and aliases work; merge keys do too; duplicate keys are
 * errors. */
struct sl_config *sl_config_read(const char *file) SL_MUST_CHECK;
struct sl_config *sl_config_parse(const char *file, struct sl_str text) SL_MUST_CHECK;

/* The same of TOML 1.0: tables are maps, arrays lists; numbers (without underscores), dates, true
 * and false are plain scalars as they stand there, all other texts quoted ones. Nothing is filled
 * in. */
struct sl_config *sl_config_read_toml(const char *file) SL_MUST_CHECK;
struct sl_config *sl_config_parse_toml(const char *file, struct sl_str text) SL_MUST_CHECK;
void sl_config_free(struct sl_config *config);

/* Whether it came from elsewhere: then what it says may not bring in files and environment of this
 * machine. */
void sl_config_set_foreign(struct sl_config *config, bool is_foreign);

const struct sl_config_node *sl_config_root(const struct sl_config *config); /* NULL: no document */
enum sl_config_kind sl_config_kind(const struct sl_config_node *node);

/* Of a map: the value under `key`, NULL when there is none. Of a map or list: the count, the i-th
 * value and (map) its key. */
const struct sl_config_node *sl_config_get(const struct sl_config_node *map, const char *key);
size_t sl_config_count(const struct sl_config_node *node);
const struct sl_config_node *sl_config_at(const struct sl_config_node *node, size_t i);
const char *sl_config_key(const struct sl_config_node *map, size_t i);
const struct sl_config_node *sl_config_key_node(const struct sl_config_node *map, size_t i);
uint32_t sl_config_line(const struct sl_config_node *node); /* from 1 */
/* The i-th of a list; else `node` itself. For the place of one of SLUICE_STRINGS, where one text
 * stands for a list of one. */
const struct sl_config_node *sl_config_item(const struct sl_config_node *node, size_t i);

/* A scalar as text, with ${env.NAME} filled in; an error and "" when it is not a scalar. The word
 * null is text here (it is the type of a sink). */
const char *sl_config_text(struct sl_config *config, const struct sl_config_node *node);

/* The text of a scalar as it stands in the file, nothing filled in, and whether it stands there
 * without quotes. Of anything else: empty, and quoted. */
struct sl_str sl_config_raw(const struct sl_config_node *node, bool *is_plain);

/* Fills `object`, whose defaults come from the table, from the map `node` (NULL, or nothing behind
 * its key: all defaults).
 * `base`, when not NULL, is an object of the same table whose values stand in for the defaults (the
 * file's `defaults:` section). Errors go to `config`; a wrong value leaves the default.
 * `known`: further keys that the caller reads by itself, ends with NULL; or NULL. */
void sl_config_fill(struct sl_config *config, const struct sl_config_node *node,
                    const struct sluice_option *table, void *object, const void *base,
                    const char *const *known);

/* The same for an object whose values stand in for the defaults of others: nothing is required. */
void sl_config_fill_base(struct sl_config *config, const struct sl_config_node *node,
                         const struct sluice_option *table, void *object);

/* Fills an object with nothing but the defaults of its table; the values live in `config`. */
void sl_config_defaults(struct sl_config *config, const struct sluice_option *table, void *object);

/* Who reads the document found no memory elsewhere: an error like any other. */
void sl_config_note_out_of_memory(struct sl_config *config);

/* Memory that lives as long as the document, zeroed. NULL when memory is out. */
void *sl_config_alloc(struct sl_config *config, size_t count, size_t size) SL_MUST_CHECK;

/* Adds an error at `node` (NULL: the file as a whole). The caller says what was expected. */
void sl_config_error(struct sl_config *config, const struct sl_config_node *node,
                     const char *format, ...) SL_PRINTF(3, 4);

/* The error "unknown KIND 'WORD'", with the nearest of `names` (ends with NULL), or all of them
 * when none is near. */
void sl_config_error_unknown(struct sl_config *config, const struct sl_config_node *node,
                             const char *kind, const char *word, const char *const *names);

size_t sl_config_errors(const struct sl_config *config);
/* How often an error was told, the same words about the same place too: whether anything was said
 * of what was just read. */
size_t sl_config_reports(const struct sl_config *config);
/* Whether memory was out, so that not all of it was read. */
bool sl_config_is_cut_off(const struct sl_config *config);
/* All errors in the order of the file, a line each. The same words about the same place count once
 * (an anchor has many readers). */
void sl_config_print_errors(const struct sl_config *config, struct sl_buf *out);

/* The object as YAML that sl_config_fill takes again, each key of the table with its value;
 * `indent` blanks in front. Secrets that are set are SL_CONFIG_MASK. */
void sl_config_print(const struct sluice_option *table, const void *object, unsigned indent,
                     struct sl_buf *out);

/* Calls `on_difference(arg, key)` for each key of the table that has another value in `b` than in
 * `a`, secrets too: "backoff.min", and for a list the key of the list, each once. False: there is
 * none. `on_difference` may be NULL. */
bool sl_config_differ(const struct sluice_option *table, const void *a, const void *b,
                      void (*on_difference)(void *arg, const char *key), void *arg);

/* One key, which is quoted where it must be, and a text, which always is; NULL: no text, what is
 * under the key follows. */
void sl_config_print_text(const char *name, const char *text, unsigned indent, struct sl_buf *out);

/* One line of the reference: name and text in columns. */
void sl_config_reference_line(const char *name, unsigned indent, struct sl_buf *out,
                              const char *format, ...) SL_PRINTF(4, 5);

/* The reference of one object: a line per option with type, default, bounds and doc; `indent`
 * blanks in front. */
void sl_config_reference(const struct sluice_option *table, unsigned indent, struct sl_buf *out);

#endif
