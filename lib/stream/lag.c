/* lag.c - how far behind the device's clock a record is acknowledged. */
#include "stream/internal.h"

int64_t sl_stream_lag_time(const struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    bool is_fresh = response->kind == SL_GNMI_UPDATE && stream->view.is_synced;

    return is_fresh && !stream->config.message_time && stream->device_ns > 0 ? stream->device_ns
                                                                             : 0;
}

/* At least a nanosecond, as 0 is none. */
void sl_stream_note_lag(struct sl_stream *stream, struct sl_route *route, int64_t device_ns)
{
    int64_t lag_ns = sl_loop_wall_ns() - device_ns;

    sl_histogram_record(&route->config.meter->lag, lag_ns);
    stream->view.lag_ns = lag_ns > 0 ? lag_ns : 1;
}
