/* book.h - what devices have sent and brokers have got, and whether the two agree.
 *
 * The updates of a device for one member of one stream are numbered from 1 through all of its
 * calls, so that a consumer sees which are missing. The book is filled by the devices (book_send)
 * and by the brokers (book_accept, book_report), and knows nothing of the core. It says at once
 * what is wrong with a record: a number of the stream (epoch, seq) or of the device that is
 * missing, doubled or out of its order, a value that is not what was sent, losses between two
 * epochs without exactly one gap marker.
 */
#ifndef SLUICE_TESTS_WORLD_BOOK_H
#define SLUICE_TESTS_WORLD_BOOK_H

#include "sluice_plugin.h"
#include "stream/route.h"
#include "world/run.h"

#define BOOK_NOBODY UINT32_MAX

enum { BOOK_LEAVES = 32 }; /* of one message */

/* One message of a device. */
struct book_message {
    uint32_t call;
    uint32_t wire_bytes; /* gRPC's prefix included */
    uint32_t unsettled;  /* updates × sinks that no sink has reported yet */
    bool is_begun;       /* a sink has taken something made of it */
};

/* One Subscribe call, as the device sees it. */
struct book_call {
    uint64_t first[PLAN_MEMBERS]; /* number of the first update */
    uint64_t settled_bytes;       /* of messages whose every update was reported */
    uint64_t begun_bytes;         /* of messages that sinks have something of, and not reported */
    uint64_t light_bytes;         /* of messages without updates */
    uint64_t undecodable;
};

/* What one sink got of one member of one stream. */
struct book_reader {
    uint64_t epoch;
    uint64_t seq;
    uint32_t call;                /* of the epoch's updates; BOOK_NOBODY: there were none */
    uint64_t last_number;         /* of any epoch, the highest */
    uint64_t newest[BOOK_LEAVES]; /* of each path */
    unsigned gaps;                /* markers of this epoch that say that one was before it */
    bool was_connected;           /* an epoch before this one had a record */
    bool is_over;                 /* this one has had its marker "disconnected" */
    /* Of the present life of its target. */
    uint64_t accepted, delivered, failed; /* updates */
    uint64_t told[SL_DROP_REASONS];       /* by gap markers */
};

struct book_update {
    uint32_t message;
    uint16_t leaf;    /* its path */
    uint16_t readers; /* sinks that have got it: a set */
};

struct book_flow {
    struct book_update *updates; /* by number - 1 */
    size_t count;
    size_t cap;
    uint64_t newest[BOOK_LEAVES]; /* the last number of each path */
};

struct book_stream {
    struct book_flow flows[PLAN_MEMBERS];
    struct book_message *messages;
    size_t message_count, message_cap;
    struct book_call *calls;
    size_t call_count, call_cap;
    struct book_reader readers[PLAN_MEMBERS][PLAN_SINKS];
    uint64_t epoch;      /* of the last record with updates, */
    uint32_t call;       /* and the call that they are of */
    int64_t accepted_ns; /* the last time that a sink took updates */
};

struct book {
    struct run *run;
    struct book_stream streams[PLAN_DEVICES][PLAN_STREAMS];
    unsigned lives[PLAN_DEVICES]; /* how often the target was made */
};

struct book *book_new(struct run *run);
void book_free(struct book *book);

/* ---- devices ---- */

uint32_t book_begin_call(struct book *book, unsigned device, unsigned stream);

/* The number that the member's next update has. */
uint64_t book_next(const struct book *book, unsigned device, unsigned stream, unsigned member);

/* A message was made, with so many updates of each member, from book_next on. */
void book_send(struct book *book, unsigned device, unsigned stream, uint32_t call,
               uint32_t wire_bytes, const unsigned updates[PLAN_MEMBERS]);
void book_send_undecodable(struct book *book, unsigned device, unsigned stream, uint32_t call,
                           uint32_t wire_bytes);

/* The value of update `number`: its text, and how much follows that says nothing. */
size_t book_value(char *text, size_t room, uint64_t number);

/* ---- brokers ---- */

/* A record that a broker has, and has not reported. */
struct book_record {
    unsigned device, stream, member, sink;
    unsigned life;
    uint64_t first; /* number of its first update */
    uint32_t updates;
    uint64_t *numbers; /* of all, where they do not follow one another; else NULL */
};

/* False: the run has failed. */
bool book_accept(struct book *book, unsigned sink, const struct sluice_record *record,
                 struct book_record *out);

/* What may be missing for good within an epoch, counted and told: a sink that is not required does
 * not hold, and a stream that conflates or sheds does not wait. */
bool book_may_skip(const struct book *book, unsigned device, unsigned stream, unsigned sink);

/* Before the core is told. Frees what the record has. */
void book_report(struct book *book, const struct book_record *record, bool is_delivered);

/* ---- the core ---- */

/* The target of a device was made anew: counters begin at 0. */
void book_begin_life(struct book *book, unsigned device);

#endif
