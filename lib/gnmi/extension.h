/* extension.h - the extensions of gNMI messages, as values: gnmi_ext.proto, and the documents
 * gnmi-{history,depth,master-arbitration,commit-confirmed,config-subscriptions}.md of
 * openconfig/reference.
 *
 * One form for those that are sent and those that are received. Strings are borrowed: of an
 * extension that was read, from its message.
 */
#ifndef SLUICE_GNMI_EXTENSION_H
#define SLUICE_GNMI_EXTENSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/str.h"
#include "gnmi.pb-c.h"
#include "gnmi/response.h"

enum sl_gnmi_extension_kind {
    SL_GNMI_UNKNOWN_EXTENSION, /* received alone: to be ignored */
    SL_GNMI_REGISTERED,
    SL_GNMI_ARBITRATION, /* Set */
    SL_GNMI_SNAPSHOT,    /* Subscribe ONCE: the past */
    SL_GNMI_RANGE,       /* Subscribe STREAM: likewise */
    SL_GNMI_COMMIT,      /* Set, as the four below */
    SL_GNMI_COMMIT_CONFIRM,
    SL_GNMI_COMMIT_CANCEL,
    SL_GNMI_COMMIT_ROLLBACK, /* sets the rollback duration anew */
    SL_GNMI_DEPTH,           /* Get and Subscribe */
    SL_GNMI_CONFIG_START,    /* Subscribe */
    SL_GNMI_CONFIG_DONE,     /* in its responses */
};

struct sl_gnmi_extension {
    enum sl_gnmi_extension_kind kind;
    union {
        struct {
            uint32_t id;
            struct sl_str message;
        } registered;
        struct {
            const char *role; /* NULL: the default role */
            uint64_t high;    /* of the election id */
            uint64_t low;
        } arbitration;
        int64_t snapshot_ns; /* since 1970 */
        struct {
            int64_t start_ns;
            int64_t end_ns; /* not included */
        } range;
        struct {
            const char *id;
            int64_t rollback_ns; /* of COMMIT and COMMIT_ROLLBACK; 0: as the target has it */
        } commit;
        uint32_t depth; /* 0: any */
        struct {
            const char *commit_confirm_id;
            const char *server_commit_id;
            bool done;
        } config_done;
    } of;
};

/* The message, to be freed with gnmi_ext__extension__free_unpacked(message, NULL). NULL when memory
 * is out. */
GnmiExt__Extension *sl_gnmi_extension_new(const struct sl_gnmi_extension *extension) SL_MUST_CHECK;

/* What a message says; `extension` borrows from it. */
void sl_gnmi_extension_read(const GnmiExt__Extension *message, struct sl_gnmi_extension *extension);

/* The next extension of a response, as the bytes of its message; false at the end. The cursor
 * begins at sl_gnmi_extensions_begin. */
struct sl_gnmi_cursor sl_gnmi_extensions_begin(const struct sl_gnmi_response *response);
bool sl_gnmi_next_extension(struct sl_gnmi_cursor *cursor, struct sl_str *bytes);

#endif
