/* Objects from maps, by tables: one of every type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "test.h"

struct part {
    const char *name;
    int64_t number;
    int color;
    struct {
        int64_t depth;
    } inner;
};

struct thing {
    const char *text;
    const char *templ;
    const char *secret;
    bool is_on;
    int64_t number;
    int64_t wait_ns;
    uint64_t bytes;
    int color;
    struct sluice_strings words;
    struct sluice_map pairs;
    struct {
        int64_t depth;
        const char *name;
    } inner;
    struct sluice_list parts; /* of struct part */
};

#define AT(field) offsetof(struct thing, field)

static const char *const colors[] = {"red", "green", "blue", NULL};

static const struct sluice_option inner_table[] = {
    {.name = "depth", .type = SLUICE_INT, .offset = AT(inner.depth), .default_text = "7"},
    {.name = "name", .type = SLUICE_STRING, .offset = AT(inner.name), .default_text = "x"},
    {.name = NULL},
};

#define PART(field) offsetof(struct part, field)

static const struct sluice_option part_inner_table[] = {
    {.name = "depth", .type = SLUICE_INT, .offset = PART(inner.depth), .default_text = "3"},
    {.name = NULL},
};

static const struct sluice_option part_table[] = {
    {.name = "name", .type = SLUICE_STRING, .offset = PART(name), .is_required = true},
    {.name = "number", .type = SLUICE_INT, .offset = PART(number), .min = -9, .max = 9},
    {.name = "color",
     .type = SLUICE_ENUM,
     .offset = PART(color),
     .names = colors,
     .default_text = "blue",
     .doc = "Of the part."},
    {.name = "inner", .type = SLUICE_OBJECT, .table = part_inner_table},
    {.name = NULL},
};

static bool is_password(const char *name)
{
    return strcmp(name, "password") == 0;
}

static const struct sluice_option table[] = {
    {.name = "text", .type = SLUICE_STRING, .offset = AT(text), .default_text = "default"},
    {.name = "template", .type = SLUICE_TEMPLATE, .offset = AT(templ)},
    {.name = "secret", .type = SLUICE_SECRET, .offset = AT(secret), .default_text = ""},
    {.name = "on", .type = SLUICE_BOOL, .offset = AT(is_on), .default_text = "true"},
    {.name = "number",
     .type = SLUICE_INT,
     .offset = AT(number),
     .default_text = "-1",
     .min = -5,
     .max = 5,
     .doc = "Small."},
    {.name = "wait", .type = SLUICE_DURATION, .offset = AT(wait_ns), .default_text = "10s"},
    {.name = "bytes",
     .type = SLUICE_SIZE,
     .offset = AT(bytes),
     .default_text = "1KiB",
     .min = 16,
     .max = 1024 * 1024},
    {.name = "color",
     .type = SLUICE_ENUM,
     .offset = AT(color),
     .names = colors,
     .default_text = "green"},
    {.name = "words", .type = SLUICE_STRINGS, .offset = AT(words), .default_text = "one"},
    {.name = "pairs", .type = SLUICE_MAP, .offset = AT(pairs), .is_secret = is_password},
    {.name = "parts",
     .type = SLUICE_LIST,
     .offset = AT(parts),
     .table = part_table,
     .item_bytes = sizeof(struct part)},
    {.name = "inner", .type = SLUICE_OBJECT, .table = inner_table},
    {.name = NULL},
};

static const struct sluice_option texts_table[] = {
    {.name = "parts",
     .type = SLUICE_LIST,
     .offset = AT(parts),
     .table = part_table,
     .item_bytes = sizeof(struct part),
     .is_required = true,
     .takes_text = true},
    {.name = NULL},
};

static const struct sluice_option required_table[] = {
    {.name = "text", .type = SLUICE_STRING, .offset = AT(text), .is_required = true},
    {.name = "words", .type = SLUICE_STRINGS, .offset = AT(words), .is_required = true},
    {.name = NULL},
};

static struct sl_config *fill(const char *text, struct thing *thing)
{
    struct sl_config *config = sl_config_parse("t", sl_str_from(text));

    assert_non_null(config);
    assert_non_null(sl_config_root(config));
    memset(thing, 0xa5, sizeof(*thing));
    sl_config_fill(config, sl_config_root(config), table, thing, NULL, NULL);
    return config;
}

static void expect_errors(struct sl_config *config, const char *expected)
{
    struct sl_buf out;

    sl_buf_init(&out, 0);
    sl_config_print_errors(config, &out);
    assert_string_equal(sl_buf_text(&out), expected);
    sl_buf_fini(&out);
    sl_config_free(config);
}

