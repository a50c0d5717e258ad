/* Rules over whatever a device may send: a list of all kinds, chosen by the first byte, over the
 * message that follows, twice (the second time its paths are known), with room for paths and
 * without.
 *
 * What comes out is read again as if a device had sent it; the counts balance; without rules
 * nothing is touched; and with room or without, the path rules say the same. As a list, at once or
 * after a wait, it becomes the same record.
 */
#include <stdlib.h>

#include "daemon/settings_rules.h"
#include "fuzz.h"
#include "gnmi/rewrite.h"
#include "normalise/encoder.h"
#include "normalise/rules.h"

static const char *const lists[] = {
    "[]",
    "[{kind: keep, path: /.../b/...}, {kind: strip, modules: true, origin: true, target: true}]",
    "[{kind: rename, from: a, to: /x/y}, {kind: rename, from: /x/y/b, to: z}]",
    "[{kind: rename, from: /a/b, to: c}, {kind: strip, leading: /c}, {kind: label, set: {l: v}}]",
    "[{kind: key-to-label, key: k}, {kind: label-to-key, from: k, element: b, to: n},"
    " {kind: drop, label: {k: v*}}, {kind: drop, path: \"/**/b[k=*]/c\"}]",
    "[{kind: drop, value: [a*, \"1?\"]}, {kind: keep, above: -5, below: 1e9}]",
    "[{kind: deduplicate, heartbeat: 1ms}, {kind: rate-limit, path: /a/..., interval: 1s},"
    " {kind: timestamp, policy: clamp, max-skew: 1s}]",
};

enum { LISTS = SL_ARRAY_LEN(lists) };

static struct sl_config *configs[LISTS];
static struct sl_rule_list compiled[LISTS];

static void compile_all(void)
{
    for (size_t i = 0; i < LISTS && !configs[LISTS - 1]; i++) {
        configs[i] = sl_config_parse("rules", sl_str_from(lists[i]));
        SL_ASSERT(configs[i]);
        compiled[i].name = "fuzz";
        SL_ASSERT(sl_settings_read_rule_list(configs[i], sl_config_root(configs[i]), &compiled[i]));
        SL_ASSERT(sl_config_errors(configs[i]) == 0);
    }
}

/* As many updates and deletes as were said to be there, whoever reads it. */
static void read_again(struct sl_str message, const struct sl_gnmi_response *made)
{
    struct sl_buf scratch = {0};
    struct sl_gnmi_response read;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &read);

    SL_ASSERT(sl_status_is_ok(&status));
    SL_ASSERT(read.updates == made->updates && read.deletes == made->deletes);
    SL_ASSERT(read.duplicates == made->duplicates && read.is_atomic == made->is_atomic);
    SL_ASSERT(read.timestamp_ns == made->timestamp_ns && read.has_prefix == made->has_prefix);
    sl_buf_fini(&scratch);
}

/* The bytes that are left, as a device could have sent them. */
static void apply(struct sl_rules_state *state, const struct sl_gnmi_response *response,
                  int64_t received_ns, struct sl_buf *left)
{
    const struct sl_encoder_context context = {.epoch = 1, .received_ns = received_ns};
    struct sl_gnmi_response out;
    struct sl_rules_result result;

    if (!sl_rules_apply(state, response, &context, &out, &result)) {
        return; /* beyond SL_RULES_MAX_BYTES */
    }
    SL_ASSERT(result.filtered + result.dropped + out.updates + out.deletes ==
              response->updates + response->deletes + result.opened);
    SL_ASSERT(result.is_nothing ==
              (response->updates + response->deletes > 0 && out.updates + out.deletes == 0));
    if (out.message.data == response->message.data) {
        SL_ASSERT(out.message.len == response->message.len);
        return;
    }
    sl_gnmi_add_without_labels(left, &out);
    if (!left->failed) {
        read_again(sl_buf_str(left), &out);
    }
}

