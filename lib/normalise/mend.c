#include "normalise/mend.h"

#include <stdlib.h>

#include "gnmi/path.h"
#include "gnmi/path_build.h"
#include "gnmi/rewrite.h"
#include "normalise/mend_asked.h"
#include "normalise/mend_sensors.h"

/* What is done to one message. */
struct mending {
    struct sl_mend *mend;
    const struct sl_gnmi_response *from;
    struct sl_gnmi_path prefix;
    uint32_t todo;        /* a set of SL_GNMI_WORK: of what this message needs */
    struct sl_str origin; /* LIFTS_ORIGIN: that of the paths */
    uint32_t dropped[SL_GNMI_WORKAROUNDS];
};

static bool does(const struct mending *mending, uint32_t work)
{
    return (mending->mend->works & work) != 0;
}

static bool needs(const struct mending *mending, uint32_t work)
{
    return (mending->todo & work) != 0;
}

/* ---- what a message needs ---- */

static bool has_nameless(struct sl_gnmi_path path)
{
    struct sl_gnmi_elem elem;

    while (sl_gnmi_path_next(&path, &elem)) {
        if (elem.name.len == 0) {
            return true;
        }
    }
    return false;
}

static bool is_internal_name(struct sl_str name)
{
    return name.len > 4 && memcmp(name.data, "__", 2) == 0 &&
           memcmp(name.data + name.len - 2, "__", 2) == 0;
}

/* The name of the last element that has one. */
static struct sl_str last_name(struct sl_gnmi_path path)
{
    struct sl_gnmi_elem elem;
    struct sl_str last = {NULL, 0};

    while (sl_gnmi_path_next(&path, &elem)) {
        last = elem.name.len ? elem.name : last;
    }
    return last;
}

static bool is_internal(const struct mending *mending, const struct sl_gnmi_path *path)
{
    struct sl_str last = last_name(*path);

    return is_internal_name(last.len ? last : last_name(mending->prefix));
}

static bool has_elems(struct sl_gnmi_path path)
{
    struct sl_gnmi_elem elem;

    return sl_gnmi_path_next(&path, &elem);
}

/* Why an update or delete of `path` is left out; SL_GNMI_WORKAROUNDS: it is not. */
static int why_left_out(const struct mending *mending, const struct sl_gnmi_path *path)
{
    if (does(mending, SL_GNMI_WORK(DROPS_INTERNAL)) && is_internal(mending, path)) {
        return SL_GNMI_DROPS_INTERNAL;
    }
    if (does(mending, SL_GNMI_WORK(DROPS_UNASKED)) &&
        !sl_mend_is_asked(mending->mend->asked, mending->prefix, *path)) {
        return SL_GNMI_DROPS_UNASKED;
    }
    return SL_GNMI_WORKAROUNDS;
}

static int why_update_left_out(const struct mending *mending, const struct sl_gnmi_update *update,
                               const struct sl_gnmi_path *path)
{
    if (does(mending, SL_GNMI_WORK(DROPS_EMPTY)) && update->value.kind == SL_GNMI_VALUE_NONE &&
        !has_elems(*path)) {
        return SL_GNMI_DROPS_EMPTY;
    }
    return why_left_out(mending, path);
}

/* Of one path of the message, kept or not. */
static void look_at_path(struct mending *mending, const struct sl_gnmi_path *path, int why)
{
    uint32_t lift = SL_GNMI_WORK(LIFTS_ORIGIN);

    if (why != SL_GNMI_WORKAROUNDS) {
        mending->dropped[why]++;
        mending->todo |= UINT32_C(1) << why;
    }
    if (does(mending, SL_GNMI_WORK(JOINS_NAMELESS)) && has_nameless(*path)) {
        mending->todo |= SL_GNMI_WORK(JOINS_NAMELESS);
    }
    if (path->origin.len == 0 || !does(mending, lift) || mending->prefix.origin.len > 0) {
        return;
    }
    if (mending->origin.len == 0) {
        mending->origin = path->origin;
        mending->todo |= lift;
    }
}

