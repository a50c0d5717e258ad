/* build.h - parts that requests have in common, on the heap, as protobuf-c's free_unpacked takes
 * them. For request.c and ask.c alone. */
#ifndef SLUICE_GNMI_BUILD_H
#define SLUICE_GNMI_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/status.h"
#include "gnmi.pb-c.h"
#include "gnmi/extension.h"
#include "gnmi/request.h"

/* Each is false with the reason in `why`; what was made until then is in the message, to be freed
 * with it. */

bool sl_gnmi_build_no_memory(struct sl_status *why);

/* A string field that is empty until now. */
bool sl_gnmi_build_text(char **field, const char *text, struct sl_status *why) SL_MUST_CHECK;

/* The prefix with `target`; neither given: none. */
bool sl_gnmi_build_prefix(Gnmi__Path **field, const char *prefix, const char *target,
                          struct sl_status *why) SL_MUST_CHECK;

bool sl_gnmi_build_models(Gnmi__ModelData ***models, size_t *count,
                          const struct sl_gnmi_model *given, size_t given_count,
                          struct sl_status *why) SL_MUST_CHECK;

bool sl_gnmi_build_extensions(GnmiExt__Extension ***extensions, size_t *count,
                              const struct sl_gnmi_extension *given, size_t given_count,
                              struct sl_status *why) SL_MUST_CHECK;

#endif
