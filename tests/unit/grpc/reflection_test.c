/* Server reflection as a client sees it, under both its names. */
#include "grpc/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "reflection.pb-c.h"
#include "reflection.services.h"

enum { MAX_TEXT = 2048 };

/* A service whose file extends messages of the one that it imports. */
static const char *const no_symbols[] = {NULL};
static const struct sl_grpc_extension no_extensions[] = {{NULL, 0}};
static const struct sl_grpc_file *const no_imports[] = {NULL};
static const char *const base_symbols[] = {"base.Message", "base.Empty", NULL};
static const struct sl_grpc_file base_file = {.name = "base.proto",
                                              .bytes = (const uint8_t *)"\n\nbase.proto",
                                              .len = 12,
                                              .imports = no_imports,
                                              .symbols = base_symbols,
                                              .extensions = no_extensions};
static const struct sl_grpc_file other_file = {.name = "other.proto",
                                               .bytes = (const uint8_t *)"\n\vother.proto",
                                               .len = 13,
                                               .imports = no_imports,
                                               .symbols = no_symbols,
                                               .extensions = no_extensions};
static const struct sl_grpc_file *const odd_imports[] = {&base_file, &other_file, &base_file, NULL};
static const char *const odd_symbols[] = {"odd.Service", "odd.Service.Method", "odd.more", NULL};
static const struct sl_grpc_extension odd_extensions[] = {
    {"base.Message", 100}, {"base.Message", 7}, {"base.Other", 100}, {NULL, 0}};
static const struct sl_grpc_file odd_file = {.name = "odd.proto",
                                             .bytes = (const uint8_t *)"\n\todd.proto",
                                             .len = 11,
                                             .imports = odd_imports,
                                             .symbols = odd_symbols,
                                             .extensions = odd_extensions};
static const struct sl_grpc_service odd_service = {.name = "odd.Service", .file = &odd_file};
static const struct sl_grpc_method odd_method = {.path = "/odd.Service/Method",
                                                 .service = &odd_service};

static void on_odd(struct sl_grpc_call *odd, void *arg)
{
    struct sl_status ok = sl_status_ok();

    (void)arg;
    sl_grpc_call_finish(odd, &ok);
}

static const struct sl_grpc_handler odd_handlers[] = {{&odd_method, on_odd}, {NULL, NULL}};

/* The answers of one stream, one line each. */
struct reader {
    struct sl_grpc_call *call;
    char heard[MAX_TEXT];
    size_t answers;
    bool is_over;
    struct sl_status status;
};

struct library {
    struct house house;
    struct sl_grpc_health *health;
    struct guest *guest;
    struct reader reader;
    size_t wanted;
};

static void say(struct reader *reader, const char *word)
{
    assert_true(strlen(reader->heard) + strlen(word) + 2 < sizeof(reader->heard));
    strcat(reader->heard, word);
    strcat(reader->heard, " ");
}

static void say_file(struct reader *reader, const ProtobufCBinaryData *bytes)
{
    Google__Protobuf__FileDescriptorProto *file =
        google__protobuf__file_descriptor_proto__unpack(NULL, bytes->len, bytes->data);

    assert_non_null(file);
    say(reader, file->name);
    google__protobuf__file_descriptor_proto__free_unpacked(file, NULL);
}

static void say_number(struct reader *reader, int32_t number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    say(reader, text);
}

static void say_answer(struct reader *reader,
                       const Grpc__Reflection__V1__ServerReflectionResponse *response)
{
    assert_string_equal(response->valid_host, "here");
    assert_string_equal(response->original_request->host, "here");
    if (response->message_response_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE) {
        for (size_t i = 0; i < response->file_descriptor_response->n_file_descriptor_proto; i++) {
            say_file(reader, &response->file_descriptor_response->file_descriptor_proto[i]);
        }
    } else if (
        response->message_response_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE) {
        say(reader, response->all_extension_numbers_response->base_type_name);
        for (size_t i = 0; i < response->all_extension_numbers_response->n_extension_number; i++) {
            say_number(reader, response->all_extension_numbers_response->extension_number[i]);
        }
    } else if (
        response->message_response_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE) {
        for (size_t i = 0; i < response->list_services_response->n_service; i++) {
            say(reader, response->list_services_response->service[i]->name);
        }
    } else {
        say(reader, "error");
        say_number(reader, response->error_response->error_code);
        assert_true(strlen(response->error_response->error_message) > 0);
    }
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *asked, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct reader *reader = arg;
    Grpc__Reflection__V1__ServerReflectionResponse *response =
        grpc__reflection__v1__server_reflection_response__unpack(NULL, length, bytes);

    (void)asked;
    assert_non_null(response);
    say_answer(reader, response);
    grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
    reader->answers++;
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *asked, const struct sl_status *status, void *arg)
{
    struct reader *reader = arg;

    (void)asked;
    reader->call = NULL;
    reader->is_over = true;
    reader->status = *status;
}

