#include "cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnmi/request.h"
#include "test.h"

const struct sl_encoder_context cases_context = {
    .epoch = UINT64_C(1700000000000000000),
    .seq = 1,
    .received_ns = INT64_C(1700000000123456789),
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool add_name(const char *file, const char *suffix, char name[CASE_NAME_BYTES])
{
    size_t len = strlen(file);
    size_t cut = strlen(suffix);

    if (len <= cut || strcmp(file + len - cut, suffix) != 0) {
        return false;
    }
    assert_true(len - cut < CASE_NAME_BYTES);
    memcpy(name, file, len - cut);
    name[len - cut] = '\0';
    return true;
}

size_t cases_list(const char *dir, const char *suffix, char names[][CASE_NAME_BYTES])
{
    char path[4096];
    size_t count = 0;

    snprintf(path, sizeof(path), "%s/%s", SL_GOLDEN_DIR, dir);
    DIR *stream = opendir(path);

    assert_non_null(stream);
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        assert_true(count < CASES_MAX);
        count += add_name(entry->d_name, suffix, names[count]);
    }
    closedir(stream);
    qsort(names, count, sizeof(names[0]), compare_names);
    return count;
}

bool cases_read(const char *dir, const char *name, const char *suffix, struct sl_buf *out)
{
    char path[4096];
    char chunk[4096];
    size_t len;

    snprintf(path, sizeof(path), "%s/%s/%s%s", SL_GOLDEN_DIR, dir, name, suffix);
    FILE *file = fopen(path, "rb");

    if (!file) {
        return false;
    }
    do {
        len = fread(chunk, 1, sizeof(chunk), file);
        sl_buf_add(out, chunk, len);
    } while (len);
    assert_false(ferror(file) || out->failed);
    fclose(file);
    return true;
}

void cases_load(struct test_cases *cases, const char *dir)
{
    static char names[CASES_MAX][CASE_NAME_BYTES];

    cases->count = cases_list(dir, ".bin", names);
    for (size_t i = 0; i < cases->count; i++) {
        struct test_case *one = &cases->cases[i];
        memcpy(one->name, names[i], CASE_NAME_BYTES);
        sl_buf_init(&one->message, 0);
        assert_true(cases_read(dir, one->name, ".bin", &one->message));
    }
}

void cases_free(struct test_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        sl_buf_fini(&cases->cases[i].message);
    }
}

struct test_cases golden;

int golden_load(void **state)
{
    (void)state;
    cases_load(&golden, "cases");
    return 0;
}

int golden_free(void **state)
{
    (void)state;
    cases_free(&golden);
    return 0;
}

struct sl_encoder *cases_encoder(enum sl_format format, bool is_float64,
                                 struct sl_encoder_memory *memory)
{
    static const char *const paths[] = {"/interfaces/interface", NULL};
    static const struct sl_gnmi_asked asked = {.paths = paths};
    static const struct sl_gnmi_subscribe subscribe = {.asked = &asked, .asked_count = 1};
    bool is_telegraf = format == SL_FORMAT_TELEGRAF_JSON || format == SL_FORMAT_INFLUX;
    struct sl_encoder_config config = {
        .format = format,
        .is_float64 = is_float64,
        .target = is_telegraf ? SL_STR("127.0.0.1:57400") : SL_STR("leaf1"),
        .host = SL_STR("collector1"),
        .subscribe = &subscribe,
        .subscription = SL_STR("sub1"),
        .memory = memory,
    };
    struct sl_encoder *encoder = sl_encoder_new(&config);

    assert_non_null(encoder);
    return encoder;
}
