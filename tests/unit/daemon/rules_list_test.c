/* Updates that rules list for an encoder become the same records as those that stand in a message
 * made anew, whether they are encoded at once or have waited. */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/settings_rules.h"
#include "failing.h"
#include "gnmi/pack.h"
#include "gnmi/path_build.h"
#include "gnmi/rewrite.h"
#include "normalise/encoder.h"
#include "normalise/rules.h"
#include "test.h"

enum { INTERFACES = 8, TURNS = 4 };

static const char rules[] = "[{kind: drop, path: /interfaces/interface/state/load, above: 9000},"
                            " {kind: rename, from: interface, to: port},"
                            " {kind: key-to-label, key: name},"
                            " {kind: label, path: /interfaces/port/state/..., set: {site: tyo}},"
                            " {kind: map, path: /interfaces/port/state/status,"
                            "  values: {UP: \"1 <up>\", DOWN: \"\", LOST: gone}},"
                            " {kind: scale, path: /interfaces/port/state/load, multiply: 3},"
                            " {kind: deduplicate, path: /interfaces/port/state/mtu},"
                            " {kind: timestamp, policy: device}]";

static void add_update(struct sl_buf *out, int interface, const char *leaf,
                       const struct sl_gnmi_value *value, uint32_t duplicates)
{
    size_t update = sl_pack_begin(out, 4);
    struct sl_buf path = {0};
    struct sl_gnmi_path_build build;
    char name[16];

    snprintf(name, sizeof(name), "eth%d", interface);
    sl_gnmi_path_build_begin(&build, &path);
    sl_gnmi_path_build_elem(&build, SL_STR("interface"));
    sl_gnmi_path_build_key(&build, SL_STR("name"), sl_str_from(name));
    sl_gnmi_path_build_elem(&build, SL_STR("state"));
    sl_gnmi_path_build_elem(&build, sl_str_from(leaf));
    sl_pack_bytes(out, 1, sl_gnmi_path_build_end(&build));
    size_t typed = sl_pack_begin(out, 3);
    sl_gnmi_add_typed_value(out, value);
    sl_pack_end(out, typed);
    if (duplicates) {
        sl_pack_varint(out, 4, duplicates);
    }
    sl_pack_end(out, update);
    sl_buf_fini(&path);
}

/* Each turn drops others, and has new values. */
static void build_message(struct sl_buf *out, int turn)
{
    static const char *const words[] = {"UP", "DOWN", "LOST"};
    size_t notification = sl_pack_begin(out, 1);

    sl_pack_varint(out, 1, 1700000000u + (unsigned)turn);
    sl_pack_bytes(out, 2, SL_STR("\x1a\x0c\x0a\x0ainterfaces"));
    for (int i = 0; i < INTERFACES; i++) {
        struct sl_gnmi_value load = {.kind = SL_GNMI_VALUE_UINT,
                                     .of.u64 = (i + turn) % 3 ? (unsigned)i : 9001};
        struct sl_gnmi_value status = {.kind = SL_GNMI_VALUE_STRING,
                                       .of.bytes = sl_str_from(words[(i + turn) % 3])};
        struct sl_gnmi_value mtu = {.kind = SL_GNMI_VALUE_INT, .of.i64 = -(turn / 2)};
        struct sl_gnmi_value speed = {.kind = SL_GNMI_VALUE_DOUBLE, .of.f64 = 0.5 * turn};
        struct sl_gnmi_value json = {.kind = SL_GNMI_VALUE_JSON,
                                     .of.bytes = SL_STR("{\"a\":[1,{\"b\":\"c\"}]}")};
        add_update(out, i, "load", &load, 0);
        add_update(out, i, "status", &status, (uint32_t)i);
        add_update(out, i, "mtu", &mtu, 0);
        add_update(out, i, "speed", &speed, 2);
        add_update(out, i, "more", &json, 0);
    }
    sl_pack_end(out, notification);
}

/* ---- one way to a record ---- */

enum way { WRITTEN, LISTED, WAITED, WAYS };

struct road {
    enum way way;
    struct sl_encoder_memory memory;
    struct sl_encoder *encoder;
    struct sl_rules_state *rules;
};

static void road_init(struct road *road, enum way way, enum sl_format format,
                      const struct sl_rule_list *list)
{
    *road = (struct road){.way = way, .memory = {.limit_bytes = SL_MIB}};
    road->encoder = sl_encoder_new(&(struct sl_encoder_config){.format = format,
                                                               .target = SL_STR("leaf1"),
                                                               .subscription = SL_STR("sub1"),
                                                               .memory = &road->memory});
    road->rules = sl_rules_state_new(&(struct sl_rules_config){
        .rules = {(const struct sl_rule *const *)list->items, list->count},
        .memory = &road->memory,
        .lists = way != WRITTEN});
    assert_non_null(road->encoder);
    assert_non_null(road->rules);
}