/* Whether all paths that have an origin have that of the first. */
static bool have_one_origin(const struct mending *mending)
{
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(mending->from);
    struct sl_gnmi_cursor deletes = updates;
    struct sl_gnmi_update update;
    struct sl_gnmi_path path;
    struct sl_str bytes;

    while (sl_gnmi_next_update(&updates, &update)) {
        sl_gnmi_path_read(update.path, &path);
        if (path.origin.len && !sl_str_eq(path.origin, mending->origin)) {
            return false;
        }
    }
    while (sl_gnmi_next_delete(&deletes, &bytes)) {
        sl_gnmi_path_read(bytes, &path);
        if (path.origin.len && !sl_str_eq(path.origin, mending->origin)) {
            return false;
        }
    }
    return true;
}

static void look_at_prefix(struct mending *mending)
{
    const struct sl_mend *mend = mending->mend;

    sl_gnmi_path_read(mending->from->prefix, &mending->prefix);
    if (does(mending, SL_GNMI_WORK(RESTORES_TARGET)) && mend->target &&
        mending->prefix.target.len == 0) {
        mending->todo |= SL_GNMI_WORK(RESTORES_TARGET);
    }
    if (does(mending, SL_GNMI_WORK(JOINS_NAMELESS)) && has_nameless(mending->prefix)) {
        mending->todo |= SL_GNMI_WORK(JOINS_NAMELESS);
    }
}

static void look(struct mending *mending)
{
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(mending->from);
    struct sl_gnmi_cursor deletes = updates;
    struct sl_gnmi_update update;
    struct sl_gnmi_path path;
    struct sl_str bytes;

    look_at_prefix(mending);
    if (!does(mending, ~SL_GNMI_WORK(RESTORES_TARGET))) {
        return; /* that one needs no look at the paths */
    }
    while (sl_gnmi_next_update(&updates, &update)) {
        sl_gnmi_path_read(update.path, &path);
        look_at_path(mending, &path, why_update_left_out(mending, &update, &path));
    }
    while (sl_gnmi_next_delete(&deletes, &bytes)) {
        sl_gnmi_path_read(bytes, &path);
        look_at_path(mending, &path, why_left_out(mending, &path));
    }
    if (needs(mending, SL_GNMI_WORK(LIFTS_ORIGIN)) && !have_one_origin(mending)) {
        mending->todo &= ~SL_GNMI_WORK(LIFTS_ORIGIN);
    }
}

/* ---- the message made anew ---- */

/* Elements with their keys; one without a name, behind another, is that one's keys alone. */
static void add_elems(struct sl_gnmi_path_build *build, struct sl_gnmi_path path, bool *has_any)
{
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;

    while (sl_gnmi_path_next(&path, &elem)) {
        if (elem.name.len > 0 || !*has_any) {
            sl_gnmi_path_build_elem(build, elem.name);
            *has_any = true;
        }
        while (sl_gnmi_elem_next_key(&elem, &key)) {
            sl_gnmi_path_build_key(build, key.name, key.value);
        }
    }
}

static struct sl_str make_prefix(struct mending *mending)
{
    struct sl_mend *mend = mending->mend;
    struct sl_gnmi_path_build build;
    struct sl_str origin = mending->prefix.origin;
    struct sl_str target = mending->prefix.target;
    bool has_any = false;

    sl_buf_reset(&mend->prefix);
    sl_gnmi_path_build_begin(&build, &mend->prefix);
    sl_gnmi_path_build_origin(&build, needs(mending, SL_GNMI_WORK(LIFTS_ORIGIN)) ? mending->origin
                                                                                 : origin);
    sl_gnmi_path_build_target(
        &build, needs(mending, SL_GNMI_WORK(RESTORES_TARGET)) ? sl_str_from(mend->target) : target);
    if (!needs(mending, SL_GNMI_WORK(JOINS_NAMELESS))) {
        add_elems(&build, mending->prefix, &has_any);
    }
    return sl_gnmi_path_build_end(&build);
}

