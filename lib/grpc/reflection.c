/* Both versions have the same messages on the wire, so those of v1 are read and written for both.
 */
#include "grpc/reflection.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/status.h"
#include "grpc/internal.h"
#include "reflection.pb-c.h"
#include "reflection.services.h"

/* ---- protobuf-c's structs know no const ---- */

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static uint8_t *bytes_of(const uint8_t *bytes)
{
    return (uint8_t *)(uintptr_t)bytes;
}

/* ---- sets: pointers, each thing once, in the order in which they came ---- */

struct set {
    struct sl_buf items; /* of pointers */
};

static size_t set_count(const struct set *set)
{
    return set->items.len / sizeof(const void *);
}

static const void *set_item(const struct set *set, size_t index)
{
    const void *item;

    memcpy(&item, set->items.data + index * sizeof(item), sizeof(item));
    return item;
}

static void set_append(struct set *set, const void *item)
{
    sl_buf_add(&set->items, &item, sizeof(item));
}

static void add_file(struct set *files, const struct sl_grpc_file *file)
{
    for (size_t i = 0; i < set_count(files); i++) {
        const struct sl_grpc_file *known = set_item(files, i);
        if (known == file || strcmp(known->name, file->name) == 0) {
            return;
        }
    }
    set_append(files, file);
}

static void add_imports(struct set *files)
{
    for (size_t i = 0; i < set_count(files); i++) {
        const struct sl_grpc_file *file = set_item(files, i);
        for (size_t j = 0; file->imports[j]; j++) {
            add_file(files, file->imports[j]);
        }
    }
}

static void add_service(struct set *services, const struct sl_grpc_service *service)
{
    for (size_t i = 0; i < set_count(services); i++) {
        const struct sl_grpc_service *known = set_item(services, i);
        if (known == service || strcmp(known->name, service->name) == 0) {
            return;
        }
    }
    set_append(services, service);
}

/* The services that a server has handlers for. */
static void find_services(const struct sl_grpc_router *router, struct set *services)
{
    for (size_t i = 0; i < router->count; i++) {
        const struct sl_grpc_handler *handler = router->entries[i].handlers;
        for (; handler->method; handler++) {
            if (handler->method->service) {
                add_service(services, handler->method->service);
            }
        }
    }
}

/* The files that define them, and what those import. */
static void find_files(const struct sl_grpc_router *router, struct set *files)
{
    struct set services = {{0}};

    find_services(router, &services);
    for (size_t i = 0; i < set_count(&services); i++) {
        add_file(files, ((const struct sl_grpc_service *)set_item(&services, i))->file);
    }
    add_imports(files);
    files->items.failed = files->items.failed || services.items.failed;
    sl_buf_fini(&services.items);
}

/* ---- what is asked for ---- */

static bool is_named(const struct sl_grpc_file *file, const void *wanted)
{
    return strcmp(file->name, wanted) == 0;
}

