/* Targets from elsewhere beside those of the file, and shards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "test.h"

#define REST "subscriptions: {one: {paths: /a}, two: {paths: /b}}\nsinks: {main: {type: 'null'}}\n"

static const char config[] = "defaults: {target: {insecure: true, username: me, labels: {a: b}}}\n"
                             "targets: {own: {address: 10.0.0.1:1}}\n" REST;

struct reading {
    struct sl_settings *settings;
    struct sl_settings_document documents[3];
    size_t count;
};

static void read_all(struct reading *reading, const char *file_text)
{
    char path[] = "/tmp/sluice-documents-XXXXXX";
    struct sl_buf errors = {0};
    int fd = mkstemp(path);

    assert_int_equal(write(fd, file_text, strlen(file_text)), strlen(file_text));
    close(fd);
    reading->settings = sl_settings_read_with(path, reading->documents, reading->count, &errors);
    unlink(path);
    assert_string_equal(sl_buf_text(&errors), "");
    assert_non_null(reading->settings);
    sl_buf_fini(&errors);
}

static void add(struct reading *reading, const char *source, const char *text)
{
    reading->documents[reading->count++] = (struct sl_settings_document){
        .source = source, .place = "place.yaml", .text = sl_str_from(text)};
}

static void end(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        sl_buf_fini(&reading->documents[i].notes);
    }
    sl_settings_free(reading->settings);
}

static const char *notes(struct reading *reading, size_t i)
{
    return sl_buf_text(&reading->documents[i].notes);
}

static void found_targets_stand_behind_the_files_own_with_the_same_defaults(void **state)
{
    struct reading reading = {0};

    (void)state;
    add(&reading, "inv",
        "leaf1: {address: 10.0.0.2:5, subscriptions: two}\n"
        "leaf2: {username: you}\n");
    add(&reading, "api", "[{\"name\": \"leaf3\", \"labels\": {\"site\": \"tyo1\"}}]");
    read_all(&reading, config);
    const struct sl_target_settings *targets = reading.settings->targets;
    assert_int_equal(reading.settings->target_count, 4);
    assert_string_equal(targets[0].name, "own");
    assert_null(targets[0].source);
    assert_string_equal(targets[1].name, "leaf1");
    assert_string_equal(targets[1].source, "inv");
    assert_string_equal(targets[1].options.username, "me");
    assert_string_equal(targets[1].streams[0].subscription->name, "two");
    assert_int_equal(targets[1].stream_count, 1);
    assert_string_equal(targets[2].options.username, "you");
    assert_string_equal(targets[2].address.host, "leaf2");
    assert_string_equal(targets[3].name, "leaf3");
    assert_string_equal(targets[3].source, "api");
    assert_string_equal(targets[3].options.labels.pairs[0].value, "tyo1");
    assert_int_equal(reading.documents[0].targets, 2);
    assert_string_equal(notes(&reading, 0), "");
    end(&reading);
}

static void a_wrong_target_is_left_out_with_its_place_and_the_rest_counts(void **state)
{
    struct reading reading = {0};

    (void)state;
    add(&reading, "inv",
        "leaf1: {addres: x}\n"
        "leaf2: {subscriptions: three}\n"
        "leaf3: {sinks: [mian]}\n"
        "leaf4: {address: good}\n"
        "\"leaf 5\": {}\n"
        "leaf6: [1]\n"
        "leaf7: {replay: {file: /tmp/x.cap}}\n");
    read_all(&reading, config);
    assert_int_equal(reading.settings->target_count, 2);
    assert_string_equal(reading.settings->targets[1].name, "leaf4");
    assert_int_equal(reading.documents[0].targets, 1);
    assert_int_equal(reading.documents[0].wrong, 6);
    const char *text = notes(&reading, 0);
    assert_non_null(strstr(text, "place.yaml:1:9: unknown key 'addres'; did you mean 'address'?"));
    assert_non_null(strstr(text, "place.yaml:2:1: target 'leaf2' is left out"));
    assert_non_null(strstr(text, "place.yaml:2:24: unknown subscription 'three'"));
    assert_non_null(strstr(text, "place.yaml:3:17: unknown sink 'mian'; expected 'main'"));
    assert_non_null(strstr(text, "place.yaml:5:1: expected a name of"));
    assert_non_null(strstr(text, "only targets of the configuration itself replay captures"));
    assert_null(strstr(text, "leaf4"));
    end(&reading);
}

/* What an alias brings is told once, and is wrong in each target. */
static void what_is_wrong_by_an_alias_is_wrong_everywhere(void **state)
{
    struct reading reading = {0};

    (void)state;
    add(&reading, "inv", "leaf1: &bad {gzip: perhaps}\nleaf2: *bad\nleaf3: {}\n");
    read_all(&reading, config);
    assert_int_equal(reading.settings->target_count, 2);
    assert_int_equal(reading.documents[0].wrong, 2);
    end(&reading);
}

