/* Which records are the same one, told otherwise. */
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "import/diff_internal.h"

enum { MAX_TRIES = 64, FIRST_BITS = 6 };

/* What of each part two records have in common. */
enum share { SHARE_NOTHING, SHARE_NAMES, SHARE_ALL };

/* And besides. */
enum need {
    NEEDS_NOTHING,
    NEEDS_MEMBER /* one that is the same */,
    NEEDS_VALUE /* one of a name */
};

struct level {
    enum share parts[3]; /* by enum sl_diff_part */
    enum need need;
};

/* In this order: what a value, a name or tag, the time, a member more or less may be the whole
 * difference of. */
static const struct level levels[] = {
    {{SHARE_ALL, SHARE_ALL, SHARE_NAMES}, NEEDS_NOTHING},
    {{SHARE_NOTHING, SHARE_ALL, SHARE_ALL}, NEEDS_MEMBER},
    {{SHARE_ALL, SHARE_NOTHING, SHARE_ALL}, NEEDS_NOTHING},
    {{SHARE_ALL, SHARE_ALL, SHARE_NOTHING}, NEEDS_VALUE},
};

/* ---- the table ---- */

/* The old records that nothing has met, by their hashes; the first of a hash is met first. */
static void fill_table(struct sl_diff *diff)
{
    for (size_t i = 0; i <= diff->mask; i++) {
        diff->heads[i] = SL_DIFF_NONE;
    }
    for (size_t i = sl_diff_records(diff, SL_DIFF_OLD); i-- > 0;) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, i);
        if (!record->is_met && record->pair == SL_DIFF_NONE) {
            record->next = diff->heads[record->hash & diff->mask];
            diff->heads[record->hash & diff->mask] = (uint32_t)i;
        }
    }
}

bool sl_diff_make_table(struct sl_diff *diff)
{
    size_t count = sl_diff_records(diff, SL_DIFF_OLD);
    unsigned bits = FIRST_BITS;

    while (bits < 31 && ((size_t)1 << bits) < count) {
        bits++;
    }
    diff->mask = ((uint32_t)1 << bits) - 1;
    diff->heads = malloc(sizeof(*diff->heads) << bits);
    if (diff->heads) {
        fill_table(diff);
    }
    return diff->heads != NULL;
}

/* ---- likeness ---- */

static uint64_t hash_of(const struct sl_diff *diff, struct sl_str text, const struct level *level)
{
    struct sl_diff_member member;
    uint64_t hash = diff->seed;

    while (sl_diff_next(&text, &member)) {
        enum share share = level->parts[sl_diff_part_of(member.name)];
        if (share != SHARE_NOTHING) {
            hash = XXH3_64bits_withSeed(member.name.data, member.name.len, hash);
        }
        if (share == SHARE_ALL) {
            hash = XXH3_64bits_withSeed(member.value.data, member.value.len, hash);
        }
    }
    return hash;
}

struct likeness {
    size_t changes;
    size_t lone;        /* members that one has alone */
    size_t lone_values; /* of values */
    bool is_rounding;
};

static void count_change(void *arg, const struct sl_diff_change *change)
{
    struct likeness *likeness = arg;
    bool lacks = change->kind == SL_DIFF_OLD_LACKS || change->kind == SL_DIFF_NEW_LACKS;

    likeness->changes++;
    likeness->lone += lacks;
    likeness->lone_values += lacks && sl_diff_part_of(change->name) == SL_DIFF_PART_VALUES;
    likeness->is_rounding = likeness->is_rounding && (change->kind == SL_DIFF_OLD_ROUNDED ||
                                                      change->kind == SL_DIFF_NEW_ROUNDED);
}

/* Nothing but rounding: both are the same to whom that is ignored. */
static bool is_only_rounding(const struct sl_diff *diff, struct sl_str before, struct sl_str after)
{
    struct likeness likeness = {.is_rounding = true};

    if (diff->ignores_rounding) {
        sl_diff_compare(before, after, count_change, &likeness);
    }
    return diff->ignores_rounding && likeness.is_rounding;
}

