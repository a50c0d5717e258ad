/* vendor.h - what is known of devices by who made them: what their gNMI takes, and what they send
 * otherwise than the specification says.
 *
 * One table, a row for each vendor; `generic` is the specification. A row is a statement about most
 * releases: it may make a request more careful than a newer one needs, and what it does to a
 * request or to a response has a name (enum sl_gnmi_workaround), which metrics and the log tell
 * while it is in force.
 *
 * What a device says of itself (Capabilities) tells which row is its own, and which of the
 * encodings it has. Bytes in, values out: who asks is lib/target.
 */
#ifndef SLUICE_GNMI_VENDOR_H
#define SLUICE_GNMI_VENDOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/request.h"

/* What is done otherwise for a device's sake. Those up to SL_GNMI_FEWER_PINGS change what we send,
 * the others what we make of what comes. */
enum sl_gnmi_workaround {
    SL_GNMI_OTHER_ENCODING,   /* the device has not the one that was asked for */
    SL_GNMI_NO_EMPTY_PREFIX,  /* a prefix with nothing in it is left out */
    SL_GNMI_ALWAYS_PREFIX,    /* where there would be no prefix an empty one is sent */
    SL_GNMI_ORIGIN_AS_MODULE, /* an origin becomes the module in front of the first element */
    SL_GNMI_LONGER_INTERVAL,  /* a sample interval below what the device takes is that */
    SL_GNMI_SHORTER_INTERVAL, /* likewise above */
    SL_GNMI_SAMPLED_INSTEAD,  /* TARGET_DEFINED is not there: SAMPLE */
    SL_GNMI_PATHS_ONCE,       /* a path that comes twice in a request goes out once */
    SL_GNMI_NO_MODELS,        /* use_models is left out */
    SL_GNMI_FEWER_PINGS,      /* keepalive.interval is the shortest that the device bears */

    SL_GNMI_DROPS_TIMELESS,  /* messages with the timestamp 0 are left out: they repeat others */
    SL_GNMI_RESTORES_TARGET, /* prefix.target is what was asked for, which the device leaves out */
    SL_GNMI_LIFTS_ORIGIN,    /* an origin in the paths of updates goes into the prefix */
    SL_GNMI_JOINS_NAMELESS,  /* an element without a name gives its keys to the one before */
    SL_GNMI_DROPS_INTERNAL,  /* leaves named __like_this__ are left out */
    SL_GNMI_DROPS_UNASKED,   /* updates of paths that nobody asked for are left out */
    SL_GNMI_COUNTS_SEQUENCE, /* the vendor's header in each message is read, gaps are counted */
    SL_GNMI_DROPS_EMPTY,     /* updates with neither path nor value are left out */
    SL_GNMI_DOUBTS_TIME,     /* timestamps are not believed: the time of receipt counts */
    SL_GNMI_EXPECTS_MS,      /* timestamps are in milliseconds: records have nanoseconds */
    SL_GNMI_EXPECTS_KEEPALIVE, /* empty responses are a keepalive: counted, and nothing else */
    SL_GNMI_UNWRAPS_STATUS, /* a status whose text names another code (\"code = ResourceExhausted\")
                               is that one */
};

enum { SL_GNMI_WORKAROUNDS = SL_GNMI_UNWRAPS_STATUS + 1 };

const char *sl_gnmi_workaround_name(enum sl_gnmi_workaround workaround); /* "other-encoding" */

#define SL_GNMI_WORK(name) (UINT32_C(1) << SL_GNMI_##name)

enum { SL_GNMI_ENCODINGS = 5, SL_GNMI_MAX_KNOWN_BY = 5, SL_GNMI_SAMPLED_INSTEAD_S = 10 };

struct sl_gnmi_vendor {
    const char *name;

    /* How Capabilities show it: beginnings of a model's name or organization. The vendor with the
     * most models that begin so is it, of equals the first in the table. */
    const char *known_by[SL_GNMI_MAX_KNOWN_BY];

    /* The encodings that Subscribe really serves, best first: where leaves come one by one with
     * their types, those; where PROTO is opaque or missing, the JSON that keeps 64-bit numbers. */
    uint8_t encodings[SL_GNMI_ENCODINGS];
    uint8_t encoding_count;

    /* What is always done to requests (of SL_GNMI_NO_EMPTY_PREFIX to SL_GNMI_NO_MODELS, where it
     * applies) and to responses. A set of SL_GNMI_WORK. */
    uint32_t workarounds;

    /* Subscribe is refused without prefix.target (SONiC: the name of a database): a subscription
     * that names none is told so in the log. */
    bool needs_target;

    /* PINGs more often than this end the connection (grpc-go and gRPC's C core: 5 minutes). 0: it
     * is not known. */
    uint32_t min_ping_s;

    /* What a SAMPLE may ask for; 0: anything. */
    uint32_t min_sample_s;
    uint32_t max_sample_s;

    /* Devices whose model named `dated_by` is older than this (its version is a date) have no
     * TARGET_DEFINED, which becomes a SAMPLE each SL_GNMI_SAMPLED_INSTEAD_S; NULL: all have. */
    const char *dated_by;
    const char *target_defined_since;

    /* How many of these a device bears; 0: it is not known. */
    uint32_t max_sessions; /* connections, of all collectors */
    uint32_t max_rpcs;     /* Subscribe calls at once */
    uint32_t max_paths;    /* in one Subscribe call */
};

/* Ends with a NULL name; the last row is `generic`. */
extern const struct sl_gnmi_vendor sl_gnmi_vendors[];

/* NULL: there is none of that name. */
const struct sl_gnmi_vendor *sl_gnmi_vendor_find(struct sl_str name);
const struct sl_gnmi_vendor *sl_gnmi_vendor_generic(void);

/* What a status of the device's means, with these workarounds in force. */
void sl_gnmi_unwrap_status(uint32_t workarounds, struct sl_status *status);

/* ---- what a device says of itself ---- */

enum { SL_GNMI_MAX_VERSION_BYTES = 32 };

struct sl_gnmi_capabilities {
    const struct sl_gnmi_vendor *vendor;     /* by its models; `generic` where none tells */
    uint32_t models;                         /* how many it has */
    uint32_t encodings;                      /* a set: bit 1 << enum sl_gnmi_encoding */
    bool lacks_target_defined;               /* by the date of a model */
    char version[SL_GNMI_MAX_VERSION_BYTES]; /* gNMI_version, cut off where it is too long; what is
                                                not printable is '?' */
};

/* Reads the bytes of a CapabilityResponse where they lie. Bytes that are none give a device of
 * which nothing is known. */
void sl_gnmi_capabilities_read(struct sl_str message, struct sl_gnmi_capabilities *capabilities);

/* ---- what follows for requests ---- */

/* One device, as requests to it go by. */
struct sl_gnmi_profile {
    const struct sl_gnmi_vendor *vendor;
    uint32_t encodings;        /* as in struct sl_gnmi_capabilities; 0: nobody asked */
    bool lacks_target_defined; /* likewise */
};

/* A profile of which nothing but the vendor is known. */
struct sl_gnmi_profile sl_gnmi_profile_of(const struct sl_gnmi_vendor *vendor);

/* The encoding for a device: `asked` where vendor and device have it, else (and for
 * SL_GNMI_AUTO_ENCODING) the vendor's best that the device has, else the device's first. A device
 * that says of none is believed to have the vendor's. */
enum sl_gnmi_encoding sl_gnmi_profile_encoding(const struct sl_gnmi_profile *profile, int asked);

const char *sl_gnmi_encoding_name(enum sl_gnmi_encoding encoding); /* "json_ietf" */

#endif