static void road_fini(struct road *road)
{
    sl_rules_state_free(road->rules);
    sl_encoder_free(road->encoder);
    assert_int_equal(road->memory.used_bytes, 0);
}

static void travel(struct road *road, const struct sl_gnmi_response *response,
                   struct sl_buf *record)
{
    const struct sl_encoder_context context = {.epoch = 1, .received_ns = 1000};
    struct sl_gnmi_response out;
    struct sl_rules_result result;
    struct sl_encoded encoded;
    struct sl_buf kept = {0};

    assert_true(sl_rules_apply(road->rules, response, &context, &out, &result));
    assert_int_equal(out.updates + result.filtered, response->updates);
    assert_true(result.filtered > 0);
    assert_int_equal(out.listed != NULL, road->way != WRITTEN);
    if (road->way == WAITED) {
        assert_true(sl_rules_take_out(road->rules, &out, &kept));
        assert_null(out.listed);
    }
    sl_buf_reset(record);
    assert_true(sl_encoder_encode(road->encoder, &out, &context, record, &encoded));
    assert_int_equal(encoded.published, out.updates);
    sl_buf_fini(&kept);
}

static void the_records_are_the_same(void **state)
{
    static const enum sl_format formats[] = {SL_FORMAT_EVENT, SL_FORMAT_SLUICE_V1,
                                             SL_FORMAT_SLUICE_V1_JSON};
    struct sl_config *config = sl_config_parse("rules", SL_STR(rules));
    struct sl_rule_list list = {.name = "all"};

    (void)state;
    assert_true(sl_settings_read_rule_list(config, sl_config_root(config), &list));
    assert_int_equal(sl_config_errors(config), 0);
    for (size_t i = 0; i < SL_ARRAY_LEN(formats); i++) {
        struct road roads[WAYS];
        struct sl_buf records[WAYS] = {0};
        for (enum way way = 0; way < WAYS; way++) {
            road_init(&roads[way], way, formats[i], &list);
        }
        for (int turn = 0; turn < TURNS; turn++) {
            struct sl_buf message = {0};
            struct sl_buf scratch = {0};
            struct sl_gnmi_response response;
            build_message(&message, turn);
            struct sl_status status =
                sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);
            assert_true(sl_status_is_ok(&status));
            for (enum way way = 0; way < WAYS; way++) {
                travel(&roads[way], &response, &records[way]);
                assert_true(sl_str_eq(sl_buf_str(&records[way]), sl_buf_str(&records[WRITTEN])));
            }
            sl_buf_fini(&scratch);
            sl_buf_fini(&message);
        }
        for (enum way way = 0; way < WAYS; way++) {
            road_fini(&roads[way]);
            sl_buf_fini(&records[way]);
        }
    }
    sl_settings_free_rule_list(&list);
    sl_config_free(config);
}

/* Of what has to wait nothing is left behind. */
static void without_memory_nothing_waits(void **state)
{
    struct sl_config *config = sl_config_parse("rules", SL_STR(rules));
    struct sl_rule_list list = {.name = "all"};
    const struct sl_encoder_context context = {.epoch = 1, .received_ns = 1000};
    struct sl_buf message = {0};
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_gnmi_response out;
    struct sl_rules_result result;
    struct road road;

    (void)state;
    assert_true(sl_settings_read_rule_list(config, sl_config_root(config), &list));
    build_message(&message, 0);
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&message), &scratch, &response);
    assert_true(sl_status_is_ok(&status));
    road_init(&road, LISTED, SL_FORMAT_EVENT, &list);
    assert_true(sl_rules_apply(road.rules, &response, &context, &out, &result));
    assert_non_null(out.listed);
    struct sl_buf kept = {0};
    has_failed = false;
    left = 0;
    assert_false(sl_rules_take_out(road.rules, &out, &kept));
    left = -1;
    assert_true(has_failed);
    assert_null(kept.data);
    assert_true(sl_rules_take_out(road.rules, &out, &kept));
    sl_buf_fini(&kept);
    road_fini(&road);
    sl_buf_fini(&scratch);
    sl_buf_fini(&message);
    sl_settings_free_rule_list(&list);
    sl_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_records_are_the_same),
        cmocka_unit_test(without_memory_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
