/* sluice_option.h - what one configuration object may hold, as a table.
 *
 * One table per object; from it come parsing, checking, defaults, the hint of the nearest key and
 * the reference text. Built-in objects and plugins use the same tables. Includes nothing of lib/.
 */
#ifndef SLUICE_OPTION_H
#define SLUICE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sluice_str {
    const char *data;
    size_t len;
};

enum sluice_option_type {
    SLUICE_STRING = 1, /* const char *        "text"; ${env.NAME} is filled in */
    SLUICE_TEMPLATE,   /* const char *        text with ${target} …, filled in per record */
    SLUICE_SECRET,     /* const char *        text or {file: PATH} (its first line); see `show` */
    SLUICE_BOOL,       /* bool                true, false */
    SLUICE_INT,        /* int64_t             within min..max */
    SLUICE_DURATION,   /* int64_t, ns         10s, 1m30s, 500ms; within min..max (ns) */
    SLUICE_SIZE,       /* uint64_t, bytes     64KiB, 16MiB, 512 ; within min..max */
    SLUICE_ENUM,       /* int                 index into `names` */
    SLUICE_STRINGS,    /* struct sluice_strings   a list of texts; one text is a list of one */
    SLUICE_MAP,        /* struct sluice_map   names and texts: {a: b} */
    SLUICE_OBJECT,     /* the struct of `table`, in place */
    SLUICE_LIST,       /* struct sluice_list  a list of maps, each the struct of `table` */
};

struct sluice_strings {
    const char *const *items; /* ends with NULL */
    size_t count;
};

struct sluice_pair {
    const char *name;
    const char *value;
};

struct sluice_map {
    const struct sluice_pair *pairs;
    size_t count;
};

/* Items of `item_bytes` each. What an item does not say is as in the object that has the list,
 * where that has a row of the same name and type; else it is the default of the item's table. */
struct sluice_list {
    const void *items;
    size_t count;
};

/* One row of a table. */
struct sluice_option {
    const char *name; /* kebab-case; NULL ends a table */
    enum sluice_option_type type;
    size_t offset;                     /* offsetof the field that takes the value */
    const char *default_text;          /* as a user would write it; NULL: zero, and absent */
    int64_t min, max;                  /* INT DURATION SIZE; both 0: no bound but the type's */
    const char *const *names;          /* ENUM: ends with NULL */
    const struct sluice_option *table; /* OBJECT LIST */
    size_t item_bytes;                 /* LIST: of the struct of `table` */
    bool takes_text; /* LIST: a text stands for an item with only its table's first row */
    /* MAP: whether the value under `name` is a SECRET. NULL: none is. */
    bool (*is_secret)(const char *name);
    /* SECRET: writes what may be shown of the value into `shown`, at most `room` bytes with the
     * NUL. NULL: none of it is ever printed. */
    void (*show)(const char *text, char *shown, size_t room);
    bool is_required;
    const char *doc; /* one sentence for the reference */
};

#endif
