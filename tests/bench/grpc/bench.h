/* bench.h - what the benchmark's server and client share: options, as words of the command line.
 *
 *     bench_grpc server [-cert FILE -key FILE]            prints "port N", ends with SIGTERM
 *     bench_grpc client -port N -kind unary|stream -size BYTES -conns N -calls N -seconds S
 *                       [-ca FILE]                        prints "calls N messages N bytes N"
 *
 * The same words as those of tests/peers/bench, which is the other side of each measurement.
 */
#ifndef SLUICE_BENCH_GRPC_H
#define SLUICE_BENCH_GRPC_H

#include <stdbool.h>
#include <stdint.h>

#include "benchmark.pb-c.h"
#include "benchmark.services.h"

#define CIPHERSUITES "TLS_AES_128_GCM_SHA256" /* what grpc-go's side chooses too */

struct options {
    bool is_stream;
    int port;
    int size; /* of the payload, in both directions; of a stream in the server's */
    int conns;
    int calls; /* under way, over all connections */
    double seconds;
    const char *ca;
    const char *cert;
    const char *key;
};

/* Ends the program. */
_Noreturn void give_up(const char *what, const char *why);

void run_server(const struct options *options);
void run_client(const struct options *options);

#endif