static void expect_defaults(const struct thing *thing)
{
    assert_string_equal(thing->text, "default");
    assert_null(thing->templ);
    assert_string_equal(thing->secret, "");
    assert_true(thing->is_on);
    assert_int_equal(thing->number, -1);
    assert_int_equal(thing->wait_ns, 10 * SL_NS_PER_S);
    assert_int_equal(thing->bytes, 1024);
    assert_int_equal(thing->color, 1);
    assert_int_equal(thing->words.count, 1);
    assert_string_equal(thing->words.items[0], "one");
    assert_null(thing->words.items[1]);
    assert_int_equal(thing->pairs.count, 0);
    assert_int_equal(thing->parts.count, 0);
    assert_int_equal(thing->inner.depth, 7);
    assert_string_equal(thing->inner.name, "x");
}

static void an_object_starts_as_its_table_says(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("{}", &thing);

    (void)state;
    expect_defaults(&thing);
    memset(&thing, 0xa5, sizeof(thing));
    sl_config_fill(config, NULL, table, &thing, NULL, NULL);
    expect_defaults(&thing);
    memset(&thing, 0xa5, sizeof(thing));
    sl_config_defaults(config, table, &thing);
    expect_defaults(&thing);
    expect_errors(config, "");
}

static void nothing_behind_the_key_of_an_object_is_an_empty_map(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("inner:\n", &thing);

    (void)state;
    expect_defaults(&thing);
    expect_errors(config, "");
}

static void every_type_takes_its_value(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("text: 12\n"
                                    "template: \"a.${target}.$$\"\n"
                                    "secret: s3cret\n"
                                    "on: false\n"
                                    "number: -5\n"
                                    "wait: 1m30s\n"
                                    "bytes: 1MiB\n"
                                    "color: blue\n"
                                    "words: [a, 'b c']\n"
                                    "pairs: {k: v, l: 1}\n"
                                    "inner: {depth: 9}\n",
                                    &thing);

    (void)state;
    assert_string_equal(thing.text, "12");
    assert_string_equal(thing.templ, "a.${target}.$$");
    assert_string_equal(thing.secret, "s3cret");
    assert_false(thing.is_on);
    assert_int_equal(thing.number, -5);
    assert_int_equal(thing.wait_ns, 90 * SL_NS_PER_S);
    assert_int_equal(thing.bytes, SL_MIB);
    assert_int_equal(thing.color, 2);
    assert_int_equal(thing.words.count, 2);
    assert_string_equal(thing.words.items[1], "b c");
    assert_null(thing.words.items[2]);
    assert_int_equal(thing.pairs.count, 2);
    assert_string_equal(thing.pairs.pairs[1].name, "l");
    assert_string_equal(thing.pairs.pairs[1].value, "1");
    assert_int_equal(thing.inner.depth, 9);
    assert_string_equal(thing.inner.name, "x");
    expect_errors(config, "");
}

static void one_text_is_a_list_of_one(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("words: alone", &thing);

    (void)state;
    assert_int_equal(thing.words.count, 1);
    assert_string_equal(thing.words.items[0], "alone");
    assert_null(thing.words.items[1]);
    sl_config_free(config);
    config = fill("words: []", &thing);
    assert_int_equal(thing.words.count, 0);
    assert_null(thing.words.items[0]);
    expect_errors(config, "");
}

static void a_wrong_value_leaves_the_default(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("{text: [], template: {}, secret: [x], on: 1, number: 6,\n"
                                    " wait: 5, bytes: 2MiB, color: bleu, words: [[]], pairs: [],\n"
                                    " inner: {depth: deep}}",
                                    &thing);

    (void)state;
    expect_defaults(&thing);
    expect_errors(
        config,
        "t:1:8: 'text': expected text, found a list\n"
        "t:1:22: 'template': expected text, found a map\n"
        "t:1:34: 'secret': expected text or {file: PATH}, found a list\n"
        "t:1:43: 'on': expected true or false, found '1'\n"
        "t:1:54: 'number': expected a whole number, from -5 to 5, found '6'\n"
        "t:2:8: 'wait': expected a duration such as 10s or 1m30s, found '5'\n"
        "t:2:18: 'bytes': expected a size such as 64KiB or 16MiB, from 16 to 1MiB, found '2MiB'\n"
        "t:2:31: 'color': expected one of 'red', 'green', 'blue', found 'bleu'\n"
        "t:2:45: 'words': expected text, found a list\n"
        "t:2:57: 'pairs': expected a map of names and texts, found a list\n"
        "t:3:17: 'depth': expected a whole number, found 'deep'\n");
}

