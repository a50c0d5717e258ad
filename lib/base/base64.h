/* base64.h - RFC 4648 section 4. Written without padding; read with it and without. */
#ifndef SLUICE_BASE_BASE64_H
#define SLUICE_BASE_BASE64_H

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Both append to `out`. False: it is not base64, and `out` has what came before; or memory is out.
 */
void sl_base64_encode(struct sl_str bytes, struct sl_buf *out);
bool sl_base64_decode(struct sl_str text, struct sl_buf *out) SL_MUST_CHECK;

#endif
