/* dialect.h - devices of a vendor, as `sluice sim --vendor` plays them: what they say of
 * themselves, what they refuse, and how they write what they send.
 *
 * A row for each vendor, and small functions for what is odd in it: the oddities that collectors
 * meet in the field, so that it can be tested that the records come out right. Subscribe is always
 * that of the data tree (watch.h).
 */
#ifndef SLUICE_DEVICE_DIALECT_H
#define SLUICE_DEVICE_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "device/device.h"
#include "gnmi.pb-c.h"

struct sl_device_dress;

enum { SL_DEVICE_DIALECT_MODELS = 3, SL_DEVICE_DIALECT_ENCODINGS = 5 };

struct sl_device_dialect {
    const char *name; /* as in gnmi/vendor.h */
    const char *doc;  /* what is odd, for --help */

    /* Capabilities; without a version they are UNIMPLEMENTED. */
    const char *gnmi_version;
    struct {
        const char *name;
        const char *organization;
        const char *version;
    } models[SL_DEVICE_DIALECT_MODELS];
    Gnmi__Encoding encodings[SL_DEVICE_DIALECT_ENCODINGS];
    size_t encoding_count;

    const char *data; /* what the device has, where nobody gives other data: tree_json.h */

    /* Encodings that are listed and not served: refused, or nothing is ever sent for them. */
    uint32_t refused_encodings; /* a set of 1 << Gnmi__Encoding */
    uint32_t silent_encodings;

    /* Beyond that many Subscribe calls at once, over all connections; 0: any. */
    uint32_t max_rpcs;
    enum sl_code too_many_code;
    const char *too_many_text;

    uint64_t keepalive_ms; /* empty responses; 0: none */
    bool is_nested;        /* JSON: all that a path names is one value */
    bool is_bundled;       /* a round is one notification, however long */

    /* What else is refused; NULL: nothing. */
    struct sl_status (*check)(const Gnmi__SubscriptionList *list);

    /* Hands over what becomes of one notification, by sl_device_dress_emit; NULL: itself. May
     * change it. */
    void (*dress)(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
};

/* Ends with a NULL name. */
extern const struct sl_device_dialect sl_device_dialects[];

/* NULL: there is none of that name. */
const struct sl_device_dialect *sl_device_dialect_find(const char *name);

/* Whether the request may be served; `rpcs` are open already, at most `max_rpcs` at once (0: as the
 * dialect has it). */
struct sl_status sl_device_dialect_check(const struct sl_device_dialect *dialect,
                                         const Gnmi__SubscriptionList *list, uint32_t rpcs,
                                         uint32_t max_rpcs) SL_MUST_CHECK;

/* Appends the CapabilityResponse. */
struct sl_status sl_device_dialect_capabilities(const struct sl_device_dialect *dialect,
                                                struct sl_buf *out) SL_MUST_CHECK;

/* The functions of the table, by vendor: dialect_dress.c. */
void sl_device_dress_arista(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_xr(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_xe(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_junos(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_sros(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_srl(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_sonic(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_huawei(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);
void sl_device_dress_generic(struct sl_device_dress *dress, Gnmi__SubscribeResponse *response);

#endif