static void an_unknown_key_is_told_with_the_nearest(void **state)
{
    const char *const more[] = {"further", NULL};
    struct thing thing;
    struct sl_config *config =
        sl_config_parse("t", SL_STR("{txt: 1, furthr: 2, further: [x], inner: {nam: 3}}"));

    (void)state;
    assert_non_null(config);
    sl_config_fill(config, sl_config_root(config), table, &thing, NULL, more);
    expect_errors(config, "t:1:2: unknown key 'txt'; did you mean 'text'?\n"
                          "t:1:10: unknown key 'furthr'; did you mean 'further'?\n"
                          "t:1:43: unknown key 'nam'; did you mean 'name'?\n");
}

static void a_base_stands_in_for_the_defaults(void **state)
{
    struct thing base;
    struct thing thing;
    struct sl_config *config = sl_config_parse(
        "t", SL_STR("base: {number: 3, words: [p, q], inner: {depth: 1, name: base}}\n"
                    "thing: {text: own, inner: {name: own}}\n"));

    (void)state;
    assert_non_null(config);
    sl_config_fill_base(config, sl_config_get(sl_config_root(config), "base"), table, &base);
    sl_config_fill(config, sl_config_get(sl_config_root(config), "thing"), table, &thing, &base,
                   NULL);
    assert_string_equal(thing.text, "own");
    assert_int_equal(thing.number, 3);
    assert_int_equal(thing.words.count, 2);
    assert_int_equal(thing.inner.depth, 1);
    assert_string_equal(thing.inner.name, "own");
    assert_int_equal(thing.bytes, 1024);
    expect_errors(config, "");
}

static void a_required_key_may_stand_in_the_base(void **state)
{
    struct thing base;
    struct thing thing;
    struct sl_config *config =
        sl_config_parse("t", SL_STR("base: {words: [p]}\nempty: {words: []}\nthing: {}\n"));
    const struct sl_config_node *root = sl_config_root(config);

    (void)state;
    sl_config_fill_base(config, sl_config_get(root, "base"), required_table, &base);
    sl_config_fill(config, sl_config_get(root, "thing"), required_table, &thing, &base, NULL);
    sl_config_fill_base(config, sl_config_get(root, "empty"), required_table, &base);
    sl_config_fill(config, sl_config_get(root, "thing"), required_table, &thing, &base, NULL);
    sl_config_fill(config, NULL, required_table, &thing, NULL, NULL);
    expect_errors(config, "t: the key 'text' is missing\n"
                          "t: the key 'words' is missing\n"
                          "t:3:8: the key 'text' is missing\n"
                          "t:3:8: the key 'words' is missing\n");
}

static void a_template_keeps_its_names_and_takes_the_environment(void **state)
{
    struct thing thing;

    (void)state;
    setenv("SLUICE_TEST_B", "a$b${target}", 1);
    struct sl_config *config =
        fill("template: \"${env.SLUICE_TEST_B}-${label.x}-$$-${open\"", &thing);
    assert_string_equal(thing.templ, "a$$b$${target}-${label.x}-$$-${open");
    expect_errors(config, "");
    unsetenv("SLUICE_TEST_B");
}

/* A file with `content` and a document that reads its secret from there. */
static struct sl_config *fill_secret(const char *content, size_t len, struct thing *thing)
{
    char path[] = "/tmp/sluice-secret-XXXXXX";
    char text[100];
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, len), len);
    close(fd);
    snprintf(text, sizeof(text), "secret: {file: %s}", path);
    struct sl_config *config = fill(text, thing);
    unlink(path);
    return config;
}

static void a_secret_is_the_first_line_of_its_file(void **state)
{
    struct thing thing;
    const struct {
        const char *content;
        const char *secret;
    } good[] = {
        {"s3cret\n", "s3cret"},
        {"s3cret", "s3cret"},
        {"s3cret\r\nmore\n", "s3cret"},
        {"${not} filled $$ in\n", "${not} filled $$ in"},
        {" blanks stay \n", " blanks stay "},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(good); i++) {
        struct sl_config *config = fill_secret(good[i].content, strlen(good[i].content), &thing);
        assert_string_equal(thing.secret, good[i].secret);
        expect_errors(config, "");
    }
}

