/* What a failure is for a script, and what a person may try. */
#include <string.h>

#include "base/base.h"
#include "base/hint.h"
#include "tool/internal.h"

enum sl_tool_exit sl_tool_class(const struct sl_tool_target *target, const struct sl_status *status)
{
    bool is_theirs = !status->reason; /* the device's own words */

    if (sl_status_is_ok(status) || strcmp(sl_status_reason(status), "output-closed") == 0) {
        return SL_TOOL_EXIT_OK;
    }
    if (status->code == SL_CANCELLED && !is_theirs) {
        return SL_TOOL_EXIT_FAILED;
    }
    if (!target->has_begun || status->code == SL_UNAVAILABLE) {
        return SL_TOOL_EXIT_CONNECTION;
    }
    if (status->code == SL_UNAUTHENTICATED || status->code == SL_PERMISSION_DENIED) {
        return SL_TOOL_EXIT_LOGIN;
    }
    if (status->code == SL_DEADLINE_EXCEEDED) {
        return SL_TOOL_EXIT_TIMEOUT;
    }
    return is_theirs ? SL_TOOL_EXIT_REFUSED : SL_TOOL_EXIT_FAILED;
}

const char *sl_tool_hint(const struct sl_tool_target *target, const struct sl_status *status)
{
    enum sl_hint_reader reader = target->settings ? SL_HINT_FILE : SL_HINT_FLAGS;

    if (sl_hint_is_end(status) && !target->settings && !target->has_begun) {
        return sl_hint_of_end(target->run->dial->tls != NULL, reader);
    }
    return sl_hint(status, reader);
}
