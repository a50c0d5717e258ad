/* The requests of Capabilities, Get and Set, and values out of words. */
#include "gnmi/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "test.h"

static const struct sl_gnmi_extension depth = {.kind = SL_GNMI_DEPTH, .of.depth = 2};

static void capabilities_may_have_extensions(void **state)
{
    struct sl_status why = sl_status_ok();
    Gnmi__CapabilityRequest *request = sl_gnmi_capabilities_new(&depth, 1, &why);

    (void)state;
    assert_non_null(request);
    assert_int_equal(request->n_extension, 1);
    assert_int_equal(request->extension[0]->depth->level, 2);
    gnmi__capability_request__free_unpacked(request, NULL);
}

static void a_get_says_all_that_it_was_given(void **state)
{
    const char *const paths[] = {"/a[k=v]/b", "cli:/show version", NULL};
    const struct sl_gnmi_model model = {"m", "o", ""};
    const struct sl_gnmi_get get = {
        .paths = paths,
        .prefix = "/p",
        .target = "leaf1",
        .type = SL_GNMI_STATE,
        .encoding = SL_GNMI_JSON_IETF,
        .models = &model,
        .model_count = 1,
        .extensions = &depth,
        .extension_count = 1,
    };
    struct sl_status why = sl_status_ok();
    Gnmi__GetRequest *request = sl_gnmi_get_new(&get, &why);

    (void)state;
    assert_non_null(request);
    assert_int_equal(request->n_path, 2);
    assert_string_equal(request->path[0]->elem[0]->key[0]->value, "v");
    assert_string_equal(request->path[1]->origin, "cli");
    assert_string_equal(request->prefix->target, "leaf1");
    assert_string_equal(request->prefix->elem[0]->name, "p");
    assert_int_equal(request->type, GNMI__GET_REQUEST__DATA_TYPE__STATE);
    assert_int_equal(request->encoding, GNMI__ENCODING__JSON_IETF);
    assert_string_equal(request->use_models[0]->organization, "o");
    assert_int_equal(request->extension[0]->depth->level, 2);
    gnmi__get_request__free_unpacked(request, NULL);
}

static void a_path_that_is_none_makes_no_request(void **state)
{
    const char *const paths[] = {"/a", "/b[", NULL};
    const struct sl_gnmi_get get = {.paths = paths};
    const struct sl_gnmi_write writes[] = {
        {.operation = SL_GNMI_UPDATE_PATH, .path = "/a", .value = {.kind = SL_GNMI_VALUE_BOOL}},
        {.operation = SL_GNMI_DELETE, .path = "/b["},
    };
    const struct sl_gnmi_set set = {.writes = writes, .write_count = 2};
    struct sl_status why = sl_status_ok();

    (void)state;
    assert_null(sl_gnmi_get_new(&get, &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
    why = sl_status_ok();
    assert_null(sl_gnmi_set_new(&set, &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
}

static void a_set_has_its_operations_in_their_order(void **state)
{
    const struct sl_gnmi_value value = {.kind = SL_GNMI_VALUE_UINT, .of.u64 = 1};
    const struct sl_gnmi_write writes[] = {
        {SL_GNMI_UPDATE_PATH, "/u1", value}, {SL_GNMI_DELETE, "/d1", {.kind = SL_GNMI_VALUE_NONE}},
        {SL_GNMI_REPLACE, "/r1", value},     {SL_GNMI_UPDATE_PATH, "/u2", value},
        {SL_GNMI_UNION, "/n1", value},       {SL_GNMI_DELETE, "/d2", {.kind = SL_GNMI_VALUE_NONE}},
    };
    const struct sl_gnmi_set set = {
        .writes = writes, .write_count = SL_ARRAY_LEN(writes), .target = "leaf1"};
    struct sl_status why = sl_status_ok();
    Gnmi__SetRequest *request = sl_gnmi_set_new(&set, &why);

    (void)state;
    assert_non_null(request);
    assert_int_equal(request->n_delete_, 2);
    assert_string_equal(request->delete_[1]->elem[0]->name, "d2");
    assert_int_equal(request->n_replace, 1);
    assert_int_equal(request->n_union_replace, 1);
    assert_int_equal(request->n_update, 2);
    assert_string_equal(request->update[1]->path->elem[0]->name, "u2");
    assert_int_equal(request->update[1]->val->uint_val, 1);
    assert_string_equal(request->prefix->target, "leaf1");
    gnmi__set_request__free_unpacked(request, NULL);
}

/* What a Set with the value carries: its one TypedValue, which lives as long as `*request`. */
static const Gnmi__TypedValue *typed(const struct sl_gnmi_value *value, Gnmi__SetRequest **request)
{
    const struct sl_gnmi_write write = {SL_GNMI_REPLACE, "/a", *value};
    const struct sl_gnmi_set set = {.writes = &write, .write_count = 1};
    struct sl_status why = sl_status_ok();

    *request = sl_gnmi_set_new(&set, &why);
    if (!*request) {
        fail_msg("%s", why.text);
        abort();
    }
    return (*request)->replace[0]->val;
}

static void words_become_values_of_their_types(void **state)
{
    static const struct {
        const char *type;
        const char *text;
        const char *hex; /* of the TypedValue */
    } rows[] = {
        {"json", "{}", "52027b7d"},
        {"json_ietf", "", "5a00"},
        {"string", "", "0a00"},
        {"string", " x", "0a022078"},
        {"ascii", "a", "620161"},
        {"bytes", "a", "2a0161"},
        {"int", "-1", "10ffffffffffffffffff01"},
        {"int", "9223372036854775807", "10ffffffffffffffff7f"},
        {"uint", "18446744073709551615", "18ffffffffffffffffff01"},
        {"bool", "true", "2001"},
        {"bool", "false", "2000"},
        {"float", "1.5", "350000c03f"},
        {"double", "-2", "7100000000000000c0"},
        {"decimal", "-1.50", "3a0d08eafeffffffffffffff011002"},
        {"decimal", "7", "3a020807"},
        {"decimal", ".5", "3a0408051001"},
    };

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_gnmi_value value;
        struct sl_status status =
            sl_gnmi_value_parse(sl_str_from(rows[i].type), sl_str_from(rows[i].text), &value);
        Gnmi__SetRequest *request;
        const Gnmi__TypedValue *message;
        uint8_t packed[64];
        char hex[2 * sizeof(packed) + 1] = "";
        size_t len;

        assert_string_equal(status.text, "");
        message = typed(&value, &request);
        len = gnmi__typed_value__pack(message, packed);
        for (size_t j = 0; j < len; j++) {
            snprintf(hex + 2 * j, 3, "%02x", packed[j]);
        }
        assert_string_equal(hex, rows[i].hex);
        gnmi__set_request__free_unpacked(request, NULL);
    }
}

static void what_is_no_value_of_its_type_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"int", ""},
        {"int", " 1"},
        {"int", "1x"},
        {"int", "9223372036854775808"},
        {"uint", "-1"},
        {"uint", "18446744073709551616"},
        {"bool", "True"},
        {"float", "x"},
        {"double", "1.5.5"},
        {"decimal", ""},
        {"decimal", "."},
        {"decimal", "1."},
        {"decimal", "1.-5"},
        {"decimal", "1.2.3"},
        {"decimal", "0.1234567890123456789"},
        {"decimal", "9223372036854775808.0"},
        {"decimal", "1e5"},
        {"int", "11111111111111111111111111111111111111111111111111111111111111111111111111"},
        {"yaml", "x"},
        {"", "x"},
    };
    struct sl_gnmi_value value;

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        struct sl_status status =
            sl_gnmi_value_parse(sl_str_from(rows[i][0]), sl_str_from(rows[i][1]), &value);

        assert_int_equal(status.code, SL_INVALID_ARGUMENT);
    }
}

