/* document.h - what the files of this module share: a document in memory.
 *
 * Nodes, texts and filled-in values live in chunks that are freed as a whole. A node that is
 * reached by an alias is shared, not copied: the document is an acyclic graph, and `weight` says
 * how many values a walk over everything below a node would meet.
 */
#ifndef SLUICE_CONFIG_DOCUMENT_H
#define SLUICE_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum { SL_CONFIG_QUOTE_BYTES = 80 }; /* of a file's text in an error */

struct sl_config_entry {
    const struct sl_config_node *key;
    const struct sl_config_node *value;
};

struct sl_config_node {
    enum sl_config_kind kind;
    bool is_plain; /* scalar: not in quotes */
    uint32_t line; /* from 1 */
    uint32_t column;
    uint32_t weight;                       /* at most SL_CONFIG_MAX_VALUES */
    uint32_t count;                        /* of items or entries */
    const char *text;                      /* scalar, null: ends with NUL, has no other */
    const struct sl_config_node **items;   /* list */
    const struct sl_config_entry *entries; /* map, in the order of the file */
    const uint32_t *by_key;                /* map: indices of `entries` in the order of the keys */
};

struct sl_config_message {
    uint32_t line; /* 0: of the file as a whole */
    uint32_t column;
    uint32_t order; /* of reporting, for errors of one place */
    const char *text;
};

struct sl_config_chunk;

struct sl_config {
    struct sl_config_chunk *chunks;
    const char *file;
    const struct sl_config_node *root;
    struct sl_config_message messages[SL_CONFIG_MAX_ERRORS];
    size_t message_count; /* kept */
    size_t error_count;   /* all */
    size_t reports;       /* with repeated ones */
    bool is_out_of_memory;
    bool is_foreign;
};

/* Adds an error at a place that is not a node; line 0 is the file as a whole. */
void sl_config_error_at(struct sl_config *config, size_t line, size_t column, const char *format,
                        ...) SL_PRINTF(4, 5);

/* A copy that lives with the document; NULL when memory is out, which is then an error. */
const char *sl_config_copy(struct sl_config *config, struct sl_str text) SL_MUST_CHECK;

/* "a list", "nothing", … for "found %s". */
const char *sl_config_kind_name(enum sl_config_kind kind);

/* "one of 'a', 'b'"; `names` ends with NULL. */
void sl_config_add_names(struct sl_buf *out, const char *const *names);

/* yaml.c: fills config->root. */
void sl_config_load(struct sl_config *config, struct sl_str text);

/* toml.c: the same of TOML 1.0. */
void sl_config_load_toml(struct sl_config *config, struct sl_str text);

/* map.c: fills `map` from `count` nodes: key, value, key, value. False when memory is out. */
bool sl_config_build_map(struct sl_config *config, const struct sl_config_node *const *items,
                         size_t count, struct sl_config_node *map) SL_MUST_CHECK;

/* reference.c: " from 1ms to 1h", " 1s or more", or nothing where a row has no bounds. */
void sl_config_add_bounds(struct sl_buf *out, const struct sluice_option *option);

/* fill.c: how large the field of a row is (0: an OBJECT's, which has rows of its own); and whether
 * a text that is filled in already is a value of a row whose value is one text. */
size_t sl_config_field_bytes(enum sluice_option_type type);
bool sl_config_takes(const struct sluice_option *option, const char *text);

/* expand.c: what ${…} may stand in a text. */
enum sl_config_expansion {
    SL_CONFIG_EXPAND_ALL,      /* ${env.NAME}; anything else is an error */
    SL_CONFIG_EXPAND_PRIVATE,  /* the same, and errors do not show the text */
    SL_CONFIG_EXPAND_TEMPLATE, /* ${env.NAME}; anything else stays for the template */
};

/* The text of a scalar, filled in. NULL after an error that was reported. */
const char *sl_config_expand(struct sl_config *config, const struct sl_config_node *scalar,
                             enum sl_config_expansion expansion) SL_MUST_CHECK;

#endif
