#include "stream/batch.h"

#include <malloc.h>
#include <stdlib.h>

#include "stream/internal.h"

enum { FIRST_CHARGES = 16, MAX_LINES = 1000 * 1000 };

/* ---- what waits ---- */

/* The memory that the batch holds now, told to those who watch over it. */
static void count_cost(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_delivery *delivery = route->batch->delivery;
    size_t payload_cap = malloc_usable_size(route->batch->lines.data);
    uint64_t cost = sl_stream_record_cost(route, payload_cap) +
                    delivery->charge_cap * sizeof(struct sl_charge *);

    sl_route_cost_sub(stream, route, delivery->cost_bytes);
    sl_route_cost_add(stream, route, cost);
    delivery->cost_bytes = cost;
}

static bool open_batch(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_batch *batch = route->batch;

    if (!batch->delivery) {
        batch->delivery = calloc(1, sizeof(*batch->delivery));
    }
    if (!batch->delivery) {
        return false;
    }
    if (batch->line_count == 0) {
        if (!sl_buf_reserve(&batch->lines, route->typical_bytes + 1)) {
            sl_buf_reset(&batch->lines);
            return false;
        }
        batch->delivery->stream = stream;
        batch->delivery->route = route;
        batch->delivery->is_extra = true;
        batch->epoch = stream->view.epoch;
        batch->first_seq = route->seq + 1;
    }
    return true;
}

/* The message under way waits for this batch, too, if its sink is required. */
static bool join(struct sl_stream *stream, const struct sl_route *route)
{
    struct sl_batch *batch = route->batch;
    struct sl_delivery *delivery = batch->delivery;
    struct sl_charge *charge = stream->charge;
    size_t count = delivery->charge_count;

    if (!sl_route_is_required(route)) {
        return true;
    }
    if (count && delivery->charges[count - 1] == charge) {
        return true;
    }
    if (count == delivery->charge_cap) {
        size_t cap = count ? count * 2 : FIRST_CHARGES;
        struct sl_charge **charges = realloc(delivery->charges, cap * sizeof(*charges));
        if (!charges) {
            return false;
        }
        delivery->charges = charges;
        delivery->charge_cap = cap;
    }
    delivery->charges[delivery->charge_count++] = charge;
    charge->holders++;
    batch->window_bytes += charge->window_bytes;
    return true;
}

/* ---- leaving ---- */

static void reset(struct sl_batch *batch)
{
    *batch = (struct sl_batch){.lines = batch->lines};
}

void sl_batch_give_up(struct sl_route *route, uint64_t *counter)
{
    struct sl_batch *batch = route->batch;
    struct sl_delivery *delivery = batch->delivery;

    if (batch->line_count) {
        sl_stream_settle(delivery, counter);
    } else if (delivery) {
        free(delivery->charges);
        free(delivery);
    }
    sl_buf_fini(&batch->lines);
    reset(batch);
}

/* Processors made another payload of it. */
static void grow(struct sl_stream *stream, struct sl_delivery *delivery)
{
    uint64_t was = delivery->cost_bytes;

    delivery->cost_bytes += (uint64_t)delivery->token.grown_bytes;
    sl_route_cost_sub(stream, delivery->route, was);
    sl_route_cost_add(stream, delivery->route, delivery->cost_bytes);
}

/* A processor let it go no further: the next line has the number of its first one; where markers
 * have taken the numbers behind it, one more takes these. */
static void end_here(struct sl_delivery *delivery, const struct sluice_record *record,
                     enum sl_sink_answer answer)
{
    struct sl_route *route = delivery->route;
    struct sl_route_counts *counts = &route->counts;

    if (record->epoch == delivery->stream->view.epoch &&
        route->seq == record->seq + record->lines - 1) {
        route->seq = record->seq - 1;
    } else if (record->epoch == delivery->stream->view.epoch) {
        sl_mark_fill(delivery->stream, route, delivery->place, record->seq, record->lines);
    }
    sl_stream_settle(delivery, answer == SL_SINK_FILTERED ? &counts->filtered
                                                          : &counts->dropped[SL_DROP_PROCESSOR]);
}

/* No number was given since its first line: a batch whose sink is not required leaves before a
 * marker is made. */
static void give_numbers_back(struct sl_route *route)
{
    route->seq = route->batch->first_seq - 1;
    route->is_gap_owed = true;
    sl_batch_give_up(route, &route->counts.dropped[SL_DROP_SINK_FULL]);
}

bool sl_batch_leave(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_batch *batch = route->batch;
    struct sluice_record record;

    if (!batch || batch->line_count == 0) {
        return true;
    }
    if (route->is_cut) {
        return false;
    }
    struct sl_delivery *delivery = batch->delivery;

    sl_stream_describe(stream, route, delivery->place, &record);
    record.payload = batch->lines.data;
    record.payload_len = batch->lines.len;
    record.timestamp_ns = batch->timestamp_ns;
    record.epoch = batch->epoch;
    record.seq = batch->first_seq;
    record.lines = batch->line_count;
    record.kind = (struct sluice_str){batch->kind.data, batch->kind.len};
    delivery->token = (struct sl_token){.owner = delivery};
    enum sl_sink_answer answer = sl_sink_accept(route->sink, &record, &delivery->token);
    if (answer == SL_SINK_FULL) {
        batch->is_due = sl_route_is_required(route);
        if (!batch->is_due) {
            give_numbers_back(route);
        }
        return !batch->is_due;
    }
    route->typical_bytes = batch->lines.len;
    batch->lines = (struct sl_buf){0};
    reset(batch);
    if (answer == SL_SINK_TAKEN) {
        grow(stream, delivery);
    } else {
        end_here(delivery, &record, answer);
    }
    return true;
}

