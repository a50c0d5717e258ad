/* calls_owner.h - who owns calls: takes their events, holds them to what call.h says of these, and
 * does with them, as the steering bytes want it, whatever call.h allows.
 */
#ifndef SLUICE_TESTS_FUZZ_CALLS_OWNER_H
#define SLUICE_TESTS_FUZZ_CALLS_OWNER_H

#include "fuzz.h"
#include "grpc/health.h"
#include "grpc/internal.h"

enum { CALLS = 6 };

struct own {
    struct bench *bench;
    struct sl_grpc_call *call; /* NULL: free, or ended */
    const struct sl_grpc_method *method;
    uint32_t max_message_bytes;
    uint64_t granted_bytes;
    uint32_t held_window; /* the peer's, when the last message was held */
    int64_t deadline_ns;  /* 0: none was seen */
    bool is_manual;
    bool is_open; /* client: on_open came, since its last start */
    bool has_headers;
    bool is_half_closed; /* by the peer */
    bool has_responded;  /* server: it may have, so its encoding stands */
    bool is_finished;    /* by us */
    bool is_decided;     /* ends with the turn */
    bool is_ending;      /* on_status is under way */
    bool has_lost;       /* a message that was refused for good */
};

struct bench {
    struct sl_h2_session *session;
    struct fuzz_input steering;
    struct sl_loop *loop; /* NULL: without one */
    struct sl_grpc_context context;
    struct sl_grpc_context *used_context; /* or NULL */
    struct sl_grpc_health *health;
    struct sl_grpc_owner owner;
    struct sl_list waiting;
    struct own calls[CALLS];
    size_t received;
    size_t sent;
    size_t own_sent;  /* of that, at most so much by what we asked for */
    long allocations; /* until one fails; below 0: none does */
    bool is_server;
};

static inline uint8_t steer(struct bench *bench)
{
    return fuzz_byte(&bench->steering);
}

/* A server's: of all four kinds. `arg` is the bench. */
extern const struct sl_grpc_handler owner_handlers[];

/* A client's; it may wait then. */
void owner_open_call(struct bench *bench);

/* One deed with a call that has not ended. */
void owner_act(struct own *own);

void owner_start_waiting(struct bench *bench); /* the first call that waits */
void owner_abandon_waiting(struct bench *bench);
extern const struct sl_grpc_owner owner_of_waiting; /* but for its `arg`, the bench */

#endif
