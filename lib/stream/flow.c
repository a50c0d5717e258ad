/* flow.c - the way of a stream's data: message → ledger → records → acknowledgements. */
#include <malloc.h>
#include <stdlib.h>

#include "gnmi/response.h"
#include "stream/internal.h"

enum {
    MENDED_KEPT_BYTES = 64 * 1024, /* more is given back with the next message */
};

/* ---- charges ---- */

static struct sl_charge *charge_new(struct sl_stream *stream)
{
    struct sl_charge *charge = stream->free_charges;

    if (charge) {
        stream->free_charges = charge->next_free;
        return charge;
    }
    return calloc(1, sizeof(*charge) + stream->routes_each * sizeof(charge->deliveries[0]));
}

void sl_stream_drop_charge(struct sl_charge *charge)
{
    struct sl_stream *stream = charge->stream;

    SL_ASSERT(charge->holders > 0);
    if (--charge->holders > 0) {
        return;
    }
    if (sl_credit_release(&stream->credit, charge->generation, charge->window_bytes)) {
        sl_loop_defer(stream->config.loop, &stream->credit_due);
    }
    charge->next_free = stream->free_charges;
    stream->free_charges = charge;
}

/* ---- records ---- */

uint64_t sl_stream_record_cost(const struct sl_route *route, size_t payload_cap)
{
    return payload_cap + sizeof(struct sl_charge) + sizeof(struct sl_delivery) +
           sl_sink_record_cost(route->sink);
}

void sl_stream_describe(const struct sl_stream *stream, const struct sl_route *route,
                        const struct sl_route_place *place, struct sluice_record *record)
{
    struct sl_str format = sl_str_from(sl_format_name(route->config.encoder.format));
    struct sl_str target = route->config.encoder.target;
    struct sl_str subscription = route->config.encoder.subscription;

    *record = (struct sluice_record){
        .destination = {place->destination.data, place->destination.len},
        .key = {place->key.data, place->key.len},
        .partition = {place->partition.data, place->partition.len},
        .received_ns = stream->received_ns,
        .format = {format.data, format.len},
        .target = {target.data, target.len},
        .subscription = {subscription.data, subscription.len},
    };
}

/* The record left: from now on it costs memory, and the charge waits for it. */
static void delivery_begin(struct sl_stream *stream, struct sl_delivery *delivery)
{
    if (delivery->charge) {
        delivery->charge->holders++;
        delivery->charge->cost_bytes += delivery->cost_bytes;
    }
    delivery->route->seq++;
    delivery->route->last_place = delivery->place;
    sl_route_send(delivery->route, delivery->updates);
    delivery->place->held += delivery->updates;
    delivery->place->held_bytes += delivery->payload_bytes;
    sl_route_cost_add(stream, delivery->route, delivery->cost_bytes);
    sl_stream_count_sent(stream, delivery->route);
}

/* Where the next record of the route is kept while it is with the sink; NULL when memory is out. */
static struct sl_delivery *delivery_new(const struct sl_stream *stream,
                                        const struct sl_route *route)
{
    struct sl_charge *charge = stream->charge;
    size_t member = route->config.member;
    bool is_required = sl_route_is_required(route);

    if (charge->member == SIZE_MAX && is_required) {
        charge->member = member;
    }
    if (stream->given == 0 && charge->member == member && is_required) {
        return &charge->deliveries[(size_t)(route - stream->routes) % stream->routes_each];
    }
    return malloc(sizeof(struct sl_delivery));
}

static void delivery_free(struct sl_delivery *delivery)
{
    if (delivery->is_extra) {
        free(delivery);
    }
}

/* Offers the payload in `buf`, which is emptied unless the sink is full. */
static enum sl_sink_answer offer(struct sl_stream *stream, struct sl_route *route,
                                 struct sl_buf *buf, const struct sl_gnmi_response *response,
                                 struct sl_delivery *delivery, const struct sl_delivery *what)
{
    struct sluice_record record;

