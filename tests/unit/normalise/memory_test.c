/* Every allocation fails once: what comes back says so, nothing leaks, and the next try succeeds.
 *
 * The linker sends our calls of malloc, calloc and realloc to the functions here (--wrap).
 */
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "gnmi/request.h"
#include "normalise/flatten.h"
#include "normalise/json_keyed.h"
#include "test.h"

enum { RUNS_MAX = 10000 };

static unsigned long calls_left; /* until the one that fails; 0: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static bool fails_now(void)
{
    return calls_left && --calls_left == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails_now() ? NULL : __real_realloc(block, size);
}

/* Runs `step` with its first allocation failing, then its second … until it makes no so many. */
static void fail_each(void (*step)(void *arg), void *arg)
{
    for (unsigned long nth = 1; nth < RUNS_MAX; nth++) {
        calls_left = nth;
        step(arg);
        if (calls_left) {
            calls_left = 0;
            return;
        }
    }
    fail();
}

static enum sl_format format;
static enum sl_record_unit unit;
static const struct sluice_strings *json_keys;

/* All records of the response, until one fails. */
static void encode_all(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                       struct sl_buf *out)
{
    struct sl_encoder_progress progress = {0};
    struct sl_encoded encoded;
    bool is_ok = true;

    while (is_ok && !progress.is_done) {
        is_ok = sl_encoder_next(encoder, response, &cases_context, &progress, out, &encoded);
    }
    assert_true(!is_ok || progress.passed == response->updates + response->deletes);
}

static void encode(struct sl_encoder *encoder, const struct sl_gnmi_response *response,
                   struct sl_buf *out)
{
    struct sl_encoded encoded;

    if (sl_encoder_encode(encoder, response, &cases_context, out, &encoded)) {
        assert_int_equal(encoded.published + encoded.dropped,
                         response->updates + response->deletes);
        assert_true(out->len > 0 || encoded.published == 0);
    }
}

static void pass_one_message(void *arg)
{
    const struct test_case *one = arg;
    struct sl_encoder_memory memory = {.limit_bytes = SL_MIB};
    struct sl_encoder_config config = {.format = format,
                                       .unit = unit,
                                       .target = SL_STR("leaf1"),
                                       .json_keys = json_keys,
                                       .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;

    if (!encoder) {
        return;
    }
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&one->message), &scratch, &response);

    if (sl_status_is_ok(&status)) {
        struct sl_buf out = {0};
        encode(encoder, &response, &out);
        sl_buf_reset(&out);
        encode_all(encoder, &response, &out);
        sl_buf_reset(&out);
        encode(encoder, &response, &out);
        sl_buf_fini(&out);
    }
    sl_encoder_free(encoder);
    sl_buf_fini(&scratch);
    assert_int_equal(memory.used_bytes, 0);
}

static void survive(enum sl_format tried)
{
    format = tried;
    for (size_t i = 0; i < golden.count; i++) {
        fail_each(pass_one_message, &golden.cases[i]);
    }
}

static void every_message_survives_every_failure_in_event(void **state)
{
    (void)state;
    survive(SL_FORMAT_EVENT);
    survive(SL_FORMAT_EVENT_SPLIT);
}

static void every_message_survives_every_failure_in_pieces(void **state)
{
    (void)state;
    unit = SL_RECORD_UPDATE;
    survive(SL_FORMAT_EVENT);
    survive(SL_FORMAT_PROTO);
    unit = SL_RECORD_NOTIFICATION;
}

static void every_message_survives_every_failure_in_sluice_v1(void **state)
{
    (void)state;
    survive(SL_FORMAT_SLUICE_V1);
}

static void every_message_survives_every_failure_in_json(void **state)
{
    (void)state;
    survive(SL_FORMAT_GNMIC_JSON);
    survive(SL_FORMAT_PROTOJSON);
    survive(SL_FORMAT_SLUICE_V1_JSON);
    survive(SL_FORMAT_TELEGRAF_JSON);
    survive(SL_FORMAT_INFLUX);
}

/* Containers of JSON as updates of their own. */
static void flatten_one_message(void *arg)
{
    const struct test_case *one = arg;
    struct sl_flatten flatten;
    struct sl_gnmi_rewrite rewrite;
    struct sl_gnmi_response response;
    struct sl_gnmi_response made;
    struct sl_gnmi_update update;
    struct sl_buf scratch = {0};
    struct sl_buf out = {0};
    struct sl_status status = sl_gnmi_response_read(sl_buf_str(&one->message), &scratch, &response);

    sl_flatten_init(&flatten);
    if (sl_status_is_ok(&status) && response.kind == SL_GNMI_UPDATE) {
        struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&response);
        uint32_t count;
        sl_gnmi_rewrite_begin(&rewrite, &response, &out);
        while (sl_gnmi_next_update(&cursor, &update)) {
            if (!sl_flatten_is_container(&update.value) ||
                !sl_flatten_add(&flatten, &rewrite, &update, &count)) {
                sl_gnmi_rewrite_add_update(&rewrite, update.path, &update);
            }
        }
        if (sl_gnmi_rewrite_end(&rewrite, &made)) {
            assert_true(made.updates >= response.updates);
        }
    }
    sl_flatten_fini(&flatten);
    sl_buf_fini(&scratch);
    sl_buf_fini(&out);
}

static void every_list_survives_every_failure(void **state)
{
    (void)state;
    json_keys = &sl_json_default_keys;
    for (size_t i = 0; i < golden.count; i++) {
        const struct sl_buf *message = &golden.cases[i].message;
        if (!message->len || !memmem(message->data, message->len, "[{", 2)) {
            continue;
        }
        format = SL_FORMAT_EVENT;
        fail_each(pass_one_message, &golden.cases[i]);
        format = SL_FORMAT_SLUICE_V1;
        fail_each(pass_one_message, &golden.cases[i]);
        fail_each(flatten_one_message, &golden.cases[i]);
    }
    json_keys = NULL;
}

static void pack_one_request(void *arg)
{
    const char *const paths[] = {"/a[k=v][l=\\]]/b", "origin:/c", NULL};
    const struct sl_gnmi_asked asked = {.paths = paths};
    const struct sl_gnmi_model models[] = {{"m", "o", "v"}, {"n", "", ""}};
    const struct sl_gnmi_subscribe subscribe = {.asked = &asked,
                                                .asked_count = 1,
                                                .prefix = "/p",
                                                .target = "t",
                                                .has_qos = true,
                                                .models = models,
                                                .model_count = 2};
    struct sl_buf out = {0};
    struct sl_status status = sl_gnmi_subscribe_pack(&subscribe, &out);
    bool *was_packed = arg;

    *was_packed = sl_status_is_ok(&status);
    assert_true(*was_packed || (status.code == SL_RESOURCE_EXHAUSTED && out.len == 0));
    sl_buf_fini(&out);
}

static void a_request_survives_every_failure(void **state)
{
    bool was_packed = false;

    (void)state;
    fail_each(pack_one_request, &was_packed);
    assert_true(was_packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_survives_every_failure_in_event),
        cmocka_unit_test(every_message_survives_every_failure_in_pieces),
        cmocka_unit_test(every_message_survives_every_failure_in_sluice_v1),
        cmocka_unit_test(every_message_survives_every_failure_in_json),
        cmocka_unit_test(every_list_survives_every_failure),
        cmocka_unit_test(a_request_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, golden_load, golden_free);
}
