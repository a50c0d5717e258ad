#include "target/options.h"

#include <stddef.h>

#include "base/base.h"
#include "net/proxy.h"

#define AT(field) offsetof(struct sl_target_options, field)

static const struct sluice_option backoff_table[] = {
    {.name = "min",
     .type = SLUICE_DURATION,
     .offset = AT(backoff.min_ns),
     .default_text = "1s",
     .min = SL_NS_PER_MS,
     .max = 3600 * SL_NS_PER_S,
     .doc = "The first wait is drawn from 0 to this."},
    {.name = "max",
     .type = SLUICE_DURATION,
     .offset = AT(backoff.max_ns),
     .default_text = "60s",
     .min = SL_NS_PER_MS,
     .max = 3600 * SL_NS_PER_S,
     .doc = "No wait is longer."},
    {.name = NULL},
};

static const struct sluice_option quarantine_table[] = {
    {.name = "retry",
     .type = SLUICE_DURATION,
     .offset = AT(quarantine.retry_ns),
     .default_text = "10m",
     .min = 100 * SL_NS_PER_MS,
     .max = INT64_C(24) * 3600 * SL_NS_PER_S,
     .doc = "Until such a path is tried for the first time; then each time twice as long."},
    {.name = "max",
     .type = SLUICE_DURATION,
     .offset = AT(quarantine.max_ns),
     .default_text = "6h",
     .min = 100 * SL_NS_PER_MS,
     .max = INT64_C(24) * 3600 * SL_NS_PER_S,
     .doc = "No wait is longer, but the first may be."},
    {.name = NULL},
};

static const struct sluice_option tls_table[] = {
    {.name = "ca",
     .type = SLUICE_STRING,
     .offset = AT(tls.ca),
     .default_text = "",
     .doc = "PEM file of whom to trust; without it the system's store."},
    {.name = "cert",
     .type = SLUICE_STRING,
     .offset = AT(tls.cert),
     .default_text = "",
     .doc = "PEM file of our certificate, for devices that demand one."},
    {.name = "key",
     .type = SLUICE_STRING,
     .offset = AT(tls.key),
     .default_text = "",
     .doc = "PEM file of its private key, not encrypted."},
    {.name = "server-name",
     .type = SLUICE_STRING,
     .offset = AT(tls.server_name),
     .default_text = "",
     .doc = "Name or IP address that the device's certificate must be for; without it the "
            "address's."},
    {.name = "min-version",
     .type = SLUICE_STRING,
     .offset = AT(tls.min_version),
     .default_text = "",
     .doc = "The lowest version of TLS, \"1.2\" or \"1.3\"; without it 1.2."},
    {.name = "ciphers",
     .type = SLUICE_STRING,
     .offset = AT(tls.ciphers),
     .default_text = "",
     .doc = "Of TLS 1.2, as OpenSSL writes a list of them; without it OpenSSL's own."},
    {.name = "ciphersuites",
     .type = SLUICE_STRING,
     .offset = AT(tls.ciphersuites),
     .default_text = "",
     .doc = "Of TLS 1.3, by name, with colons between them; without it OpenSSL's own."},
    {.name = NULL},
};

/* grpc-go's servers end a connection that is pinged more often than every 5 minutes. */
static const struct sluice_option keepalive_table[] = {
    {.name = "interval",
     .type = SLUICE_DURATION,
     .offset = AT(keepalive.interval_ns),
     .default_text = "5m30s",
     .max = INT64_C(24) * 3600 * SL_NS_PER_S,
     .doc =
         "A device that has said nothing for so long gets an HTTP/2 PING, while a subscription is"
         " open; 0: never."},
    {.name = "timeout",
     .type = SLUICE_DURATION,
     .offset = AT(keepalive.timeout_ns),
     .default_text = "20s",
     .min = SL_NS_PER_MS,
     .max = 3600 * SL_NS_PER_S,
     .doc = "For its answer, or anything else; then the connection ends."},
    {.name = NULL},
};

const char *const sl_target_vendor_names[] = {
    "auto",      "arista-eos", "cisco-ios-xr", "cisco-ios-xe", "cisco-nx-os", "juniper",
    "nokia-srl", "nokia-sros", "sonic",        "huawei",       "generic",     NULL,
};

const struct sl_gnmi_vendor *sl_target_vendor(const struct sl_target_options *options)
{
    if (options->vendor == 0) {
        return NULL;
    }
    return sl_gnmi_vendor_find(sl_str_from(sl_target_vendor_names[options->vendor]));
}

static const char *const pace_names[] = {"device", "fast", NULL};
static const char *const timestamps_names[] = {"as-is", "shifted", NULL};

