/* routeguide.RouteGuide: streams over a database of places, and notes left at them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "features.h"
#include "route_guide.pb-c.h"
#include "route_guide.services.h"
#include "services.h"

typedef Routeguide__Point Point;
typedef Routeguide__Rectangle Rectangle;
typedef Routeguide__RouteNote Route_note;

enum { NOTE_ROOM = 32 /* for the location and field tags */ };

struct route_guide {
    const struct sl_loop *loop;
    struct features features;
    struct board board;
};

/* A message that is absent is one whose fields are 0. */
static struct point to_point(const Point *message)
{
    return message ? (struct point){message->latitude, message->longitude} : (struct point){0, 0};
}

static enum sl_grpc_send send_feature(struct sl_grpc_call *call, struct point point, char *name)
{
    Point location = ROUTEGUIDE__POINT__INIT;
    Routeguide__Feature message = ROUTEGUIDE__FEATURE__INIT;

    location.latitude = point.latitude;
    location.longitude = point.longitude;
    message.name = name;
    message.location = &location;
    return sl_grpc_call_send(call, &message.base);
}

/* ---- GetFeature ---- */

static enum sl_grpc_take on_get_feature(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                        void *arg)
{
    const struct route_guide *guide = arg;
    struct point point = to_point((const Point *)message);
    const struct feature *feature = features_find(&guide->features, point);

    if (send_feature(call, point, feature ? feature->name : NULL) == SL_GRPC_SENT) {
        finish(call);
    }
    return SL_GRPC_TAKEN;
}

static void get_feature(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {.on_message = on_get_feature};

    sl_grpc_call_set_events(call, &events, arg);
}

/* ---- ListFeatures ---- */

struct listing {
    const struct features *features;
    struct point lo; /* the corners, in order whatever the request said */
    struct point hi;
    size_t next;
    bool is_asked;
};

static bool is_inside(const struct listing *listing, struct point point)
{
    return point.latitude >= listing->lo.latitude && point.latitude <= listing->hi.latitude &&
           point.longitude >= listing->lo.longitude && point.longitude <= listing->hi.longitude;
}

static void send_list(struct sl_grpc_call *call, void *arg)
{
    struct listing *listing = arg;

    if (!listing->is_asked) {
        return;
    }
    for (; listing->next < listing->features->count; listing->next++) {
        const struct feature *feature = &listing->features->list[listing->next];
        if (is_inside(listing, feature->point) &&
            send_feature(call, feature->point, feature->name) != SL_GRPC_SENT) {
            return;
        }
    }
    finish(call);
}

static void order(int32_t *low, int32_t *high)
{
    if (*low > *high) {
        int32_t other = *low;
        *low = *high;
        *high = other;
    }
}

static enum sl_grpc_take on_rectangle(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                      void *arg)
{
    const Rectangle *rectangle = (const Rectangle *)message;
    struct listing *listing = arg;

    listing->lo = to_point(rectangle->lo);
    listing->hi = to_point(rectangle->hi);
    order(&listing->lo.latitude, &listing->hi.latitude);
    order(&listing->lo.longitude, &listing->hi.longitude);
    listing->is_asked = true;
    send_list(call, listing);
    return SL_GRPC_TAKEN;
}

static void list_features(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_rectangle,
        .on_writable = send_list,
        .on_status = free_call,
    };
    const struct route_guide *guide = arg;
    struct listing *listing = open_call(call, &events, sizeof(*listing));

    if (listing) {
        listing->features = &guide->features;
    }
}

/* ---- RecordRoute ---- */

struct route {
    const struct route_guide *guide;
    int64_t began_ns;
    struct point last;
    int32_t points;
    int32_t features;
    double metres;
};

static enum sl_grpc_take on_point(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                  void *arg)
{
    struct route *route = arg;
    struct point point = to_point((const Point *)message);

    if (route->points == INT32_MAX) {
        return refuse(call, SL_OUT_OF_RANGE, "a route without end");
    }
    route->metres += route->points ? metres_between(route->last, point) : 0;
    route->features += features_find(&route->guide->features, point) != NULL;
    route->points++;
    route->last = point;
    return SL_GRPC_TAKEN;
}