static bool defines(const struct sl_grpc_file *file, const void *wanted)
{
    for (size_t i = 0; file->symbols[i]; i++) {
        if (strcmp(file->symbols[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

static bool extends(const struct sl_grpc_file *file, const void *wanted)
{
    const Grpc__Reflection__V1__ExtensionRequest *request = wanted;
    const struct sl_grpc_extension *extension = file->extensions;

    for (; extension->type; extension++) {
        if (extension->number == request->extension_number &&
            strcmp(extension->type, request->containing_type) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- answers: false when memory is out or the send buffer is full ---- */

static bool send_error(struct sl_grpc_call *call,
                       Grpc__Reflection__V1__ServerReflectionResponse *response, const char *text)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;

    error.error_code = SL_NOT_FOUND;
    error.error_message = text_of(text);
    response->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    response->error_response = &error;
    return sl_grpc_call_send(call, &response->base) == SL_GRPC_SENT;
}

static bool send_files(struct sl_grpc_call *call,
                       Grpc__Reflection__V1__ServerReflectionResponse *response,
                       const struct set *files)
{
    Grpc__Reflection__V1__FileDescriptorResponse answer =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    size_t count = set_count(files);
    bool is_sent = false;

    answer.file_descriptor_proto = calloc(count, sizeof(*answer.file_descriptor_proto));
    if (answer.file_descriptor_proto) {
        for (size_t i = 0; i < count; i++) {
            const struct sl_grpc_file *file = set_item(files, i);
            answer.file_descriptor_proto[i] =
                (ProtobufCBinaryData){.len = file->len, .data = bytes_of(file->bytes)};
        }
        answer.n_file_descriptor_proto = count;
        response->message_response_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
        response->file_descriptor_response = &answer;
        is_sent = sl_grpc_call_send(call, &response->base) == SL_GRPC_SENT;
    }
    free(answer.file_descriptor_proto);
    return is_sent;
}

/* The first file of which `is_it` holds, and what it imports. */
static bool answer_file(struct sl_grpc_call *call,
                        Grpc__Reflection__V1__ServerReflectionResponse *response,
                        bool (*is_it)(const struct sl_grpc_file *file, const void *wanted),
                        const void *wanted, const char *otherwise)
{
    struct set all = {{0}};
    struct set files = {{0}};
    bool is_sent = false;

    find_files(call->router, &all);
    for (size_t i = 0; i < set_count(&all) && set_count(&files) == 0; i++) {
        if (is_it(set_item(&all, i), wanted)) {
            add_file(&files, set_item(&all, i));
        }
    }
    add_imports(&files);
    if (!all.items.failed && !files.items.failed) {
        is_sent = set_count(&files) > 0 ? send_files(call, response, &files)
                                        : send_error(call, response, otherwise);
    }
    sl_buf_fini(&files.items);
    sl_buf_fini(&all.items);
    return is_sent;
}

static void find_numbers(const struct set *files, const char *type, struct sl_buf *numbers)
{
    for (size_t i = 0; i < set_count(files); i++) {
        const struct sl_grpc_file *file = set_item(files, i);
        const struct sl_grpc_extension *extension = file->extensions;
        for (; extension->type; extension++) {
            if (strcmp(extension->type, type) == 0) {
                sl_buf_add(numbers, &extension->number, sizeof(extension->number));
            }
        }
    }
}

static bool is_defined(const struct set *files, const char *name)
{
    for (size_t i = 0; i < set_count(files); i++) {
        if (defines(set_item(files, i), name)) {
            return true;
        }
    }
    return false;
}

static bool answer_numbers(struct sl_grpc_call *call,
                           Grpc__Reflection__V1__ServerReflectionResponse *response, char *type)
{
    Grpc__Reflection__V1__ExtensionNumberResponse answer =
        GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;
    struct set all = {{0}};
    struct sl_buf numbers = {0};
    bool is_sent = false;

    find_files(call->router, &all);
    find_numbers(&all, type, &numbers);
    if (!all.items.failed && !numbers.failed) {
        answer.base_type_name = type;
        answer.n_extension_number = numbers.len / sizeof(*answer.extension_number);
        answer.extension_number = (void *)numbers.data;
        response->message_response_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
        response->all_extension_numbers_response = &answer;
        is_sent = numbers.len > 0 || is_defined(&all, type)
                      ? sl_grpc_call_send(call, &response->base) == SL_GRPC_SENT
                      : send_error(call, response, "no such type is known here");
    }
    sl_buf_fini(&numbers);
    sl_buf_fini(&all.items);
    return is_sent;
}

static bool send_services(struct sl_grpc_call *call,
                          Grpc__Reflection__V1__ServerReflectionResponse *response,
                          const struct set *services)
{
    Grpc__Reflection__V1__ListServiceResponse answer =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    size_t count = set_count(services);
    Grpc__Reflection__V1__ServiceResponse *rows = calloc(count, sizeof(*rows));
    bool is_sent = false;

    answer.service = calloc(count, sizeof(*answer.service));
    if (rows && answer.service) {
        for (size_t i = 0; i < count; i++) {
            grpc__reflection__v1__service_response__init(&rows[i]);
            rows[i].name = text_of(((const struct sl_grpc_service *)set_item(services, i))->name);
            answer.service[i] = &rows[i];
        }
        answer.n_service = count;
        response->message_response_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
        response->list_services_response = &answer;
        is_sent = sl_grpc_call_send(call, &response->base) == SL_GRPC_SENT;
    }
    free(answer.service);
    free(rows);
    return is_sent;
}

static bool answer_services(struct sl_grpc_call *call,
                            Grpc__Reflection__V1__ServerReflectionResponse *response)
{
    struct set services = {{0}};

    find_services(call->router, &services);
    bool is_sent = !services.items.failed && send_services(call, response, &services);
    sl_buf_fini(&services.items);
    return is_sent;
}

/* ---- the call ---- */

static void end_call(struct sl_grpc_call *call, enum sl_code code, const char *text)
{
    struct sl_status status = sl_status_error(code, "%s", text);

    sl_grpc_call_finish(call, &status);
}

/* `request` is a copy, which the response borrows. */
static bool answer(struct sl_grpc_call *call, Grpc__Reflection__V1__ServerReflectionRequest request)
{
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    response.valid_host = request.host;
    response.original_request = &request;
    switch ((int)request.message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        return answer_file(call, &response, is_named, request.file_by_filename,
                           "no file of that name is known here");
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        return answer_file(call, &response, defines, request.file_containing_symbol,
                           "no file that defines it is known here");
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        return answer_file(call, &response, extends, request.file_containing_extension,
                           "no such extension is known here");
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        return answer_numbers(call, &response, request.all_extension_numbers_of_type);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        return answer_services(call, &response);
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    default:
        end_call(call, SL_INVALID_ARGUMENT, "a request that asks for nothing");
        return true;
    }
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct sl_grpc_arena *arena = &call->context->arena;
    struct sl_grpc_mark mark = sl_grpc_arena_mark(arena);
    const ProtobufCMessage *request;
    struct sl_status why;

    (void)arg;
    if (sl_grpc_call_await_sent(call)) {
        return SL_GRPC_HOLD;
    }
    request = sl_grpc_message_unpack(
        arena, &grpc__reflection__v1__server_reflection_request__descriptor, bytes, length, &why);
    if (!request) {
        sl_grpc_call_finish(call, &why);
    } else if (!answer(
                   call,
                   *(const Grpc__Reflection__V1__ServerReflectionRequest *)(const void *)request)) {
        end_call(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    sl_grpc_arena_release(arena, mark);
    return SL_GRPC_TAKEN;
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    (void)arg;
    sl_grpc_call_resume(call);
}

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    struct sl_status ok = sl_status_ok();

    (void)arg;
    sl_grpc_call_finish(call, &ok);
}

static uint32_t max_request_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_GRPC_REFLECTION_MAX_REQUEST_BYTES;
}

static const struct sl_grpc_call_events events = {
    .max_message_bytes = max_request_bytes,
    .on_bytes = on_bytes,
    .on_half_close = on_half_close,
    .on_writable = on_writable,
};

static void on_info(struct sl_grpc_call *call, void *arg)
{
    SL_ASSERT(call->context);
    sl_grpc_call_set_events(call, &events, arg);
}

const struct sl_grpc_handler sl_grpc_reflection_handlers[] = {
    {&grpc__reflection__v1__server_reflection__methods
         [GRPC__REFLECTION__V1__SERVER_REFLECTION__SERVER_REFLECTION_INFO],
     on_info},
    {&grpc__reflection__v1alpha__server_reflection__methods
         [GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION__SERVER_REFLECTION_INFO],
     on_info},
    {NULL, NULL},
};
