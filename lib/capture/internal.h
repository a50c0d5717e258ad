/* internal.h - what reader and writer share. */
#ifndef SLUICE_CAPTURE_INTERNAL_H
#define SLUICE_CAPTURE_INTERNAL_H

#include "base/status.h"

/* "open: No such file or directory", with the code that fits. */
struct sl_status sl_capture_error(const char *verb, int error);

#endif
