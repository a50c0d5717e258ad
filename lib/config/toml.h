/* toml.h - what the two files of the TOML reader share: a place in the text, and what stands there.
 *
 * The specification is TOML 1.0.0 (toml.io/en/v1.0.0). What fails is told once, with its place, as
 * an error of the document; then all that follows fails too.
 */
#ifndef SLUICE_CONFIG_TOML_H
#define SLUICE_CONFIG_TOML_H

#include "config/document.h"

enum { SL_TOML_MAX_PARTS = 16 /* of a key: a.b.c has three */ };

struct sl_toml {
    struct sl_config *config;
    const char *at;
    const char *end;
    const char *line_start;
    const char *counted; /* up to here columns are counted, and `column` is that of this place */
    uint32_t column;
    uint32_t line;
    uint32_t items; /* toml.c: values so far */
    bool has_failed;
};

/* The column of the place, from 1, in characters. */
uint32_t sl_toml_column(struct sl_toml *toml);

/* The error, where none was told yet. False. */
bool sl_toml_fail(struct sl_toml *toml, const char *what);

/* The byte so far ahead; NUL behind the end (there is none within). */
char sl_toml_look(const struct sl_toml *toml, size_t ahead);
bool sl_toml_is_at_end(const struct sl_toml *toml);
bool sl_toml_is_at(const struct sl_toml *toml, const char *word);

/* Blanks; blanks, comments and lines' ends; what may stand behind a statement, and its line's end.
 * False after an error. */
void sl_toml_skip_blanks(struct sl_toml *toml);
bool sl_toml_skip_lines(struct sl_toml *toml);
bool sl_toml_end_statement(struct sl_toml *toml);

bool sl_toml_is_bare(char c);  /* of a key without quotes */
int sl_toml_hex_digit(char c); /* -1: it is none */

/* At its quotes; the text lives with the document. NULL: it failed. */
const char *sl_toml_read_quoted(struct sl_toml *toml, bool may_be_long) SL_MUST_CHECK;

/* a.b."c d"; how many parts, 0: it failed. */
size_t sl_toml_read_key(struct sl_toml *toml,
                        struct sl_config_node parts[SL_TOML_MAX_PARTS]) SL_MUST_CHECK;

#endif
