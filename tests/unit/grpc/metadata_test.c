#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/metadata.h"

static struct sl_grpc_field next_of(const struct sl_grpc_metadata *metadata, size_t *at)
{
    struct sl_grpc_field field;

    assert_true(sl_grpc_metadata_next(metadata, at, &field));
    return field;
}

static void expect_field(struct sl_grpc_field field, const char *name, struct sl_str value)
{
    assert_true(sl_str_eq_c(field.name, name));
    assert_true(sl_str_eq(field.value, value));
}

static struct sl_status add(struct sl_grpc_metadata *metadata, const char *name, const char *value)
{
    return sl_grpc_metadata_add(metadata, sl_str_from(name), sl_str_from(value));
}

static void add_ok(struct sl_grpc_metadata *metadata, const char *name, const char *value)
{
    struct sl_status status = add(metadata, name, value);

    assert_string_equal(status.text, "");
}

static void fields_come_in_their_order_without_those_of_the_protocol(void **state)
{
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    struct sl_grpc_field field;
    size_t at = 0;

    (void)state;
    assert_false(sl_grpc_metadata_next(&metadata, &at, &field));
    add_ok(&metadata, ":path", "/a/b");
    add_ok(&metadata, "te", "trailers");
    add_ok(&metadata, "user-agent", "x/1");
    add_ok(&metadata, "grpc-encoding", "gzip");
    add_ok(&metadata, "color", "red");
    add_ok(&metadata, "color", "");
    add_ok(&metadata, "content-type", "application/grpc");
    expect_field(next_of(&metadata, &at), "user-agent", SL_STR("x/1"));
    expect_field(next_of(&metadata, &at), "color", SL_STR("red"));
    expect_field(next_of(&metadata, &at), "color", SL_STR(""));
    assert_false(sl_grpc_metadata_next(&metadata, &at, &field));
    assert_true(sl_str_eq(sl_grpc_metadata_find(&metadata, ":path"), SL_STR("/a/b")));
    assert_true(sl_str_eq(sl_grpc_metadata_find(&metadata, "color"), SL_STR("red")));
    assert_null(sl_grpc_metadata_find(&metadata, "colour").data);
    sl_grpc_metadata_fini(&metadata);
}

static void binary_values_are_decoded_and_taken_apart(void **state)
{
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    size_t at = 0;

    (void)state;
    add_ok(&metadata, "a-bin", "AQID");         /* 1 2 3 */
    add_ok(&metadata, "b-bin", "/w==");         /* padded */
    add_ok(&metadata, "b-bin", "/w");           /* not */
    add_ok(&metadata, "c-bin", "AQ==, Ag,,Aw"); /* four, one of them empty */
    add_ok(&metadata, "d-bin", "");
    add_ok(&metadata, "-bin", "no"); /* a name of its own, not a binary one's end */
    expect_field(next_of(&metadata, &at), "a-bin", SL_STR("\1\2\3"));
    expect_field(next_of(&metadata, &at), "b-bin", SL_STR("\xff"));
    expect_field(next_of(&metadata, &at), "b-bin", SL_STR("\xff"));
    expect_field(next_of(&metadata, &at), "c-bin", SL_STR("\1"));
    expect_field(next_of(&metadata, &at), "c-bin", SL_STR("\2"));
    expect_field(next_of(&metadata, &at), "c-bin", SL_STR(""));
    expect_field(next_of(&metadata, &at), "c-bin", SL_STR("\3"));
    expect_field(next_of(&metadata, &at), "d-bin", SL_STR(""));
    expect_field(next_of(&metadata, &at), "-bin", SL_STR("no"));
    sl_grpc_metadata_fini(&metadata);
}

static void what_is_not_base64_is_refused_and_not_kept(void **state)
{
    static const char *const broken[] = {"A", "A*==", "AQ=", "=", "AQ==,A", "A\nQ=", "AQID="};
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    size_t at = 0;

    (void)state;
    add_ok(&metadata, "first", "1");
    for (size_t i = 0; i < SL_ARRAY_LEN(broken); i++) {
        struct sl_status status = add(&metadata, "x-bin", broken[i]);
        assert_int_equal(status.code, SL_INTERNAL);
        assert_string_equal(sl_status_reason(&status), "broken-metadata");
    }
    add_ok(&metadata, "last", "2");
    expect_field(next_of(&metadata, &at), "first", SL_STR("1"));
    expect_field(next_of(&metadata, &at), "last", SL_STR("2"));
    sl_grpc_metadata_fini(&metadata);
}

/* A comma of the peer's is one byte, and a whole name here: a block of 64 KiB could be a gigabyte.
 */
