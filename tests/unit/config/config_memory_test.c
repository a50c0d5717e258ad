/* Every allocation fails once: each run lets one more succeed, until a run needs no more. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "failing.h"
#include "test.h"

struct thing {
    const char *text;
    const char *secret;
    struct sluice_strings words;
    struct sluice_map pairs;
    struct sluice_list parts;
};

static const struct sluice_option part_table[] = {
    {.name = "text", .type = SLUICE_STRING, .offset = 0},
    {.name = NULL},
};

static const struct sluice_option table[] = {
    {.name = "text", .type = SLUICE_STRING, .offset = offsetof(struct thing, text)},
    {.name = "secret", .type = SLUICE_SECRET, .offset = offsetof(struct thing, secret)},
    {.name = "words", .type = SLUICE_STRINGS, .offset = offsetof(struct thing, words)},
    {.name = "pairs", .type = SLUICE_MAP, .offset = offsetof(struct thing, pairs)},
    {.name = "parts",
     .type = SLUICE_LIST,
     .offset = offsetof(struct thing, parts),
     .table = part_table,
     .item_bytes = sizeof(const char *)},
    {.name = NULL},
};

/* Large enough for several chunks, and with something of everything. */
static void put_document(struct sl_buf *text)
{
    sl_buf_add_c(text, "x: &x {a: 1, b: 2}\n"
                       "thing:\n"
                       "  text: \"${env.PATH} and $$\"\n"
                       "  secret: {file: /proc/self/comm}\n"
                       "  words: [a, \"${env.PATH}\"]\n"
                       "  pairs: {<<: *x, b: 3, c: \"$$\"}\n"
                       "  parts: [{}, {text: \"${env.PATH}\"}]\n"
                       "  txet: 1\n"
                       "long:\n");
    for (int i = 0; i < 1500; i++) {
        sl_buf_printf(text, "- number %d of many texts that fill the chunks of memory\n", i);
    }
}

/* Whether the document was read and the object filled to the end. */
static bool run(struct sl_str text)
{
    struct sl_config *config = sl_config_parse("t", text);
    struct thing thing;
    bool is_good = false;

    if (config && sl_config_root(config)) {
        sl_config_fill(config, sl_config_get(sl_config_root(config), "thing"), table, &thing, NULL,
                       NULL);
        is_good = sl_config_errors(config) == 1 && thing.pairs.count == 3 &&
                  thing.words.count == 2 && thing.parts.count == 2;
    }
    if (config) {
        /* a document that is not there says why */
        assert_true(sl_config_root(config) || sl_config_errors(config) > 0);
    }
    sl_config_free(config);
    return is_good;
}

static void each_allocation_may_fail(void **state)
{
    struct sl_buf text;
    long runs = 0;

    (void)state;
    sl_buf_init(&text, 0);
    put_document(&text);
    do {
        has_failed = false;
        left = runs++;
        bool is_good = run(sl_buf_str(&text));
        left = -1;
        assert_true(is_good || has_failed);
    } while (has_failed);
    assert_true(runs > 20);
    assert_true(run(sl_buf_str(&text)));
    sl_buf_fini(&text);
}

static void put_toml(struct sl_buf *text)
{
    sl_buf_add_c(text, "a.b = [1, {c = \"x\\u00e9\", d = 1_0}]\n[e.f]\ng = 07:32:00\n[[h]]\n");
    for (int i = 0; i < 500; i++) {
        sl_buf_printf(text, "k%d = \"one of many texts that fill the chunks of memory\"\n", i);
    }
}

static bool read_toml(struct sl_str text)
{
    struct sl_config *config = sl_config_parse_toml("t", text);
    bool is_good = config && sl_config_errors(config) == 0;

    /* whether it is there, or says why not */
    assert_true(!config || !sl_config_root(config) == !is_good);
    sl_config_free(config);
    return is_good;
}

static void each_allocation_of_toml_may_fail(void **state)
{
    struct sl_buf text;
    long runs = 0;

    (void)state;
    sl_buf_init(&text, 0);
    put_toml(&text);
    do {
        has_failed = false;
        left = runs++;
        bool is_good = read_toml(sl_buf_str(&text));
        left = -1;
        assert_true(is_good != has_failed);
    } while (has_failed);
    assert_true(runs > 10);
    sl_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail),
                                       cmocka_unit_test(each_allocation_of_toml_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
