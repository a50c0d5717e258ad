#include "device/round.h"

#include "device/answer.h"

enum {
    RESPONSE_UPDATE_TAG = 0x0a, /* field numbers and wire types of gnmi.proto */
    NOTIFICATION_DELETE_TAG = 0x2a,
    MESSAGE_BYTES = 64 * 1024, /* a notification ends when it has so many */
    GROUP_LEAVES = 256,
};

static bool wants(const struct sl_device_view *view, const struct sl_device_leaf *leaf)
{
    size_t consumed;

    return sl_device_place_selects(&view->place, leaf, &consumed) &&
           !(view->is_config && leaf->is_state) &&
           (view->depth == 0 || leaf->path->n_elem - consumed <= view->depth);
}

/* One step of the walk over both versions: the leaf that comes next, in one or in both. */
struct step {
    const struct sl_device_leaf *was;
    struct sl_device_leaf *is;
};

static bool next_step(const struct sl_device_round *round, struct step *step)
{
    const struct sl_device_tree *old = round->old;
    const struct sl_device_tree *new = round->goal;
    int order;

    step->was = old && round->old_at < old->count ? old->leaves[round->old_at] : NULL;
    step->is = round->new_at < new->count ? new->leaves[round->new_at] : NULL;
    if (!step->was || !step->is || step->was == step->is) {
        return step->was || step->is;
    }
    order = sl_device_leaf_compare(step->was, step->is);
    step->was = order <= 0 ? step->was : NULL;
    step->is = order >= 0 ? step->is : NULL;
    return true;
}

static void pass(struct sl_device_round *round, const struct step *step)
{
    round->old_at += step->was != NULL;
    round->new_at += step->is != NULL;
}

static bool is_told(const struct sl_device_round *round, const struct step *step)
{
    return (round->is_full || step->was != step->is) &&
           wants(round->view, step->is ? step->is : step->was);
}

/* One notification's updates and deletes. */
struct notes {
    struct sl_buf updates;
    struct sl_buf deletes;
    uint32_t count;
    int64_t time_ns;
    struct sl_device_leaf *group[GROUP_LEAVES]; /* that are to be one value */
    size_t group_count;
    size_t group_above; /* elements that the place names */
};

static bool is_json(Gnmi__Encoding encoding)
{
    return encoding == GNMI__ENCODING__JSON || encoding == GNMI__ENCODING__JSON_IETF;
}

static void end_group(const struct sl_device_view *view, struct notes *notes)
{
    if (notes->group_count > 0) {
        sl_device_add_subtree(&notes->updates, notes->group, notes->group_count, notes->group_above,
                              view->encoding);
        notes->group_count = 0;
    }
}

/* Puts the leaf where it is one value with others. False: it is one by itself. */
static bool join_group(const struct sl_device_view *view, struct sl_device_leaf *leaf,
                       struct notes *notes)
{
    size_t above = 0;

    if (!view->is_nested || !is_json(view->encoding) ||
        !sl_device_place_selects(&view->place, leaf, &above) || above >= leaf->path->n_elem) {
        return false;
    }
    if (notes->group_count == GROUP_LEAVES || above != notes->group_above ||
        (notes->group_count > 0 && sl_device_leaf_common(notes->group[0], leaf) < above)) {
        end_group(view, notes);
    }
    notes->group_above = above;
    notes->group[notes->group_count++] = leaf;
    return true;
}

static void note(const struct sl_device_view *view, const struct step *step, struct notes *notes)
{
    if (step->is && join_group(view, step->is, notes)) {
        notes->count++;
        return;
    }
    end_group(view, notes);
    if (step->is) {
        sl_device_add_update(&notes->updates, step->is, view->encoding);
    } else {
        sl_device_add_message(&notes->deletes, NOTIFICATION_DELETE_TAG, &step->was->path->base);
    }
    notes->count++;
}

static bool is_full(const struct sl_device_view *view, const struct notes *notes)
{
    return notes->count >= view->max_updates ||
           notes->updates.len + notes->deletes.len >= MESSAGE_BYTES;
}

/* Goes on until a notification is full, or what comes has another time. False: the round is over.
 */
static bool walk(struct sl_device_round *round, int64_t now_ns, struct notes *notes)
{
    struct step step;

    for (; next_step(round, &step); pass(round, &step)) {
        int64_t time_ns = round->time_ns;

        if (!is_told(round, &step)) {
            continue;
        }
        if (time_ns == 0) {
            time_ns = step.is ? step.is->set_ns : now_ns;
        }
        if (notes->count > 0 && !round->view->is_bundled &&
            (time_ns != notes->time_ns || is_full(round->view, notes))) {
            return true;
        }
        notes->time_ns = time_ns;
        note(round->view, &step, notes);
    }
    return false;
}

static void build(const struct sl_device_view *view, const struct notes *notes,
                  struct sl_buf *message)
{
    struct sl_buf notification = {.data = NULL};

    sl_device_add_head(&notification, notes->time_ns, view->target, view->origin);
    sl_buf_add_str(&notification, sl_buf_str(&notes->updates));
    sl_buf_add_str(&notification, sl_buf_str(&notes->deletes));
    sl_device_add_bytes(message, RESPONSE_UPDATE_TAG, sl_buf_str(&notification));
    message->failed =
        message->failed || notification.failed || notes->updates.failed || notes->deletes.failed;
    sl_buf_fini(&notification);
}

void sl_device_round_begin(struct sl_device_round *round, const struct sl_device_view *view,
                           struct sl_device_tree *old, struct sl_device_tree *goal)
{
    *round = (struct sl_device_round){
        .view = view,
        .old = old ? sl_device_tree_hold(old) : NULL,
        .goal = sl_device_tree_hold(goal),
    };
}

void sl_device_round_end(struct sl_device_round *round)
{
    sl_device_tree_release(round->old);
    sl_device_tree_release(round->goal);
    *round = (struct sl_device_round){.view = NULL};
}

bool sl_device_round_next(struct sl_device_round *round, int64_t now_ns, struct sl_buf *message)
{
    struct notes notes = {.count = 0};
    bool goes_on = walk(round, now_ns, &notes);

    end_group(round->view, &notes);
    if (notes.count > 0) {
        build(round->view, &notes, message);
    }
    sl_buf_fini(&notes.updates);
    sl_buf_fini(&notes.deletes);
    return goes_on;
}