static bool flush(struct sl_stream *stream, bool only_due)
{
    bool is_flushed = true;

    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        if (route->batch && (route->batch->is_due || !only_due)) {
            is_flushed = sl_batch_leave(stream, route) && is_flushed;
        }
    }
    return is_flushed;
}

bool sl_batch_flush(struct sl_stream *stream)
{
    return flush(stream, false);
}

bool sl_batch_flush_due(struct sl_stream *stream)
{
    return flush(stream, true);
}

void sl_batch_drop(struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        if (route->batch) {
            sl_batch_give_up(route, &route->counts.dropped[SL_DROP_CLOSED]);
        }
    }
}

/* ---- lines ---- */

static void count_line(struct sl_stream *stream, struct sl_route *route, size_t line_bytes,
                       const struct sl_gnmi_response *response, const struct sl_encoded *encoded)
{
    struct sl_batch *batch = route->batch;
    struct sl_delivery *delivery = batch->delivery;

    if (batch->line_count == 0) {
        batch->kind = sl_stream_kind(stream, response);
        batch->timestamp_ns = sl_stream_record_time(stream, response);
        delivery->device_ns = sl_stream_lag_time(stream, response);
        delivery->received_ns = stream->received_ns;
        sl_stream_count_sent(stream, route);
        if (!sl_timer_is_armed(stream->batch_timer)) {
            sl_timer_start(stream->batch_timer, stream->batch_delay_ms);
        }
    }
    batch->line_count++;
    route->seq++;
    route->last_place = delivery->place;
    sl_route_send(route, encoded->published);
    sl_route_filter(route, encoded->filtered);
    sl_route_drop(route, SL_DROP_VALUE, encoded->dropped);
    delivery->updates += encoded->published;
    delivery->payload_bytes += (uint32_t)line_bytes;
    delivery->place->held += encoded->published;
    delivery->place->held_bytes += line_bytes;
    stream->charge->cost_bytes += sl_route_is_required(route) ? line_bytes : 0;
    count_cost(stream, route);
}

static bool is_ripe(const struct sl_stream *stream, const struct sl_route *route)
{
    const struct sl_batch *batch = route->batch;

    return batch->lines.len >= route->config.batch.max_bytes || batch->line_count >= MAX_LINES ||
           batch->window_bytes >= stream->credit.limit_bytes / 4;
}

/* Writes the next record of the response as a line; what of it found no place in the batch is
 * counted. False: with it the batch has more than `most_bytes`, so it is not there, nothing is
 * counted, and `*progress` stands where it stood, or says that less is to be made of it. */
static bool add_line(struct sl_stream *stream, struct sl_route *route, struct sl_route_place *place,
                     const struct sl_gnmi_response *response, size_t most_bytes,
                     struct sl_encoder_progress *progress)
{
    struct sl_batch *batch = route->batch;
    struct sl_encoder_progress before = *progress;
    struct sl_buf *lines = &batch->lines;
    struct sl_encoder_context context = sl_stream_context(stream, route, response);
    struct sl_encoded encoded = {0};
    uint32_t left = response->updates + response->deletes - progress->passed;
    size_t start = lines->len;

    if (start && lines->data[start - 1] != '\n') {
        sl_buf_add_byte(lines, '\n');
    }
    size_t line = lines->len;
    bool is_made = sl_encoder_next(route->encoder, response, &context, progress, lines, &encoded) &&
                   !lines->failed;
    bool is_line = is_made && lines->len > line;
    bool is_beyond =
        is_line && place && lines->len > most_bytes &&
        (batch->line_count || sl_split_again(route, response, progress->passed - before.passed,
                                             lines->len, most_bytes, &before));

    if (is_beyond) {
        lines->len = start;
        *progress = before;
        return false;
    }
    if (is_line && place && join(stream, route)) {
        batch->delivery->place = place;
        count_line(stream, route, lines->len - start, response, &encoded);
        return true;
    }
    lines->len = start;
    lines->failed = false;
    if (!is_made) {
        sl_route_drop(route, SL_DROP_MEMORY, left);
        progress->is_done = true;
        return true;
    }
    sl_route_filter(route, encoded.filtered);
    sl_route_drop(route, SL_DROP_VALUE, is_line ? 0 : encoded.dropped);
    sl_route_drop(route, place ? SL_DROP_MEMORY : SL_DROP_ORIGIN,
                  is_line ? encoded.published + encoded.dropped : 0);
    return true;
}

bool sl_batch_add(struct sl_stream *stream, struct sl_route *route,
                  const struct sl_gnmi_response *response, struct sl_encoder_progress *progress)
{
    struct sl_batch *batch = route->batch;
    struct sl_route_place *place = sl_route_place_of(route, response);
    struct sl_str kind = sl_stream_kind(stream, response);
    bool has_moved = place && batch->line_count &&
                     (batch->delivery->place != place || !sl_str_eq(batch->kind, kind));

    if ((batch->is_due || has_moved) && !sl_batch_leave(stream, route)) {
        return false;
    }
    size_t most_bytes = place ? sl_split_most_bytes(stream, route, place, response) : SIZE_MAX;

    for (bool is_added = false; !is_added;) {
        if (!open_batch(stream, route)) {
            sl_route_drop(route, SL_DROP_MEMORY,
                          response->updates + response->deletes - progress->passed);
            progress->is_done = true;
            return true;
        }
        is_added = add_line(stream, route, place, response, most_bytes, progress);
        if (!is_added && !sl_batch_leave(stream, route)) {
            return false;
        }
    }
    if (is_ripe(stream, route)) {
        (void)sl_batch_leave(stream, route); /* what is not taken is due */
    }
    return true;
}