    sl_stream_describe(stream, route, what->place, &record);
    record.payload = buf->data;
    record.payload_len = buf->len;
    record.timestamp_ns = sl_stream_record_time(stream, response);
    record.epoch = stream->view.epoch;
    record.seq = route->seq + 1;
    record.lines = 1;
    struct sl_str kind = sl_stream_kind(stream, response);
    record.kind = (struct sluice_str){kind.data, kind.len};
    *delivery = *what;
    delivery->token = (struct sl_token){.owner = delivery};
    enum sl_sink_answer answer = sl_sink_accept(route->sink, &record, &delivery->token);
    if (answer != SL_SINK_FULL) {
        route->typical_bytes = buf->len;
        *buf = (struct sl_buf){0};
    }
    if (answer != SL_SINK_TAKEN) {
        delivery_free(delivery);
        return answer;
    }
    delivery->cost_bytes += (uint64_t)delivery->token.grown_bytes;
    delivery_begin(stream, delivery);
    stream->given++;
    return answer;
}

int64_t sl_stream_record_time(const struct sl_stream *stream,
                              const struct sl_gnmi_response *response)
{
    bool is_as_sent = response->timestamp_ns == stream->sent_timestamp;

    return is_as_sent && response->kind == SL_GNMI_UPDATE ? stream->device_ns
                                                          : response->timestamp_ns;
}

struct sl_str sl_stream_kind(const struct sl_stream *stream,
                             const struct sl_gnmi_response *response)
{
    if (response->is_sync) {
        return SL_STR("marker");
    }
    return stream->view.is_synced ? SL_STR("change") : SL_STR("baseline");
}

struct sl_encoder_context sl_stream_context(const struct sl_stream *stream,
                                            const struct sl_route *route,
                                            const struct sl_gnmi_response *response)
{
    return (struct sl_encoder_context){
        .is_settled =
            response->kind == SL_GNMI_UPDATE && response->timestamp_ns != stream->sent_timestamp,
        .sent_timestamp = stream->sent_timestamp,
        .device_ns = stream->device_ns,
        .epoch = stream->view.epoch,
        .seq = route->seq + 1,
        .received_ns = stream->received_ns,
        .is_synced = stream->view.is_synced,
    };
}

/* There is a record, and it cannot go anywhere. */
static void count_lost(struct sl_route *route, enum sl_drop_reason reason,
                       const struct sl_encoded *encoded)
{
    sl_route_filter(route, encoded->filtered);
    sl_route_drop(route, reason, encoded->published + encoded->dropped);
}

/* Gives a record to its sink and counts what became of the updates it was made of. False: the sink
 * is full, nothing was counted. */
static bool give(struct sl_stream *stream, struct sl_route *route,
                 const struct sl_gnmi_response *response, struct sl_buf *buf,
                 const struct sl_encoded *encoded)
{
    struct sl_route_place *place = sl_route_place_of(route, response);

    if (!place) {
        count_lost(route, SL_DROP_ORIGIN, encoded);
        return true;
    }
    struct sl_delivery *delivery = delivery_new(stream, route);
    bool is_required = sl_route_is_required(route);

    if (!delivery) {
        count_lost(route, SL_DROP_MEMORY, encoded);
        return true;
    }
    const struct sl_delivery what = {
        .stream = stream,
        .charge = is_required ? stream->charge : NULL,
        .route = route,
        .place = place,
        .updates = encoded->published,
        .cost_bytes = sl_stream_record_cost(route, malloc_usable_size(buf->data)),
        .payload_bytes = (uint32_t)buf->len,
        .device_ns = sl_stream_lag_time(stream, response),
        .received_ns = stream->received_ns,
        .is_extra =
            !is_required || stream->given > 0 || stream->charge->member != route->config.member,
    };

    enum sl_sink_answer answer = offer(stream, route, buf, response, delivery, &what);
    if (answer == SL_SINK_FULL) {
        if (is_required) {
            return false;
        }
        sl_optional_drop(route, encoded->published);
    }
    sl_route_filter(route, encoded->filtered);
    sl_route_drop(route, SL_DROP_VALUE, encoded->dropped);
    if (answer == SL_SINK_FILTERED) {
        sl_route_filter(route, encoded->published);
    } else if (answer == SL_SINK_LOST) {
        sl_route_drop(route, SL_DROP_PROCESSOR, encoded->published);
    }
    return true;
}

