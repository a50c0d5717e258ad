/* store_memory_test.c - each allocation of a store fails once: what is lost is told. */
#include "failing.h"
#include "test.h"

#include <stdlib.h>

#include "notify.h"
#include "stream/store.h"

#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct run {
    struct sl_store store;
    struct sl_store_lost lost;
    uint64_t received;
    uint64_t taken;
    uint64_t gone; /* there was no memory for the message */
};

static void add(struct run *run, struct sl_str message)
{
    static const struct sl_store_when when = {.received_ns = 1};
    struct sl_buf scratch = {0};
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    assert_int_equal(status.code, SL_OK);
    run->received += response.updates + response.deletes;
    sl_store_add(&run->store, &response, &when, SL_MIB, &run->lost);
    assert_int_equal(run->received, run->store.updates + run->lost.conflated + run->lost.shed);
    sl_buf_fini(&scratch);
}

static void take_all(struct run *run)
{
    struct sl_buf out = {0};

    while (!sl_store_is_empty(&run->store)) {
        struct sl_store_taken taken;
        sl_store_take(&run->store, &out, &taken);
        run->taken += taken.updates;
        run->gone += taken.message.data ? 0 : taken.updates;
    }
    sl_buf_fini(&out);
}

/* The messages are made before: theirs are not the allocations that fail. */
static bool keep(const struct sl_str *messages, size_t count)
{
    struct run run = {.received = 0};

    sl_store_init(&run.store);
    for (size_t i = 0; i < count; i++) {
        add(&run, messages[i]);
    }
    take_all(&run);
    sl_store_fini(&run.store);
    assert_int_equal(run.received, run.taken + run.lost.conflated + run.lost.shed);
    assert_int_equal(run.store.cost_bytes, 0);
    return run.lost.shed == 0 && run.gone == 0;
}

static struct sl_str copy(struct sl_str bytes)
{
    return (struct sl_str){sl_str_dup(bytes), bytes.len};
}

static void each_allocation_may_fail(void **state)
{
    const struct sl_str messages[] = {
        copy(notify_bytes(&(struct notify){
            .prefix = "/a", .updates = PATHS("/x", "/y"), .deletes = PATHS("/z"), .value = 1})),
        copy(notify_bytes(&(struct notify){
            .prefix = "/a", .updates = PATHS("/b"), .value = 2, .is_atomic = true})),
        copy((struct sl_str){"\x18\x01", 2}),
        copy(notify_bytes(&(struct notify){.updates = PATHS("/a/x", "/c"), .value = 3})),
    };
    long runs = 0;
    bool is_whole;

    (void)state;
    do {
        has_failed = false;
        left = runs++;
        is_whole = keep(messages, SL_ARRAY_LEN(messages));
        left = -1;
        assert_true(is_whole || has_failed);
    } while (has_failed);
    assert_true(is_whole);
    assert_true(runs > 8);
    for (size_t i = 0; i < SL_ARRAY_LEN(messages); i++) {
        free((void *)(uintptr_t)messages[i].data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_allocation_may_fail)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
