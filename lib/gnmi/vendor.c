#include "gnmi/vendor.h"

#include <string.h>

#include "gnmi/wire.h"

/* Where a number has no note, it is from gnmi-field-notes.md or the vendor's own guide. */
const struct sl_gnmi_vendor sl_gnmi_vendors[] = {
    /* Leaf by leaf, prefix or none as it comes; `cli` and `eos_native` are origins like others. */
    {.name = "arista-eos",
     .known_by = {"arista-", "Arista Networks"},
     .encodings = {SL_GNMI_PROTO, SL_GNMI_JSON_IETF, SL_GNMI_JSON, SL_GNMI_ASCII},
     .encoding_count = 4,
     .min_ping_s = 300},
    /* JSON ends the stream with UNIMPLEMENTED. Stamps are of ms precision, in ns. 10 calls at once
     * is the default of max-request-per-user. */
    {.name = "cisco-ios-xr",
     .known_by = {"Cisco-IOS-XR-", "cisco-xr-openconfig-"},
     .encodings = {SL_GNMI_PROTO, SL_GNMI_JSON_IETF},
     .encoding_count = 2,
     .workarounds = SL_GNMI_WORK(DROPS_TIMELESS) | SL_GNMI_WORK(RESTORES_TARGET),
     .min_ping_s = 300,
     .max_rpcs = 10},
    /* PROTO came late; a subtree is one value. */
    {.name = "cisco-ios-xe",
     .known_by = {"Cisco-IOS-XE-", "cisco-xe-openconfig-"},
     .encodings = {SL_GNMI_JSON_IETF, SL_GNMI_JSON, SL_GNMI_PROTO},
     .encoding_count = 3,
     .workarounds = SL_GNMI_WORK(RESTORES_TARGET),
     .min_ping_s = 300},
    /* gNMI 0.5.0: no use_models; TARGET_DEFINED since 10.2(1), of August 2021. */
    {.name = "cisco-nx-os",
     .known_by = {"Cisco-NX-OS-", "cisco-nx-openconfig-"},
     .encodings = {SL_GNMI_PROTO, SL_GNMI_JSON},
     .encoding_count = 2,
     .workarounds = SL_GNMI_WORK(NO_MODELS) | SL_GNMI_WORK(EXPECTS_KEEPALIVE),
     .min_ping_s = 300,
     .min_sample_s = 1,
     .max_sample_s = 604800,
     .dated_by = "Cisco-NX-OS-device",
     .target_defined_since = "2021-08",
     .max_rpcs = 8},
    /* Other encodings are listed and bring nothing, without a word. Each subscription counts
     * against a maximum of Subscribe requests; 5 connections by default. */
    {.name = "juniper",
     .known_by = {"junos-", "jnx-", "Juniper Networks"},
     .encodings = {SL_GNMI_PROTO},
     .encoding_count = 1,
     .workarounds = SL_GNMI_WORK(JOINS_NAMELESS) | SL_GNMI_WORK(DROPS_INTERNAL) |
                    SL_GNMI_WORK(DROPS_UNASKED) | SL_GNMI_WORK(COUNTS_SEQUENCE),
     .min_ping_s = 300,
     .max_sessions = 5,
     .max_rpcs = 5},
    /* Before Nokia's other: both are of "Nokia". */
    {.name = "nokia-srl",
     .known_by = {"srl_nokia-", "urn:srl/", "urn:nokia.com:srlinux:"},
     .encodings = {SL_GNMI_JSON_IETF, SL_GNMI_PROTO, SL_GNMI_ASCII},
     .encoding_count = 3,
     .workarounds = SL_GNMI_WORK(LIFTS_ORIGIN),
     .min_ping_s = 300,
     .max_sessions = 20},
    /* PROTO is proto_bytes of a schema that changes with each release; JSON keeps 64-bit numbers as
     * strings. */
    {.name = "nokia-sros",
     .known_by = {"nokia-conf", "nokia-state", "nokia-li-", "nokia-sr-"},
     .encodings = {SL_GNMI_JSON, SL_GNMI_JSON_IETF, SL_GNMI_BYTES, SL_GNMI_PROTO},
     .encoding_count = 4,
     .workarounds = SL_GNMI_WORK(PATHS_ONCE),
     .min_ping_s = 300,
     .max_sessions = 8,
     .max_rpcs = 225,
     .max_paths = 14400},
    /* Whole tables at a time; the images' clocks are not to be relied on. */
    {.name = "sonic",
     .known_by = {"sonic-", "SONiC"},
     .encodings = {SL_GNMI_JSON_IETF, SL_GNMI_JSON, SL_GNMI_PROTO},
     .encoding_count = 3,
     .workarounds =
         SL_GNMI_WORK(ALWAYS_PREFIX) | SL_GNMI_WORK(DOUBTS_TIME) | SL_GNMI_WORK(UNWRAPS_STATUS),
     .needs_target = true,
     .min_ping_s = 300},
    /* An empty prefix and an origin are refused; the module stands in front of the first element.
     */
    {.name = "huawei",
     .known_by = {"huawei-", "Huawei"},
     .encodings = {SL_GNMI_JSON, SL_GNMI_PROTO},
     .encoding_count = 2,
     .workarounds = SL_GNMI_WORK(NO_EMPTY_PREFIX) | SL_GNMI_WORK(ORIGIN_AS_MODULE) |
                    SL_GNMI_WORK(DROPS_EMPTY) | SL_GNMI_WORK(EXPECTS_MS)},
    /* What the specification says, and who has no row: Ciena, OcNOS, Cumulus, simulators. */
    {.name = "generic",
     .encodings = {SL_GNMI_PROTO, SL_GNMI_JSON_IETF, SL_GNMI_JSON, SL_GNMI_ASCII, SL_GNMI_BYTES},
     .encoding_count = 5},
    {.name = NULL},
};