/* The path of an update or delete as it should have been; `bytes` themselves where it is. */
static struct sl_str make_path(struct mending *mending, struct sl_str bytes)
{
    struct sl_mend *mend = mending->mend;
    struct sl_gnmi_path_build build;
    struct sl_gnmi_path path;
    bool has_any = false;

    if (!needs(mending, SL_GNMI_WORK(JOINS_NAMELESS) | SL_GNMI_WORK(LIFTS_ORIGIN))) {
        return bytes;
    }
    sl_gnmi_path_read(bytes, &path);
    sl_buf_reset(&mend->path);
    sl_gnmi_path_build_begin(&build, &mend->path);
    if (!needs(mending, SL_GNMI_WORK(LIFTS_ORIGIN))) {
        sl_gnmi_path_build_origin(&build, path.origin);
    }
    sl_gnmi_path_build_target(&build, path.target);
    if (needs(mending, SL_GNMI_WORK(JOINS_NAMELESS))) {
        add_elems(&build, mending->prefix, &has_any);
    }
    add_elems(&build, path, &has_any);
    return sl_gnmi_path_build_end(&build);
}

static void add_updates(struct mending *mending, struct sl_gnmi_rewrite *rewrite)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(mending->from);
    struct sl_gnmi_update update;
    struct sl_gnmi_path path;

    while (sl_gnmi_next_update(&cursor, &update)) {
        sl_gnmi_path_read(update.path, &path);
        if (why_update_left_out(mending, &update, &path) == SL_GNMI_WORKAROUNDS) {
            sl_gnmi_rewrite_add_update(rewrite, make_path(mending, update.path), &update);
        }
    }
}

static void add_deletes(struct mending *mending, struct sl_gnmi_rewrite *rewrite)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(mending->from);
    struct sl_gnmi_path path;
    struct sl_str bytes;

    while (sl_gnmi_next_delete(&cursor, &bytes)) {
        sl_gnmi_path_read(bytes, &path);
        if (why_left_out(mending, &path) == SL_GNMI_WORKAROUNDS) {
            sl_gnmi_rewrite_add_delete(rewrite, make_path(mending, bytes));
        }
    }
}

static bool make(struct mending *mending, struct sl_buf *out, struct sl_mended *mended)
{
    const uint32_t of_prefix =
        SL_GNMI_WORK(LIFTS_ORIGIN) | SL_GNMI_WORK(RESTORES_TARGET) | SL_GNMI_WORK(JOINS_NAMELESS);
    struct sl_mend *mend = mending->mend;
    struct sl_gnmi_rewrite rewrite;

    sl_gnmi_rewrite_begin(&rewrite, mending->from, out);
    if (needs(mending, of_prefix)) {
        sl_gnmi_rewrite_set_prefix(&rewrite, make_prefix(mending));
    }
    add_updates(mending, &rewrite);
    add_deletes(mending, &rewrite);
    return sl_gnmi_rewrite_end(&rewrite, &mended->response) && !mend->prefix.failed &&
           !mend->path.failed;
}

static void count(struct mending *mending)
{
    uint64_t *changed = mending->mend->counts.changed;

    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        bool is_whole = mending->todo >> i & 1;
        changed[i] += mending->dropped[i] ? mending->dropped[i] : is_whole;
    }
}

/* All of the notification is left out. */
static void drop(struct mending *mending, struct sl_mended *mended)
{
    mended->filtered = mending->from->updates + mending->from->deletes;
    mended->is_dropped = true;
}

static uint32_t sum_dropped(const struct mending *mending)
{
    uint32_t sum = 0;

    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        sum += mending->dropped[i];
    }
    return sum;
}

