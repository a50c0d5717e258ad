#include "world/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/settings.h"
#include "daemon/worker.h"
#include "stream/internal.h"
#include "target/target.h"
#include "world/broker.h"
#include "world/device.h"

struct hub {
    struct run *run;
    uint64_t memory_bytes;
    uint64_t shared_bytes; /* of it among streams, at first; 0: it was never changed */
    struct sl_settings *settings;
    struct sl_worker *worker;
    struct sl_target *targets[PLAN_DEVICES]; /* NULL: there is none */
    bool is_ended[PLAN_DEVICES];
    bool is_done;
};

/* ---- the configuration ---- */

static void write_stream(FILE *out, const struct plan *plan, unsigned device, unsigned index)
{
    const struct plan_stream *stream = &plan->devices[device].streams[index];

    for (unsigned i = 0; i < stream->members; i++) {
        fprintf(out, "  d%us%um%u:\n    paths: /s%um%u\n", device, index, i, index, i);
        fprintf(out, "    max-message: %u\n", plan->max_message_bytes);
        /* One byte more each: streams with the same keys would share an RPC. */
        fprintf(out, "    credit: {initial: %llu, max: %llu}\n    priority: %s\n",
                (unsigned long long)(stream->limit_bytes & ~63ULL) + device * PLAN_STREAMS + index,
                (unsigned long long)stream->most_bytes + 64, stream->priority);
        fprintf(out, "    stall: {policy: %s, after: %lldms}\n",
                sl_stall_policy_names[stream->policy],
                (long long)(stream->stall_after_ns / SL_NS_PER_MS));
        fprintf(out, "    sinks: [");
        for (unsigned j = 0; j < PLAN_SINKS; j++) {
            if (stream->sinks & 1U << j) {
                fprintf(out, "%sk%u", stream->sinks & ((1U << j) - 1) ? ", " : "", j);
            }
        }
        fprintf(out, "]\n");
    }
}

static bool has_streams(const struct plan_device *device)
{
    bool has_any = false;

    for (unsigned i = 0; i < PLAN_STREAMS; i++) {
        has_any = has_any || device->streams[i].is_there;
    }
    return device->is_there && has_any;
}

static void write_target(FILE *out, const struct plan *plan, unsigned index)
{
    const struct plan_device *device = &plan->devices[index];
    const char *comma = "";
    struct sl_address address;

    device_address(index, &address);
    fprintf(out, "  d%u:\n    address: \"%s:%u\"\n    vendor: %s\n", index, address.host,
            address.port, device->is_asked ? "auto" : "generic");
    fprintf(out, "    keepalive: {interval: %lldms, timeout: 2s}\n",
            (long long)(device->ping_interval_ns / SL_NS_PER_MS));
    fprintf(out, "    subscriptions: [");
    for (unsigned i = 0; i < PLAN_STREAMS; i++) {
        for (unsigned j = 0; device->streams[i].is_there && j < device->streams[i].members; j++) {
            fprintf(out, "%sd%us%um%u", comma, index, i, j);
            comma = ", ";
        }
    }
    fprintf(out, "]\n");
}

static void write_settings(const struct hub *hub, FILE *out)
{
    const struct plan *plan = hub->run->plan;

    fprintf(out,
            "collector: {name: world, workers: 1, memory: %llu, shutdown-timeout: %s,"
            " connect: {rate: 20, burst: 2}, admin: {listen: \"\"}}\n"
            "defaults: {target: {insecure: true, dial-timeout: 3s,"
            " backoff: {min: 50ms, max: 2s}}}\n"
            "sinks:\n",
            (unsigned long long)hub->memory_bytes, plan->end == PLAN_END_ABORT ? "200ms" : "1h");
    for (unsigned i = 0; i < PLAN_SINKS; i++) {
        const struct plan_sink *sink = &plan->sinks[i];
        if (sink->is_there) {
            fprintf(out, "  k%u: {type: world, index: %u, format: %s, stall-after: %lldms}\n", i, i,
                    sl_format_name(sink->format), (long long)(sink->stall_after_ns / SL_NS_PER_MS));
        }
    }
    fprintf(out, "subscriptions:\n");
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        for (unsigned j = 0; j < PLAN_STREAMS; j++) {
            if (plan->devices[i].is_there && plan->devices[i].streams[j].is_there) {
                write_stream(out, plan, i, j);
            }
        }
    }
    fprintf(out, "targets:\n");
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        if (has_streams(&plan->devices[i])) {
            write_target(out, plan, i);
        }
    }
}

