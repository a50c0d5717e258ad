/* services - the C tables of the services in a descriptor set.
 *
 *     services SET OUT FILE.proto...    writes OUT.h, the declarations, and OUT.c, the tables
 *
 * protobuf-c's own description of a service knows no streaming and no path, so the tables are made
 * here, from what `protoc --descriptor_set_out --include_imports` wrote. Only the services of the
 * named files are put out; what they are made of, for server reflection, is every file of the set:
 * its descriptor as bytes, and the names that it defines. Runs in the build alone.
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
typedef Google__Protobuf__DescriptorProto Message;
typedef Google__Protobuf__EnumDescriptorProto Enum;
typedef Google__Protobuf__FieldDescriptorProto Field;

enum { NAME_BYTES = 512, BYTES_A_LINE = 16 };

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

static void join(const char *scope, const char *last, char *name)
{
    if (snprintf(name, NAME_BYTES, "%s%s%s", scope, *scope ? "." : "", last) >= NAME_BYTES) {
        die("too long a name:", last);
    }
}

static void full_name(const File *file, const Service *service, char *name)
{
    join(file->package ? file->package : "", service->name, name);
}

/* ---- what a file defines ---- */

static void put_symbol(const char *scope, const char *last)
{
    char name[NAME_BYTES];

    join(scope, last, name);
    printf("    \"%s\",\n", name);
}

static void put_fields(const char *scope, Field **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_symbol(scope, fields[i]->name);
    }
}

/* The values of an enum stand beside it, as in C++. */
static void put_enums(const char *scope, Enum **enums, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_symbol(scope, enums[i]->name);
        for (size_t j = 0; j < enums[i]->n_value; j++) {
            put_symbol(scope, enums[i]->value[j]->name);
        }
    }
}

static void put_messages(const char *outer, Message **messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Message *message = messages[i];
        char scope[NAME_BYTES];
        put_symbol(outer, message->name);
        join(outer, message->name, scope);
        put_fields(scope, message->field, message->n_field);
        put_fields(scope, message->extension, message->n_extension);
        for (size_t j = 0; j < message->n_oneof_decl; j++) {
            put_symbol(scope, message->oneof_decl[j]->name);
        }
        put_enums(scope, message->enum_type, message->n_enum_type);
        put_messages(scope, message->nested_type, message->n_nested_type);
    }
}

static void put_symbols(const File *file, size_t index)
{
    const char *package = file->package ? file->package : "";

    printf("\nstatic const char *const symbols_%zu[] = {\n", index);
    put_messages(package, file->message_type, file->n_message_type);
    put_enums(package, file->enum_type, file->n_enum_type);
    put_fields(package, file->extension, file->n_extension);
    for (size_t i = 0; i < file->n_service; i++) {
        const Service *service = file->service[i];
        char scope[NAME_BYTES];
        put_symbol(package, service->name);
        join(package, service->name, scope);
        for (size_t j = 0; j < service->n_method; j++) {
            put_symbol(scope, service->method[j]->name);
        }
    }
    puts("    NULL,\n};");
}

static void put_extension_fields(Field **fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        printf("    {\"%s\", %d},\n", fields[i]->extendee + 1, fields[i]->number);
    }
}

static void put_nested_extensions(Message **messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_extension_fields(messages[i]->extension, messages[i]->n_extension);
        put_nested_extensions(messages[i]->nested_type, messages[i]->n_nested_type);
    }
}

static void put_extensions(const File *file, size_t index)
{
    printf("\nstatic const struct sl_grpc_extension extensions_%zu[] = {\n", index);
    put_extension_fields(file->extension, file->n_extension);
    put_nested_extensions(file->message_type, file->n_message_type);
    puts("    {NULL, 0},\n};");
}

/* ---- files ---- */

static size_t file_index(const File_set *set, const char *name)
{
    size_t index = 0;

    while (index < set->n_file && strcmp(set->file[index]->name, name) != 0) {
        index++;
    }
    if (index == set->n_file) {
        die("not in the descriptor set:", name);
    }
    return index;
}

static const File *find_file(const File_set *set, const char *name)
{
    return set->file[file_index(set, name)];
}

static void put_bytes(const File *file, size_t index)
{
    size_t len = google__protobuf__file_descriptor_proto__get_packed_size(file);
    uint8_t *bytes = malloc(len + 1);

    if (!bytes) {
        die("out of memory for", file->name);
    }
    google__protobuf__file_descriptor_proto__pack(file, bytes);
    printf("\nstatic const uint8_t bytes_%zu[] = {", index);
    for (size_t i = 0; i < len; i++) {
        printf("%s%u,", i % BYTES_A_LINE == 0 ? "\n    " : " ", bytes[i]);
    }
    puts("\n};");
    free(bytes);
}

static void put_imports(const File_set *set, const File *file, size_t index)
{
    printf("\nstatic const struct sl_grpc_file *const imports_%zu[] = {\n", index);
    for (size_t i = 0; i < file->n_dependency; i++) {
        printf("    &file_%zu,\n", file_index(set, file->dependency[i]));
    }
    puts("    NULL,\n};");
}

/* protoc puts a file behind those that it imports. */
static void put_files(const File_set *set)
{
    for (size_t i = 0; i < set->n_file; i++) {
        const File *file = set->file[i];
        put_bytes(file, i);
        put_symbols(file, i);
        put_extensions(file, i);
        put_imports(set, file, i);
        printf("\nstatic const struct sl_grpc_file file_%zu = {\n    .name = \"%s\",\n", i,
               file->name);
        printf("    .bytes = bytes_%zu,\n    .len = sizeof(bytes_%zu),\n", i, i);
        printf("    .imports = imports_%zu,\n    .symbols = symbols_%zu,\n", i, i);
        printf("    .extensions = extensions_%zu,\n};\n", i);
    }
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

static void declare(const File_set *set, const File *file, const Service *service)
{
    char name[NAME_BYTES];
    char symbol[NAME_BYTES];
    char constant[NAME_BYTES];

    (void)set;
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

static void put_method(const char *service, const char *symbol, const Method *method)
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
    printf("        .input = &%s__descriptor,\n        .output = &%s__descriptor,\n", input,
           output);
    printf("        .service = &%s__service,\n    },\n", symbol);
}

static void define(const File_set *set, const File *file, const Service *service)
{
    char name[NAME_BYTES];
    char symbol[NAME_BYTES];

    full_name(file, service, name);
    to_symbol(name, symbol);
    printf("\nconst struct sl_grpc_method %s__methods[] = {\n", symbol);
    for (size_t i = 0; i < service->n_method; i++) {
        put_method(name, symbol, service->method[i]);
    }
    printf("};\n\nconst struct sl_grpc_service %s__service = {\n", symbol);
    printf("    .name = \"%s\",\n    .methods = %s__methods,\n    .method_count = %zu,\n", name,
           symbol, service->n_method);
    printf("    .file = &file_%zu,\n};\n", file_index(set, file->name));
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
                         void (*put)(const File_set *set, const File *file, const Service *service))
{
    for (; *files; files++) {
        const File *file = find_file(set, *files);
        for (size_t i = 0; i < file->n_service; i++) {
            put(set, file, file->service[i]);
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
    put_files(set);
    each_service(set, argv + 3, declare);
    each_service(set, argv + 3, define);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    return ferror(stdout) || fclose(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