bool sl_mend_apply(struct sl_mend *mend, const struct sl_gnmi_response *response, bool is_first,
                   struct sl_buf *out, struct sl_mended *mended)
{
    struct mending mending = {.mend = mend, .from = response};
    uint32_t all = response->updates + response->deletes;
    bool is_done = true;

    *mended = (struct sl_mended){.response = *response};
    if (!(mend->works & ~SL_GNMI_WORK(COUNTS_SEQUENCE)) || response->kind != SL_GNMI_UPDATE) {
        return true;
    }
    if (does(&mending, SL_GNMI_WORK(DROPS_TIMELESS)) && response->timestamp_ns == 0) {
        mending.todo = SL_GNMI_WORK(DROPS_TIMELESS);
        mending.dropped[SL_GNMI_DROPS_TIMELESS] = all;
        drop(&mending, mended);
    } else {
        look(&mending);
        mended->filtered = sum_dropped(&mending);
    }
    if (!mended->is_dropped && all > 0 && mended->filtered == all) {
        drop(&mending, mended);
    } else if (!mended->is_dropped && mending.todo) {
        is_done = make(&mending, out, mended);
    }
    if (is_first && is_done) {
        count(&mending);
    }
    return is_done;
}

/* ---- life ---- */

#define ALL_MENDS                                                                                  \
    (SL_GNMI_WORK(DROPS_TIMELESS) | SL_GNMI_WORK(RESTORES_TARGET) | SL_GNMI_WORK(LIFTS_ORIGIN) |   \
     SL_GNMI_WORK(JOINS_NAMELESS) | SL_GNMI_WORK(DROPS_INTERNAL) | SL_GNMI_WORK(DROPS_UNASKED) |   \
     SL_GNMI_WORK(COUNTS_SEQUENCE) | SL_GNMI_WORK(DROPS_EMPTY))

bool sl_mend_does(uint32_t works)
{
    return (works & ALL_MENDS) != 0;
}

void sl_mend_fini(struct sl_mend *mend)
{
    sl_mend_asked_free(mend->asked);
    free(mend->sensors);
    sl_buf_fini(&mend->prefix);
    sl_buf_fini(&mend->path);
    *mend = (struct sl_mend){.works = 0};
}

void sl_mend_free(struct sl_mend *mend)
{
    if (mend) {
        sl_mend_fini(mend);
        free(mend);
    }
}

bool sl_mend_set(struct sl_mend *mend, uint32_t works, const struct sl_gnmi_subscribe *subscribe)
{
    bool wants_asked = (works & SL_GNMI_WORK(DROPS_UNASKED)) != 0;
    bool wants_sensors = (works & SL_GNMI_WORK(COUNTS_SEQUENCE)) != 0;
    struct sl_mend_asked *asked = wants_asked ? sl_mend_asked_new(subscribe) : NULL;
    struct sl_mend_sensors *sensors = wants_sensors ? calloc(1, sizeof(*sensors)) : NULL;

    if ((wants_asked && !asked) || (wants_sensors && !sensors)) {
        sl_mend_asked_free(asked);
        free(sensors);
        return false;
    }
    sl_mend_asked_free(mend->asked);
    free(mend->sensors);
    mend->works = works & ALL_MENDS;
    mend->target = subscribe->target;
    mend->asked = asked;
    mend->sensors = sensors;
    return true;
}

void sl_mend_begin(struct sl_mend *mend)
{
    if (mend->sensors) {
        *mend->sensors = (struct sl_mend_sensors){.count = 0};
    }
}

uint64_t sl_mend_note(struct sl_mend *mend, const struct sl_gnmi_response *response)
{
    struct sl_mend_header header;
    uint64_t missing = 0;

    if (!mend->sensors || !sl_mend_header_read(response, &header)) {
        return 0;
    }
    mend->counts.headers++;
    mend->counts.ends += header.is_end;
    missing = sl_mend_sensors_note(mend->sensors, &header);
    mend->counts.lost += missing;
    return missing;
}
