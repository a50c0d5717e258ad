/* site.h - a server on loopback, written frame by frame, for the channel of one test.
 *
 * It notes what its visitors (connections) ask and says only what the test makes it say, so that a
 * channel is tested against the RFC and not against our server. What hangs is failed after half a
 * minute. */
#ifndef SLUICE_TESTS_GRPC_SITE_H
#define SLUICE_TESTS_GRPC_SITE_H

#include "test.h"

#include <stdbool.h>

#include "base/buf.h"
#include "grpc/channel.h"
#include "loop/loop.h"
#include "net/net.h"

enum { VISITORS = 64, MAX_LAST_ID = 0x7fffffff };

struct site;

struct visitor {
    struct site *site;
    struct sl_conn *conn; /* NULL once it is gone */
    struct sl_buf heard;  /* what is not looked at */
    bool is_past_magic;
    int32_t last_id;    /* the newest stream */
    uint32_t requests;  /* streams opened */
    uint32_t ended;     /* requests that are complete */
    uint32_t open;      /* and not answered */
    uint32_t most_open; /* at a time */
    uint32_t resets;
    unsigned pings;
};

/* What is said without being told. */
enum manner {
    GREETS,  /* SETTINGS and their ACK */
    ANSWERS, /* the same, and "yes" to each request that is complete */
    REFUSES, /* the same, and RST_STREAM REFUSED_STREAM to each request */
    SAYS_NOTHING,
    HANGS_UP,   /* closes at once */
    SENDS_AWAY, /* SETTINGS and GOAWAY at once */
};

struct site {
    struct sl_loop *loop;
    struct sl_listener *listener;
    struct sl_timer *tick;
    struct sl_timer *guard;
    uint16_t port;
    enum manner manner;
    uint32_t max_streams;  /* in SETTINGS; 0: unsaid */
    uint32_t goaway_every; /* requests of a connection; 0: never */
    struct visitor visitors[VISITORS];
    size_t visitor_count;
    bool (*is_met)(void *arg);
    void *arg;
    bool is_late;
    void (*on_enter)(bool is_inside); /* around everything that it does by itself; or NULL */
};

void open_site(struct site *site);   /* with a loop of its own */
void close_site(struct site *site);  /* whatever is still there */
void open_doors(struct site *site);  /* listens; again on the same port */
void close_doors(struct site *site); /* connections stay */
void run_until(struct site *site, bool (*is_met)(void *arg), void *arg);
void run_turns(struct site *site, unsigned turns);

void say_goaway(struct visitor *visitor, int32_t last_id, uint32_t error, const char *text);
void say_answer(struct visitor *visitor, int32_t id); /* headers, "yes", OK */
void say_headers(struct visitor *visitor, int32_t id);
void say_refused(struct visitor *visitor, int32_t id);
void hang_up(struct visitor *visitor);

#endif
