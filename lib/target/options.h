/* options.h - what a target of the configuration says. */
#ifndef SLUICE_TARGET_OPTIONS_H
#define SLUICE_TARGET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gnmi/vendor.h"
#include "sluice_option.h"

enum { SL_TARGET_DEFAULT_PORT = 57400 };

enum sl_target_pace { SL_TARGET_PACE_DEVICE, SL_TARGET_PACE_FAST };

enum sl_target_timestamps { SL_TARGET_TIMES_AS_IS, SL_TARGET_TIMES_SHIFTED };

struct sl_target_options {
    const char *address; /* "" : the target's name */
    struct {
        const char *file; /* "" : none */
        int pace;         /* enum sl_target_pace */
        int timestamps;   /* enum sl_target_timestamps */
        bool loop;
    } replay;             /* of a capture, instead of a device */
    const char *username; /* "" : none; goes out as metadata of each Subscribe */
    const char *password;
    const char *proxy; /* "" : none; net/proxy.h */
    bool insecure;     /* plaintext */
    bool skip_verify;  /* TLS with whoever answers */
    struct {
        const char *ca; /* PEM files; "" : none, for `ca` the system's store */
        const char *cert;
        const char *key;
        const char *server_name; /* "" : the host of `address` */
        const char *min_version; /* "" : what net/tls.h has */
        const char *ciphers;
        const char *ciphersuites;
    } tls;
    int vendor; /* an index into sl_target_vendor_names */
    bool pack;  /* subscriptions share RPCs where they can */
    bool gzip;  /* both ways, where the device does it too */
    int64_t dial_timeout_ns;
    struct {
        int64_t min_ns; /* the first wait after a failure is drawn from 0..min */
        int64_t max_ns;
    } backoff;
    struct {
        int64_t retry_ns; /* a path that the device refuses waits so long */
        int64_t max_ns;
    } quarantine;
    struct {
        int64_t interval_ns; /* 0: no PING */
        int64_t timeout_ns;
    } keepalive;
    struct sluice_map labels;
    struct sluice_strings subscriptions; /* none named: all */
    struct sluice_strings sinks;         /* none named: all */
};

/* "auto", then the names of sl_gnmi_vendors in their order; ends with NULL. */
extern const char *const sl_target_vendor_names[];

/* NULL: the device is asked. */
const struct sl_gnmi_vendor *sl_target_vendor(const struct sl_target_options *options);

/* Ends with a NULL name. */
extern const struct sluice_option sl_target_table[];

#endif