static void values_that_are_messages_are_taken_as_bytes(void **state)
{
    const struct sl_gnmi_value list = {.kind = SL_GNMI_VALUE_LEAFLIST,
                                       .of.bytes = {"\x0a\x02\x18\x05", 4}};
    const struct sl_gnmi_value any = {.kind = SL_GNMI_VALUE_ANY, .of.bytes = {"\x0a\x01t", 3}};
    const struct sl_gnmi_write broken = {
        SL_GNMI_REPLACE,
        "/a",
        {.kind = SL_GNMI_VALUE_LEAFLIST, .of.bytes = {"\x0a\x05", 2}},
    };
    const struct sl_gnmi_set set = {.writes = &broken, .write_count = 1};
    struct sl_status why = sl_status_ok();
    Gnmi__SetRequest *request;

    (void)state;
    assert_int_equal(typed(&list, &request)->leaflist_val->element[0]->uint_val, 5);
    gnmi__set_request__free_unpacked(request, NULL);
    assert_string_equal(typed(&any, &request)->any_val->type_url, "t");
    gnmi__set_request__free_unpacked(request, NULL);
    assert_null(sl_gnmi_set_new(&set, &why));
    assert_int_equal(why.code, SL_INVALID_ARGUMENT);
}

static void notifications_of_a_get_are_read_as_responses(void **state)
{
    /* two notifications, with timestamps 1 and 2, and an extension between them */
    static const char bytes[] = "\x0a\x02\x08\x01\x1a\x00\x0a\x02\x08\x02";
    struct sl_wire wire = sl_wire_of(SL_STR(bytes));
    struct sl_buf scratch = {.data = NULL};
    struct sl_gnmi_response response;
    struct sl_str found;
    int64_t count = 0;

    (void)state;
    while (sl_gnmi_next_notification(&wire, &found)) {
        struct sl_status status = sl_gnmi_response_read(found, &scratch, &response);

        assert_true(sl_status_is_ok(&status));
        assert_int_equal(response.kind, SL_GNMI_UPDATE);
        assert_int_equal(response.timestamp_ns, ++count);
    }
    assert_int_equal(count, 2);
    wire = sl_wire_of(SL_STR("\x0a\x7f"));
    assert_false(sl_gnmi_next_notification(&wire, &found));
    sl_buf_fini(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities_may_have_extensions),
        cmocka_unit_test(a_get_says_all_that_it_was_given),
        cmocka_unit_test(a_path_that_is_none_makes_no_request),
        cmocka_unit_test(a_set_has_its_operations_in_their_order),
        cmocka_unit_test(words_become_values_of_their_types),
        cmocka_unit_test(what_is_no_value_of_its_type_is_refused),
        cmocka_unit_test(values_that_are_messages_are_taken_as_bytes),
        cmocka_unit_test(notifications_of_a_get_are_read_as_responses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