static const struct sluice_option replay_table[] = {
    {.name = "file",
     .type = SLUICE_STRING,
     .offset = AT(replay.file),
     .default_text = "",
     .doc = "A capture, as `sluice capture` writes it."},
    {.name = "pace",
     .type = SLUICE_ENUM,
     .offset = AT(replay.pace),
     .default_text = "device",
     .names = pace_names,
     .doc = "device: as long between two messages as when they came; fast: as fast as the sinks "
            "take records."},
    {.name = "loop",
     .type = SLUICE_BOOL,
     .offset = AT(replay.loop),
     .default_text = "false",
     .doc = "At the end of the file begin again at its first message, for ever."},
    {.name = "timestamps",
     .type = SLUICE_ENUM,
     .offset = AT(replay.timestamps),
     .default_text = "as-is",
     .names = timestamps_names,
     .doc = "as-is: as they were sent, and each message has come when it was captured, so that the"
            " records are the same each time; shifted: later by the time between capture and"
            " replay."},
    {.name = NULL},
};

const struct sluice_option sl_target_table[] = {
    {.name = "address",
     .type = SLUICE_STRING,
     .offset = AT(address),
     .default_text = "",
     .doc = "host:port, host (port 57400), or a unix socket, unix:path; without it the target's "
            "name."},
    {.name = "replay",
     .type = SLUICE_OBJECT,
     .table = replay_table,
     .doc = "A capture that stands for the device: whatever is asked, its messages come, in the one"
            " RPC that the subscriptions must make. At its end the target is done, and sluice ends"
            " when all its targets are."},
    {.name = "proxy",
     .type = SLUICE_SECRET,
     .offset = AT(proxy),
     .default_text = "",
     .show = sl_proxy_mask,
     .doc = "The way to the device: http://host:port, http://user:password@host:port or the same "
            "with socks5://; the device's name is the proxy's to resolve."},
    {.name = "username",
     .type = SLUICE_STRING,
     .offset = AT(username),
     .default_text = "",
     .doc = "Goes out as metadata of each Subscribe."},
    {.name = "password",
     .type = SLUICE_SECRET,
     .offset = AT(password),
     .default_text = "",
     .doc = "Goes out with the user name; never printed."},
    {.name = "insecure",
     .type = SLUICE_BOOL,
     .offset = AT(insecure),
     .default_text = "false",
     .doc = "Plaintext instead of TLS."},
    {.name = "skip-verify",
     .type = SLUICE_BOOL,
     .offset = AT(skip_verify),
     .default_text = "false",
     .doc = "TLS, but whoever answers is taken for the device; each start says so in the log."},
    {.name = "tls", .type = SLUICE_OBJECT, .table = tls_table, .doc = "What TLS goes by."},
    {.name = "vendor",
     .type = SLUICE_ENUM,
     .offset = AT(vendor),
     .default_text = "auto",
     .names = sl_target_vendor_names,
     .doc = "Whose device it is, for what such devices do otherwise than gNMI says; auto: the "
            "device is asked (Capabilities) on each connection, and generic is one that shows no "
            "other."},
    {.name = "pack",
     .type = SLUICE_BOOL,
     .offset = AT(pack),
     .default_text = "true",
     .doc =
         "Subscriptions that differ in their paths, intervals and rules alone, and overlap"
         " nowhere, share an RPC, and its window is the sum of theirs; false: each has its own."},
    {.name = "gzip",
     .type = SLUICE_BOOL,
     .offset = AT(gzip),
     .default_text = "false",
     .doc = "Compresses requests with gzip and asks for the same; a device that does it unasked is "
            "understood anyhow."},
    {.name = "dial-timeout",
     .type = SLUICE_DURATION,
     .offset = AT(dial_timeout_ns),
     .default_text = "10s",
     .min = SL_NS_PER_MS,
     .max = 3600 * SL_NS_PER_S,
     .doc = "For all addresses of the name together, until TLS is agreed on; then the same again "
            "for the beginning of HTTP/2."},
    {.name = "backoff",
     .type = SLUICE_OBJECT,
     .table = backoff_table,
     .doc = "Between two attempts: exponential, with full jitter."},
    {.name = "quarantine",
     .type = SLUICE_OBJECT,
     .table = quarantine_table,
     .doc = "Paths for which the device refuses an RPC with others in it: they are found, left out"
            " and tried again."},
    {.name = "keepalive",
     .type = SLUICE_OBJECT,
     .table = keepalive_table,
     .doc = "Whether a silent device is still there. The interval doubles when the device says"
            " too_many_pings."},
    {.name = "labels",
     .type = SLUICE_MAP,
     .offset = AT(labels),
     .doc = "Names and texts for ${label.NAME} in templates."},
    {.name = "subscriptions",
     .type = SLUICE_STRINGS,
     .offset = AT(subscriptions),
     .doc = "By name; none named: all."},
    {.name = "sinks",
     .type = SLUICE_STRINGS,
     .offset = AT(sinks),
     .doc = "By name; none named: all."},
    {.name = NULL},
};