/* The next record of one response for one route, from where `progress` stands. False: its sink is
 * full, nothing was counted. */
static bool give_next(struct sl_stream *stream, struct sl_route *route,
                      const struct sl_gnmi_response *response, struct sl_encoder_progress *progress)
{
    struct sl_buf buf = {0};
    struct sl_encoded encoded = {0};
    uint32_t updates = response->updates + response->deletes - progress->passed;
    bool is_taken = true;

    if (!sl_split_make(stream, route, response, progress, &buf, &encoded)) {
        sl_route_drop(route, SL_DROP_MEMORY, updates);
        progress->is_done = true;
    } else if (buf.len == 0) {
        sl_route_filter(route, encoded.filtered);
        sl_route_drop(route, SL_DROP_VALUE, encoded.dropped);
    } else {
        is_taken = give(stream, route, response, &buf, &encoded);
    }
    sl_buf_fini(&buf);
    return is_taken;
}

/* What is left of the records of one response for one route. False: its sink is full. */
static bool give_route(struct sl_stream *stream, struct sl_route *route,
                       const struct sl_gnmi_response *response)
{
    bool has_batch = route->batch != NULL;

    while (!stream->progress.is_done) {
        struct sl_encoder_progress progress = stream->progress;
        if (!sl_route_has_room(route)) {
            sl_optional_drop(route, response->updates + response->deletes - progress.passed);
            return true;
        }
        if (has_batch ? !sl_batch_add(stream, route, response, &progress)
                      : !give_next(stream, route, response, &progress)) {
            return false;
        }
        stream->progress = progress;
    }
    return true;
}

/* The response as the route's records tell it: with the time that the subscription wants. */
static struct sl_gnmi_response settle(const struct sl_stream *stream, const struct sl_route *route,
                                      const struct sl_gnmi_response *response)
{
    struct sl_gnmi_response settled = *response;
    enum sl_clock_policy policy = sl_stream_clock_policy(stream, route);
    bool is_as_sent =
        policy == SL_CLOCK_OF_FORMAT && !sl_format_marks_sync(route->config.encoder.format);

    if (response->kind == SL_GNMI_UPDATE && !is_as_sent) {
        settled.timestamp_ns = sl_clock_settle(policy, route->config.max_skew_ns, stream->device_ns,
                                               stream->settled_ns);
    }
    return settled;
}

static void next_route(struct sl_stream *stream, size_t index)
{
    stream->next_route = index;
    stream->progress = (struct sl_encoder_progress){0};
    stream->given = 0;
    stream->repeated = 0;
    if (stream->ruled.step != SL_RULED_NOT) {
        sl_ruled_reset(&stream->ruled);
    }
}

/* All of the message has gone somewhere. */
static void check_routes(const struct sl_stream *stream)
{
    for (size_t i = 0; i < stream->config.route_count; i++) {
        SL_INVARIANT(stream->routes[i].coming == 0);
    }
}

/* Updates and deletes of the message under way that the route gets. */
static uint32_t updates_for(const struct sl_stream *stream, const struct sl_route *route,
                            const struct sl_gnmi_response *response)
{
    return stream->members ? sl_members_updates(stream->members, route->config.member)
                           : response->updates + response->deletes;
}

/* No memory for what the member gets of it. What rules have taken out before is counted. */
static void count_lost_part(const struct sl_stream *stream, struct sl_route *route,
                            const struct sl_gnmi_response *response)
{
    const struct sl_gnmi_response *ruled = &stream->ruled.response;
    uint32_t updates = stream->ruled.step == SL_RULED_ANEW ? ruled->updates + ruled->deletes
                                                           : updates_for(stream, route, response);

    if (stream->ruled.step != SL_RULED_NOTHING) {
        sl_route_drop(route, SL_DROP_MEMORY, updates - stream->progress.passed);
    }
}

/* The part without the updates that a later one outdoes; their number is kept, for rules may have
 * made of it already what is to be given. NULL: no memory. */
static const struct sl_gnmi_response *distinct_part(struct sl_stream *stream,
                                                    const struct sl_route *route,
                                                    const struct sl_gnmi_response *part,
                                                    struct sl_gnmi_response *made)
{
    const struct sl_gnmi_response *last = part;

