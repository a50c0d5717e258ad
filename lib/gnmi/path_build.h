/* path_build.h - the bytes of a Path, made piece by piece at the end of a buffer.
 *
 * Origin, target and labels may come at any time but between an element and its keys; elements in
 * their order, keys right behind the element that they belong to. A label is sluice's own word
 * about a path: field SL_GNMI_PATH_LABELS of Path, a message {1: name, 2: value}, repeated; it
 * comes from rules alone and reaches consumers as a tag or a label of the record.
 *
 * No error is returned: whoever owns the buffer looks at its `failed` (buf.h).
 */
#ifndef SLUICE_GNMI_PATH_BUILD_H
#define SLUICE_GNMI_PATH_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

struct sl_gnmi_path_build {
    struct sl_buf *out;
    size_t start; /* of the Path in `out` */
    size_t elem;  /* of the payload of the element under way; 0: none is */
};

void sl_gnmi_path_build_begin(struct sl_gnmi_path_build *build, struct sl_buf *out);

/* Empty ones are left out. */
void sl_gnmi_path_build_origin(struct sl_gnmi_path_build *build, struct sl_str origin);
void sl_gnmi_path_build_target(struct sl_gnmi_path_build *build, struct sl_str target);

void sl_gnmi_path_build_elem(struct sl_gnmi_path_build *build, struct sl_str name);
void sl_gnmi_path_build_key(struct sl_gnmi_path_build *build, struct sl_str name,
                            struct sl_str value);
void sl_gnmi_path_build_label(struct sl_gnmi_path_build *build, struct sl_str name,
                              struct sl_str value);

/* The bytes, in `out` until that changes; empty when memory is out. */
struct sl_str sl_gnmi_path_build_end(struct sl_gnmi_path_build *build);

#endif
