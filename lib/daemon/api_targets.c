/* GET /api/v1/targets and /api/v1/targets/{name}: the devices. */
#include <stdlib.h>
#include <string.h>

#include "daemon/api_internal.h"

/* A target: its streams lie in a row in the snapshot. */
struct device {
    const struct sl_stream_row *streams;
    size_t stream_count;
    unsigned worker;
};

static json_t *labels_json(struct sl_json *json, const struct sluice_map *labels)
{
    json_t *object = sl_json_object(json);

    for (size_t i = 0; labels && i < labels->count; i++) {
        sl_json_put(json, object, labels->pairs[i].name,
                    sl_json_text(json, labels->pairs[i].value));
    }
    return object;
}

static json_t *workarounds_json(struct sl_json *json, uint32_t set)
{
    json_t *array = sl_json_array(json);

    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        if (set & UINT32_C(1) << i) {
            const char *name = sl_gnmi_workaround_name((enum sl_gnmi_workaround)i);
            sl_json_add(json, array, sl_json_text(json, name));
        }
    }
    return array;
}

static json_t *address_json(struct sl_json *json, const struct sl_address *address)
{
    char text[SL_ADDRESS_TEXT_BYTES];

    if (address->kind == SL_ADDRESS_PRIVATE) {
        return sl_json_text(json, NULL);
    }
    sl_address_print(address, text);
    return sl_json_text(json, text);
}

static json_t *device_json(struct sl_json *json, const struct device *device)
{
    const struct sl_target_view *view = &device->streams[0].target;
    const char *version = view->gnmi_version;
    bool is_down =
        view->is_paused && (view->state == SL_TARGET_BACKOFF || view->state == SL_TARGET_WAITING);
    json_t *object = sl_json_object(json);

    sl_json_put(json, object, "name", sl_json_text(json, view->name));
    sl_json_put(json, object, "address", address_json(json, view->address));
    sl_json_put(json, object, "source", sl_json_text(json, view->source ? view->source : "file"));
    sl_json_put(json, object, "worker", sl_json_u64(json, device->worker));
    sl_json_put(json, object, "state",
                sl_json_text(json, is_down ? "paused" : sl_target_state_name(view->state)));
    sl_json_put(json, object, "paused", sl_json_bool(json, view->is_paused));
    sl_json_put(json, object, "connects", sl_json_u64(json, view->connects));
    sl_json_put(json, object, "last_error", sl_json_text(json, view->last_reason));
    sl_json_put(json, object, "vendor", sl_json_text(json, view->vendor->name));
    sl_json_put(json, object, "known_by", sl_json_text(json, view->known_by));
    sl_json_put(json, object, "gnmi_version", sl_json_text(json, *version ? version : NULL));
    sl_json_put(json, object, "labels", labels_json(json, device->streams[0].labels));
    sl_json_put(json, object, "streams", sl_json_u64(json, device->stream_count));
    sl_json_put(json, object, "workarounds", workarounds_json(json, view->workarounds));
    return object;
}

/* ---- lists ---- */

/* By name. */
static int compare(const void *a, const void *b)
{
    const struct device *one = a, *other = b;

    return strcmp(one->streams[0].view.target, other->streams[0].view.target);
}

static void add_device(struct device *devices, size_t *count, const struct sl_snapshot *snapshot,
                       size_t first, const char *part)
{
    const struct sl_stream_row *rows = &snapshot->streams[first];
    size_t streams = 1;

    if (!sl_api_has(rows->view.target, part)) {
        return;
    }
    while (first + streams < snapshot->stream_count && !rows[streams].is_first) {
        streams++;
    }
    devices[(*count)++] =
        (struct device){.streams = rows, .stream_count = streams, .worker = snapshot->worker};
}

/* Those whose name has `part`, sorted. NULL when memory is out. */
static struct device *collect(const struct sl_api_snapshots *snapshots, const char *part,
                              size_t *count)
{
    struct device *devices;
    size_t most = 0;

    for (unsigned w = 0; w < snapshots->count; w++) {
        most += snapshots->all[w].stream_count;
    }
    devices = calloc(most + 1, sizeof(*devices));
    *count = 0;
    for (unsigned w = 0; devices && w < snapshots->count; w++) {
        for (size_t i = 0; i < snapshots->all[w].stream_count; i++) {
            if (snapshots->all[w].streams[i].is_first) {
                add_device(devices, count, &snapshots->all[w], i, part);
            }
        }
    }
    if (devices) {
        qsort(devices, *count, sizeof(*devices), compare);
    }
    return devices;
}

static void write_page(const struct device *devices, size_t count, const struct sl_api_page *page,
                       struct sl_admin_answer *answer)
{
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    json_t *rows = sl_json_array(&json);

    for (size_t i = page->offset; i < count && i - page->offset < page->limit; i++) {
        sl_json_add(&json, rows, device_json(&json, &devices[i]));
    }
    sl_json_put(&json, root, "total", sl_json_u64(&json, count));
    sl_json_put(&json, root, "targets", rows);
    sl_admin_answer_json(answer, &json, root);
}

void sl_api_targets(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                    void *arg)
{
    struct sl_api_snapshots snapshots;
    struct sl_api_page page;
    size_t count;

    if (!sl_api_page_read(&page, request, answer) ||
        !sl_api_snapshots_take(arg, &snapshots, answer)) {
        return;
    }
    struct device *devices = collect(&snapshots, sl_admin_param(request, "q"), &count);
    if (devices) {
        write_page(devices, count, &page, answer);
    } else {
        sl_admin_answer_error(answer, 503, "no-memory", "memory is out", NULL);
    }
    free(devices);
    sl_api_snapshots_drop(&snapshots);
}

/* ---- one ---- */

static bool find(const struct sl_api_snapshots *snapshots, const char *name, struct device *device)
{
    for (unsigned w = 0; w < snapshots->count; w++) {
        const struct sl_snapshot *snapshot = &snapshots->all[w];
        for (size_t i = 0; i < snapshot->stream_count; i++) {
            const struct sl_stream_row *row = &snapshot->streams[i];
            size_t count = 0;
            if (row->is_first && strcmp(row->view.target, name) == 0) {
                add_device(device, &count, snapshot, i, NULL);
                return true;
            }
        }
    }
    return false;
}

static void write_device(const struct device *device, struct sl_admin_answer *answer)
{
    struct sl_json json = {false};
    json_t *root = device_json(&json, device);
    json_t *rows = sl_json_array(&json);

    for (size_t i = 0; i < device->stream_count; i++) {
        struct sl_api_stream stream;
        sl_api_stream_init(&stream, &device->streams[i], device->worker);
        sl_json_add(&json, rows, sl_api_stream_json(&json, &stream, true));
    }
    sl_json_put(&json, root, "streams", rows);
    sl_admin_answer_json(answer, &json, root);
}

void sl_api_target(const struct sl_admin_request *request, struct sl_admin_answer *answer,
                   void *arg)
{
    struct sl_api_snapshots snapshots;
    struct device device;

    if (!sl_api_snapshots_take(arg, &snapshots, answer)) {
        return;
    }
    if (find(&snapshots, request->name, &device)) {
        write_device(&device, answer);
    } else {
        sl_admin_answer_error(answer, 404, "no-such-target", "there is no target of that name",
                              NULL);
    }
    sl_api_snapshots_drop(&snapshots);
}