static void commas_do_not_multiply_a_long_name_without_end(void **state)
{
    enum { NAME_BYTES = 30 * 1000, COMMAS = 30 * 1000 };
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    struct sl_grpc_field field;
    char *name = malloc(NAME_BYTES);
    char *value = malloc(COMMAS);
    size_t at = 0;

    (void)state;
    assert_non_null(name);
    assert_non_null(value);
    memset(name, 'n', NAME_BYTES);
    memcpy(name + NAME_BYTES - 4, "-bin", 4);
    memset(value, ',', COMMAS);
    add_ok(&metadata, "first", "1");
    struct sl_status status = sl_grpc_metadata_add(&metadata, (struct sl_str){name, NAME_BYTES},
                                                   (struct sl_str){value, COMMAS});
    assert_int_equal(status.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(sl_status_reason(&status), "header-too-large");
    assert_true(metadata.bytes.cap <= 4 * SL_GRPC_MAX_METADATA_BYTES);
    expect_field(next_of(&metadata, &at), "first", SL_STR("1"));
    assert_false(sl_grpc_metadata_next(&metadata, &at, &field));
    status = sl_grpc_metadata_add(&metadata, SL_STR("a-bin"), (struct sl_str){value, 1000});
    assert_int_equal(status.code, SL_OK); /* of a short name there may be many */
    free(value);
    free(name);
    sl_grpc_metadata_fini(&metadata);
}

static enum sl_code check(const char *name, struct sl_str value)
{
    const struct sl_grpc_field field = {sl_str_from(name), value, false};
    struct sl_status status = sl_grpc_metadata_check(&field, 1);

    return status.code;
}

static void reserved_names_and_unprintable_values_may_not_be_sent(void **state)
{
    static const char *const reserved[] = {"",
                                           ":path",
                                           "grpc-status",
                                           "grpc-x",
                                           "te",
                                           "content-type",
                                           "user-agent",
                                           "host",
                                           "connection",
                                           "upgrade",
                                           "keep-alive",
                                           "Name",
                                           "na me",
                                           "n\xc3\xa4",
                                           "a:b",
                                           "content-length",
                                           "transfer-encoding",
                                           "proxy-connection"};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(reserved); i++) {
        assert_int_equal(check(reserved[i], SL_STR("x")), SL_INVALID_ARGUMENT);
    }
    assert_int_equal(check("name", SL_STR("a\nb")), SL_INVALID_ARGUMENT);
    assert_int_equal(check("name", SL_STR("\xff")), SL_INVALID_ARGUMENT);
    assert_int_equal(check("name", SL_STR("a b~")), SL_OK);
    assert_int_equal(check("0_a.b-c", SL_STR("")), SL_OK);
    assert_int_equal(check("name-bin", SL_STR("\0\n\xff")), SL_OK);
}

static void the_sum_of_metadata_is_limited(void **state)
{
    static char zeros[SL_GRPC_MAX_METADATA_BYTES];
    struct sl_grpc_field field = {SL_STR("x-bin"), {zeros, sizeof(zeros) - 32 - 5}, false};
    struct sl_status status = sl_grpc_metadata_check(&field, 1);

    (void)state;
    assert_string_equal(status.text, "");
    field.value.len++;
    status = sl_grpc_metadata_check(&field, 1);
    assert_int_equal(status.code, SL_INVALID_ARGUMENT);
}

static void what_is_written_reads_back(void **state)
{
    const struct sl_grpc_field fields[] = {
        {SL_STR("plain"), SL_STR("text, with a comma"), true},
        {SL_STR("a-bin"), SL_STR("\0\1\2\3"), false},
        {SL_STR("b-bin"), SL_STR(""), false},
        {SL_STR("c-bin"), SL_STR("\xff\xfe"), false},
    };
    struct sl_h2_field written[SL_ARRAY_LEN(fields)];
    struct sl_grpc_metadata metadata = {.bytes = {0}};
    struct sl_buf text = {0};
    size_t at = 0;

    (void)state;
    assert_true(sl_grpc_metadata_write(fields, SL_ARRAY_LEN(fields), written, &text));
    assert_true(written[0].is_secret);
    for (size_t i = 0; i < SL_ARRAY_LEN(fields); i++) {
        struct sl_status status =
            sl_grpc_metadata_add(&metadata, written[i].name, written[i].value);
        assert_string_equal(status.text, "");
        struct sl_grpc_field back = next_of(&metadata, &at);
        assert_true(sl_str_eq(back.name, fields[i].name));
        assert_true(sl_str_eq(back.value, fields[i].value));
    }
    sl_buf_fini(&text);
    sl_grpc_metadata_fini(&metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_in_their_order_without_those_of_the_protocol),
        cmocka_unit_test(binary_values_are_decoded_and_taken_apart),
        cmocka_unit_test(what_is_not_base64_is_refused_and_not_kept),
        cmocka_unit_test(commas_do_not_multiply_a_long_name_without_end),
        cmocka_unit_test(reserved_names_and_unprintable_values_may_not_be_sent),
        cmocka_unit_test(the_sum_of_metadata_is_limited),
        cmocka_unit_test(what_is_written_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
