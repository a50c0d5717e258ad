/* mend_sensors.h - the header that Junos puts into each message
 * (GnmiJuniperTelemetryHeaderExtension in registered extension 1), and what its numbers say is
 * missing. For mend.c alone.
 *
 * A sensor of a component counts its messages; parts of one have the same number. What is sent
 * before the sync_response counts in a range of its own, from 2^21 - 1 on.
 */
#ifndef SLUICE_NORMALISE_MEND_SENSORS_H
#define SLUICE_NORMALISE_MEND_SENSORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "gnmi/response.h"
#include "normalise/mend.h"

struct sl_mend_header {
    uint64_t sensor; /* a hash of system, components, names and paths */
    uint64_t sequence;
    bool has_sequence;
    bool is_end; /* of what was collected at once (eom, 21.2R1 and later) */
};

/* False: there is none. */
bool sl_mend_header_read(const struct sl_gnmi_response *response,
                         struct sl_mend_header *header) SL_MUST_CHECK;

struct sl_mend_sensors {
    struct {
        uint64_t sensor;
        uint64_t sequence; /* the last one */
    } rows[SL_MEND_SENSORS];
    size_t count;
    size_t oldest; /* the row that gives way */
};

/* How many messages are missing before this one. A number that is smaller than the last begins
 * anew. */
uint64_t sl_mend_sensors_note(struct sl_mend_sensors *sensors, const struct sl_mend_header *header);

#endif
