#include "device/dialect.h"

#include <stdio.h>
#include <string.h>

#define WITH(encoding) (UINT32_C(1) << GNMI__ENCODING__##encoding)

/* ---- what is refused ---- */

static struct sl_status refuse(enum sl_code code, const char *why)
{
    return sl_status_error(code, "%s", why);
}

static bool is_wild_elem(const Gnmi__PathElem *elem)
{
    bool is_wild = strcmp(elem->name, "*") == 0 || strcmp(elem->name, "...") == 0;

    for (size_t i = 0; i < elem->n_key; i++) {
        is_wild = is_wild || strcmp(elem->key[i]->value, "*") == 0;
    }
    return is_wild;
}

static bool is_wild(const Gnmi__Path *path)
{
    for (size_t i = 0; path && i < path->n_elem; i++) {
        if (is_wild_elem(path->elem[i])) {
            return true;
        }
    }
    return false;
}

static bool is_empty(const Gnmi__Path *path)
{
    return path->n_elem == 0 && !*path->origin && !*path->target;
}

/* An image before 10.2(1): no TARGET_DEFINED either. */
static struct sl_status check_nx_os(const Gnmi__SubscriptionList *list)
{
    const uint64_t second = (uint64_t)SL_NS_PER_S;

    if (list->n_use_models > 0) {
        return refuse(SL_UNIMPLEMENTED, "use_models is not supported");
    }
    for (size_t i = 0; i < list->n_subscription; i++) {
        const Gnmi__Subscription *asked = list->subscription[i];
        uint64_t interval = asked->sample_interval;

        if (asked->mode == GNMI__SUBSCRIPTION_MODE__TARGET_DEFINED) {
            return refuse(SL_INVALID_ARGUMENT, "TARGET_DEFINED is not supported");
        }
        if (interval > 0 && (interval < second || interval > 604800 * second)) {
            return refuse(SL_INVALID_ARGUMENT, "sample_interval: 1 to 604800 seconds");
        }
        if (is_wild(asked->path)) {
            return refuse(SL_INVALID_ARGUMENT, "wildcards are not supported");
        }
    }
    return sl_status_ok();
}

static size_t pack_path(const Gnmi__Path *path, uint8_t *bytes, size_t room)
{
    size_t size = path ? gnmi__path__get_packed_size(path) : 0;

    return size > 0 && size <= room ? gnmi__path__pack(path, bytes) : 0;
}

static struct sl_status check_sros(const Gnmi__SubscriptionList *list)
{
    uint8_t one[512];
    uint8_t other[512];

