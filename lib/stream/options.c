#include "stream/options.h"

#include <stddef.h>

#include "base/base.h"

#define AT(field) offsetof(struct sl_subscription_options, field)

/* `once` and `poll` end, or wait for someone to ask: a collector streams. */
static const char *const modes[] = {"stream", NULL};

/* In the order of enum sl_gnmi_stream_mode and enum sl_gnmi_encoding. */
static const char *const stream_modes[] = {"target-defined", "on-change", "sample", NULL};
static const char *const encodings[] = {"json", "bytes", "proto", "ascii", "json_ietf", NULL};

static const struct sluice_option credit_table[] = {
    {.name = "initial",
     .type = SLUICE_SIZE,
     .offset = AT(credit.initial_bytes),
     .default_text = "256KiB",
     .min = 16 * SL_KIB,
     .max = SL_GIB,
     .doc = "What a stream may have in flight; less where the shares of collector.memory are."},
    {.name = NULL},
};

const struct sluice_option sl_subscription_table[] = {
    {.name = "paths",
     .type = SLUICE_STRINGS,
     .offset = AT(paths),
     .is_required = true,
     .doc = "gNMI paths: /interfaces/interface[name=*]/state, openconfig:/a/b."},
    {.name = "prefix",
     .type = SLUICE_STRING,
     .offset = AT(prefix),
     .default_text = "",
     .doc = "A path that all others are under."},
    {.name = "target",
     .type = SLUICE_STRING,
     .offset = AT(target),
     .default_text = "",
     .doc = "prefix.target, for a device that speaks for several."},
    {.name = "mode",
     .type = SLUICE_ENUM,
     .offset = AT(mode),
     .default_text = "stream",
     .names = modes,
     .doc = "How the subscription ends: it does not."},
    {.name = "stream-mode",
     .type = SLUICE_ENUM,
     .offset = AT(stream_mode),
     .default_text = "target-defined",
     .names = stream_modes,
     .doc = "When the device sends a value."},
    {.name = "encoding",
     .type = SLUICE_ENUM,
     .offset = AT(encoding),
     .default_text = "proto",
     .names = encodings,
     .doc = "How the device writes values."},
    {.name = "sample-interval",
     .type = SLUICE_DURATION,
     .offset = AT(sample_interval_ns),
     .default_text = "0",
     .max = INT64_C(24) * 3600 * SL_NS_PER_S,
     .doc = "With stream-mode sample; 0: as often as the device can."},
    {.name = "max-message",
     .type = SLUICE_SIZE,
     .offset = AT(max_message_bytes),
     .default_text = "16MiB",
     .min = 64 * SL_KIB,
     .max = 256 * SL_MIB,
     .doc = "A larger message ends its stream with RESOURCE_EXHAUSTED."},
    {.name = "credit",
     .type = SLUICE_OBJECT,
     .table = credit_table,
     .doc = "Bytes of HTTP/2 window."},
    {.name = "sinks",
     .type = SLUICE_STRINGS,
     .offset = AT(sinks),
     .doc = "Narrows the target's sinks; none named: all of those."},
    {.name = NULL},
};
