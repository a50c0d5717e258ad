/* rule.h - what a kind of rule is: a row in a table, from which come its keys in the configuration,
 * its line in the help, its example, its test, and what it does.
 *
 * A rule is an object of the configuration: `kind`, a selector (which updates it is for), and the
 * keys of its kind. What it says of a path alone is worked out once per path that is interned
 * (rules.h); what it says of a value is done with each update.
 *
 *     - {kind: rename, path: /interfaces/..., from: in-octets, to: rx-bytes}
 *
 * To add a kind: write its row and its functions in a file of its own, and name it in rule_kinds.c.
 */
#ifndef SLUICE_NORMALISE_RULE_H
#define SLUICE_NORMALISE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/path.h"
#include "gnmi/response.h"
#include "sluice_option.h"

enum {
    SL_RULE_MAX_ELEMS = 128, /* of prefix and path together, where there are rules */
    SL_RULE_MAX_KEYS = 256,
    SL_RULE_MAX_LABELS = 64,
};

enum sl_rule_verdict {
    SL_RULE_PASS,
    SL_RULE_FILTER, /* taken out, and counted as filtered */
    SL_RULE_DROP,   /* it cannot be done with this one: taken out, and counted as dropped */
};

/* ---- paths ---- */

struct sl_rule_key {
    size_t elem; /* that it belongs to */
    struct sl_gnmi_key key;
};

/* A path as rules see and change it: prefix and path as one. Strings are borrowed: from the
 * message, or from the rule. Read it as you like; change it by the functions below alone. */
struct sl_rule_path {
    struct sl_str origin;
    struct sl_str target;
    struct sl_str elems[SL_RULE_MAX_ELEMS];
    size_t elem_count;
    struct sl_rule_key keys[SL_RULE_MAX_KEYS]; /* those of an element behind one another */
    size_t key_count;
    struct sl_gnmi_key labels[SL_RULE_MAX_LABELS];
    size_t label_count;
    const struct sluice_map *target_labels; /* of the configuration; NULL: none */
    bool is_delete;
    bool is_changed;
};

void sl_rule_path_set_origin(struct sl_rule_path *path, struct sl_str origin);
void sl_rule_path_set_target(struct sl_rule_path *path, struct sl_str target);
void sl_rule_path_set_elem(struct sl_rule_path *path, size_t elem, struct sl_str name);

/* With their keys. */
void sl_rule_path_remove_elems(struct sl_rule_path *path, size_t from, size_t count);

/* A new element before `at`. False: there is no room. */
bool sl_rule_path_insert_elem(struct sl_rule_path *path, size_t at,
                              struct sl_str name) SL_MUST_CHECK;

/* By its place in `keys`. */
void sl_rule_path_remove_key(struct sl_rule_path *path, size_t at);

/* Sets it where the element has one of that name, else adds it. False: there is no room. */
bool sl_rule_path_set_key(struct sl_rule_path *path, size_t elem, struct sl_str name,
                          struct sl_str value) SL_MUST_CHECK;

/* The path's own label, else the target's; NULL data: none. */
struct sl_str sl_rule_path_label(const struct sl_rule_path *path, struct sl_str name);
bool sl_rule_path_set_label(struct sl_rule_path *path, struct sl_str name,
                            struct sl_str value) SL_MUST_CHECK;
void sl_rule_path_remove_label(struct sl_rule_path *path, struct sl_str name);

/* ---- updates ---- */

/* One update on its way through the rules that are for it. */
struct sl_rule_update {
    struct sl_gnmi_value value; /* may be set; then is_changed must be */
    bool is_changed;
    bool is_atomic; /* of an atomic notification, which is kept whole: state alone may change */
    uint32_t duplicates;
    int64_t timestamp_ns; /* the device's, in nanoseconds, or what a rule has made of it */
    int64_t received_ns;
    struct sl_buf *text; /* empty: for the bytes of a new value, which live until the next rule but
                            one; never those of the value that is there */
};

/* ---- kinds ---- */

/* Why an option will not do. */
struct sl_rule_error {
    const char *key; /* of the option; NULL: the rule as a whole */
    size_t item;     /* of a list */
    struct sl_status why;
};

/* Fills `error` and returns false. */
bool sl_rule_refuse(struct sl_rule_error *error, const char *key, const char *format, ...)
    SL_PRINTF(3, 4);

struct sl_rule_kind {
    const char *name;    /* "rename" */
    const char *purpose; /* one line */

    /* One rule as it stands in a file, what goes in, and what comes out (rule_text.h): a line for
     * each message, `TIME PATH TYPE VALUE`, or `TIME delete PATH`; TIME may be left out. */
    const char *example;
    const char *before;
    const char *after;

    const struct sluice_option *options; /* NULL: none beside the selector */
    size_t options_size;
    bool takes_value; /* the selector may have `value`, `above`, `below` */
    bool keeps;       /* what the selector does not match is filtered */
    bool opens;       /* it is for names and keys in JSON, too: containers that it may reach into
                         become updates of their leaves (rules.h) */

    /* From the options, which live as long, to what the functions below are given: `size` bytes,
     * zeroed. NULL: they are given the options. False with the reason; fini is due then, too. */
    size_t size;
    bool (*compile)(const void *options, void *rule, struct sl_rule_error *error);
    void (*fini)(void *rule);

    /* Each may be NULL. */

    /* Once per path; also for deletes. */
    enum sl_rule_verdict (*path)(const void *rule, struct sl_rule_path *path);

    /* For each update. `state`: state_size bytes of this rule and this path, zeroed at first, when
     * the stream subscribes anew, and when the path was deleted; aligned for any type; NULL when
     * there is no room for it. */
    size_t state_size;
    enum sl_rule_verdict (*apply)(const void *rule, void *state, struct sl_rule_update *update);

    /* For each notification: the time of one that has such a path. */
    int64_t (*timestamp)(const void *rule, int64_t timestamp_ns, int64_t received_ns);
};

/* All kinds, in the order of the reference; ends with NULL. */
extern const struct sl_rule_kind *const sl_rule_kinds[];

/* NULL: there is none of that name. */
const struct sl_rule_kind *sl_rule_kind(const char *name);

#endif
