/* loader_test.c - shared objects: what is right is there, what is wrong is told, each with its
 * words.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sink/plugins.h"

enum { PATH_BYTES = 4096 };

static const struct sluice_option own_table[] = {
    {.name = "type", .type = SLUICE_STRING, .doc = "Ours."},
    {.name = "format", .type = SLUICE_STRING, .doc = "Ours."},
    {.name = NULL},
};

static void tell(const char *text, void *arg)
{
    sl_buf_printf(arg, "%s\n", text);
}

static bool load(struct sl_plugins *plugins, const char *directory, struct sl_buf *told)
{
    return sl_plugins_load(plugins, &(struct sl_plugins_loading){.directory = directory,
                                                                 .sink_table = own_table,
                                                                 .processor_table = own_table,
                                                                 .tell = tell,
                                                                 .arg = told});
}

/* Where the build has put it, which a umask may have left open to others. */
static const char *directory_of(const char *name)
{
    static char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s/%s.so", SL_TEST_OBJECTS, name, name);
    (void)chmod(path, 0755);
    snprintf(path, sizeof(path), "%s/%s", SL_TEST_OBJECTS, name);
    (void)chmod(path, 0755);
    return path;
}

static void what_a_good_object_has_is_there_beside_the_built_in(void **state)
{
    struct sl_plugins *plugins = sl_plugins_new();
    struct sl_buf told = {0};
    size_t count;

    (void)state;
    assert_true(load(plugins, directory_of("GOOD"), &told));
    assert_int_equal(told.len, 0);
    const struct sluice_sink_plugin *sink = sl_plugins_sink(plugins, "good");
    assert_non_null(sink);
    assert_string_equal(sink->doc, "takes nothing");
    assert_string_equal(sink->options[1].name, "number");
    assert_string_equal(sink->options[3].table[0].name, "deep");
    assert_null(sink->options[4].name);
    assert_non_null(sl_plugins_processor(plugins, "good"));
    assert_non_null(sl_plugins_sink(plugins, "kafka"));
    assert_null(sl_plugins_sink(plugins, "rabbit"));
    assert_null(sl_plugins_origin(plugins, sl_plugins_sink(plugins, "kafka")));
    const struct sl_plugin_object *object = sl_plugins_objects(plugins, &count);
    assert_int_equal(count, 1);
    assert_string_equal(object->name, "object");
    assert_string_equal(object->version, "1.2.3");
    assert_non_null(strstr(object->file, "/GOOD/GOOD.so"));
    assert_ptr_equal(sl_plugins_origin(plugins, sink), object);
    for (count = 0; sl_plugins_sinks(plugins)[count]; count++) {
    }
    assert_true(count >= 4);
    sl_plugins_free(plugins);
}

static void an_object_with_smaller_structs_is_read_no_further(void **state)
{
    struct sl_plugins *plugins = sl_plugins_new();
    struct sl_buf told = {0};

    (void)state;
    assert_true(load(plugins, directory_of("OLDER"), &told));
    assert_null(sl_plugins_sink(plugins, "good")->partition_option);
    sl_plugins_free(plugins);
}

/* What is wrong, and the words for it. */
static const char *const wrong[][2] = {
    {"NO_SYMBOL", "exports no symbol sluice_plugin"},
    {"FUNCTION", "its symbol sluice_plugin is no data"},
    {"OTHER_ABI", "made for interface 2; this sluice has 1"},
    {"LATER_RECORD", "made for a later sluice: its struct sluice_record has "},
    {"SMALL_DESCRIPTOR", " bytes and is no descriptor"},
    {"NO_HEAD", "says that struct sluice_host_calls has 0 bytes; does it begin with "
                "SLUICE_PLUGIN_HEAD?"},
    {"NO_NAME", "sluice_plugin has no name in kebab-case, or no version"},
    {"NOTHING_IN_IT", "it has neither sinks nor processors"},
    {"NO_ACCEPT", "sink 'good': it has no function 'accept'"},
    {"NO_PROCESS", "processor 'good': it has no function 'process'"},
    {"NO_DOC", "sink 'good': it has no doc"},
    {"BAD_TYPE", "sink '?': its type is no name in kebab-case"},
    {"TYPE_BUILT_IN", "sink 'kafka': there is one already, built in"},
    {"OPTION_TWICE", "sink 'good': option 'topic': there are two of it"},
    {"OPTION_OURS", "sink 'good': option 'format': that is a key of sluice's own"},
    {"OPTION_BEYOND", "option 'number': its place, 24, is beyond the 24 bytes of options_size"},
    {"OPTION_CROOKED", "option 'number': its place, 9, is not aligned for its type"},
    {"OPTION_BAD_NAME", "option 'Num ber': a name is kebab-case, 1 to 64 bytes"},
    {"OPTION_BAD_TYPE", "option 'number': 99 is no type"},
    {"OPTION_BAD_DEFAULT", "option 'number': it does not take its own default 'eleven'"},
    {"OPTION_NO_WORDS", "option 'word': an ENUM has 1 to 64 names"},
    {"OPTION_NO_TABLE", "option 'inner': its table is empty"},
    {"OPTION_IN_ITSELF", "a table of options has no end"},
    {"OPTION_BOUNDS", "option 'number': its min is above its max"},
    {"OPTION_NO_DOC", "option 'number': it has no doc"},
    {"OPTION_ENDLESS", "a table of options has no end"},
    {"KEY_NO_TEMPLATE", "key_option names 'number', which is no option of type TEMPLATE"},
    {"PROCESSOR_TEMPLATE", "processor 'good': option 'topic': a processor has no TEMPLATE"},
    {"UNDEFINED_SYMBOL", "it cannot be loaded: "},
};

