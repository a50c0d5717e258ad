#include "daemon/snapshot.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1024 * 1024 }; /* malloc asks the system for it, and gives it back */

struct sl_snapshot_block {
    struct sl_snapshot_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

static struct sl_snapshot_block *block_new(struct sl_snapshot *snapshot, size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    struct sl_snapshot_block *block = malloc(sizeof(*block) + size);

    if (block) {
        *block = (struct sl_snapshot_block){.next = snapshot->blocks, .size = size};
        snapshot->blocks = block;
    }
    return block;
}

void *sl_snapshot_alloc(struct sl_snapshot *snapshot, size_t count, size_t item_bytes)
{
    enum { ALIGN = alignof(max_align_t) };
    size_t bytes;

    if (__builtin_mul_overflow(count, item_bytes, &bytes) || bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    struct sl_snapshot_block *block = snapshot->blocks;
    if (!block || block->size - block->used < bytes) {
        block = block_new(snapshot, bytes);
    }
    if (!block) {
        return NULL;
    }
    void *memory = block->bytes + block->used;
    block->used += bytes;
    return memset(memory, 0, bytes);
}

char *sl_snapshot_str(struct sl_snapshot *snapshot, struct sl_str text)
{
    char *copy = sl_snapshot_alloc(snapshot, text.len + 1, 1);

    if (copy && text.len) {
        memcpy(copy, text.data, text.len);
    }
    return copy;
}

static bool copy_places(struct sl_route_row *row, struct sl_snapshot *snapshot,
                        const struct sl_route *route)
{
    row->places = sl_snapshot_alloc(snapshot, route->place_count, sizeof(*row->places));
    if (!row->places) {
        return false;
    }
    SL_LIST_FOR_EACH(node, &route->places)
    {
        const struct sl_route_place *place = SL_CONTAINER_OF(node, struct sl_route_place, node);
        const char *text = sl_snapshot_str(snapshot, place->destination);
        if (!text) {
            return false;
        }
        row->places[row->place_count++] = (struct sl_place_row){
            .destination = {text, place->destination.len}, .held = place->held};
    }
    return true;
}

/* Rows of the snapshot's in place of the live ones. */
static bool copy_tally(struct sl_tally *tally, struct sl_snapshot *snapshot)
{
    struct sl_tally live = *tally;

    tally->rows = NULL;
    if (!live.rows) {
        return true;
    }
    struct sl_tally_row *rows = sl_snapshot_alloc(snapshot, SL_TALLY_ROWS, sizeof(*rows));
    if (rows) {
        sl_tally_copy(tally, &live, rows);
    }
    return rows != NULL;
}

static bool copy_members(struct sl_stream_row *row, struct sl_snapshot *snapshot,
                         const struct sl_stream *stream)
{
    const char *paths[SL_SNAPSHOT_PATHS];

    row->members = sl_snapshot_alloc(snapshot, row->view.member_count, sizeof(*row->members));
    for (size_t i = 0; row->members && i < row->view.member_count; i++) {
        struct sl_member_row *member = &row->members[row->member_count++];
        member->subscription = row->view.members[i].subscription;
        member->quarantined = sl_stream_quarantined(stream, i, paths, SL_SNAPSHOT_PATHS);
        size_t count = sl_min_size(member->quarantined, SL_SNAPSHOT_PATHS);
        if (count > 0) {
            member->paths = sl_snapshot_alloc(snapshot, count, sizeof(*paths));
            if (!member->paths) {
                return false;
            }
            memcpy(member->paths, paths, count * sizeof(*paths));
        }
    }
    row->view.members = NULL;
    return row->members != NULL;
}

bool sl_stream_row_init(struct sl_stream_row *row, struct sl_snapshot *snapshot,
                        const struct sl_stream *stream, const struct sl_target *target)
{
    *row = (struct sl_stream_row){.routes = NULL};
    sl_stream_view(stream, &row->view);
    sl_target_view(target, &row->target);
    sl_stream_mended(stream, &row->mended);
    row->is_first = sl_target_stream(target, 0) == stream;
    row->routes = sl_snapshot_alloc(snapshot, row->view.route_count, sizeof(*row->routes));
    for (size_t i = 0; row->routes && i < row->view.route_count; i++) {
        const struct sl_route *route = &row->view.routes[i];
        row->routes[i].subscription = route->config.values.subscription;
        row->routes[i].sink = route->spec;
        row->labels = route->config.values.labels;
        row->routes[i].counts = route->counts;
        row->routes[i].marks = route->marks;
        row->routes[i].kept = sl_stall_kept(route);
        row->route_count++;
        if (!copy_places(&row->routes[i], snapshot, route)) {
            return false;
        }
    }
    row->view.routes = NULL;
    return row->routes != NULL && copy_members(row, snapshot, stream) &&
           copy_tally(&row->view.ends, snapshot) && copy_tally(&row->target.ends, snapshot);
}

/* As the spare one is unless there are too many. */
static bool is_unused(const struct sl_meter *meter)
{
    static const struct sl_histogram none;

    return memcmp(meter->lag.counts, none.counts, sizeof(none.counts)) == 0 &&
           memcmp(meter->blocked.counts, none.counts, sizeof(none.counts)) == 0;
}

const char *sl_snapshot_text(struct sl_snapshot *snapshot, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = sl_snapshot_alloc(snapshot, bytes, 1);

    return copy ? memcpy(copy, text, bytes) : NULL;
}

bool sl_meter_rows_init(struct sl_snapshot *snapshot, const struct sl_meters *meters)
{
    snapshot->meters = sl_snapshot_alloc(snapshot, meters->count + 1, sizeof(*snapshot->meters));
    if (!snapshot->meters) {
        return false;
    }
    SL_LIST_FOR_EACH(node, &meters->list)
    {
        const struct sl_meter *meter = SL_CONTAINER_OF(node, struct sl_meter, node);
        if (meter == &meters->other && is_unused(meter)) {
            continue;
        }
        snapshot->meters[snapshot->meter_count++] = (struct sl_meter_row){
            .subscription = meter->subscription,
            .sink = meter->sink,
            .lag = meter->lag,
            .blocked = meter->blocked,
        };
    }
    return true;
}

void sl_snapshot_fini(struct sl_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->generation_count; i++) {
        sl_settings_release(snapshot->generations[i]);
    }
    for (struct sl_snapshot_block *next, *block = snapshot->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    *snapshot = (struct sl_snapshot){.blocks = NULL};
}
