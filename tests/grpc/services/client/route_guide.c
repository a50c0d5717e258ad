/* routeguide.RouteGuide: places as pairs of words, latitude and longitude times 10,000,000. */
#include <stdio.h>

#include "client.h"
#include "route_guide.pb-c.h"
#include "route_guide.services.h"

typedef Routeguide__Point Point;
typedef Routeguide__Feature Feature;
typedef Routeguide__RouteNote Route_note;
typedef Routeguide__RouteSummary Route_summary;

static Point to_point(char **words)
{
    Point point = ROUTEGUIDE__POINT__INIT;

    point.latitude = (int32_t)to_number(words[0]);
    point.longitude = words[1] ? (int32_t)to_number(words[1]) : 0;
    return point;
}

static void print_place(const Point *point, const char *text)
{
    printf("%d %d %s\n", point ? point->latitude : 0, point ? point->longitude : 0, text);
}

static void print_feature(const ProtobufCMessage *message)
{
    const Feature *feature = (const Feature *)message;

    print_place(feature->location, *feature->name ? feature->name : "nothing");
}

static void print_summary(const ProtobufCMessage *message)
{
    const Route_summary *summary = (const Route_summary *)message;

    printf("points=%d features=%d metres=%d seconds=%d\n", summary->point_count,
           summary->feature_count, summary->distance, summary->elapsed_time);
}

static struct sl_status get_feature(struct client *client, const struct sl_grpc_request *request,
                                    char **words)
{
    const Point point = to_point(words);

    return ask(client, request, &point.base, print_feature);
}

static struct sl_status list_features(struct client *client, const struct sl_grpc_request *request,
                                      char **words)
{
    Routeguide__Rectangle rectangle = ROUTEGUIDE__RECTANGLE__INIT;
    Point corners[] = {to_point(words), to_point(words + 2)};

    rectangle.lo = &corners[0];
    rectangle.hi = &corners[1];
    return ask(client, request, &rectangle.base, print_feature);
}

static struct sl_status record_route(struct client *client, const struct sl_grpc_request *request,
                                     char **words)
{
    struct sl_grpc_blocking *call = sl_grpc_blocking_open(client->channel, request);

    for (; call && words[0] && words[1]; words += 2) {
        const Point point = to_point(words);
        if (!sl_grpc_blocking_send(call, &point.base)) {
            break;
        }
    }
    return finish(call, print_summary);
}

/* ---- RouteChat ---- */

struct chat {
    struct client *client;
    char **words;
};

static void send_notes(struct sl_grpc_call *call, void *arg)
{
    struct chat *chat = arg;

    for (; chat->words[0] && chat->words[1] && chat->words[2]; chat->words += 3) {
        Point location = to_point(chat->words);
        Route_note note = ROUTEGUIDE__ROUTE_NOTE__INIT;
        note.location = &location;
        note.message = chat->words[2];
        if (sl_grpc_call_send(call, &note.base) != SL_GRPC_SENT) {
            return;
        }
    }
    sl_grpc_call_half_close(call);
}

static enum sl_grpc_take on_note(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                 void *arg)
{
    const Route_note *note = (const Route_note *)message;

    (void)call;
    (void)arg;
    print_place(note->location, note->message);
    return SL_GRPC_TAKEN;
}

static struct sl_status route_chat(struct client *client, const struct sl_grpc_request *request,
                                   char **words)
{
    static const struct sl_grpc_call_events events = {
        .on_writable = send_notes,
        .on_message = on_note,
        .on_status = end_call,
    };
    struct chat chat = {client, words};

    return run_call(client, request, &events, &chat);
}

#define METHOD(name) &routeguide__route_guide__methods[ROUTEGUIDE__ROUTE_GUIDE__##name]

const struct command route_guide_commands[] = {
    {METHOD(GET_FEATURE), NULL, "LATITUDE LONGITUDE", 2, 2, get_feature},
    {METHOD(LIST_FEATURES), NULL, "LATITUDE LONGITUDE LATITUDE LONGITUDE", 4, 4, list_features},
    {METHOD(RECORD_ROUTE), NULL, "LATITUDE LONGITUDE ...", 0, ANY_WORDS, record_route},
    {METHOD(ROUTE_CHAT), NULL, "LATITUDE LONGITUDE TEXT ...", 0, ANY_WORDS, route_chat},
    {NULL, NULL, NULL, 0, 0, NULL},
};