static void run(const struct sl_rule_list *list, const struct sl_gnmi_response *response,
                uint64_t room_bytes, struct sl_buf *left)
{
    struct sl_encoder_memory memory = {.limit_bytes = room_bytes};
    struct sl_rules_state *state = sl_rules_state_new(&(struct sl_rules_config){
        .rules = {(const struct sl_rule *const *)list->items, list->count}, .memory = &memory});

    SL_ASSERT(state);
    apply(state, response, 1000, left);
    sl_buf_reset(left);
    apply(state, response, SL_NS_PER_S * 5, left);
    sl_rules_state_free(state);
    SL_ASSERT(memory.used_bytes == 0);
}

/* ---- records ---- */

enum way { WRITTEN, LISTED, WAITED, WAYS };

static bool encode(struct sl_rules_state *state, struct sl_encoder *encoder, enum way way,
                   const struct sl_gnmi_response *response, struct sl_buf *record)
{
    const struct sl_encoder_context context = {.epoch = 1, .received_ns = 1000};
    struct sl_gnmi_response out;
    struct sl_rules_result result;
    struct sl_encoded encoded;
    struct sl_buf kept = {0};
    bool is_ok = sl_rules_apply(state, response, &context, &out, &result);

    if (is_ok && way == WAITED && out.listed) {
        is_ok = sl_rules_take_out(state, &out, &kept);
    }
    sl_buf_reset(record);
    is_ok = is_ok && sl_encoder_encode(encoder, &out, &context, record, &encoded);
    sl_buf_fini(&kept);
    return is_ok;
}

/* Twice: the second time there are hints. */
static void encode_twice(const struct sl_rule_list *list, enum way way, enum sl_format format,
                         const struct sl_gnmi_response *response, struct sl_buf records[2])
{
    struct sl_encoder_memory memory = {.limit_bytes = 1 << 20};
    struct sl_rules_state *state = sl_rules_state_new(&(struct sl_rules_config){
        .rules = {(const struct sl_rule *const *)list->items, list->count},
        .memory = &memory,
        .lists = way != WRITTEN});
    struct sl_encoder *encoder = sl_encoder_new(
        &(struct sl_encoder_config){.format = format, .target = SL_STR("t"), .memory = &memory});

    SL_ASSERT(state && encoder);
    for (size_t i = 0; i < 2; i++) {
        if (!encode(state, encoder, way, response, &records[i])) {
            sl_buf_reset(&records[i]); /* beyond SL_RULES_MAX_BYTES */
        }
    }
    sl_encoder_free(encoder);
    sl_rules_state_free(state);
    SL_ASSERT(memory.used_bytes == 0);
}

static void compare_ways(const struct sl_rule_list *list, const struct sl_gnmi_response *response)
{
    static const enum sl_format formats[] = {SL_FORMAT_EVENT, SL_FORMAT_SLUICE_V1};

    for (size_t i = 0; i < SL_ARRAY_LEN(formats); i++) {
        struct sl_buf records[WAYS][2] = {0};
        for (enum way way = 0; way < WAYS; way++) {
            encode_twice(list, way, formats[i], response, records[way]);
            for (size_t turn = 0; turn < 2; turn++) {
                SL_ASSERT(sl_str_eq(sl_buf_str(&records[way][turn]),
                                    sl_buf_str(&records[WRITTEN][turn])));
            }
        }
        for (enum way way = 0; way < WAYS; way++) {
            sl_buf_fini(&records[way][0]);
            sl_buf_fini(&records[way][1]);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_buf scratch = {0};
    struct sl_buf with_room = {0};
    struct sl_buf without = {0};
    struct sl_gnmi_response response;

    compile_all();
    if (size == 0) {
        return 0;
    }
    const struct sl_rule_list *list = &compiled[data[size - 1] % LISTS];
    struct sl_str message = {(const char *)data, size};
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    if (sl_status_is_ok(&status)) {
        run(list, &response, 1 << 20, &with_room);
        run(list, &response, 0, &without);
        if (list != &compiled[LISTS - 1]) { /* that one has state */
            SL_ASSERT(sl_str_eq(sl_buf_str(&with_room), sl_buf_str(&without)));
        }
        SL_ASSERT(list != &compiled[0] || with_room.len == 0);
        compare_ways(list, &response);
    }
    sl_buf_fini(&without);
    sl_buf_fini(&with_room);
    sl_buf_fini(&scratch);
    return 0;
}
