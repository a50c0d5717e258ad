/* A real worker and real devices (lib/device) in the world: they meet, and do the same again. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/worker.h"
#include "device/device.h"
#include "world/world.h"

enum { DEVICES = 3, PORT = 57400 };

struct core {
    struct sl_loop *device_loop;
    struct sl_device_fleet *fleet;
    struct sl_settings *settings;
    struct sl_worker *worker;
    bool is_done;
};

static void on_fleet_closed(void *arg)
{
    struct core *core = arg;

    core->fleet = NULL;
}

static void open_devices(struct core *core)
{
    static const struct sl_device_events events = {.on_closed = on_fleet_closed};
    const struct sl_device_options options = {
        .listen = {.kind = SL_ADDRESS_HOST, .host = "0.0.0.0", .port = PORT},
        .devices = DEVICES,
        .port_each = true,
        .interfaces = 10,
        .updates = 5,
        .rate_per_s = 100,
    };
    struct sl_status why;

    core->device_loop = sl_loop_new();
    core->fleet = sl_device_fleet_open(core->device_loop, &options, &events, core, &why);
    if (!core->fleet) {
        fail_msg("%s", why.text);
    }
}

static void read_settings(struct core *core)
{
    char file[] = "/tmp/sluice-world-XXXXXX";
    struct sl_buf errors = {0};
    int fd = mkstemp(file);

    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    fprintf(out, "collector: {name: w, workers: 1, memory: 64MiB, admin: {listen: \"\"}}\n"
                 "defaults: {target: {insecure: true, backoff: {min: 10ms, max: 1s}}}\n"
                 "subscriptions:\n"
                 "  all: {paths: /interfaces}\n"
                 "  one: {paths: \"/interfaces/interface[name=eth0]\"}\n"
                 "sinks:\n"
                 "  forget: {type: \"null\", format: event, delay: 20ms}\n"
                 "targets:\n");
    for (unsigned i = 0; i < DEVICES; i++) {
        fprintf(out, "  leaf%u: {address: \"leaf%u:%u\"}\n", i, i, PORT + i);
    }
    fclose(out);
    core->settings = sl_settings_read(file, &errors);
    unlink(file);
    if (!core->settings) {
        fail_msg("%s", sl_buf_text(&errors));
    }
}

static void on_done(void *arg)
{
    struct core *core = arg;

    core->is_done = true;
}

static void begin(struct core *core, uint64_t seed)
{
    const struct world_link link = {
        .latency_ns = 5 * SL_NS_PER_MS,
        .jitter_ns = 5 * SL_NS_PER_MS,
        .bytes_per_s = 1000 * 1000,
        .buffer_bytes = 30000,
        .is_ragged = true,
    };
    struct sl_status why;

    *core = (struct core){.is_done = false};
    sl_log_set(SL_LOG_ERROR, SL_LOG_LOGFMT);
    world_begin(seed);
    world_set_turn_ns(20 * SL_NS_PER_US);
    world_set_link("leaf1", PORT + 1, &link);
    open_devices(core);
    read_settings(core);
    core->worker = sl_worker_new(core->settings, 0, &why);
    assert_non_null(core->worker);
    sl_worker_open(core->worker, on_done, core);
}

static void end(struct core *core)
{
    sl_worker_drain(core->worker);
    world_run_until(world_now_ns() + 10 * SL_NS_PER_S);
    assert_true(core->is_done);
    sl_device_fleet_close(core->fleet);
    world_run_until(world_now_ns() + 10 * SL_NS_PER_S);
    assert_null(core->fleet);
    sl_worker_free(core->worker);
    sl_settings_free(core->settings);
    assert_int_equal(world_connections(), 0);
    sl_loop_free(core->device_loop);
    world_end();
}

/* What it has received, every stream something. */
static uint64_t received(const struct core *core)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < sl_worker_targets(core->worker); i++) {
        const struct sl_target *target = sl_worker_target(core->worker, i);
        for (size_t j = 0; j < sl_target_streams(target); j++) {
            struct sl_stream_view view;
            sl_stream_view(sl_target_stream(target, j), &view);
            assert_true(view.messages > 0 && view.is_synced);
            sum += view.messages;
        }
    }
    return sum;
}

static void a_worker_and_its_devices_live_in_the_world(void **state)
{
    struct core core;

    (void)state;
    begin(&core, 1);
    world_run_until(world_now_ns() + 10 * SL_NS_PER_S);
    uint64_t messages = received(&core);
    assert_true(messages > DEVICES * 1000);
    assert_true(world_counts()->events > messages);
    end(&core);
}

static uint64_t live(uint64_t seed)
{
    struct core core;

    begin(&core, seed);
    world_run_until(world_now_ns() + 3 * SL_NS_PER_S);
    world_trace_add(received(&core));
    uint64_t trace = world_trace();
    end(&core);
    return trace;
}

/* In a process of its own: what malloc does depends on all that it did before. */
static uint64_t trace_of(uint64_t seed)
{
    uint64_t trace = 0;
    int ends[2];
    int status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        trace = live(seed);
        _exit(write(ends[1], &trace, sizeof(trace)) == (ssize_t)sizeof(trace) ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &trace, sizeof(trace)), sizeof(trace));
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    return trace;
}

static void the_same_seed_is_the_same_life(void **state)
{
    (void)state;
    uint64_t first = trace_of(5);
    assert_true(trace_of(5) == first);
    assert_true(trace_of(6) != first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_and_its_devices_live_in_the_world),
        cmocka_unit_test(the_same_seed_is_the_same_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
