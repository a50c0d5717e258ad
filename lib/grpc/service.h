/* service.h - what a service can do, as a table.
 *
 * The tables are made in the build from the descriptors of the .proto files (proto/services), one
 * for each service:
 *
 *     extern const struct sl_grpc_service helloworld__greeter__service;
 *     extern const struct sl_grpc_method helloworld__greeter__methods[2];
 *     enum { HELLOWORLD__GREETER__SAY_HELLO = 0, HELLOWORLD__GREETER__SAY_HELLO_AGAIN = 1 };
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
    const char *name;    /* "SayHello" */
    const char *path;    /* "/helloworld.Greeter/SayHello" */
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
    const char *name;     /* "helloworld.proto" */
    const uint8_t *bytes; /* a google.protobuf.FileDescriptorProto, serialised */
    size_t len;
    const struct sl_grpc_file *const *imports; /* NULL ends it */
    /* The full names of its messages, fields, enums, values, services and methods; NULL ends it. */
    const char *const *symbols;
    const struct sl_grpc_extension *extensions;
};

struct sl_grpc_service {
    const char *name; /* "helloworld.Greeter" */
    const struct sl_grpc_method *methods;
    size_t method_count;
    const struct sl_grpc_file *file; /* that defines it */
};

#endif
