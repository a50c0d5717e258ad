#include "tool/admin_tables.h"

#include "base/base.h"
#include "test.h"

static const sl_admin_table_fn tables[] = {
    sl_admin_add_status, sl_admin_add_streams, sl_admin_add_targets, sl_admin_add_target,
    sl_admin_add_sinks,  sl_admin_add_sources, sl_admin_add_ledger,  sl_admin_add_config,
    sl_admin_add_events, sl_admin_add_action,  sl_admin_add_reload,
};

static char *print(sl_admin_table_fn table, const char *text)
{
    struct sl_buf out = {0};
    json_t *answer = json_loads(text, JSON_DECODE_ANY, NULL);
    size_t len;

    assert_non_null(answer);
    table(&out, answer);
    json_decref(answer);
    sl_buf_add_byte(&out, '\0');
    assert_false(out.failed);
    return sl_buf_take(&out, &len);
}

static void expect(sl_admin_table_fn table, const char *json, const char *part)
{
    char *text = print(table, json);

    if (!strstr(text, part)) {
        fail_msg("no '%s' in:\n%s", part, text);
    }
    free(text);
}

static void status_says_whether_everything_flows(void **state)
{
    (void)state;
    expect(sl_admin_add_status,
           "{\"ready\":true,\"totals\":{\"targets\":2,\"targets_up\":2,\"streams\":2}}",
           "verdict      everything flows\n");
    expect(sl_admin_add_status,
           "{\"ready\":true,\"totals\":{\"targets\":3,\"targets_up\":2,\"streams_held\":4}}",
           "verdict      4 streams are held; 1 target is down\n");
    expect(sl_admin_add_status, "{\"ready\":true,\"discovery\":{\"failing\":[\"netbox\"]}}",
           "verdict      1 source of targets fails\n");
    expect(sl_admin_add_status, "{\"ready\":false,\"not_ready\":[\"sink main\",\"b\"]}",
           "not ready: sink main\n             b\n");
    expect(sl_admin_add_status,
           "{\"ready\":true,\"reload\":{\"result\":\"refused\",\"errors\":[\"f:1:2: no\\u001b\"]}}",
           "  f:1:2: no\\x1b\n");
}

static void rows_have_what_is_there(void **state)
{
    (void)state;
    expect(sl_admin_add_streams,
           "{\"total\":9,\"streams\":[{\"id\":\"a/b\",\"state\":\"HELD\",\"held_bytes\":2048,"
           "\"lag_s\":null,\"held_by\":[{\"sink\":\"main\",\"destination\":\"t\",\"held\":3}],"
           "\"last_error\":\"gone\"}]}",
           "held by main/t (3); gone\n1 of 9; --limit");
    expect(sl_admin_add_targets,
           "{\"targets\":[{\"name\":\"a\",\"state\":\"READY\",\"paused\":true}]}", "paused");
    expect(sl_admin_add_sinks,
           "{\"sinks\":[{\"name\":\"k\",\"taking\":false,"
           "\"troubles\":[{\"reason\":\"r\",\"count\":2}]}]}",
           "r: 2");
    expect(sl_admin_add_sources,
           "{\"sources\":[{\"name\":\"n\",\"well\":false,\"targets\":7,\"error\":\"e\\u001b\"}]}",
           "e\\x1b\n");
    expect(sl_admin_add_ledger, "{\"sum\":{\"balanced\":false,\"received\":3}}", "NOT BALANCED");
    expect(sl_admin_add_config, "{\"yaml\":\"a: 1\\nb: \\u001b\\n\"}", "a: 1\nb: \\x1b\n");
    expect(sl_admin_add_events,
           "{\"events\":[{\"at\":\"t\",\"level\":\"warn\",\"msg\":\"m\",\"fields\":{\"k\":1}}]}",
           "t warn m  k=1\n");
    expect(sl_admin_add_target,
           "{\"name\":\"a\",\"labels\":{\"x\":\"y\"},\"streams\":[{\"id\":\"a/s\",\"routes\":[{"
           "\"subscription\":\"s\",\"sink\":\"k\",\"dropped\":{\"rule\":2}}],"
           "\"members\":[{\"quarantined\":[\"/p\"]}]}]}",
           "  s -> k: - received, - published, - filtered, - held, dropped: rule=2\n"
           "  refused by the device: /p\n");
}

/* Every member that a table asks for, of every wrong type. */
static void answers_that_are_none_are_printed_too(void **state)
{
    static const char *const keys[] = {
        "total",  "streams", "targets", "sinks",     "events",  "totals",
        "memory", "reload",  "yaml",    "sum",       "errors",  "labels",
        "routes", "held_by", "fields",  "not_ready", "sources",
    };
    static const char *const values[] = {
        "null",
        "true",
        "-1",
        "1e308",
        "\"\"",
        "\"\\u001b\\u202e\"",
        "[]",
        "{}",
        "[null,1,\"x\",[],{}]",
        "{\"a\":{\"b\":[1]}}",
        "[[[[]]]]",
    };
    char json[200];

    (void)state;
    for (size_t table = 0; table < SL_ARRAY_LEN(tables); table++) {
        for (size_t value = 0; value < SL_ARRAY_LEN(values); value++) {
            free(print(tables[table], values[value]));
            for (size_t key = 0; key < SL_ARRAY_LEN(keys); key++) {
                snprintf(json, sizeof(json), "{\"%s\":%s}", keys[key], values[value]);
                char *text = print(tables[table], json);
                assert_null(strchr(text, '\x1b'));
                assert_null(strstr(text, "\xe2\x80\xae"));
                free(text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_says_whether_everything_flows),
        cmocka_unit_test(rows_have_what_is_there),
        cmocka_unit_test(answers_that_are_none_are_printed_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
