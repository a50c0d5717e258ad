/* device.h - simulated gNMI devices: what `sluice sim` runs.
 *
 * N devices answer Subscribe on one port (told apart by prefix.target) or on a port each: OpenConfig
 * interface counters for a number of interfaces, an initial dump, sync_response, then updates at the
 * subscription's pace, at a fixed rate, or as fast as the collector's credit allows. Every Subscribe
 * RPC has leaves of its own that let a reader prove completeness:
 *
 *     /sluice-sim/state/seq       1, 2, 3 … : the messages of this RPC
 *     /sluice-sim/state/session   new for every RPC
 *
 * Loop thread only.
 */
#ifndef SLUICE_DEVICE_DEVICE_H
#define SLUICE_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "loop/loop.h"
#include "net/net.h"

enum sl_device_when_held {
    SL_DEVICE_WAIT,     /* the next message is made only when it can be sent */
    SL_DEVICE_COALESCE, /* messages go on; those that cannot leave merge into the next: `duplicates` */
};

struct sl_device_options {
    struct sl_address listen; /* the first port; 0: any free one */
    uint32_t devices;
    bool port_each;           /* else all on one port */
    uint32_t interfaces;      /* per device */
    uint32_t updates;         /* leaves in one notification, the sim's own two not counted */
    uint32_t message_bytes;   /* 0: as they come; else each message is padded to about this size */
    uint64_t rate_per_s;      /* messages per stream and second; 0: see `as_fast` */
    bool as_fast;             /* as fast as credit allows; neither: the sample interval */
    uint64_t count;           /* messages per RPC, then silence; 0: no end */
    enum sl_device_when_held when_held;
    const char *username; /* demanded in the metadata; NULL: not */
    const char *password;
    bool print_each_second;
};

struct sl_device_fleet;

struct sl_device_totals {
    uint64_t messages;
    uint64_t updates;
    uint64_t bytes;
    uint64_t duplicates;
    int64_t blocked_ns; /* summed over the streams: wanted to send and had no credit */
    uint32_t streams;   /* open now */
    uint32_t blocked;   /* of them, waiting for credit now */
};

struct sl_device_fleet *sl_device_fleet_open(struct sl_loop *loop,
                                             const struct sl_device_options *options,
                                             struct sl_status *why) SL_MUST_CHECK;
uint16_t sl_device_fleet_port(const struct sl_device_fleet *fleet, uint32_t device);
void sl_device_fleet_totals(const struct sl_device_fleet *fleet, struct sl_device_totals *totals);
void sl_device_fleet_close(struct sl_device_fleet *fleet);

#endif
