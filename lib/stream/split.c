#include "stream/split.h"

#include "stream/internal.h"

enum { FIRST_PAYLOAD_BYTES = 512 };

size_t sl_split_most_bytes(const struct sl_stream *stream, const struct sl_route *route,
                           const struct sl_route_place *place,
                           const struct sl_gnmi_response *response)
{
    struct sl_str kind = sl_stream_kind(stream, response);
    struct sluice_record record;

    if (!route->spec->plugin->most_bytes) {
        return SIZE_MAX;
    }
    sl_stream_describe(stream, route, place, &record);
    record.kind = (struct sluice_str){kind.data, kind.len};
    return sl_sink_most_bytes(route->sink, &record);
}

/* As many as would have the room, if all were of one size, and an eighth less. */
bool sl_split_again(const struct sl_route *route, const struct sl_gnmi_response *response,
                    uint32_t updates, size_t bytes, size_t most_bytes,
                    struct sl_encoder_progress *before)
{
    if (bytes <= most_bytes || updates < 2 || response->kind != SL_GNMI_UPDATE ||
        !sl_format_can_split(route->config.encoder.format)) {
        return false;
    }
    uint64_t fit = (uint64_t)updates * most_bytes / bytes * 7 / 8;
    before->most = (uint32_t)(fit ? fit : 1);
    before->most = before->most < updates ? before->most : updates - 1;
    return true;
}

bool sl_split_make(struct sl_stream *stream, struct sl_route *route,
                   const struct sl_gnmi_response *response, struct sl_encoder_progress *progress,
                   struct sl_buf *buf, struct sl_encoded *encoded)
{
    struct sl_encoder_context context = sl_stream_context(stream, route, response);
    const struct sl_route_place *place = sl_route_place_of(route, response);
    struct sl_encoder_progress before = *progress;
    size_t guess = route->typical_bytes + route->typical_bytes / 16;
    bool is_again = false;

    do {
        *progress = before;
        sl_buf_reset(buf);
        if (!sl_buf_reserve(buf, guess ? guess : FIRST_PAYLOAD_BYTES) ||
            !sl_encoder_next(route->encoder, response, &context, progress, buf, encoded)) {
            return false;
        }
        size_t most_bytes = place ? sl_split_most_bytes(stream, route, place, response) : SIZE_MAX;
        is_again = sl_split_again(route, response, progress->passed - before.passed, buf->len,
                                  most_bytes, &before);
        if (is_again) { /* a part does not keep the memory of the whole */
            sl_buf_trim(buf, most_bytes);
        }
    } while (is_again);
    return true;
}