static const struct sl_grpc_call_events reader_events = {.on_bytes = on_bytes,
                                                         .on_status = on_status};

static void open_stream(struct library *library, const struct sl_grpc_method *method)
{
    const struct sl_grpc_request request = {.method = method,
                                            .authority = "here",
                                            .user_agent = "test",
                                            .context = &library->house.context};

    library->reader = (struct reader){0};
    library->reader.call = sl_grpc_call_open(sl_h2_link_session(library->guest->link), &request,
                                             &reader_events, &library->reader);
    assert_non_null(library->reader.call);
}

static int open_library(void **state)
{
    struct library *library = calloc(1, sizeof(*library));

    assert_non_null(library);
    library->health = sl_grpc_health_new();
    assert_non_null(library->health);
    library->house.services[1] =
        (struct sl_grpc_service_entry){sl_grpc_health_handlers, library->health};
    library->house.services[2] = (struct sl_grpc_service_entry){sl_grpc_reflection_handlers, NULL};
    library->house.services[3] = (struct sl_grpc_service_entry){odd_handlers, NULL};
    open_house(&library->house);
    assert_non_null(library->house.server);
    library->guest = invite(&library->house);
    open_stream(library, grpc__reflection__v1__server_reflection__methods);
    *state = library;
    return 0;
}

static int close_library(void **state)
{
    struct library *library = *state;

    close_house(&library->house);
    sl_grpc_health_free(library->health);
    free(library);
    return 0;
}

static struct library *library_of(struct house *house)
{
    return SL_CONTAINER_OF(house, struct library, house);
}

static bool are_all_answered(struct house *house)
{
    const struct library *library = library_of(house);

    return library->reader.is_over || library->reader.answers >= library->wanted;
}

static bool is_over(struct house *house)
{
    return library_of(house)->reader.is_over;
}

static Grpc__Reflection__V1__ServerReflectionRequest a_request(int kind, char *text)
{
    static char host[] = "here";
    Grpc__Reflection__V1__ServerReflectionRequest request =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

    request.host = host;
    request.message_request_case =
        (Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)kind;
    request.file_by_filename = text; /* all text arms are one union */
    return request;
}

enum { BY_NAME = 3, BY_SYMBOL = 4, BY_EXTENSION = 5, NUMBERS = 6, LIST = 7 };

static void send_request(struct library *library, int kind, const char *text)
{
    char copy[256];
    Grpc__Reflection__V1__ServerReflectionRequest request = a_request(kind, copy);

    strcpy(copy, text);
    assert_int_equal(sl_grpc_call_send(library->reader.call, &request.base), SL_GRPC_SENT);
    library->wanted++;
}

static void send_extension(struct library *library, const char *type, int32_t number)
{
    char copy[256];
    Grpc__Reflection__V1__ServerReflectionRequest request = a_request(BY_EXTENSION, NULL);
    Grpc__Reflection__V1__ExtensionRequest extension =
        GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;

    strcpy(copy, type);
    extension.containing_type = copy;
    extension.extension_number = number;
    request.file_containing_extension = &extension;
    assert_int_equal(sl_grpc_call_send(library->reader.call, &request.base), SL_GRPC_SENT);
    library->wanted++;
}

static void expect(struct library *library, const char *words)
{
    run_until(&library->house, are_all_answered);
    assert_string_equal(library->reader.heard, words);
    library->reader.heard[0] = '\0';
}

static void ask(struct library *library, int kind, const char *text, const char *answer)
{
    send_request(library, kind, text);
    expect(library, answer);
}

static void it_lists_what_the_server_has_handlers_for_and_itself(void **state)
{
    ask(*state, LIST, "",
        "grpc.health.v1.Health grpc.reflection.v1.ServerReflection "
        "grpc.reflection.v1alpha.ServerReflection odd.Service ");
}

static void a_file_comes_with_what_it_imports(void **state)
{
    ask(*state, BY_NAME, "odd.proto", "odd.proto base.proto other.proto ");
    ask(*state, BY_NAME, "base.proto", "base.proto ");
    ask(*state, BY_NAME, "health.proto", "health.proto ");
}

