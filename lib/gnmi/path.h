/* path.h - a serialised Path, read where it lies, and paths as text.
 *
 * Text follows gnmi-path-strings.md of openconfig/reference: "origin:/a/b[key=value]/c", "*" and
 * "..." as they are. A backslash takes the meaning from ] [ / = : \ and stands before n, r, uXXXX,
 * UXXXXXXXX and xHH for a newline, a carriage return, a character by its number and a byte. "[]" is
 * an element with neither name nor key, and "cli:show version" (no '/' behind the colon) origin
 * "cli" with one element that is all the rest as it stands. path_print.h writes a Path as text.
 */
#ifndef SLUICE_GNMI_PATH_H
#define SLUICE_GNMI_PATH_H

#include <stdbool.h>

#include "gnmi.pb-c.h"

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/wire.h"

enum {
    SL_GNMI_MAX_TEXT_BYTES = 16 * 1024, /* of a path as text */
    SL_GNMI_MAX_KEYS = 128,             /* of one element, where they are sorted */
};

/* What rules have said of a path, in a field of Path that gNMI does not have; a device's own field
 * of that number does not come through (canonical.h). */
enum {
    SL_GNMI_PATH_LABELS = 1000,
    SL_GNMI_LABEL_NAME = 1,
    SL_GNMI_LABEL_VALUE = 2,
};

struct sl_gnmi_path {
    struct sl_str origin;
    struct sl_str target;
    struct sl_wire elems;  /* where sl_gnmi_path_next stands */
    bool has_elem;         /* false: the deprecated `element` strings, if any, are the elements */
    struct sl_wire labels; /* where sl_gnmi_path_next_label stands; empty: none */
};

struct sl_gnmi_elem {
    struct sl_str name;
    struct sl_wire keys;     /* where sl_gnmi_elem_next_key stands */
    struct sl_str text_keys; /* the same in a deprecated `element`: [name=value][… */
};

struct sl_gnmi_key {
    struct sl_str name;
    struct sl_str value;
};

/* `bytes` are those of a Path that sl_gnmi_response_read has passed. */
void sl_gnmi_path_read(struct sl_str bytes, struct sl_gnmi_path *path);

/* The next element; false at the end. A deprecated `element` is a name, with keys where all that is
 * behind it is [name=value] without a backslash. */
bool sl_gnmi_path_next(struct sl_gnmi_path *path, struct sl_gnmi_elem *elem);

/* The next key of the element, in the order of the wire. Of two with one name the later counts. */
bool sl_gnmi_elem_next_key(struct sl_gnmi_elem *elem, struct sl_gnmi_key *key);

/* The YANG module that a name begins with, "openconfig-interfaces" of
 * "openconfig-interfaces:interfaces"; empty: none. RFC 7950 has the letters of both: what is not
 * one identifier, a colon and another one (an address, a command) has no module. */
struct sl_str sl_gnmi_module_of(struct sl_str name);

/* The same name without it. */
struct sl_str sl_gnmi_without_module(struct sl_str name);

/* All keys of the element (which has none left then), sorted bytewise by name, of two with one name
 * the later one. False when there are more than SL_GNMI_MAX_KEYS. */
bool sl_gnmi_elem_sort_keys(struct sl_gnmi_elem *elem, struct sl_gnmi_key keys[SL_GNMI_MAX_KEYS],
                            size_t *count) SL_MUST_CHECK;

/* The next label, in the order of the wire; of two with one name the later counts. */
bool sl_gnmi_path_next_label(struct sl_gnmi_path *path, struct sl_gnmi_key *label);

/* Appends the bytes of a Path but its labels. */
void sl_gnmi_path_add_without_labels(struct sl_buf *out, struct sl_str bytes);

/* The message that `text` stands for, to be freed with gnmi__path__free_unpacked. NULL with what is
 * wrong, and at which byte, in `why`. */
Gnmi__Path *sl_gnmi_path_parse(struct sl_str text, struct sl_status *why) SL_MUST_CHECK;

/* The same; the byte, from 0, is in `wrong_at` too (0 where the text as a whole is wrong). */
Gnmi__Path *sl_gnmi_path_parse_at(struct sl_str text, struct sl_status *why,
                                  size_t *wrong_at) SL_MUST_CHECK;

#endif