static void on_arrived(struct sl_grpc_call *call, void *arg)
{
    const struct route *route = arg;
    Routeguide__RouteSummary summary = ROUTEGUIDE__ROUTE_SUMMARY__INIT;

    summary.point_count = route->points;
    summary.feature_count = route->features;
    summary.distance = (int32_t)lround(fmin(route->metres, INT32_MAX));
    summary.elapsed_time =
        (int32_t)((sl_loop_now_ns(route->guide->loop) - route->began_ns) / SL_NS_PER_S);
    reply(call, &summary.base);
}

static void record_route(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_point,
        .on_half_close = on_arrived,
        .on_status = free_call,
    };
    struct route *route = open_call(call, &events, sizeof(*route));

    if (route) {
        route->guide = arg;
        route->began_ns = sl_loop_now_ns(route->guide->loop);
    }
}

/* ---- RouteChat: a note is answered by those that anybody left at its place before ---- */

struct chat {
    struct route_guide *guide;
    uint64_t next; /* the note that is looked at next, for the one at hand */
};

static uint64_t to_place(struct point point)
{
    return (uint64_t)(uint32_t)point.latitude << 32 | (uint32_t)point.longitude;
}

static enum sl_grpc_send send_notes_of(struct sl_grpc_call *call, struct chat *chat, uint64_t place)
{
    enum sl_grpc_send sent = SL_GRPC_SENT;
    const struct note *note;

    while (sent == SL_GRPC_SENT && (note = board_read(&chat->guide->board, &chat->next))) {
        if (note->place == place) {
            sent = sl_grpc_call_send_bytes(call, note->bytes, note->len);
        }
        chat->next += sent == SL_GRPC_SENT;
    }
    return sent;
}

static enum sl_grpc_take on_route_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                       void *arg)
{
    struct chat *chat = arg;
    Route_note note = *(const Route_note *)message;
    uint64_t place = to_place(to_point(note.location));
    enum sl_grpc_send sent;

    if (strlen(note.message) + NOTE_ROOM > BOARD_NOTE_BYTES) {
        return refuse(call, SL_INVALID_ARGUMENT, "a note that long nobody reads");
    }
    sent = send_notes_of(call, chat, place);
    if (sent != SL_GRPC_SENT) {
        return taken_if(sent);
    }
    chat->next = 0;
    note.base.n_unknown_fields = 0;
    if (!board_add(&chat->guide->board, &note.base, place)) {
        return refuse(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    return SL_GRPC_TAKEN;
}

static void route_chat(struct sl_grpc_call *call, void *arg)
{
    static const struct sl_grpc_call_events events = {
        .on_message = on_route_note,
        .on_writable = resume,
        .on_half_close = finish_on_half_close,
        .on_status = free_call,
    };
    struct chat *chat = open_call(call, &events, sizeof(*chat));

    if (chat) {
        chat->guide = arg;
    }
}

#define METHOD(name) &routeguide__route_guide__methods[ROUTEGUIDE__ROUTE_GUIDE__##name]

const struct sl_grpc_handler route_guide_handlers[] = {
    {METHOD(GET_FEATURE), get_feature},
    {METHOD(LIST_FEATURES), list_features},
    {METHOD(RECORD_ROUTE), record_route},
    {METHOD(ROUTE_CHAT), route_chat},
    {NULL, NULL},
};

struct route_guide *route_guide_new(const struct sl_loop *loop, const char *features,
                                    struct sl_status *why)
{
    struct route_guide *guide = calloc(1, sizeof(*guide));

    if (!guide) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    guide->loop = loop;
    if (!features_init(&guide->features, features, why)) {
        free(guide);
        return NULL;
    }
    return guide;
}

void route_guide_free(struct route_guide *guide)
{
    if (guide) {
        board_fini(&guide->board);
        features_fini(&guide->features);
        free(guide);
    }
}
