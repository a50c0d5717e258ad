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
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct sl_grpc_service;

struct sl_grpc_method {
    const char *name;    /* "Subscribe" */
    const char *path;    /* "/gnmi.gNMI/Subscribe" */
    bool client_streams; /* more than one message from the client */
    bool server_streams;
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    const struct sl_grpc_service *service; /* NULL of a method that is in no table */
};

/* A field that a file adds to a message of another. */
struct sl_grpc_extension {
    const char *type; /* the message's full name; NULL ends the list */
    int32_t number;
};

/* What reflection tells about a .proto file. */
struct sl_grpc_file {
    const char *name;     /* "gnmi.proto" */
    const uint8_t *bytes; /* a google.protobuf.FileDescriptorProto, serialised */
    size_t len;
    const struct sl_grpc_file *const *imports; /* NULL ends it */
    /* The full names of its messages, fields, enums, values, services and methods; NULL ends it. */
    const char *const *symbols;
    const struct sl_grpc_extension *extensions;
};

struct sl_grpc_service {
    const char *name; /* "gnmi.gNMI" */
    const struct sl_grpc_method *methods;
    size_t method_count;
    const struct sl_grpc_file *file; /* that defines it */
};

#endif