enum { VENDORS = SL_ARRAY_LEN(sl_gnmi_vendors) - 1 };

const char *sl_gnmi_workaround_name(enum sl_gnmi_workaround workaround)
{
    static const char *const names[SL_GNMI_WORKAROUNDS] = {
        [SL_GNMI_OTHER_ENCODING] = "other-encoding",
        [SL_GNMI_NO_EMPTY_PREFIX] = "no-empty-prefix",
        [SL_GNMI_ALWAYS_PREFIX] = "always-prefix",
        [SL_GNMI_ORIGIN_AS_MODULE] = "origin-as-module",
        [SL_GNMI_LONGER_INTERVAL] = "longer-interval",
        [SL_GNMI_SHORTER_INTERVAL] = "shorter-interval",
        [SL_GNMI_SAMPLED_INSTEAD] = "sampled-instead",
        [SL_GNMI_PATHS_ONCE] = "paths-once",
        [SL_GNMI_NO_MODELS] = "no-models",
        [SL_GNMI_FEWER_PINGS] = "fewer-pings",
        [SL_GNMI_DROPS_TIMELESS] = "drops-timeless",
        [SL_GNMI_RESTORES_TARGET] = "restores-target",
        [SL_GNMI_LIFTS_ORIGIN] = "lifts-origin",
        [SL_GNMI_JOINS_NAMELESS] = "joins-nameless",
        [SL_GNMI_DROPS_INTERNAL] = "drops-internal",
        [SL_GNMI_DROPS_UNASKED] = "drops-unasked",
        [SL_GNMI_COUNTS_SEQUENCE] = "counts-sequence",
        [SL_GNMI_DROPS_EMPTY] = "drops-empty",
        [SL_GNMI_DOUBTS_TIME] = "doubts-time",
        [SL_GNMI_EXPECTS_MS] = "expects-ms",
        [SL_GNMI_EXPECTS_KEEPALIVE] = "expects-keepalive",
        [SL_GNMI_UNWRAPS_STATUS] = "unwraps-status",
    };

    SL_ASSERT((unsigned)workaround < SL_GNMI_WORKAROUNDS);
    return names[workaround];
}

const struct sl_gnmi_vendor *sl_gnmi_vendor_find(struct sl_str name)
{
    for (size_t i = 0; i < VENDORS; i++) {
        if (sl_str_eq_c(name, sl_gnmi_vendors[i].name)) {
            return &sl_gnmi_vendors[i];
        }
    }
    return NULL;
}

const struct sl_gnmi_vendor *sl_gnmi_vendor_generic(void)
{
    return &sl_gnmi_vendors[VENDORS - 1];
}

void sl_gnmi_unwrap_status(uint32_t workarounds, struct sl_status *status)
{
    if ((workarounds & SL_GNMI_WORK(UNWRAPS_STATUS)) && status->code == SL_INVALID_ARGUMENT &&
        strstr(status->text, "ResourceExhausted")) {
        status->code = SL_RESOURCE_EXHAUSTED;
    }
}

/* ---- Capabilities ---- */

struct model {
    struct sl_str name;
    struct sl_str organization;
    struct sl_str version;
};

static void read_model(struct sl_str bytes, struct model *model)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    *model = (struct model){.name = {NULL, 0}};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            model->name = field.bytes;
        } else if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            model->organization = field.bytes;
        } else if (sl_wire_is(&field, 3, SL_WIRE_BYTES)) {
            model->version = field.bytes;
        }
    }
}

static bool is_by(const struct sl_gnmi_vendor *vendor, const struct model *model)
{
    for (size_t i = 0; i < SL_GNMI_MAX_KNOWN_BY && vendor->known_by[i]; i++) {
        struct sl_str beginning = sl_str_from(vendor->known_by[i]);
        if (sl_str_starts_with(model->name, beginning) ||
            sl_str_starts_with(model->organization, beginning)) {
            return true;
        }
    }
    return false;
}