static void each_wrong_object_is_refused_with_its_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        struct sl_plugins *plugins = sl_plugins_new();
        struct sl_buf told = {0};
        size_t count;
        bool is_good = load(plugins, directory_of(wrong[i][0]), &told);
        if (is_good || !strstr(sl_buf_text(&told), wrong[i][1]) ||
            !strstr(sl_buf_text(&told), directory_of(wrong[i][0]))) {
            print_error("%s, expected: %s\nfound: %s\n", wrong[i][0], wrong[i][1],
                        is_good ? "nothing wrong" : sl_buf_text(&told));
            fail();
        }
        (void)sl_plugins_objects(plugins, &count);
        assert_int_equal(count, 0);
        assert_null(sl_plugins_sink(plugins, "good"));
        assert_null(sl_plugins_processor(plugins, "good"));
        sl_buf_fini(&told);
        sl_plugins_free(plugins);
    }
}

/* ---- a directory made here ---- */

static char place[PATH_BYTES];

static const char *in_place(const char *name)
{
    static char path[PATH_BYTES + 100];

    snprintf(path, sizeof(path), "%s/%s", place, name);
    return path;
}

static void copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(in_place(to), "wb");
    int byte;

    assert_true(in && out);
    while ((byte = fgetc(in)) != EOF) {
        fputc(byte, out);
    }
    fclose(in);
    fclose(out);
    assert_int_equal(chmod(in_place(to), 0644), 0);
}

static int make_place(void **state)
{
    (void)state;
    snprintf(place, sizeof(place), "/tmp/sluice-loader-XXXXXX");
    return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
    static const char *const names[] = {"a.so", "b.so", "c.so", "d.txt", ".e.so"};

    (void)state;
    chmod(place, 0755);
    for (size_t i = 0; i < SL_ARRAY_LEN(names); i++) {
        unlink(in_place(names[i]));
    }
    return rmdir(place);
}

static void expect(const char *words)
{
    struct sl_plugins *plugins = sl_plugins_new();
    struct sl_buf told = {0};
    bool is_good = load(plugins, place, &told);

    if (is_good != !words || (words && !strstr(sl_buf_text(&told), words))) {
        print_error("expected: %s\nfound: %s\n", words ? words : "nothing wrong",
                    sl_buf_text(&told));
        fail();
    }
    sl_buf_fini(&told);
    sl_plugins_free(plugins);
}

static void what_others_may_write_to_is_not_run(void **state)
{
    (void)state;
    copy(directory_of("GOOD/GOOD.so"), "a.so");
    expect(NULL);
    chmod(in_place("a.so"), 0664);
    expect("a.so: its group or others may write to it; chmod go-w mends that");
    chmod(in_place("a.so"), 0646);
    expect("a.so: its group or others may write to it; chmod go-w mends that");
    chmod(in_place("a.so"), 0644);
    chmod(place, 0777);
    expect(": its group or others may write to it; chmod go-w mends that");
    chmod(place, 0755);
    expect(NULL);
}

static void what_belongs_to_another_is_not_run(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    copy(directory_of("GOOD/GOOD.so"), "a.so");
    assert_int_equal(chown(in_place("a.so"), 4711, 0), 0);
    expect("a.so: it belongs to user 4711; expected root or user 0, who runs sluice");
}

static void only_objects_are_looked_at_and_all_that_is_wrong_is_told(void **state)
{
    struct sl_plugins *plugins = sl_plugins_new();
    struct sl_buf told = {0};

    (void)state;
    copy(directory_of("GOOD/GOOD.so"), "a.so");
    copy(directory_of("GOOD/GOOD.so"), ".e.so");
    copy("/etc/passwd", "d.txt");
    expect(NULL);
    copy("/etc/passwd", "b.so");
    copy(directory_of("OLDER/OLDER.so"), "c.so");
    assert_false(load(plugins, place, &told));
    assert_non_null(strstr(sl_buf_text(&told), "b.so: it cannot be loaded: "));
    assert_non_null(strstr(sl_buf_text(&told), "c.so: sink 'good': there is one already, "));
    assert_non_null(strstr(sl_buf_text(&told), "a.so\n")); /* which one that is */
    assert_non_null(sl_plugins_sink(plugins, "good"));
    sl_buf_fini(&told);
    sl_plugins_free(plugins);
}

static void a_directory_that_is_none_is_told(void **state)
{
    struct sl_plugins *plugins = sl_plugins_new();
    struct sl_buf told = {0};

    (void)state;
    assert_false(load(plugins, "/etc/passwd", &told));
    assert_false(load(plugins, "/no/such/place", &told));
    assert_string_equal(sl_buf_text(&told), "/etc/passwd: expected a directory\n"
                                            "/no/such/place: No such file or directory\n");
    sl_buf_fini(&told);
    sl_plugins_free(plugins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_good_object_has_is_there_beside_the_built_in),
        cmocka_unit_test(an_object_with_smaller_structs_is_read_no_further),
        cmocka_unit_test(each_wrong_object_is_refused_with_its_words),
        cmocka_unit_test_setup_teardown(what_others_may_write_to_is_not_run, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(what_belongs_to_another_is_not_run, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(only_objects_are_looked_at_and_all_that_is_wrong_is_told,
                                        make_place, remove_place),
        cmocka_unit_test(a_directory_that_is_none_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