static void a_name_of_any_kind_finds_its_file(void **state)
{
    static const char *const names[] = {
        "grpc.health.v1.Health",
        "grpc.health.v1.Health.Watch",
        "grpc.health.v1.HealthCheckRequest",
        "grpc.health.v1.HealthCheckRequest.service",
        "grpc.health.v1.HealthCheckResponse.ServingStatus",
        "grpc.health.v1.HealthCheckResponse.NOT_SERVING",
        "grpc.health.v1.HealthListResponse.StatusesEntry",
        "grpc.health.v1.HealthListResponse.StatusesEntry.value",
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        ask(*state, BY_SYMBOL, names[i], "health.proto ");
    }
    ask(*state, BY_SYMBOL, "grpc.reflection.v1.ServerReflectionRequest.message_request",
        "reflection.proto ");
    ask(*state, BY_SYMBOL, "grpc.reflection.v1alpha.ErrorResponse", "reflection_v1alpha.proto ");
}

static void extensions_are_found_by_their_number(void **state)
{
    struct library *library = *state;

    send_extension(library, "base.Message", 7);
    expect(library, "odd.proto base.proto other.proto ");
    send_extension(library, "base.Message", 8);
    expect(library, "error 5 ");
    send_extension(library, "base.Empty", 7);
    expect(library, "error 5 ");
    ask(library, NUMBERS, "base.Message", "base.Message 100 7 ");
    ask(library, NUMBERS, "base.Empty", "base.Empty ");
    ask(library, NUMBERS, "base.Nobody", "error 5 ");
}

static void what_is_not_there_is_said_and_the_stream_goes_on(void **state)
{
    struct library *library = *state;

    ask(library, BY_NAME, "none.proto", "error 5 ");
    ask(library, BY_NAME, "", "error 5 ");
    ask(library, BY_SYMBOL, "grpc.health.v1", "error 5 ");
    ask(library, BY_SYMBOL, "test.Service", "error 5 "); /* served, and of no table */
    ask(library, BY_SYMBOL, "odd.Service", "odd.proto base.proto other.proto ");
    sl_grpc_call_half_close(library->reader.call);
    run_until(&library->house, is_over);
    assert_int_equal(library->reader.status.code, SL_OK);
}

static void a_request_for_nothing_ends_the_stream(void **state)
{
    struct library *library = *state;

    send_request(library, 0, "");
    run_until(&library->house, is_over);
    assert_int_equal(library->reader.status.code, SL_INVALID_ARGUMENT);
}

static void many_requests_at_once_are_answered_in_their_order(void **state)
{
    struct library *library = *state;

    for (size_t i = 0; i < 50; i++) {
        send_request(library, i % 2 ? BY_SYMBOL : BY_NAME, i % 2 ? "odd.more" : "none.proto");
    }
    sl_grpc_call_half_close(library->reader.call);
    run_until(&library->house, is_over);
    assert_int_equal(library->reader.answers, 50);
    assert_int_equal(library->reader.status.code, SL_OK);
    for (const char *at = library->reader.heard; *at; at += strlen("error 5 ")) {
        assert_memory_equal(at, "error 5 ", strlen("error 5 "));
        at += strlen("error 5 odd.proto base.proto other.proto ") - strlen("error 5 ");
    }
}

static void the_older_name_answers_the_same(void **state)
{
    struct library *library = *state;

    sl_grpc_call_half_close(library->reader.call);
    run_until(&library->house, is_over);
    open_stream(library, grpc__reflection__v1alpha__server_reflection__methods);
    ask(library, BY_NAME, "odd.proto", "odd.proto base.proto other.proto ");
    ask(library, NUMBERS, "base.Nobody", "error 5 ");
}

#define LIBRARY(name) cmocka_unit_test_setup_teardown(name, open_library, close_library)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIBRARY(it_lists_what_the_server_has_handlers_for_and_itself),
        LIBRARY(a_file_comes_with_what_it_imports),
        LIBRARY(a_name_of_any_kind_finds_its_file),
        LIBRARY(extensions_are_found_by_their_number),
        LIBRARY(what_is_not_there_is_said_and_the_stream_goes_on),
        LIBRARY(a_request_for_nothing_ends_the_stream),
        LIBRARY(many_requests_at_once_are_answered_in_their_order),
        LIBRARY(the_older_name_answers_the_same),
    };

    return cmocka_run_group_tests_name("reflection", tests, NULL, NULL);
}
