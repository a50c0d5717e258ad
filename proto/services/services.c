/* services - the C tables of the services in a descriptor set.
 *
 *     services SET OUT FILE.proto...    writes OUT.h, the declarations, and OUT.c, the tables
 *
 * protobuf-c's own description of a service knows no streaming and no path, so the tables are made
 * here, from what `protoc --descriptor_set_out --include_imports` wrote. Only the services of the
 * named files are put out. Runs in the build alone.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/descriptor.pb-c.h"

typedef Google__Protobuf__FileDescriptorSet File_set;
typedef Google__Protobuf__FileDescriptorProto File;
typedef Google__Protobuf__ServiceDescriptorProto Service;
typedef Google__Protobuf__MethodDescriptorProto Method;

enum { NAME_BYTES = 512 };

static void die(const char *what, const char *name)
{
    fprintf(stderr, "services: %s %s\n", what, name);
    exit(EXIT_FAILURE);
}

static File_set *read_set(const char *path)
{
    FILE *stream = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (!stream) {
        die("cannot read", path);
    }
    for (size_t got = 1; got > 0; len += got) {
        bytes = realloc(bytes, len + BUFSIZ);
        if (!bytes) {
            die("out of memory for", path);
        }
        got = fread(bytes + len, 1, BUFSIZ, stream);
    }
    fclose(stream);
    File_set *set = google__protobuf__file_descriptor_set__unpack(NULL, len, bytes);
    free(bytes);
    if (!set) {
        die("not a descriptor set:", path);
    }
    return set;
}

/* ---- names ---- */

/* As protoc-c spells the names of its symbols: gnmi.SubscribeRequest, gnmi__subscribe_request. */
static void to_symbol(const char *name, char *symbol)
{
    bool was_upper = true;
    size_t at = 0;

    for (; *name && at + 3 < NAME_BYTES; name++) {
        bool is_upper = isupper((unsigned char)*name) != 0;
        if (*name == '.') {
            symbol[at++] = '_';
            symbol[at++] = '_';
            was_upper = true;
            continue;
        }
        if (is_upper && !was_upper) {
            symbol[at++] = '_';
        }
        symbol[at++] = (char)tolower((unsigned char)*name);
        was_upper = is_upper;
    }
    symbol[at] = '\0';
}

static void to_upper(char *text)
{
    for (; *text; text++) {
        *text = (char)toupper((unsigned char)*text);
    }
}

static void full_name(const File *file, const Service *service, char *name)
{
    const char *package = file->package ? file->package : "";

    snprintf(name, NAME_BYTES, "%s%s%s", package, *package ? "." : "", service->name);
}

/* ---- output ---- */

static void put_includes(const File *file)
{
    for (size_t i = 0; i < file->n_dependency; i++) {
        const char *name = file->dependency[i];
        printf("#include \"%.*s.pb-c.h\"\n", (int)(strlen(name) - strlen(".proto")), name);
    }
    printf("#include \"%.*s.pb-c.h\"\n", (int)(strlen(file->name) - strlen(".proto")), file->name);
}

static void declare(const File *file, const Service *service)
{
    char name[NAME_BYTES];
    char symbol[NAME_BYTES];
    char constant[NAME_BYTES];

    full_name(file, service, name);
    to_symbol(name, symbol);
    strcpy(constant, symbol);
    to_upper(constant);
    printf("\n/* %s */\nextern const struct sl_grpc_service %s__service;\n", name, symbol);
    printf("extern const struct sl_grpc_method %s__methods[%zu];\n\n", symbol, service->n_method);
    printf("enum {\n");
    for (size_t i = 0; i < service->n_method; i++) {
        char method[NAME_BYTES];
        to_symbol(service->method[i]->name, method);
        to_upper(method);
        printf("    %s__%s = %zu,\n", constant, method, i);
    }
    printf("};\n");
}

static void put_method(const char *service, const Method *method)
{
    char input[NAME_BYTES];
    char output[NAME_BYTES];

    to_symbol(method->input_type + 1, input); /* behind its leading dot */
    to_symbol(method->output_type + 1, output);
    printf("    {\n        .name = \"%s\",\n        .path = \"/%s/%s\",\n", method->name, service,
           method->name);
    printf("        .client_streams = %s,\n        .server_streams = %s,\n",
           method->client_streaming ? "true" : "false",
           method->server_streaming ? "true" : "false");
    printf("        .input = &%s__descriptor,\n        .output = &%s__descriptor,\n    },\n", input,
           output);
}

static void define(const File *file, const Service *service)
{
    char name[NAME_BYTES];
    char symbol[NAME_BYTES];

    full_name(file, service, name);
    to_symbol(name, symbol);
    printf("\nconst struct sl_grpc_method %s__methods[] = {\n", symbol);
    for (size_t i = 0; i < service->n_method; i++) {
        put_method(name, service->method[i]);
    }
    printf("};\n\nconst struct sl_grpc_service %s__service = {\n", symbol);
    printf("    .name = \"%s\",\n    .methods = %s__methods,\n    .method_count = %zu,\n};\n", name,
           symbol, service->n_method);
}

static const File *find_file(const File_set *set, const char *name)
{
    for (size_t i = 0; i < set->n_file; i++) {
        if (strcmp(set->file[i]->name, name) == 0) {
            return set->file[i];
        }
    }
    die("not in the descriptor set:", name);
    return NULL;
}

/* What is printed goes into PATH SUFFIX from now on. */
static void print_to(const char *path, const char *suffix)
{
    char name[NAME_BYTES];

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    if (!freopen(name, "w", stdout)) {
        die("cannot write", name);
    }
    puts("/* Made in the build from the descriptors of the services. */");
}

static void each_service(const File_set *set, char **files,
                         void (*put)(const File *file, const Service *service))
{
    for (; *files; files++) {
        const File *file = find_file(set, *files);
        for (size_t i = 0; i < file->n_service; i++) {
            put(file, file->service[i]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        die("expected", "SET OUT FILE.proto...");
    }
    File_set *set = read_set(argv[1]);
    print_to(argv[2], ".h");
    puts("#pragma once\n\n#include \"grpc/service.h\"");
    each_service(set, argv + 3, declare);
    print_to(argv[2], ".c");
    puts("#include \"grpc/service.h\"");
    for (char **file = argv + 3; *file; file++) {
        put_includes(find_file(set, *file));
    }
    puts("");
    each_service(set, argv + 3, declare);
    each_service(set, argv + 3, define);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    return ferror(stdout) || fclose(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
