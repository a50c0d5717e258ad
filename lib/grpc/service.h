/* service.h - what a service can do, as a table.
 *
 * The tables are made in the build from the descriptors of the .proto files (proto/services), one
 * for each service:
 *
 *     extern const struct sl_grpc_service gnmi__g_nmi__service;
 *     extern const struct sl_grpc_method gnmi__g_nmi__methods[4];
 *     enum { GNMI__G_NMI__CAPABILITIES = 0, … GNMI__G_NMI__SUBSCRIBE = 3 };
 *
 * spelt as protoc-c spells its symbols. A call names a method of a table, a server has a handler
 * for each method that it offers. Constant: any thread.
 */
#ifndef SLUICE_GRPC_SERVICE_H
#define SLUICE_GRPC_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct sl_grpc_method {
    const char *name;    /* "Subscribe" */
    const char *path;    /* "/gnmi.gNMI/Subscribe" */
    bool client_streams; /* more than one message from the client */
    bool server_streams;
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
};

struct sl_grpc_service {
    const char *name; /* "gnmi.gNMI" */
    const struct sl_grpc_method *methods;
    size_t method_count;
};

#endif