    if (route->config.is_last_only && stream->ruled.step != SL_RULED_ANEW) {
        last = sl_distinct_apply(&stream->config.pool->distinct, part, made);
        stream->repeated = last ? part->updates - last->updates : 0;
    }
    return last;
}

bool sl_stream_give_part(struct sl_stream *stream, struct sl_route *route,
                         const struct sl_gnmi_response *part)
{
    struct sl_gnmi_response made;
    const struct sl_gnmi_response *last = distinct_part(stream, route, part, &made);

    if (!last) {
        sl_route_drop(route, SL_DROP_MEMORY,
                      part->updates + part->deletes - stream->progress.passed);
        return true;
    }
    const struct sl_gnmi_response settled = settle(stream, route, last);
    const struct sl_gnmi_response *ruled = sl_ruled_part(stream, route, &settled);

    if (ruled && !give_route(stream, route, ruled)) {
        if (sl_ruled_keep(stream, route)) {
            return false;
        }
        sl_route_drop(route, SL_DROP_MEMORY,
                      ruled->updates + ruled->deletes - stream->progress.passed);
    }
    sl_route_filter(route, stream->repeated);
    route->duplicates += part->duplicates;
    return true;
}

/* What is left of the records of the message for the member of one route. */
static bool give_member(struct sl_stream *stream, struct sl_route *route,
                        const struct sl_gnmi_response *response)
{
    const struct sl_gnmi_response *part = response;

    if (stream->members) {
        if (!sl_members_gets(stream->members, route->config.member)) {
            return true;
        }
        part = sl_members_part(stream->members, response, route->config.member);
    }
    if (!part) {
        count_lost_part(stream, route, response);
        return true;
    }
    return sl_stall_give(stream, route, part);
}

/* Goes on with the message under way at the first route without all its records. False: full. */
static bool give_routes(struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    while (stream->next_route < stream->config.route_count) {
        struct sl_route *route = &stream->routes[stream->next_route];
        bool may_go =
            sl_stall_is_on(route) || sl_mark_give(stream, route) || !sl_route_is_required(route);
        if (route->is_cut || !may_go || !give_member(stream, route, response)) {
            return false;
        }
        next_route(stream, stream->next_route + 1);
    }
    check_routes(stream);
    return true;
}

/* ---- messages ---- */

/* The device has sent its initial state. */
static void note_synced(struct sl_stream *stream)
{
    if (!stream->view.is_synced) {
        sl_log(SL_LOG_INFO, &stream->subject, "synced", sl_log_u64("epoch", stream->view.epoch));
        sl_mark_synced(stream);
    }
    stream->view.is_synced = true;
}

/* What was mended away is the first member's, for it is nobody's. */
static void count_updates(struct sl_stream *stream, const struct sl_mended *mended)
{
    for (size_t i = 0; !mended->is_dropped && i < stream->config.route_count; i++) {
        struct sl_route *route = &stream->routes[i];
        sl_route_receive(route, updates_for(stream, route, &mended->response));
    }
    for (size_t i = 0; i < stream->routes_each; i++) {
        sl_route_receive(&stream->routes[i], mended->filtered);
        sl_route_filter(&stream->routes[i], mended->filtered);
    }
}

static void note_time(struct sl_stream *stream, int64_t sent)
{
    stream->sent_timestamp = sent;
    stream->settled_ns = stream->received_ns;
    stream->device_ns = sl_clock_read(&stream->clock, sent, stream->received_ns);
}

static void count_response(struct sl_stream *stream, const struct sl_gnmi_response *response,
                           const struct sl_mended *mended, uint32_t window_bytes)
{
    struct sl_stream_view *view = &stream->view;

    view->messages++;
    view->message_bytes += window_bytes;
    view->duplicates += response->duplicates;
    sl_mark_message(stream, response);
    if (!mended->is_dropped && mended->response.kind == SL_GNMI_UPDATE) {
        note_time(stream, mended->response.timestamp_ns);
    }
    view->empties += response->kind == SL_GNMI_EMPTY;
    if (response->is_sync) {
        view->syncs++;
        note_synced(stream);
    }
    if (stream->members && !mended->is_dropped) {
        view->unasked += sl_members_unasked(stream->members);
    }
    count_updates(stream, mended);
}

