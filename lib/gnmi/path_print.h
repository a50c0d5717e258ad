/* path_print.h - the canonical text of a Path: from its bytes, whoever sent them.
 *
 *     openconfig:/interfaces/interface[name=eth1/0]/state
 *
 * An origin stands in front with a colon. Each element is '/', its name, and its keys in bytewise
 * order of their names, each [name=value]; of two keys with one name the later counts. The root is
 * "/". An element with neither name nor key is "[]". A deprecated `element` string is an element
 * like others; what it holds as [name=value] are its keys. The target is not in the text.
 *
 * A backslash stands in front of \ / [ ] in the name of an element, of \ / [ ] = in the name of a
 * key, of \ ] in the value of a key, of \ / [ ] : in an origin. \n is a newline, \r a carriage
 * return, and \xHH a byte that is not UTF-8. So each path has one text, and sl_gnmi_path_parse has
 * the path back from it, but for a byte 0, which stands as it is.
 */
#ifndef SLUICE_GNMI_PATH_PRINT_H
#define SLUICE_GNMI_PATH_PRINT_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"
#include "gnmi/path.h"

/* Appends the text of `path` (the bytes of a Path) behind `prefix` (the same, or empty: none),
 * whose origin counts where the path has none. False: an element with more than SL_GNMI_MAX_KEYS
 * keys, or `out` failed. */
bool sl_gnmi_path_print(struct sl_str prefix, struct sl_str path, struct sl_buf *out) SL_MUST_CHECK;

/* Its pieces. */

/* The origin with its colon; an empty one: nothing. */
void sl_gnmi_print_origin(struct sl_buf *out, struct sl_str origin);

/* All elements from where `path` stands: nothing for none. False as above. */
bool sl_gnmi_print_elems(struct sl_buf *out, struct sl_gnmi_path *path) SL_MUST_CHECK;

/* The name of an element; and what is escaped as the value of a key is. */
void sl_gnmi_print_name(struct sl_buf *out, struct sl_str name);
void sl_gnmi_print_word(struct sl_buf *out, struct sl_str word);

#endif
