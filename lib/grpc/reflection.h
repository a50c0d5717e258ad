/* reflection.h - server reflection: what a server serves, told to those who have no .proto files.
 *
 * A server offers it by an entry {sl_grpc_reflection_handlers, NULL}, under both names that clients
 * ask for (grpc.reflection.v1 and v1alpha). It answers for the services of the server that the call
 * came to, for itself too, and with the files that define them and what those import; the build put
 * their descriptors into the tables (service.h). A service of no table shows nowhere.
 *
 * What is not there is said in the stream (error_response with NOT_FOUND), which goes on. The next
 * request is looked at when the answer to the last has left: a client that asks and does not read
 * makes one answer wait, not more.
 */
#ifndef SLUICE_GRPC_REFLECTION_H
#define SLUICE_GRPC_REFLECTION_H

#include "grpc/call.h"

enum { SL_GRPC_REFLECTION_MAX_REQUEST_BYTES = 16 * 1024 };

extern const struct sl_grpc_handler sl_grpc_reflection_handlers[];

#endif