/* A message that is no SubscribeResponse counts as one update, received and dropped: of the first
 * member, for it says of none whose it is. */
static void count_undecodable(struct sl_stream *stream, const struct sl_status *why,
                              uint32_t window_bytes)
{
    stream->view.messages++;
    stream->view.message_bytes += window_bytes;
    sl_mark_message(stream, &(struct sl_gnmi_response){0});
    for (size_t i = 0; i < stream->config.route_count; i++) {
        stream->routes[i].undecodable++;
    }
    for (size_t i = 0; i < stream->routes_each; i++) {
        sl_route_receive(&stream->routes[i], 1);
        sl_route_drop(&stream->routes[i], SL_DROP_DECODE, 1);
    }
    sl_log(SL_LOG_WARN, &stream->subject, "message dropped",
           sl_log_text("reason", sl_drop_reason_name(SL_DROP_DECODE)),
           sl_log_text("why", why->text));
}

struct sl_charge *sl_stream_charge(struct sl_stream *stream, uint32_t window_bytes)
{
    struct sl_charge *charge = charge_new(stream);

    if (!charge) {
        return NULL;
    }
    charge->stream = stream;
    charge->generation = stream->credit.generation;
    charge->window_bytes = window_bytes;
    charge->cost_bytes = 0;
    charge->holders = 1;
    charge->member = SIZE_MAX;
    sl_credit_charge(&stream->credit, window_bytes);
    return charge;
}

static bool begin_charge(struct sl_stream *stream, uint32_t window_bytes)
{
    stream->charge = sl_stream_charge(stream, window_bytes);
    next_route(stream, 0);
    return stream->charge != NULL;
}

void sl_stream_end_charge(struct sl_stream *stream)
{
    struct sl_charge *charge = stream->charge;

    stream->charge = NULL;
    if (charge->cost_bytes && charge->window_bytes) {
        sl_cost_rate_learn(&stream->share.rate, charge->cost_bytes, charge->window_bytes);
    }
    sl_stream_drop_charge(charge);
}

/* What the message should have been, and whose it is. False when memory is out. */
static bool prepare(struct sl_stream *stream, const struct sl_gnmi_response *response, bool is_new,
                    struct sl_mended *mended)
{
    struct sl_buf *out = &stream->config.pool->mended;

    sl_buf_trim(out, MENDED_KEPT_BYTES);
    *mended = (struct sl_mended){.response = *response};
    if (stream->mend && !sl_mend_apply(stream->mend, response, is_new, out, mended)) {
        return false;
    }
    return mended->is_dropped || !stream->members ||
           sl_members_share(stream->members, &mended->response);
}

/* A replay knows better when a message came. */
static void note_arrival(struct sl_stream *stream)
{
    const struct sl_stream_config *config = &stream->config;

    if (!config->message_time) {
        stream->received_ns = stream->newest_ns;
    } else if (!config->message_time(config->arg, &stream->received_ns)) {
        stream->received_ns = sl_loop_wall_ns();
    }
}

enum sl_grpc_take sl_stream_on_message(struct sl_grpc_call *call, const uint8_t *bytes,
                                       uint32_t length, void *arg)
{
    struct sl_stream *stream = arg;
    struct sl_gnmi_response response;
    struct sl_mended mended;
    struct sl_str message = {(const char *)bytes, length};
    uint32_t window_bytes = sl_grpc_call_wire_bytes(call);
    bool is_new = !stream->charge;

    if (is_new && (sl_stream_must_hold(stream) || !sl_stream_claim(stream, window_bytes))) {
        return SL_GRPC_HOLD;
    }
    if (is_new && !begin_charge(stream, window_bytes)) {
        return SL_GRPC_STOP;
    }
    if (is_new) {
        note_arrival(stream);
        if (stream->recording) {
            sl_stream_record_message(stream, message);
        }
    }
    struct sl_status status =
        sl_gnmi_response_read(message, &stream->config.pool->scratch, &response);
    if (!sl_status_is_ok(&status)) {
        count_undecodable(stream, &status, window_bytes);
    } else if (!prepare(stream, &response, is_new, &mended)) {
        return SL_GRPC_STOP;
    } else {
        if (is_new) {
            count_response(stream, &response, &mended, window_bytes);
            sl_stream_note_extensions(stream, &response);
        }
        if (!mended.is_dropped && !give_routes(stream, &mended.response)) {
            sl_stream_handle(stream, SL_STREAM_FULL);
            return SL_GRPC_HOLD;
        }
    }
    sl_stream_end_charge(stream);
    return SL_GRPC_TAKEN;
}

