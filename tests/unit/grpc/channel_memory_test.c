/* Every allocation of calls over a channel fails once, nghttp2's and libuv's too: each run lets one
 * more succeed, until a run needs no more. Whatever fails, every call ends with one status, the
 * channel closes and nothing is lost. The server is a site, whose own memory does not fail. */
#include <stdlib.h>
#include <string.h>

#include "failing_libuv.h"
#include "grpc/record.h"
#include "grpc/site.h"

enum { CALLS = 4, MANY_BYTES = 30000, MS = 1000 * 1000 };

struct bench {
    struct site site;
    struct sl_grpc_channel *channel;
    struct record records[2 * CALLS];
    size_t count;
    size_t missed; /* calls that there was no memory for */
    bool is_closed;
};

static const struct sl_grpc_method method = {
    .path = "/a/b", .client_streams = true, .server_streams = true};

static long put_aside; /* what `left` was when the site was entered */

static void on_enter(bool is_inside)
{
    if (is_inside) {
        put_aside = left;
        left = -1;
    } else {
        left = put_aside;
    }
}

static bool have_all_ended(void *arg)
{
    const struct bench *bench = arg;

    for (size_t i = 0; i < bench->count; i++) {
        if (bench->records[i].call) {
            return false;
        }
    }
    return true;
}

static bool is_closed(void *arg)
{
    return ((struct bench *)arg)->is_closed;
}

static void on_closed(void *arg)
{
    ((struct bench *)arg)->is_closed = true;
}

/* One is patient, and one has more to say than is kept for another start. */
static void ask(struct bench *bench, size_t number)
{
    static const char bytes[3 * MANY_BYTES];
    const struct sl_grpc_field metadata = {SL_STR("password"), SL_STR("secret"), true};
    const struct sl_grpc_request request = {.method = &method,
                                            .metadata = &metadata,
                                            .metadata_count = 1,
                                            .timeout_ns = number == 0 ? 60000 * (uint64_t)MS : 0,
                                            .wait_for_ready = number == 1};
    struct record *record = &bench->records[bench->count];

    *record = (struct record){.is_quiet = true};
    record->call = sl_grpc_channel_call(bench->channel, &request, &record_events, record);
    if (!record->call) {
        assert_true(has_failed);
        bench->missed++;
        return;
    }
    bench->count++;
    enum sl_grpc_send sent = sl_grpc_call_send_bytes(record->call, bytes, 3);
    if (number == 2 && sent == SL_GRPC_SENT) {
        sent = sl_grpc_call_send_bytes(record->call, bytes, sizeof(bytes));
    }
    assert_true(sent == SL_GRPC_SENT || has_failed);
    sl_grpc_call_half_close(record->call);
}

static void talk(struct bench *bench)
{
    for (size_t i = 0; i < CALLS; i++) {
        ask(bench, i);
    }
    run_until(&bench->site, have_all_ended, bench);
    for (size_t i = 0; i < CALLS; i++) {
        ask(bench, i); /* the connection may stand by now */
    }
    run_until(&bench->site, have_all_ended, bench);
}

static size_t answered(const struct bench *bench)
{
    size_t count = 0;

    for (size_t i = 0; i < bench->count; i++) {
        count += bench->records[i].status.code == SL_OK;
    }
    return count;
}

static void run(long allocations)
{
    static struct bench bench;
    struct sl_grpc_channel_options options = {.backoff_min_ms = 1, .backoff_max_ms = 1};

    bench = (struct bench){.site = {.manner = ANSWERS, .goaway_every = 3, .on_enter = on_enter}};
    open_site(&bench.site);
    options.loop = bench.site.loop;
    options.dial.address = (struct sl_address){.host = "127.0.0.1", .port = bench.site.port};
    has_failed = false;
    left = allocations;
    bench.channel = sl_grpc_channel_open(&options);
    if (bench.channel) {
        talk(&bench);
        sl_grpc_channel_close(bench.channel, on_closed, &bench);
        run_until(&bench.site, is_closed, &bench);
    }
    left = -1;
    assert_true(has_failed || answered(&bench) == SL_ARRAY_LEN(bench.records));
    for (size_t i = 0; i < bench.count; i++) {
        record_fini(&bench.records[i]); /* asserts that it ended */
    }
    close_site(&bench.site);
}

static void every_call_ends_whichever_allocation_fails(void **state)
{
    long runs = 0;

    (void)state;
    do {
        run(runs++);
    } while (has_failed);
    assert_true(runs > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_ends_whichever_allocation_fails),
    };

    failing_libuv();
    return cmocka_run_group_tests_name("channel memory", tests, NULL, NULL);
}