static void a_secret_file_without_a_first_line_is_refused(void **state)
{
    char *large = malloc(SL_CONFIG_MAX_SECRET_BYTES + 1);
    struct thing thing;

    (void)state;
    assert_non_null(large);
    memset(large, 's', SL_CONFIG_MAX_SECRET_BYTES + 1);
    const struct {
        const char *content;
        size_t len;
    } bad[] = {{"", 0}, {"\nsecond\n", 8}, {large, SL_CONFIG_MAX_SECRET_BYTES + 1}};
    for (size_t i = 0; i < SL_ARRAY_LEN(bad); i++) {
        struct sl_config *config = fill_secret(bad[i].content, bad[i].len, &thing);
        assert_int_equal(sl_config_errors(config), 1);
        assert_string_equal(thing.secret, "");
        sl_config_free(config);
    }
    struct sl_config *config = fill_secret(large, SL_CONFIG_MAX_SECRET_BYTES, &thing);
    assert_int_equal(strlen(thing.secret), SL_CONFIG_MAX_SECRET_BYTES);
    expect_errors(config, "");
    free(large);
}

/* Whatever a password without its quotes looks like to YAML, no error shows it. */
static void no_error_shows_a_secret(void **state)
{
    const char *const texts[] = {
        "secret: [S3cret]",
        "secret: {S3cret}",
        "secret: {S3cret: S3cret}",
        "secret: {file: [S3cret]}",
        "secret: \"${S3cret}\"",
        "secret: \"${S3cret\"",
        "secret: {file: /dev/null, S3cret: S3cret}",
        "secret: *S3cret",
        "secret: !S3cret",
        "secret: 'S3cret",
        "secret: \"S3cret\\q\"",
        "secret: @S3cret",
        "secret: %S3cret",
        "secret: S3cret: S3cret",
        "secret: |S3cret",
        "secret: >S3cret",
        "secret: {S3cret",
        "secret: &S3cret",
        "secret: \"S3cret\\x01\\0\"",
    };
    struct sl_buf out;

    (void)state;
    sl_buf_init(&out, 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(texts); i++) {
        struct sl_config *config = sl_config_parse("t", sl_str_from(texts[i]));
        struct thing thing;
        sl_config_fill(config, sl_config_root(config), table, &thing, NULL, NULL);
        sl_config_print_errors(config, &out);
        sl_config_free(config);
    }
    assert_null(strstr(sl_buf_text(&out), "S3cret"));
    assert_non_null(strstr(sl_buf_text(&out), "expected text or {file: PATH}"));
    sl_buf_fini(&out);
}

static const struct part *part(const struct thing *thing, size_t i)
{
    return (const struct part *)thing->parts.items + i;
}

static void a_list_has_an_object_for_each_map(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("parts:\n"
                                    "- {name: a, color: red, inner: {depth: 4}}\n"
                                    "- {name: b, number: 9}\n"
                                    "number: 5\n",
                                    &thing);

    (void)state;
    assert_int_equal(thing.parts.count, 2);
    assert_string_equal(part(&thing, 0)->name, "a");
    assert_int_equal(part(&thing, 0)->number, 5); /* the thing's */
    assert_int_equal(part(&thing, 0)->color, 0);
    assert_int_equal(part(&thing, 0)->inner.depth, 4);
    assert_string_equal(part(&thing, 1)->name, "b");
    assert_int_equal(part(&thing, 1)->number, 9);
    assert_int_equal(part(&thing, 1)->color, 1);       /* the thing's default, not the table's */
    assert_int_equal(part(&thing, 1)->inner.depth, 3); /* an object stands for itself */
    expect_errors(config, "");
}

static void a_list_is_taken_from_the_base_as_a_whole(void **state)
{
    struct thing base;
    struct thing thing;
    struct sl_config *config = fill("parts: [{name: a}, {name: b}]\nmine: {parts: []}", &base);

    (void)state;
    sl_config_fill(config, NULL, table, &thing, &base, NULL);
    assert_int_equal(thing.parts.count, 2);
    sl_config_fill(config, sl_config_get(sl_config_root(config), "mine"), table, &thing, &base,
                   NULL);
    assert_int_equal(thing.parts.count, 0);
    expect_errors(config, "t:2:1: unknown key 'mine'; expected one of 'text', 'template', "
                          "'secret', 'on', 'number', 'wait', 'bytes', 'color', 'words', 'pairs', "
                          "'parts', 'inner'\n");
}