/* Whether a date, as YYYY-MM-DD, is before another one, of which the end may be missing. */
static bool is_before(struct sl_str date, const char *since)
{
    struct sl_str limit = sl_str_from(since);

    return date.len >= limit.len && date.data[0] == '2' && memcmp(date.data, since, limit.len) < 0;
}

static void count_model(struct sl_str bytes, uint32_t counts[VENDORS],
                        struct sl_gnmi_capabilities *capabilities)
{
    struct model model;

    read_model(bytes, &model);
    capabilities->models++;
    for (size_t i = 0; i < VENDORS; i++) {
        const struct sl_gnmi_vendor *vendor = &sl_gnmi_vendors[i];

        counts[i] += is_by(vendor, &model);
        if (vendor->dated_by && sl_str_eq_c(model.name, vendor->dated_by)) {
            capabilities->lacks_target_defined =
                is_before(model.version, vendor->target_defined_since);
        }
    }
}

static void add_encoding(struct sl_gnmi_capabilities *capabilities, uint64_t encoding)
{
    if (encoding < SL_GNMI_ENCODINGS) {
        capabilities->encodings |= UINT32_C(1) << encoding;
    }
}

/* One number, or packed as many. */
static void read_encodings(const struct sl_wire_field *field,
                           struct sl_gnmi_capabilities *capabilities)
{
    struct sl_wire packed;
    uint64_t value;

    if (field->type == SL_WIRE_VARINT) {
        add_encoding(capabilities, field->value);
    }
    if (field->type != SL_WIRE_BYTES) {
        return;
    }
    packed = sl_wire_of(field->bytes);
    while (packed.at < packed.end && sl_wire_varint(&packed, &value)) {
        add_encoding(capabilities, value);
    }
}

static void read_version(struct sl_str text, struct sl_gnmi_capabilities *capabilities)
{
    size_t len = sl_min_size(text.len, sizeof(capabilities->version) - 1);

    for (size_t i = 0; i < len; i++) {
        char byte = text.data[i];
        capabilities->version[i] = byte > ' ' && byte <= '~' ? byte : '?';
    }
    capabilities->version[len] = '\0';
}

void sl_gnmi_capabilities_read(struct sl_str message, struct sl_gnmi_capabilities *capabilities)
{
    struct sl_wire wire = sl_wire_of(message);
    struct sl_wire_field field;
    uint32_t counts[VENDORS] = {0};
    size_t best = VENDORS - 1;

    *capabilities = (struct sl_gnmi_capabilities){.models = 0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            count_model(field.bytes, counts, capabilities);
        } else if (field.number == 2) {
            read_encodings(&field, capabilities);
        } else if (sl_wire_is(&field, 3, SL_WIRE_BYTES)) {
            read_version(field.bytes, capabilities);
        }
    }
    for (size_t i = VENDORS - 1; i-- > 0;) {
        best = counts[i] > 0 && counts[i] >= counts[best] ? i : best;
    }
    capabilities->vendor = &sl_gnmi_vendors[best];
    capabilities->lacks_target_defined =
        capabilities->lacks_target_defined && capabilities->vendor->dated_by;
}

/* ---- what follows ---- */

struct sl_gnmi_profile sl_gnmi_profile_of(const struct sl_gnmi_vendor *vendor)
{
    return (struct sl_gnmi_profile){.vendor = vendor};
}

static bool has_encoding(const struct sl_gnmi_profile *profile, int encoding)
{
    return profile->encodings == 0 || (profile->encodings >> encoding & 1);
}

enum sl_gnmi_encoding sl_gnmi_profile_encoding(const struct sl_gnmi_profile *profile, int asked)
{
    const struct sl_gnmi_vendor *vendor = profile->vendor;
    int best = SL_GNMI_AUTO_ENCODING;

    for (size_t i = 0; i < vendor->encoding_count; i++) {
        int encoding = vendor->encodings[i];

        if (has_encoding(profile, encoding) &&
            (best == SL_GNMI_AUTO_ENCODING || encoding == asked)) {
            best = encoding;
        }
    }
    for (int i = 0; best == SL_GNMI_AUTO_ENCODING && i < SL_GNMI_ENCODINGS; i++) {
        best = profile->encodings >> i & 1 ? i : best;
    }
    SL_ASSERT(best != SL_GNMI_AUTO_ENCODING);
    return (enum sl_gnmi_encoding)best;
}

const char *sl_gnmi_encoding_name(enum sl_gnmi_encoding encoding)
{
    static const char *const names[] = {"json", "bytes", "proto", "ascii", "json_ietf", "auto"};

    SL_ASSERT((size_t)encoding < SL_ARRAY_LEN(names));
    return names[encoding];
}
