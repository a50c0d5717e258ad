/* options.h - what a subscription of the configuration says. */
#ifndef SLUICE_STREAM_OPTIONS_H
#define SLUICE_STREAM_OPTIONS_H

#include <stdint.h>

#include "sluice_option.h"

struct sl_subscription_options {
    struct sluice_strings paths;
    const char *prefix; /* "" : none */
    const char *target; /* prefix.target; "" : none */
    int mode;           /* only `stream` so far */
    int stream_mode;    /* enum sl_gnmi_stream_mode: target-defined, on-change, sample */
    int encoding;       /* enum sl_gnmi_encoding: json, bytes, proto, ascii, json_ietf */
    int64_t sample_interval_ns;
    uint64_t max_message_bytes;
    struct {
        uint64_t initial_bytes; /* a stream's limit */
    } credit;
    struct sluice_strings sinks; /* narrows the target's; none named: all of those */
};

/* Ends with a NULL name. */
extern const struct sluice_option sl_subscription_table[];

#endif