static void what_is_wrong_in_a_list_is_told_where_it_stands(void **state)
{
    struct thing thing;
    struct sl_config *config = fill("parts:\n"
                                    "- word\n"
                                    "-\n"
                                    "- {nam: x, number: 10}\n"
                                    "- {name: [x], inner: {depth: y}}\n",
                                    &thing);

    (void)state;
    expect_errors(config, "t:2:3: 'parts': expected a map, found text\n"
                          "t:3:2: 'parts': expected a map, found nothing\n"
                          "t:4:3: the key 'name' is missing\n"
                          "t:4:4: unknown key 'nam'; did you mean 'name'?\n"
                          "t:4:20: 'number': expected a whole number, from -9 to 9, found '10'\n"
                          "t:5:10: 'name': expected text, found a list\n"
                          "t:5:30: 'depth': expected a whole number, found 'y'\n");
    config = fill("parts: {name: x}", &thing);
    assert_int_equal(thing.parts.count, 0);
    expect_errors(config, "t:1:8: 'parts': expected a list of maps, found a map\n");
    config = fill("parts: x", &thing);
    expect_errors(config, "t:1:8: 'parts': expected a list of maps, found text\n");
}

static void a_text_may_stand_for_an_item(void **state)
{
    struct thing thing;
    struct sl_config *config = sl_config_parse("t", SL_STR("parts: [a, {name: b, number: 2}]"));

    (void)state;
    sl_config_fill(config, sl_config_root(config), texts_table, &thing, NULL, NULL);
    assert_int_equal(thing.parts.count, 2);
    assert_string_equal(part(&thing, 0)->name, "a");
    assert_int_equal(part(&thing, 0)->color, 2);
    assert_string_equal(part(&thing, 1)->name, "b");
    expect_errors(config, "");
    config = sl_config_parse("t", SL_STR("parts: a"));
    sl_config_fill(config, sl_config_root(config), texts_table, &thing, NULL, NULL);
    assert_int_equal(thing.parts.count, 1);
    assert_string_equal(part(&thing, 0)->name, "a");
    expect_errors(config, "");
    config = sl_config_parse("t", SL_STR("parts: [[a], \"${nothing}\"]"));
    sl_config_fill(config, sl_config_root(config), texts_table, &thing, NULL, NULL);
    assert_int_equal(sl_config_errors(config), 2);
    sl_config_free(config);
    config = sl_config_parse("t", SL_STR("{}"));
    sl_config_fill(config, sl_config_root(config), texts_table, &thing, NULL, NULL);
    expect_errors(config, "t:1:1: the key 'parts' is missing\n");
}

static void the_reference_has_every_key_with_type_default_and_bounds(void **state)
{
    struct sl_buf out;

    (void)state;
    sl_buf_init(&out, 0);
    sl_config_reference(table, 2, &out);
    assert_string_equal(sl_buf_text(&out),
                        "  text:              (text, default default)\n"
                        "  template:          (template)\n"
                        "  secret:            (text or {file: PATH})\n"
                        "  on:                (true or false, default true)\n"
                        "  number:            (number from -5 to 5, default -1) Small.\n"
                        "  wait:              (duration, default 10s)\n"
                        "  bytes:             (size from 16 to 1MiB, default 1KiB)\n"
                        "  color:             (red | green | blue, default green)\n"
                        "  words:             (list of texts, default one)\n"
                        "  pairs:             (map of texts)\n"
                        "  parts:             (list of maps)\n"
                        "    name:            (text, required)\n"
                        "    number:          (number from -9 to 9)\n"
                        "    color:           (red | green | blue, default blue) Of the part.\n"
                        "    inner:           (map)\n"
                        "      depth:         (number, default 3)\n"
                        "  inner:             (map)\n"
                        "    depth:           (number, default 7)\n"
                        "    name:            (text, default x)\n");
    sl_buf_reset(&out);
    sl_config_reference(required_table, 0, &out);
    assert_string_equal(sl_buf_text(&out), "text:                (text, required)\n"
                                           "words:               (list of texts, required)\n");
    sl_buf_fini(&out);
}

static void a_value_of_a_map_may_be_a_secret(void **state)
{
    char path[] = "/tmp/sluice-fill-XXXXXX";
    char text[256];
    struct thing thing;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "S3cret\n", 7), 7);
    close(fd);
    snprintf(text, sizeof(text), "pairs: {user: me, password: {file: %s}}", path);
    struct sl_config *config = fill(text, &thing);
    assert_int_equal(thing.pairs.count, 2);
    assert_string_equal(thing.pairs.pairs[1].value, "S3cret");
    expect_errors(config, "");
    unlink(path);
    expect_errors(fill("pairs: {user: {file: /dev/null}}", &thing),
                  "t:1:15: 'user' of 'pairs': expected text, found a map\n");
}

