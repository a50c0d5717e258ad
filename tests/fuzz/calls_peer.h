/* calls_peer.h - what a peer of calls says: HTTP/2 frames with what gRPC puts into them, right or
 * nearly right, or anything.
 */
#ifndef SLUICE_TESTS_FUZZ_CALLS_PEER_H
#define SLUICE_TESTS_FUZZ_CALLS_PEER_H

#include "base/buf.h"
#include "fuzz.h"

struct peer {
    bool is_client;
    uint32_t next_id; /* of the client's streams */
    struct sl_buf payload;
};

void peer_init(struct peer *peer, bool is_client);
void peer_fini(struct peer *peer);

/* How it begins: preface and SETTINGS, the ACK of ours too. */
void peer_greet(struct sl_buf *out, bool is_client);

/* The next frame of the input, appended. */
void peer_speak(struct peer *peer, struct fuzz_input *input, struct sl_buf *out);

#endif