    for (size_t i = 0; i < list->n_subscription; i++) {
        size_t len = pack_path(list->subscription[i]->path, one, sizeof(one));

        for (size_t j = 0; j < i && len > 0; j++) {
            if (pack_path(list->subscription[j]->path, other, sizeof(other)) == len &&
                memcmp(one, other, len) == 0) {
                return refuse(SL_INVALID_ARGUMENT, "duplicate path in the subscription list");
            }
        }
    }
    return sl_status_ok();
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static struct sl_status check_sonic(const Gnmi__SubscriptionList *list)
{
    if (!list->prefix) {
        return refuse(SL_INVALID_ARGUMENT, "request must contain a prefix");
    }
    if (!ends_with(list->prefix->target, "_DB")) {
        return refuse(SL_INVALID_ARGUMENT, "prefix.target must be the name of a database");
    }
    return sl_status_ok();
}

static struct sl_status check_huawei(const Gnmi__SubscriptionList *list)
{
    if (list->prefix && is_empty(list->prefix)) {
        return refuse(SL_INVALID_ARGUMENT, "prefix must not be empty");
    }
    if (list->prefix && *list->prefix->origin) {
        return refuse(SL_INVALID_ARGUMENT, "origin is not supported");
    }
    for (size_t i = 0; i < list->n_subscription; i++) {
        if (list->subscription[i]->path && *list->subscription[i]->path->origin) {
            return refuse(SL_INVALID_ARGUMENT, "origin is not supported");
        }
    }
    return sl_status_ok();
}

/* ---- the table ---- */

#define INTERFACES(rest)                                                                           \
    "\"interfaces\":{\"interface\":["                                                              \
    "{\"name\":\"eth0\",\"config\":{\"name\":\"eth0\",\"mtu\":9000},"                              \
    "\"state\":{\"name\":\"eth0\",\"oper-status\":\"UP\",\"counters\":"                            \
    "{\"in-octets\":9007199254740993,\"out-octets\":4096}}},"                                      \
    "{\"name\":\"eth1\",\"config\":{\"name\":\"eth1\",\"mtu\":1500},"                              \
    "\"state\":{\"name\":\"eth1\",\"oper-status\":\"DOWN\",\"counters\":"                          \
    "{\"in-octets\":18446744073709551615,\"out-octets\":0}}}]}" rest
#define SYSTEM ",\"system\":{\"state\":{\"hostname\":\"sim\",\"boot-time\":1700000000}}"

const struct sl_device_dialect sl_device_dialects[] = {
    {.name = "arista-eos",
     .doc =
         "a message for each leaf, without a prefix, each with its own time; origins eos_native\n"
         "(keys as bare elements with / and :) and cli (a command with blanks)",
     .gnmi_version = "0.7.0",
     .models = {{"arista-exp-eos", "Arista Networks, Inc.", "2020-06-30"},
                {"openconfig-interfaces", "OpenConfig working group", "2.4.3"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__ASCII,
                   GNMI__ENCODING__PROTO},
     .encoding_count = 4,
     .data = "{" INTERFACES(SYSTEM) ",\"eos_native:/Sysdb/interface\":{\"status\":{"
                                    "\"Ethernet3/1\":{\"speed\":100,\"mac\":{\"00:1c:73:00:00:01\":"
                                    "{\"up\":true}}}}},\"cli:/show version\":\"EOS 4.30\"}",
     .dress = sl_device_dress_arista},
    {.name = "cisco-ios-xr",
     .doc = "a prefix with the origin alone; prefix.target is not said back; JSON is refused;\n"
            "times of whole milliseconds; behind each message one more with the time 0",
     .gnmi_version = "0.4.0",
     .models = {{"Cisco-IOS-XR-ifmgr-oper", "Cisco Systems, Inc.", "2015-07-30"},
                {"openconfig-interfaces", "OpenConfig working group", "2.0.0"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__PROTO,
                   GNMI__ENCODING__ASCII},
     .encoding_count = 4,
     .data = "{" INTERFACES(SYSTEM) ",\"Cisco-IOS-XR-ifmgr-oper:/interface-properties\":{"
                                    "\"data-nodes\":{\"mtu\":1514}}}",
     .refused_encodings = WITH(JSON) | WITH(ASCII) | WITH(BYTES),
     .max_rpcs = 10,
     .too_many_code = SL_RESOURCE_EXHAUSTED,
     .too_many_text = "max-request-per-user",
     .dress = sl_device_dress_xr},
    {.name = "cisco-ios-xe",
     .doc = "no prefix; JSON_IETF alone, all that a path names as one value, 64-bit numbers as\n"
            "strings; the module in front of the first element; floats as base64 of 4 bytes",
     .gnmi_version = "0.4.0",
     .models = {{"Cisco-IOS-XE-native", "Cisco Systems, Inc.", "2020-11-01"},
                {"openconfig-interfaces", "OpenConfig working group", "2.0.0"}},
     .encodings = {GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__JSON},
     .encoding_count = 2,
     .data = "{" INTERFACES(SYSTEM) ",\"components\":{\"component\":[{\"name\":\"psu0\",\"state\":{"
                                    "\"name\":\"psu0\",\"temperature\":{\"instant\":"
                                    "\"QiYAAA==\"}}}]}}",
     .refused_encodings = WITH(PROTO) | WITH(ASCII) | WITH(BYTES),
     .is_nested = true,
     .dress = sl_device_dress_xe},
    {.name = "cisco-nx-os",
     .doc =
         "empty responses as a keepalive; 8 calls at once; no use_models, no TARGET_DEFINED, no\n"
         "wildcards; sample intervals of 1 to 604800 s; JSON and PROTO",
     .gnmi_version = "0.5.0",
     .models = {{"Cisco-NX-OS-device", "Cisco Systems, Inc.", "2020-07-20"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__PROTO},
     .encoding_count = 2,
     .data = "{" INTERFACES(SYSTEM) "}",
     .refused_encodings = WITH(JSON_IETF) | WITH(ASCII) | WITH(BYTES),
     .max_rpcs = 8,
     .too_many_code = SL_RESOURCE_EXHAUSTED,
     .too_many_text = "the maximum of concurrent calls is 8",
     .keepalive_ms = 600 * 1000,
     .check = check_nx_os},
    {.name = "juniper",
     .doc = "a header with a sequence number in each message; elements without a name that have "
            "the\n"
            "keys; leaves named __timestamp__; data that nobody asked for; nothing at all for\n"
            "another encoding than PROTO; OUT_OF_RANGE beyond 5 calls; no origin, times of whole\n"
            "milliseconds",
     .gnmi_version = "0.7.0",
     .models = {{"junos-conf-root", "Juniper Networks, Inc.", "2019-01-01"},
                {"openconfig-interfaces", "OpenConfig working group", "2.4.3"}},
     .encodings = {GNMI__ENCODING__PROTO, GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF},
     .encoding_count = 3,
     .data = "{" INTERFACES(SYSTEM) "}",
     .silent_encodings = WITH(JSON) | WITH(JSON_IETF) | WITH(ASCII) | WITH(BYTES),
     .max_rpcs = 5,
     .too_many_code = SL_OUT_OF_RANGE,
     .too_many_text = "Maximum number of EOS subscribe requests",
     .dress = sl_device_dress_junos},
    {.name = "nokia-sros",
     .doc = "the same path twice in a request is refused; one notification for all; PROTO as "
            "proto_bytes;\n"
            "64-bit numbers as strings in JSON; a leaf of two types",
     .gnmi_version = "0.7.0",
     .models = {{"nokia-conf", "Nokia", "22.10.R1"},
                {"nokia-state", "Nokia", "22.10.R1"},
                {"openconfig-interfaces", "OpenConfig working group", "2.0.0"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__BYTES, GNMI__ENCODING__PROTO,
                   GNMI__ENCODING__JSON_IETF},
     .encoding_count = 4,
     .data = "{" INTERFACES(SYSTEM) ",\"state\":{\"port\":[{\"port-id\":\"1/1/1\",\"speed\":"
                                    "\"auto\"}]}}",
     .max_rpcs = 225,
     .too_many_code = SL_RESOURCE_EXHAUSTED,
     .too_many_text = "no more channels",
     .is_bundled = true,
     .check = check_sros,
     .dress = sl_device_dress_sros},
    {.name = "nokia-srl",
     .doc =
         "the origin in the path of each update; JSON_IETF, all that a path names as one value;\n"
         "modules in front of elements and identities (origin native)",
     .gnmi_version = "0.10.0",
     .models = {{"urn:srl/general:srl_nokia-interfaces", "Nokia", "2023-10-31"},
                {"openconfig-interfaces", "OpenConfig working group", "2.4.3"}},
     .encodings = {GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__ASCII, GNMI__ENCODING__PROTO},
     .encoding_count = 3,
     .data =
         "{" INTERFACES(SYSTEM) ",\"native:/srl_nokia-interfaces:interface[name=ethernet-1/1]\":"
                                "{\"oper-state\":\"srl_nokia-common:up\","
                                "\"srl_nokia-if-stats:statistics\":{\"in-octets\":"
                                "9007199254740993}}}",
     .refused_encodings = WITH(JSON) | WITH(BYTES),
     .is_nested = true,
     .dress = sl_device_dress_srl},
    {.name = "sonic",
     .doc =
         "prefix.target has to be the name of a database (COUNTERS_DB); whole tables as one value "
         "of\n"
         "JSON_IETF; times of 1970, of seconds, of the future; too many calls are "
         "INVALID_ARGUMENT",
     .gnmi_version = "0.7.0",
     .models = {{"sonic-db", "SONiC", "0.1.0"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF},
     .encoding_count = 2,
     .data = "{\"COUNTERS\":{\"Ethernet0\":{\"SAI_PORT_STAT_IF_IN_OCTETS\":\"4096\","
             "\"SAI_PORT_STAT_IF_OUT_OCTETS\":\"0\"},\"Ethernet4\":{"
             "\"SAI_PORT_STAT_IF_IN_OCTETS\":\"9007199254740993\"}}}",
     .refused_encodings = WITH(PROTO) | WITH(ASCII) | WITH(BYTES),
     .max_rpcs = 16,
     .too_many_code = SL_INVALID_ARGUMENT,
     .too_many_text = "rpc error: code = ResourceExhausted desc = too many clients",
     .is_nested = true,
     .check = check_sonic,
     .dress = sl_device_dress_sonic},
    {.name = "huawei",
     .doc =
         "an empty prefix and an origin are refused; the module in front of the first element; an "
         "update\n"
         "with nothing in it beside each delete; times in milliseconds; JSON and PROTO",
     .gnmi_version = "0.7.0",
     .models = {{"huawei-ifm", "Huawei Technologies Co., Ltd.", "2020-06-10"}},
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__PROTO},
     .encoding_count = 2,
     .data = "{" INTERFACES(SYSTEM) "}",
     .refused_encodings = WITH(JSON_IETF) | WITH(ASCII) | WITH(BYTES),
     .check = check_huawei,
     .dress = sl_device_dress_huawei},
    {.name = "generic",
     .doc = "no Capabilities; as Ciena: another origin than the one asked for, the module in front "
            "of each\n"
            "element, decimals of 18 digits",
     .encodings = {GNMI__ENCODING__JSON, GNMI__ENCODING__JSON_IETF, GNMI__ENCODING__PROTO},
     .encoding_count = 3,
     .data = "{" INTERFACES(SYSTEM) ",\"optics\":{\"power\":-2.5}}",
     .dress = sl_device_dress_generic},
    {.name = NULL},
};

const struct sl_device_dialect *sl_device_dialect_find(const char *name)
{
    for (const struct sl_device_dialect *dialect = sl_device_dialects; dialect->name; dialect++) {
        if (strcmp(dialect->name, name) == 0) {
            return dialect;
        }
    }
    return NULL;
}

struct sl_status sl_device_dialect_check(const struct sl_device_dialect *dialect,
                                         const Gnmi__SubscriptionList *list, uint32_t rpcs,
                                         uint32_t max_rpcs)
{
    uint32_t most = max_rpcs > 0 ? max_rpcs : dialect->max_rpcs;

    if (most > 0 && rpcs >= most) {
        return refuse(dialect->too_many_code ? dialect->too_many_code : SL_RESOURCE_EXHAUSTED,
                      dialect->too_many_text ? dialect->too_many_text : "too many calls");
    }
    if (dialect->refused_encodings >> list->encoding & 1) {
        return refuse(SL_UNIMPLEMENTED, "the encoding is not supported");
    }
    return dialect->check ? dialect->check(list) : sl_status_ok();
}

/* protobuf-c takes strings that it will not write to without const. */
static char *borrowed(const char *text)
{
    union {
        const char *given;
        char *taken;
    } pointer = {.given = text};

    return pointer.taken;
}

struct sl_status sl_device_dialect_capabilities(const struct sl_device_dialect *dialect,
                                                struct sl_buf *out)
{
    Gnmi__CapabilityResponse response = GNMI__CAPABILITY_RESPONSE__INIT;
    Gnmi__ModelData models[SL_DEVICE_DIALECT_MODELS];
    Gnmi__ModelData *pointers[SL_DEVICE_DIALECT_MODELS];
    Gnmi__Encoding encodings[SL_DEVICE_DIALECT_ENCODINGS];
    size_t size;

    if (!dialect->gnmi_version) {
        return refuse(SL_UNIMPLEMENTED, "Capabilities is not supported");
    }
    for (size_t i = 0; i < SL_DEVICE_DIALECT_MODELS && dialect->models[i].name; i++) {
        gnmi__model_data__init(&models[i]);
        models[i].name = borrowed(dialect->models[i].name);
        models[i].organization = borrowed(dialect->models[i].organization);
        models[i].version = borrowed(dialect->models[i].version);
        pointers[i] = &models[i];
        response.n_supported_models = i + 1;
    }
    memcpy(encodings, dialect->encodings, sizeof(encodings));
    response.supported_models = pointers;
    response.n_supported_encodings = dialect->encoding_count;
    response.supported_encodings = encodings;
    response.gnmi_version = borrowed(dialect->gnmi_version);
    size = gnmi__capability_response__get_packed_size(&response);
    if (!sl_buf_reserve(out, size)) {
        return sl_status_out_of_memory();
    }
    out->len += gnmi__capability_response__pack(&response, (uint8_t *)out->data + out->len);
    return sl_status_ok();
}
