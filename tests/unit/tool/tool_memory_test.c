/* Every allocation of the tools' frame fails once: an error, and nothing left over. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gnmi.pb-c.h"

#include "failing.h"
#include "gnmi/ask.h"
#include "grpc/message.h"
#include "test.h"
#include "tool/dial.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/print.h"

enum { WORDS = 17 };

static const struct sl_flag_group groups[] = {
    {"Connection", sl_tool_connection_flags}, {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},       {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},         {NULL, NULL},
};

static const struct sl_tool tool = {.name = "test", .groups = groups};

/* What is complained about is not of interest here, nor what is printed. */
static void be_quiet(int *saved)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    assert_true(null >= 0);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(i + 1);
        dup2(null, i + 1);
    }
    close(null);
}

static void speak(const int *saved)
{
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
}

/* Again and again, each time with one allocation more before the one that fails. */
static void with_each_failure(bool (*try_once)(void))
{
    int saved[2];
    long count = 0;
    bool was_good = true;

    be_quiet(saved);
    for (bool is_done = false; !is_done; count++) {
        has_failed = false;
        left = count;
        was_good = try_once();
        left = -1;
        is_done = !has_failed;
    }
    speak(saved);
    assert_true(was_good); /* when none failed */
    assert_true(count > 5);
}

static bool parse(const char *format, struct sl_tool_options *options)
{
    const char *const given[WORDS] = {
        "test", "-a",     "one,two",       "-a",       "three:1", "-u",
        "me",   "-p",     "word",          "-H",       "a=b,c=d", "--registered-extension",
        "5:x",  "--gzip", "--auth-scheme", "metadata", format,
    };
    static char copies[WORDS][64];
    char *words[WORDS + 1] = {NULL};

    for (int i = 0; i < WORDS; i++) {
        snprintf(copies[i], sizeof(copies[i]), "%s", given[i]);
        words[i] = copies[i];
    }
    *options = (struct sl_tool_options){.tool = NULL};
    return sl_tool_parse(&tool, WORDS, words, options);
}

static bool make_run(void)
{
    struct sl_tool_options options;
    struct sl_tool_run run = {0};
    struct sl_tool_extensions extensions = {0};
    bool is_good = parse("--insecure", &options) && sl_tool_run_init(&run, &options) &&
                   sl_tool_read_extensions(&options, &extensions);

    sl_tool_extensions_fini(&extensions);
    sl_tool_run_fini(&run);
    sl_tool_fini(&options);
    return is_good;
}

static void a_run_is_made_or_refused(void **state)
{
    (void)state;
    with_each_failure(make_run);
}

/* Two updates and a delete, and an extension. */
static struct sl_buf response_bytes(void)
{
    Gnmi__TypedValue number = GNMI__TYPED_VALUE__INIT;
    Gnmi__TypedValue json = GNMI__TYPED_VALUE__INIT;
    Gnmi__PathElem elem = GNMI__PATH_ELEM__INIT;
    Gnmi__PathElem *elems[] = {&elem};
    Gnmi__Path path = GNMI__PATH__INIT;
    Gnmi__Path *paths[] = {&path};
    Gnmi__Update update[2] = {GNMI__UPDATE__INIT, GNMI__UPDATE__INIT};
    Gnmi__Update *updates[] = {&update[0], &update[1]};
    Gnmi__Notification notification = GNMI__NOTIFICATION__INIT;
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;
    GnmiExt__RegisteredExtension registered = GNMI_EXT__REGISTERED_EXTENSION__INIT;
    GnmiExt__Extension extension = GNMI_EXT__EXTENSION__INIT;
    GnmiExt__Extension *extensions[] = {&extension};
    static uint8_t text[] = "{\"a\":{\"b\":1},\"c\":\"\\u001b\"}";
    struct sl_buf bytes = {0};

    number.value_case = GNMI__TYPED_VALUE__VALUE_UINT_VAL;
    number.uint_val = 7;
    json.value_case = GNMI__TYPED_VALUE__VALUE_JSON_VAL;
    json.json_val = (ProtobufCBinaryData){sizeof(text) - 1, text};
    elem.name = (char[]){"name"};
    path.n_elem = 1;
    path.elem = elems;
    update[0].path = update[1].path = &path;
    update[0].val = &number;
    update[1].val = &json;
    notification.timestamp = 5;
    notification.n_update = 2;
    notification.update = updates;
    notification.n_delete_ = 1;
    notification.delete_ = paths;
    extension.ext_case = GNMI_EXT__EXTENSION__EXT_REGISTERED_EXT;
    extension.registered_ext = &registered;
    registered.id = 9;
    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = &notification;
    response.n_extension = 1;
    response.extension = extensions;
    assert_true(sl_grpc_message_pack(&response.base, &bytes));
    return bytes;
}

static struct sl_str message; /* the bytes of one */
static const char *format;    /* "--format=…" */

/* One response, as it comes, and in a list. */
static bool print_once(const struct sl_tool_target *target, bool is_list)
{
    struct sl_printer *printer = sl_printer_new(target, "sub", NULL, is_list);
    struct sl_status status = sl_status_error(SL_RESOURCE_EXHAUSTED, "no memory");

    if (printer) {
        status = sl_printer_bytes(printer, message);
    }
    if (printer && sl_status_is_ok(&status)) {
        status = sl_printer_end(printer);
    }
    sl_printer_free(printer);
    return sl_status_is_ok(&status);
}

static bool print_all(void)
{
    struct sl_tool_options options;
    struct sl_tool_run run = {.options = &options, .target_count = 2};
    struct sl_tool_target target = {.run = &run, .name = "leaf1"};
    bool is_good =
        parse(format, &options) && print_once(&target, false) && print_once(&target, true);

    sl_tool_fini(&options);
    return is_good;
}

static void a_response_is_printed_or_an_error(void **state)
{
    const char *const formats[] = {"flat", "event", "json", "protojson", "prototext", "table"};
    struct sl_buf bytes = response_bytes();
    char word[32];

    (void)state;
    message = sl_buf_str(&bytes);
    format = word;
    for (size_t i = 0; i < SL_ARRAY_LEN(formats); i++) {
        snprintf(word, sizeof(word), "--format=%s", formats[i]);
        with_each_failure(print_all);
    }
    sl_buf_fini(&bytes);
}

static bool print_both(void)
{
    struct sl_tool_options options;
    struct sl_tool_run run = {.options = &options, .target_count = 1};
    struct sl_tool_target target = {.run = &run, .name = "leaf1"};
    bool is_good = parse("--insecure", &options);

    for (int i = SL_TOOL_PROTOJSON; is_good && i <= SL_TOOL_PROTOTEXT; i++) {
        struct sl_status status = sl_print_message(&target, (enum sl_tool_format)i,
                                                   &gnmi__subscribe_response__descriptor, message);
        is_good = sl_status_is_ok(&status);
    }
    sl_tool_fini(&options);
    return is_good;
}

static void a_message_is_printed_or_an_error(void **state)
{
    struct sl_buf bytes = response_bytes();

    (void)state;
    message = sl_buf_str(&bytes);
    with_each_failure(print_both);
    sl_buf_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_made_or_refused),
        cmocka_unit_test(a_response_is_printed_or_an_error),
        cmocka_unit_test(a_message_is_printed_or_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