bool sl_stream_on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    struct sl_stream *stream = arg;

    (void)call;
    if (!stream->config.message_time) {
        stream->newest_ns = sl_loop_wall_ns();
    }
    sl_stream_note_heard(stream);
    sl_loop_defer(stream->config.loop, &stream->credit_due);
    return sl_credit_receive(&stream->credit, len);
}

uint32_t sl_stream_max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct sl_stream *stream = arg;

    (void)call;
    return stream->config.max_message_bytes;
}

void sl_stream_drop_unfinished(struct sl_stream *stream)
{
    struct sl_charge *charge = stream->charge;

    if (!charge) {
        return;
    }
    for (; stream->next_route < stream->config.route_count; stream->next_route++) {
        struct sl_route *route = &stream->routes[stream->next_route];
        sl_route_drop(route, SL_DROP_CLOSED, route->coming);
    }
    stream->charge = NULL;
    sl_ruled_reset(&stream->ruled);
    sl_stream_drop_charge(charge);
}

/* ---- acknowledgements ---- */

/* The record's messages have one record less to wait for. */
static void delivery_end(struct sl_delivery *delivery)
{
    struct sl_charge *charge = delivery->charge;

    for (size_t i = 0; i < delivery->charge_count; i++) {
        sl_stream_drop_charge(delivery->charges[i]);
    }
    free(delivery->charges);
    delivery_free(delivery);
    if (charge) {
        sl_stream_drop_charge(charge);
    }
}

void sl_stream_settle(struct sl_delivery *delivery, uint64_t *counter)
{
    struct sl_stream *stream = delivery->stream;

    sl_route_settle(delivery->route, counter, delivery->updates);
    delivery->place->held -= delivery->updates;
    delivery->place->held_bytes -= delivery->payload_bytes;
    sl_route_cost_sub(stream, delivery->route, delivery->cost_bytes);
    sl_stream_count_back(stream, delivery->route);
    delivery_end(delivery);
    if (stream->change) {
        sl_loop_defer(stream->config.loop, &stream->credit_due);
    }
    sl_stream_note_empty(stream);
}

static uint64_t *counter_of(struct sl_route *route, enum sluice_result result)
{
    switch (result) {
    case SLUICE_DELIVERED:
        return &route->counts.published;
    case SLUICE_TOO_LARGE:
        return &route->counts.dropped[SL_DROP_TOO_LARGE];
    case SLUICE_DEAD_LETTER:
        return &route->counts.dropped[SL_DROP_DEAD_LETTER];
    case SLUICE_RESTARTED:
        return &route->counts.dropped[SL_DROP_SINK_RESTART];
    case SLUICE_FAILED:
        break;
    }
    return &route->counts.dropped[SL_DROP_SINK];
}

void sl_stream_acknowledge(struct sl_token *token, enum sluice_result result)
{
    struct sl_delivery *delivery = token->owner;
    struct sl_stream *stream = delivery->stream;
    struct sl_route *route = delivery->route;
    bool is_delivered = result == SLUICE_DELIVERED;
    int64_t received_ns = delivery->received_ns;

    if (delivery->is_mark) {
        route->marks.published += is_delivered;
        route->marks.dropped += !is_delivered;
    }
    if (!is_delivered) {
        sl_loop_defer(stream->config.loop, &stream->credit_due);
    } else if (delivery->device_ns) {
        sl_stream_note_lag(stream, route, delivery->device_ns);
    }
    sl_stream_settle(delivery, counter_of(route, result));
    if (result == SLUICE_RESTARTED && route->spec->is_required) {
        sl_raise_note(stream, route, received_ns);
    }
}
