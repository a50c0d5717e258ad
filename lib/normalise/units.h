/* units.h - a value from one unit into another of the same kind: exact, but for dBm. */
#ifndef SLUICE_NORMALISE_UNITS_H
#define SLUICE_NORMALISE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi/response.h"
#include "normalise/compute.h"

/* dBm is a logarithm of mW, which mostly is no decimal: there the result is reckoned with doubles
 * and rounded to `scale.decimals` digits. */
struct sl_unit_change {
    enum { SL_UNIT_SCALE, SL_UNIT_INTO_DBM, SL_UNIT_OUT_OF_DBM } way;
    struct sl_scale scale; /* the whole change; else the step into or out of mW */
};

/* bit, byte (k M G T, for byte Ki Mi Gi Ti, in front), s ms us ns min h d ticks (10 ms), celsius
 * fahrenheit kelvin, W uW mW kW dBm, V mV, A mA, Hz kHz MHz GHz THz, m nm um mm km, ratio percent
 * ppm. NULL behind the last. */
const char *sl_unit_name(size_t index);

/* False when there is no such unit, or they are not of one kind: bytes are no seconds. */
bool sl_unit_change_make(struct sl_str from, struct sl_str to, uint32_t decimals,
                         struct sl_unit_change *change) SL_MUST_CHECK;

/* As sl_scale_apply. No power at all, or less, has no dBm. */
bool sl_unit_change_apply(const struct sl_unit_change *change, const struct sl_gnmi_value *value,
                          struct sl_buf *text, struct sl_gnmi_value *out) SL_MUST_CHECK;

#endif