static void count_members(struct sl_str text, size_t *members, size_t *values)
{
    struct sl_diff_member member;

    while (sl_diff_next(&text, &member)) {
        ++*members;
        *values += sl_diff_part_of(member.name) == SL_DIFF_PART_VALUES;
    }
}

/* How far apart the two are; SIZE_MAX: too far. */
static size_t distance(const struct level *level, struct sl_str before, struct sl_str after)
{
    struct likeness likeness = {0};
    size_t members = 0; /* of both */
    size_t values = 0;

    sl_diff_compare(before, after, count_change, &likeness);
    count_members(before, &members, &values);
    count_members(after, &members, &values);
    size_t changed = likeness.lone + 2 * (likeness.changes - likeness.lone);
    bool is_near = level->need == NEEDS_VALUE    ? likeness.lone_values < values
                   : level->need == NEEDS_MEMBER ? changed < members
                                                 : true;
    return is_near ? likeness.changes : SIZE_MAX;
}

/* ---- pairs ---- */

/* The nearest of the first ones with that hash leaves the table. */
static uint32_t take_nearest(struct sl_diff *diff, const struct level *level, uint64_t hash,
                             struct sl_str text)
{
    uint32_t *at = &diff->heads[hash & diff->mask];
    uint32_t *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t tries = 0; *at != SL_DIFF_NONE && tries < MAX_TRIES && least > 1; tries++) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, *at);
        size_t far = record->hash == hash
                         ? distance(level, sl_diff_text(diff, SL_DIFF_OLD, record), text)
                         : SIZE_MAX;
        if (far < least) {
            least = far;
            nearest = at;
        }
        at = &record->next;
    }
    uint32_t found = nearest ? *nearest : SL_DIFF_NONE;
    if (nearest) {
        *nearest = sl_diff_record(diff, SL_DIFF_OLD, found)->next;
    }
    return found;
}

static void pair_level(struct sl_diff *diff, const struct level *level)
{
    for (size_t i = 0; i < sl_diff_records(diff, SL_DIFF_OLD); i++) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, i);
        if (!record->is_met && record->pair == SL_DIFF_NONE) {
            record->hash = hash_of(diff, sl_diff_text(diff, SL_DIFF_OLD, record), level);
        }
    }
    fill_table(diff);
    for (size_t i = 0; i < sl_diff_records(diff, SL_DIFF_NEW); i++) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_NEW, i);
        struct sl_str text = sl_diff_text(diff, SL_DIFF_NEW, record);
        if (record->pair == SL_DIFF_NONE) {
            record->pair = take_nearest(diff, level, hash_of(diff, text, level), text);
        }
        if (record->pair != SL_DIFF_NONE) {
            sl_diff_record(diff, SL_DIFF_OLD, record->pair)->pair = (uint32_t)i;
        }
    }
}

static void count_pairs(struct sl_diff *diff)
{
    struct sl_diff_counts *counts = &diff->counts;

    for (size_t i = 0; i < sl_diff_records(diff, SL_DIFF_OLD); i++) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, i);
        counts->only_old += !record->is_met && record->pair == SL_DIFF_NONE;
        if (record->is_met || record->pair == SL_DIFF_NONE) {
            continue;
        }
        struct sl_diff_record *other = sl_diff_record(diff, SL_DIFF_NEW, record->pair);
        bool is_rounding = is_only_rounding(diff, sl_diff_text(diff, SL_DIFF_OLD, record),
                                            sl_diff_text(diff, SL_DIFF_NEW, other));
        record->is_met = is_rounding;
        counts->rounded += is_rounding;
        counts->differ += !is_rounding;
    }
    counts->only_new =
        sl_diff_records(diff, SL_DIFF_NEW) - (size_t)(counts->rounded + counts->differ);
}

void sl_diff_make_pairs(struct sl_diff *diff)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(levels); i++) {
        pair_level(diff, &levels[i]);
    }
    count_pairs(diff);
}