/* NULL: they are not good; `errors` has the reason. */
static struct sl_settings *read_settings(const struct hub *hub, struct sl_buf *errors)
{
    char path[32];
    int fd = memfd_create("sluice.yaml", 0);

    SL_ASSERT(fd >= 0);
    FILE *out = fdopen(dup(fd), "w");
    SL_ASSERT(out);
    write_settings(hub, out);
    fclose(out);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    errors->len = 0;
    struct sl_settings *settings = sl_settings_read(path, errors);

    close(fd);
    return settings;
}

/* The plan's memory, or what its streams need at least. */
static void make_settings(struct hub *hub)
{
    struct sl_buf errors = {0};

    hub->memory_bytes = hub->run->plan->memory_bytes;
    for (int i = 0; i < 100 && !hub->settings; i++) {
        hub->settings = read_settings(hub, &errors);
        if (!hub->settings) {
            hub->memory_bytes += hub->memory_bytes / 16;
        }
    }
    if (!hub->settings) {
        run_fail(hub->run, "the configuration is not good: %s", sl_buf_text(&errors));
    }
    sl_buf_fini(&errors);
}

/* ---- life ---- */

static void find_targets(struct hub *hub)
{
    for (size_t i = 0; i < sl_worker_targets(hub->worker); i++) {
        struct sl_target *target = sl_worker_target(hub->worker, i);
        struct sl_target_view view;
        sl_target_view(target, &view);
        hub->targets[view.name[1] - '0'] = target; /* "d2" */
    }
}

struct hub *hub_new(struct run *run)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    struct sl_status why;

    SL_ASSERT(hub);
    hub->run = run;
    make_settings(hub);
    if (hub->settings) {
        hub->worker = sl_worker_new(hub->settings, 0, &why);
        if (hub->worker) {
            find_targets(hub);
        } else {
            run_fail(run, "there is no worker: %s", why.text);
        }
    }
    return hub;
}

static void on_done(void *arg)
{
    struct hub *hub = arg;

    hub->is_done = true;
}

void hub_open(struct hub *hub)
{
    sl_worker_open(hub->worker, on_done, hub);
}

void hub_drain(struct hub *hub)
{
    sl_worker_drain(hub->worker);
}

bool hub_is_done(const struct hub *hub)
{
    return hub->is_done;
}

void hub_free(struct hub *hub)
{
    if (hub->worker) {
        sl_worker_free(hub->worker);
    }
    if (hub->settings) {
        sl_settings_free(hub->settings);
    }
    free(hub);
}

struct sl_stream *hub_stream(const struct hub *hub, unsigned device, unsigned stream)
{
    const struct sl_target *target = hub->targets[device];
    char name[16];

    snprintf(name, sizeof(name), "d%us%um0", device, stream);
    for (size_t i = 0; target && i < sl_target_streams(target); i++) {
        struct sl_stream_view view;
        sl_stream_view(sl_target_stream(target, i), &view);
        if (strcmp(view.members[0].subscription, name) == 0) {
            return sl_target_stream(target, i);
        }
    }
    return NULL;
}

uint64_t hub_memory_bytes(const struct hub *hub)
{
    return hub->memory_bytes;
}

void hub_set_budget(struct hub *hub, uint64_t amount)
{
    struct sl_governor *governor = NULL;

    for (unsigned i = 0; i < PLAN_DEVICES && !governor; i++) {
        if (hub->targets[i] && !hub->is_ended[i]) {
            governor = sl_target_stream(hub->targets[i], 0)->share.governor;
        }
    }
    if (!governor) {
        return;
    }
    uint64_t least_bytes =
        sl_max_u64(governor->promised_bytes, governor->share_count * SL_CREDIT_FLOOR_BYTES);

    hub->shared_bytes = hub->shared_bytes ? hub->shared_bytes : governor->shared_bytes;
    uint64_t more_bytes = sl_max_u64(hub->shared_bytes, least_bytes) - least_bytes;
    governor->shared_bytes =
        least_bytes + (amount == UINT64_MAX ? more_bytes : amount % (more_bytes + 1));
    sl_governor_sweep(governor, world_now_ns());
}

bool hub_end_target(struct hub *hub, unsigned device, bool at_once)
{
    unsigned left = 0;

    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        left += hub->targets[i] && !hub->is_ended[i];
    }
    if (!hub->targets[device] || hub->is_ended[device] || left < 2) {
        return false;
    }
    hub->is_ended[device] = true;
    if (at_once) {
        sl_target_abort(hub->targets[device]);
    } else {
        sl_target_close(hub->targets[device]);
    }
    return true;
}
