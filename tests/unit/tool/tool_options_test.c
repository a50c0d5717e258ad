#include "tool/options.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi/request.h"
#include "test.h"

#define AT(field) offsetof(struct options, field)

struct options {
    struct sl_tool_options common;
    struct sl_tool_words steps;
    struct sl_tool_list paths;
    int64_t depth;
};

static const struct sl_flag own_flags[] = {
    {.name = "path", .type = SL_FLAG_LIST, .offset = AT(paths), .value = "PATH", .doc = "a path"},
    {.name = "update", .type = SL_FLAG_ORDERED, .offset = AT(steps), .value = "X", .doc = "x"},
    {.name = "delete", .type = SL_FLAG_ORDERED, .offset = AT(steps), .value = "X", .doc = "x"},
    {.name = "depth",
     .type = SL_FLAG_NUMBER,
     .offset = AT(depth),
     .value = "N",
     .min = 1,
     .max = 9,
     .doc = "levels"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {"Output", sl_tool_output_flags},
    {"Own", own_flags},
    {NULL, NULL},
};

static const struct sl_tool tool = {
    .name = "get", .usage = "--path PATH", .text = "Text.", .examples = "  x", .groups = groups};

/* getopt moves words, and secrets are overwritten: they are copies. */
static bool parse(struct options *options, int argc, const char *const *words)
{
    static char copies[32][256];
    static char *argv[33];

    for (int i = 0; i < argc; i++) {
        snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
        argv[i] = copies[i];
    }
    argv[argc] = NULL;
    *options = (struct options){.depth = 0};
    return sl_tool_parse(&tool, argc, argv, &options->common);
}

#define PARSE(options, ...)                                                                        \
    parse(options, (int)SL_ARRAY_LEN(((const char *const[]){"get", __VA_ARGS__})),                 \
          (const char *const[]){"get", __VA_ARGS__})

static void gnmics_names_and_letters_are_understood(void **state)
{
    struct options options;

    (void)state;
    assert_true(PARSE(&options, "-a", "leaf1,leaf2", "--address=leaf3:1", "-u", "admin", "-p",
                      "secret", "--skip-verify", "--tls-ca", "ca.pem", "--timeout", "1m30s", "-e",
                      "JSON-IETF", "--format", "protojson", "-H", "a=b", "--gzip=false"));
    assert_int_equal(options.common.addresses.count, 3);
    assert_string_equal(options.common.addresses.items[1], "leaf2");
    assert_string_equal(options.common.addresses.items[2], "leaf3:1");
    assert_null(options.common.addresses.items[3]);
    assert_string_equal(options.common.username, "admin");
    assert_string_equal(options.common.password, "secret");
    assert_true(options.common.skip_verify);
    assert_false(options.common.gzip);
    assert_false(options.common.insecure);
    assert_string_equal(options.common.tls_ca, "ca.pem");
    assert_int_equal(options.common.timeout_ns, 90 * SL_NS_PER_S);
    assert_int_equal(options.common.encoding, SL_GNMI_JSON_IETF);
    assert_int_equal(options.common.metadata.count, 1);
    assert_true(sl_tool_is_given(&options.common, "timeout"));
    assert_false(sl_tool_is_given(&options.common, "insecure"));
    sl_tool_fini(&options.common);
}

static void what_is_not_said_has_its_default(void **state)
{
    struct options options;

    (void)state;
    assert_true(PARSE(&options, "--path", "/a,b"));
    assert_int_equal(options.common.timeout_ns, 10 * SL_NS_PER_S);
    assert_int_equal(options.common.encoding, SL_GNMI_JSON);
    assert_null(options.common.password);
    assert_false(sl_tool_is_given(&options.common, "timeout"));
    assert_int_equal(options.paths.count, 1);
    assert_string_equal(options.paths.items[0], "/a,b");
    sl_tool_fini(&options.common);
}

static void ordered_flags_keep_one_order(void **state)
{
    struct options options;

    (void)state;
    assert_true(PARSE(&options, "--update", "1", "--delete", "2", "--update", "3"));
    assert_int_equal(options.steps.count, 3);
    assert_string_equal(options.steps.items[1].flag->name, "delete");
    assert_string_equal(options.steps.items[2].flag->name, "update");
    assert_string_equal(options.steps.items[2].value, "3");
    sl_tool_fini(&options.common);
}

static void many_items_find_room(void **state)
{
    struct options options;
    char list[256] = "";

    (void)state;
    for (int i = 0; i < 60; i++) {
        strcat(list, i ? ",ab" : "ab");
    }
    assert_true(PARSE(&options, "-a", list));
    assert_int_equal(options.common.addresses.count, 60);
    sl_tool_fini(&options.common);
}

static void a_secret_leaves_the_command_line(void **state)
{
    struct options options = {.depth = 0};
    char name[] = "get";
    char flag[] = "--password=verysecret";
    char letter[] = "-Ha=verysecret";
    char *argv[] = {name, flag, letter, NULL};

    (void)state;
    assert_true(sl_tool_parse(&tool, 3, argv, &options.common));
    assert_string_equal(options.common.password, "verysecret");
    assert_string_equal(options.common.metadata.items[0], "a=verysecret");
    assert_null(strstr(flag, "secret"));
    assert_null(strstr(letter, "secret"));
    sl_tool_fini(&options.common);
    assert_null(options.common.password);
}

static void the_environment_stands_for_what_is_not_given(void **state)
{
    struct options options;

    (void)state;
    setenv("SLUICE_USERNAME", "from-env", 1);
    setenv("SLUICE_PASSWORD", "hidden", 1);
    assert_true(PARSE(&options, "-u", "given"));
    assert_string_equal(options.common.username, "given");
    assert_string_equal(options.common.password, "hidden");
    assert_true(sl_tool_is_given(&options.common, "password"));
    sl_tool_fini(&options.common);
    unsetenv("SLUICE_USERNAME");
    unsetenv("SLUICE_PASSWORD");
}

static void words_that_are_wrong_are_refused(void **state)
{
    struct options options;

    (void)state;
    assert_false(PARSE(&options, "--timeout", "soon"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "--encoding", "jsn"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "--depth", "10"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "--insecure=maybe"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "--no-such-flag"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "--path"));
    sl_tool_fini(&options.common);
    assert_false(PARSE(&options, "stray"));
    sl_tool_fini(&options.common);
}

static void the_help_names_every_flag(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    sl_tool_print_help(&tool, out);
    fclose(out);
    for (const struct sl_flag_group *group = groups; group->title; group++) {
        for (const struct sl_flag *flag = group->flags; flag->name; flag++) {
            char name[64];
            snprintf(name, sizeof(name), "--%s", flag->name);
            assert_non_null(strstr(text, name));
        }
    }
    assert_non_null(strstr(text, "  -a, --address ADDRESS"));
    assert_non_null(strstr(text, "(default 10s)"));
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        assert_true(strcspn(line, "\n") <= 100);
    }
    free(text);
}

static void the_command_is_found_behind_flags(void **state)
{
    char *words[] = {"sluice", "-a", "leaf1", "--insecure", "--timeout=1s", "get", "x", NULL};
    char *none[] = {"sluice", "--help", NULL};

    (void)state;
    assert_int_equal(sl_tool_find_command(7, words), 5);
    assert_int_equal(sl_tool_find_command(2, none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gnmics_names_and_letters_are_understood),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(ordered_flags_keep_one_order),
        cmocka_unit_test(many_items_find_room),
        cmocka_unit_test(a_secret_leaves_the_command_line),
        cmocka_unit_test(the_environment_stands_for_what_is_not_given),
        cmocka_unit_test(words_that_are_wrong_are_refused),
        cmocka_unit_test(the_help_names_every_flag),
        cmocka_unit_test(the_command_is_found_behind_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
