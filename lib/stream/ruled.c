/* ruled.c - what the rules of a route leave of the message under way. They are asked once for each
 * message and route: when its sink is full what they left waits here, for rules remember. */
#include "stream/internal.h"

void sl_ruled_reset(struct sl_ruled *ruled)
{
    sl_buf_fini(&ruled->kept);
    ruled->step = SL_RULED_NOT;
}

static enum sl_ruled_step ask(struct sl_stream *stream, struct sl_route *route,
                              const struct sl_gnmi_response *part)
{
    struct sl_encoder_context context = sl_stream_context(stream, route, part);
    struct sl_ruled *ruled = &stream->ruled;
    struct sl_rules_result result;

    if (!sl_rules_apply(route->rules, part, &context, &ruled->response, &result)) {
        sl_route_drop(route, SL_DROP_MEMORY, part->updates + part->deletes);
        return SL_RULED_NOTHING;
    }
    sl_route_receive(route, result.opened);
    sl_route_filter(route, result.filtered);
    sl_route_drop(route, SL_DROP_VALUE, result.dropped);
    if (result.is_nothing) {
        return SL_RULED_NOTHING;
    }
    bool is_same = ruled->response.message.data == part->message.data && !ruled->response.listed;

    return is_same ? SL_RULED_SAME : SL_RULED_ANEW;
}

const struct sl_gnmi_response *sl_ruled_part(struct sl_stream *stream, struct sl_route *route,
                                             const struct sl_gnmi_response *part)
{
    struct sl_ruled *ruled = &stream->ruled;

    if (!route->rules) {
        return part;
    }
    if (ruled->step == SL_RULED_NOT) {
        ruled->step = ask(stream, route, part);
    }
    switch (ruled->step) {
    case SL_RULED_NOTHING:
        return NULL;
    case SL_RULED_ANEW:
        return &ruled->response;
    case SL_RULED_NOT:
    case SL_RULED_SAME:
        break;
    }
    return part;
}

bool sl_ruled_keep(struct sl_stream *stream, struct sl_route *route)
{
    struct sl_ruled *ruled = &stream->ruled;

    return ruled->step != SL_RULED_ANEW || ruled->kept.data ||
           sl_rules_take_out(route->rules, &ruled->response, &ruled->kept);
}
