/* compression.h - the cases of gRPC's interoperability suite whose messages are compressed. */
#ifndef SLUICE_INTEROP_COMPRESSION_H
#define SLUICE_INTEROP_COMPRESSION_H

#include <stdbool.h>

#include "calls.h"

/* They begin with a probe: a server that looks whether requests are compressed refuses it. */
bool interop_client_compressed_unary(struct interop_client *client);
bool interop_client_compressed_streaming(struct interop_client *client);

/* For servers that do not look. */
bool interop_client_compressed_unary_noprobe(struct interop_client *client);
bool interop_client_compressed_streaming_noprobe(struct interop_client *client);

bool interop_server_compressed_unary(struct interop_client *client);
bool interop_server_compressed_streaming(struct interop_client *client);

#endif
