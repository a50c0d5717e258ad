#include "device/play.h"

#include <stdlib.h>

#include "capture/source.h"
#include "device/shift.h"

enum { KEPT_BYTES = 1024 * 1024 }; /* of the memory for a large message whose timestamp moved */

struct sl_device_play {
    struct sl_device_world *world;
    struct sl_grpc_call *call;
    struct sl_capture_source *source;
    struct sl_timer *timer;
    struct sl_gnmi_capture_entry entry; /* the next to be sent */
    bool has_entry;
    bool has_begun; /* there was one before */
    bool is_over;   /* nothing more is sent */
    bool has_come;  /* to `come`, which counts once the status has left */
    struct sl_device_tape come;
    int64_t due_ns;      /* when it is to be sent, by the loop's clock */
    int64_t received_ns; /* when the one before it came, by the capture's */
    int64_t shift_ns;
    uint64_t first_at;   /* the byte of the file's first entry */
    uint64_t round_sent; /* messages since the file's beginning */
    struct sl_buf shifted;
};

static const struct sl_device_replay *options_of(const struct sl_device_play *play)
{
    return &play->world->options.replay;
}

void sl_device_play_finish(struct sl_device_play *play, const struct sl_status *status)
{
    if (play->is_over) {
        return;
    }
    play->is_over = true;
    sl_timer_stop(play->timer);
    sl_grpc_call_finish(play->call, status);
}

/* ---- the end of the file ---- */

static const char over_text[] = "the replay is over";

static void commit(struct sl_device_play *play)
{
    struct sl_device_world *world = play->world;

    if (!play->has_come) {
        return;
    }
    play->has_come = false;
    world->tape = play->come;
    if (world->tape.is_over && world->events->on_over) {
        world->events->on_over(world->arg);
    }
}

static bool begin_again(struct sl_device_play *play, struct sl_status *why)
{
    play->round_sent = 0;
    play->has_begun = false;
    return sl_capture_source_seek(play->source, play->first_at, why);
}

/* The last message of the file has been sent, or the file is broken from here on. */
static void end_file(struct sl_device_play *play, const struct sl_status *why)
{
    bool is_good = sl_status_is_ok(why) || why->code == SL_DATA_LOSS;

    if (why->code == SL_RESOURCE_EXHAUSTED) { /* memory: the next RPC plays the call again */
        sl_device_play_finish(play, why);
        return;
    }
    play->has_come = true;
    play->come = (struct sl_device_tape){.is_over = true, .why = *why};
    if (!is_good) {
        sl_device_play_finish(play, why);
    } else if (options_of(play)->ends) {
        struct sl_status over = sl_status_error(SL_OK, over_text);
        sl_device_play_finish(play, &over);
    } else {
        play->is_over = true; /* the call stays open */
        commit(play);
    }
}

/* Whether there is a next entry; else the file has ended, and that was dealt with. */
static bool load(struct sl_device_play *play)
{
    struct sl_status why;

    while (!sl_capture_source_next(play->source, &play->entry, &why)) {
        bool is_good = sl_status_is_ok(&why) || why.code == SL_DATA_LOSS;
        bool repeats = is_good && options_of(play)->loops && play->round_sent > 0;
        if (!repeats || !begin_again(play, &why)) {
            end_file(play, &why);
            return false;
        }
    }
    play->has_entry = true;
    return true;
}

/* ---- time ---- */

/* By how much later than the one before it the entry came. A clock that was set back is no time. */
static void set_due(struct sl_device_play *play)
{
    int64_t passed_ns = 0;

    if (!play->has_begun) {
        play->due_ns = sl_loop_now_ns(play->world->loop);
    } else if (__builtin_sub_overflow(play->entry.received_ns, play->received_ns, &passed_ns) ||
               passed_ns < 0) {
        passed_ns = 0;
    }
    if (!options_of(play)->is_fast &&
        __builtin_add_overflow(play->due_ns, passed_ns, &play->due_ns)) {
        play->due_ns = INT64_MAX;
    }
    if (!play->has_begun) {
        play->shift_ns = sl_loop_wall_ns() - play->entry.received_ns;
    }
    play->has_begun = true;
    play->received_ns = play->entry.received_ns;
}

