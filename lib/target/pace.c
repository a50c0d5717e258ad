#include "target/pace.h"

#include "base/base.h"

void sl_pace_set(struct sl_pace *pace, int64_t rate, int64_t burst)
{
    SL_ASSERT(rate >= 0 && rate <= SL_NS_PER_S && burst >= 1);
    pace->interval_ns = rate ? SL_NS_PER_S / rate : 0;
    SL_ASSERT(burst <= INT64_MAX / SL_NS_PER_S);
    pace->ahead_ns = pace->interval_ns * (burst - 1);
}

int64_t sl_pace_take(struct sl_pace *pace, int64_t now_ns)
{
    if (!pace->interval_ns) {
        return now_ns;
    }
    int64_t place_ns = pace->next_ns > now_ns ? pace->next_ns : now_ns;
    int64_t turn_ns = place_ns - pace->ahead_ns;

    pace->next_ns = place_ns + pace->interval_ns;
    return turn_ns > now_ns ? turn_ns : now_ns;
}
