/* ask.h - the requests of Capabilities, Get and Set as protobuf-c's structs, out of text as an
 * operator writes it, and what a GetResponse says, for readers of SubscribeResponses.
 *
 * gnmi-specification.md 3.2 to 3.4. Paths are text (path.h). The requests are on the heap, to be
 * freed with gnmi__…__free_unpacked(request, NULL); where there is none, `why` has what is wrong
 * with the text, or that memory is out.
 */
#ifndef SLUICE_GNMI_ASK_H
#define SLUICE_GNMI_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi.pb-c.h"
#include "gnmi/extension.h"
#include "gnmi/request.h"
#include "gnmi/response.h"
#include "gnmi/wire.h"

Gnmi__CapabilityRequest *sl_gnmi_capabilities_new(const struct sl_gnmi_extension *extensions,
                                                  size_t extension_count,
                                                  struct sl_status *why) SL_MUST_CHECK;

/* ---- Get ---- */

enum sl_gnmi_data_type {
    SL_GNMI_ALL = 0,
    SL_GNMI_CONFIG = 1,
    SL_GNMI_STATE = 2,
    SL_GNMI_OPERATIONAL = 3,
};

struct sl_gnmi_get {
    const char *const *paths; /* ends with NULL */
    const char *prefix;       /* as in sl_gnmi_subscribe */
    const char *target;
    enum sl_gnmi_data_type type;
    enum sl_gnmi_encoding encoding;
    const struct sl_gnmi_model *models;
    size_t model_count;
    const struct sl_gnmi_extension *extensions;
    size_t extension_count;
};

Gnmi__GetRequest *sl_gnmi_get_new(const struct sl_gnmi_get *get,
                                  struct sl_status *why) SL_MUST_CHECK;

/* The next notification of a GetResponse's bytes, which `wire` has read the beginning of: as the
 * bytes of a SubscribeResponse with that update, for sl_gnmi_response_read. False at the end, or
 * where the bytes are none. */
bool sl_gnmi_next_notification(struct sl_wire *wire, struct sl_str *response);

/* ---- Set ---- */

enum sl_gnmi_operation { SL_GNMI_DELETE, SL_GNMI_REPLACE, SL_GNMI_UPDATE_PATH, SL_GNMI_UNION };

struct sl_gnmi_write {
    enum sl_gnmi_operation operation;
    const char *path;
    struct sl_gnmi_value value; /* of a delete: none. Borrowed; a string has no NUL in it */
};

/* Operations of one kind keep their order; the target does deletes first, then replaces, then
 * updates. */
struct sl_gnmi_set {
    const struct sl_gnmi_write *writes;
    size_t write_count;
    const char *prefix; /* as in sl_gnmi_subscribe */
    const char *target;
    const struct sl_gnmi_extension *extensions;
    size_t extension_count;
};

Gnmi__SetRequest *sl_gnmi_set_new(const struct sl_gnmi_set *set,
                                  struct sl_status *why) SL_MUST_CHECK;

/* A value out of the words of a command line: `type` is "json", "json_ietf", "string", "int",
 * "uint", "bool", "bytes", "float", "double", "decimal" or "ascii". `value` borrows `text`.
 * INVALID_ARGUMENT when there is no such type, or the text is none of it. */
struct sl_status sl_gnmi_value_parse(struct sl_str type, struct sl_str text,
                                     struct sl_gnmi_value *value) SL_MUST_CHECK;

#endif