/* True: it is due. */
static bool wait(struct sl_device_play *play)
{
    int64_t left_ns = play->due_ns - sl_loop_now_ns(play->world->loop);

    if (left_ns <= 0) {
        return true;
    }
    sl_timer_start(play->timer, (uint64_t)((left_ns - 1) / SL_NS_PER_MS + 1));
    return false;
}

/* ---- sending ---- */

static bool send_response(struct sl_device_play *play)
{
    struct sl_str bytes = play->entry.response;
    struct sl_device_totals *totals = &play->world->totals;
    struct sl_ring *times = &play->world->times;
    bool tells = options_of(play)->tells_times;

    if (options_of(play)->shifts) {
        sl_buf_trim(&play->shifted, KEPT_BYTES);
        bytes = sl_device_shift(bytes, play->shift_ns, &play->shifted);
    }
    if (tells && !sl_ring_reserve(times, sizeof(int64_t))) {
        struct sl_status why = sl_status_out_of_memory();
        sl_device_play_finish(play, &why);
        return false;
    }
    if (sl_grpc_call_send_bytes(play->call, bytes.data, (uint32_t)bytes.len) != SL_GRPC_SENT) {
        return false;
    }
    if (tells) {
        sl_ring_add(times, &play->entry.received_ns, sizeof(int64_t));
    }
    totals->messages++;
    totals->bytes += bytes.len;
    play->round_sent++;
    return true;
}

/* The RPC ends as the call did; the next one goes on behind it, if anything is there. */
static void send_end(struct sl_device_play *play)
{
    const struct sl_grpc_end end = {.code = play->entry.code, .message = play->entry.text};
    struct sl_status why;
    struct sl_gnmi_capture_entry next;

    play->is_over = true;
    sl_grpc_call_finish_with(play->call, &end);
    play->has_come = true;
    if (sl_capture_source_next(play->source, &next, &why)) {
        play->come = (struct sl_device_tape){.next_at = next.at};
    } else {
        play->come = (struct sl_device_tape){.is_over = !options_of(play)->loops, .why = why};
    }
}

/* Sends one entry; false when there is nothing to do or no room (sl_device_play_writable follows).
 */
static bool step(struct sl_device_play *play)
{
    if (!play->has_entry) {
        if (!load(play)) {
            return false;
        }
        set_due(play);
    }
    if (!wait(play)) {
        return false;
    }
    switch (play->entry.kind) {
    case SL_GNMI_CAPTURE_RESPONSE:
        play->has_entry = !send_response(play);
        return !play->has_entry;
    case SL_GNMI_CAPTURE_END:
        send_end(play);
        return false;
    case SL_GNMI_CAPTURE_STOP: /* what stands behind it is the next file of the capture */
        play->has_entry = false;
        return true;
    }
    return false;
}

static void run(void *arg)
{
    struct sl_device_play *play = arg;

    while (!play->is_over && step(play)) {
    }
}

void sl_device_play_writable(struct sl_device_play *play)
{
    run(play);
}

/* ---- life ---- */

/* From where the last RPC left off. */
static bool open_source(struct sl_device_play *play, struct sl_status *why)
{
    const struct sl_device_tape *tape = &play->world->tape;

    if (tape->is_over && options_of(play)->ends) {
        *why = sl_status_error(SL_OK, over_text);
        return false;
    }
    play->source = sl_capture_source_open(options_of(play)->file, why);
    if (!play->source) {
        return false;
    }
    sl_ring_fini(&play->world->times); /* of an RPC that broke off */
    play->first_at = sl_capture_source_at(play->source);
    return !tape->next_at || sl_capture_source_seek(play->source, tape->next_at, why);
}

struct sl_device_play *sl_device_play_new(struct sl_device_world *world, struct sl_grpc_call *call,
                                          struct sl_status *why)
{
    struct sl_device_play *play = calloc(1, sizeof(*play));

    *why = sl_status_out_of_memory();
    if (!play) {
        return NULL;
    }
    play->world = world;
    play->call = call;
    play->timer = sl_timer_new(world->loop, run, play);
    if (!play->timer || !open_source(play, why)) {
        sl_device_play_free(play, why);
        return NULL;
    }
    run(play);
    return play;
}

void sl_device_play_free(struct sl_device_play *play, const struct sl_status *outcome)
{
    if (!play) {
        return;
    }
    if (sl_status_is_ok(outcome)) {
        commit(play);
    }
    sl_timer_free(play->timer);
    sl_capture_source_close(play->source);
    sl_buf_fini(&play->shifted);
    free(play);
}
