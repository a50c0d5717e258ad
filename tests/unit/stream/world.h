/* world.h - a stream between a device in memory and a sink that does as it is told. */
#ifndef SLUICE_TESTS_UNIT_STREAM_WORLD_H
#define SLUICE_TESTS_UNIT_STREAM_WORLD_H

#include "test.h"

#include "stream/stream.h"

enum { LIMIT_BYTES = 64 * 1024, MOST_TOKENS = 8192, KEPT_RECORDS = 32, MOST_MEMBERS = 4 };

/* A sink that keeps what it takes until it is told to acknowledge. */
struct fake_sink {
    const struct sluice_host *host;
    struct sluice_token *tokens[MOST_TOKENS];
    size_t count;
    uint64_t seqs[MOST_TOKENS];
    uint32_t lines[MOST_TOKENS];
    uint64_t records;
    struct sl_buf kept[KEPT_RECORDS];   /* the payloads of the first records */
    struct sl_buf places[KEPT_RECORDS]; /* and their destinations */
    bool is_full;
    uint64_t full_at;        /* so many records it takes; 0: any */
    size_t most_bytes;       /* of a record; 0: any */
    char whose[MOST_TOKENS]; /* of each token: what its subscription begins with */
    void (*on_record)(const struct sluice_record *record, void *arg); /* or NULL */
    void *arg;
};

extern struct fake_sink *the_fake;  /* of the required sink */
extern struct fake_sink *the_extra; /* of the one beside it; NULL: there is none */

void fake_acknowledge(struct fake_sink *fake, enum sluice_result result);

/* The same for records of subscriptions that begin so. */
void fake_acknowledge_of(struct fake_sink *fake, char whose, enum sluice_result result);

/* A loop, a sink, a stream, and a device at the other end of a session. */
struct world {
    struct sl_grpc_service_entry service;
    struct sl_grpc_router router;
    struct sl_loop *loop;
    struct sl_timer *turn;
    struct sl_sink_spec spec;
    struct sl_sink *sink;
    struct sl_sink_spec extra_spec;
    struct sl_sink *extra;
    struct sl_encoder_memory interned;
    struct sl_stream_pool pool;
    struct sl_route_config routes[MOST_MEMBERS];
    struct sl_stream *stream;
    struct sl_h2_session *client;
    struct sl_h2_session *server;
    struct sl_grpc_call *device; /* the server's side of the call */
    size_t calls;                /* that the device has had */
    const char *const *refused;  /* as in the options */
    size_t requests;             /* that came, of a device that refuses */
    size_t asked;                /* paths in the last one */
    bool is_closed;
};

extern const struct sl_h2_session_events client_events;

/* What a world is made with: of the route all but its sink and names. */
struct world_options {
    struct sl_route_config route;
    const struct sl_stream_member *members; /* NULL: one, "sub1", which asks for /a/b */
    size_t member_count;
    /* Names of first elements, ends with NULL: the device refuses a request with one of them, and
     * answers any other with a sync_response. NULL: it says nothing by itself. */
    const char *const *refused;
    struct sl_clock_config clock;
    int64_t stale_after_ns;
    uint64_t shared_bytes; /* memory, of the governor; 0: plenty */
    /* Of a second sink, which is not required; 0: there is none. For one member. */
    uint64_t extra_memory_bytes;
    struct sl_stall_config stall;
    const struct sl_processor_spec *const *processors; /* of the sink; NULL: none */
    size_t processor_count;
};

int set_up_world(void **state, const struct world_options *options);

/* What its stream was made with; its routes are the world's. */
struct sl_stream_config world_config(struct world *world, const struct world_options *options);

int set_up_batch(void **state, enum sl_format format, struct sl_template *destination,
                 struct sl_batch_config batch);
int set_up_format(void **state, enum sl_format format, struct sl_template *destination);
int tear_down(void **state);

/* One turn of the loop. */
void turn(struct world *world);

/* A turn, and what frames there are, both ways; false: there were none. */
bool step(struct world *world);

/* The same until nothing moves any more. */
void settle(struct world *world);

/* A new connection, after the old one is lost. */
void connect_again(struct world *world);

struct sl_stream_view view(const struct world *world);
const struct sl_route_counts *counts(const struct world *world);

/* A SubscribeResponse of `length` bytes (40 or more) with one update: path /v, a string of blanks.
 */
void fill_response(uint8_t *bytes, uint32_t length);

/* The device sends messages of `length` bytes until its stream takes no more; how many it took. */
unsigned send_all(struct world *world, uint32_t length, unsigned most);

#endif