static void of_one_name_the_files_own_goes_first_then_the_order_of_the_sources(void **state)
{
    struct reading reading = {0};

    (void)state;
    add(&reading, "inv", "own: {address: other}\nleaf1: {address: first}\n");
    add(&reading, "api", "[{name: leaf1, address: second}, {name: leaf2}, {name: leaf2}]");
    read_all(&reading, config);
    assert_int_equal(reading.settings->target_count, 3);
    assert_string_equal(reading.settings->targets[0].address.host, "10.0.0.1");
    assert_string_equal(reading.settings->targets[1].address.host, "first");
    assert_int_equal(reading.documents[0].conflicts, 1);
    assert_int_equal(reading.documents[1].conflicts, 2);
    assert_non_null(strstr(notes(&reading, 0), "place.yaml:1:1: target 'own' is left out: it is in "
                                               "the configuration already"));
    assert_non_null(strstr(notes(&reading, 1), "target 'leaf1' is left out: it is in inv already"));
    assert_non_null(strstr(notes(&reading, 1), "target 'leaf2' is left out: it is in api already"));
    end(&reading);
}

static void what_is_no_document_of_targets_has_none(void **state)
{
    struct reading reading = {0};

    (void)state;
    add(&reading, "inv", "just words");
    add(&reading, "api", "{broken");
    add(&reading, "bus", "[1, {}, {name: {}}, {name: leaf1}]");
    read_all(&reading, config);
    assert_int_equal(reading.settings->target_count, 2);
    assert_non_null(strstr(notes(&reading, 0), "expected a map of names and targets"));
    assert_true(reading.documents[1].notes.len > 0);
    assert_int_equal(reading.documents[2].wrong, 3);
    assert_non_null(strstr(notes(&reading, 2), "expected a target with its 'name'"));
    end(&reading);
}

static void what_is_foreign_reads_nothing_of_this_machine(void **state)
{
    struct reading reading = {0};
    const char *text = "leaf1: {password: {file: /etc/hostname}}\n"
                       "leaf2: {username: \"${env.PATH}\"}\n"
                       "leaf3: {password: \"${env.PATH}\"}\n"
                       "leaf4: {password: plain}\n";

    (void)state;
    add(&reading, "api", text);
    reading.documents[0].is_foreign = true;
    read_all(&reading, config);
    assert_int_equal(reading.settings->target_count, 2);
    assert_string_equal(reading.settings->targets[1].name, "leaf4");
    assert_null(strstr(notes(&reading, 0), getenv("PATH")));
    end(&reading);
}

/* Each target belongs to one shard: the same one, wherever it is said. */
static void shards_have_all_targets_between_them(void **state)
{
    enum { SHARDS = 3, TARGETS = 200 };
    struct sl_buf text = {0};
    unsigned seen[TARGETS] = {0};

    (void)state;
    for (int i = 0; i < TARGETS; i++) {
        sl_buf_printf(&text, "t%d: {}\n", i);
    }
    for (int shard = 0; shard < SHARDS; shard++) {
        struct reading reading = {0};
        char file[1024];
        add(&reading, "inv", sl_buf_text(&text));
        snprintf(file, sizeof(file), "collector: {shard: {index: %d, count: %d}}\n%s", shard,
                 SHARDS, config);
        read_all(&reading, file);
        const struct sl_settings *settings = reading.settings;
        assert_int_equal(settings->target_count + settings->elsewhere_count, TARGETS + 1);
        assert_true(settings->target_count > TARGETS / SHARDS / 2);
        for (size_t i = 0; i < settings->target_count; i++) {
            if (settings->targets[i].source) {
                seen[atoi(settings->targets[i].name + 1)]++;
            }
        }
        end(&reading);
    }
    for (int i = 0; i < TARGETS; i++) {
        assert_int_equal(seen[i], 1);
    }
    sl_buf_fini(&text);
}

static void turns_to_connect_go_on_in_new_settings(void **state)
{
    struct reading before = {0};
    struct reading after = {0};

    (void)state;
    read_all(&before, config);
    read_all(&after, config);
    struct sl_connect *connect = before.settings->connect;
    sl_settings_inherit(after.settings, before.settings);
    assert_ptr_equal(after.settings->connect, connect);
    end(&before);
    assert_int_equal(sl_connect_turn(after.settings->connect, 3), 3);
    end(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_targets_stand_behind_the_files_own_with_the_same_defaults),
        cmocka_unit_test(a_wrong_target_is_left_out_with_its_place_and_the_rest_counts),
        cmocka_unit_test(what_is_wrong_by_an_alias_is_wrong_everywhere),
        cmocka_unit_test(of_one_name_the_files_own_goes_first_then_the_order_of_the_sources),
        cmocka_unit_test(what_is_no_document_of_targets_has_none),
        cmocka_unit_test(what_is_foreign_reads_nothing_of_this_machine),
        cmocka_unit_test(shards_have_all_targets_between_them),
        cmocka_unit_test(turns_to_connect_go_on_in_new_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