static void an_object_is_printed_so_that_it_reads_back_but_for_its_secrets(void **state)
{
    static const char text[] = "text: \"a\\\"b\\\\c\\nd$$\"\n"
                               "template: \"${target}$$\"\n"
                               "secret: \"******\"\n"
                               "on: false\n"
                               "number: 3\n"
                               "wait: 1m30s\n"
                               "bytes: 64KiB\n"
                               "color: \"blue\"\n"
                               "words: [\"x\", \"y z\"]\n"
                               "pairs: {\"user\": \"me$$\", \"password\": \"******\"}\n"
                               "parts:\n"
                               "  - name: \"p\"\n"
                               "    number: 4\n"
                               "    color: \"red\"\n"
                               "    inner:\n"
                               "      depth: 1\n"
                               "  - name: \"q\"\n"
                               "    number: 0\n"
                               "    color: \"green\"\n"
                               "    inner:\n"
                               "      depth: 3\n"
                               "inner:\n"
                               "  depth: -9\n"
                               "  name: \"\"\n";
    struct sl_buf out = {0};
    struct thing thing;
    struct sl_config *config = fill(text, &thing);

    (void)state;
    thing.secret = "S3cret";
    sl_config_print(table, &thing, 0, &out);
    /* a line feed is printed as its code */
    struct sl_config *again = fill(sl_buf_text(&out), &thing);
    assert_string_equal(thing.text, "a\"b\\c\nd$");
    assert_null(strstr(sl_buf_text(&out), "S3cret"));
    assert_non_null(strstr(sl_buf_text(&out), strstr(text, "parts:")));
    assert_non_null(strstr(sl_buf_text(&out), "\"me$$\", \"password\": \"******\""));
    sl_buf_fini(&out);
    sl_config_print(table, &thing, 0, &out);
    assert_non_null(strstr(sl_buf_text(&out), "template: \"${target}$$\"\n"));
    assert_non_null(strstr(sl_buf_text(&out), "wait: 1m30s\nbytes: 64KiB\ncolor: \"blue\"\n"));
    sl_buf_fini(&out);
    expect_errors(config, "");
    expect_errors(again, "");
}

static void an_error_shows_what_the_file_says_and_not_the_environment(void **state)
{
    struct thing thing;

    (void)state;
    setenv("SLUICE_TEST_NUMBER", "S3cret", 1);
    expect_errors(fill("number: ${env.SLUICE_TEST_NUMBER}", &thing),
                  "t:1:9: 'number': expected a whole number, from -5 to 5, found "
                  "'${env.SLUICE_TEST_NUMBER}'\n");
    unsetenv("SLUICE_TEST_NUMBER");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_starts_as_its_table_says),
        cmocka_unit_test(nothing_behind_the_key_of_an_object_is_an_empty_map),
        cmocka_unit_test(every_type_takes_its_value),
        cmocka_unit_test(one_text_is_a_list_of_one),
        cmocka_unit_test(a_wrong_value_leaves_the_default),
        cmocka_unit_test(an_unknown_key_is_told_with_the_nearest),
        cmocka_unit_test(a_base_stands_in_for_the_defaults),
        cmocka_unit_test(a_required_key_may_stand_in_the_base),
        cmocka_unit_test(a_template_keeps_its_names_and_takes_the_environment),
        cmocka_unit_test(a_secret_is_the_first_line_of_its_file),
        cmocka_unit_test(a_secret_file_without_a_first_line_is_refused),
        cmocka_unit_test(no_error_shows_a_secret),
        cmocka_unit_test(a_list_has_an_object_for_each_map),
        cmocka_unit_test(a_list_is_taken_from_the_base_as_a_whole),
        cmocka_unit_test(what_is_wrong_in_a_list_is_told_where_it_stands),
        cmocka_unit_test(a_text_may_stand_for_an_item),
        cmocka_unit_test(the_reference_has_every_key_with_type_default_and_bounds),
        cmocka_unit_test(a_value_of_a_map_may_be_a_secret),
        cmocka_unit_test(an_object_is_printed_so_that_it_reads_back_but_for_its_secrets),
        cmocka_unit_test(an_error_shows_what_the_file_says_and_not_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
