#include "stream/member.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi/pattern.h"
#include "gnmi/rewrite.h"
#include "normalise/intern.h"

enum { SEVERAL = 0xff }; /* instead of a member's number: a delete that several are told */

/* Who asked for a path or for something beneath it. */
struct owners {
    uint64_t set;    /* of bits: who is told of a delete */
    uint8_t first;   /* whose an update is */
    bool is_unasked; /* nobody did */
};

struct member {
    struct sl_gnmi_pattern **patterns;
    size_t count;
    uint32_t updates; /* of the last response */
};

struct sl_members {
    struct sl_intern intern;
    struct sl_gnmi_place place; /* of the path that is worked out */
    size_t count;
    struct sl_members_scratch *scratch;
    uint64_t set;  /* of bits: who gets something of the last response */
    uint32_t told; /* its deletes that several are told */
    uint32_t unasked;
    struct sl_gnmi_response part; /* of the member asked for last */
    struct member of[];
};

/* ---- whose a path is ---- */

static uint64_t bit(size_t member)
{
    return UINT64_C(1) << member;
}

static size_t lowest(uint64_t set)
{
    return (size_t)ffsll((long long)set) - 1;
}

static enum sl_gnmi_relation relation_of(const struct sl_members *members, size_t at,
                                         uint32_t *weight)
{
    const struct member *member = &members->of[at];
    enum sl_gnmi_relation nearest = SL_GNMI_APART;

    *weight = 0;
    for (size_t i = 0; i < member->count; i++) {
        uint32_t mine;
        enum sl_gnmi_relation relation =
            sl_gnmi_pattern_relation(member->patterns[i], &members->place, &mine);
        if (relation > nearest || (relation == nearest && mine > *weight)) {
            nearest = relation;
            *weight = mine;
        }
    }
    return nearest;
}

static struct owners work_out(struct sl_members *members, struct sl_str prefix, struct sl_str path)
{
    struct owners owners = {.set = 0};
    uint32_t heaviest = 0;
    uint64_t above = 0;

    sl_gnmi_place_read(&members->place, prefix, path);
    for (size_t i = 0; i < members->count; i++) {
        uint32_t weight;
        enum sl_gnmi_relation relation = relation_of(members, i, &weight);
        if (relation == SL_GNMI_ASKED && (!owners.set || weight > heaviest)) {
            owners.set = bit(i);
            heaviest = weight;
        } else if (relation == SL_GNMI_ABOVE) {
            above |= bit(i);
        }
    }
    owners.is_unasked = !owners.set && !above;
    owners.set |= owners.set ? 0 : above;
    owners.set |= owners.is_unasked ? bit(0) : 0;
    owners.first = (uint8_t)lowest(owners.set);
    return owners;
}

/* What was worked out is kept as a fragment whose text is the struct's bytes. */
static struct owners owners_of(struct sl_members *members, const struct sl_intern_prefix *prefix,
                               struct sl_str prefix_bytes, struct sl_str path)
{
    struct sl_fragment kept;
    struct owners owners;

    if (prefix && sl_intern_find(&members->intern, prefix, path, &kept)) {
        memcpy(&owners, kept.text, sizeof(owners));
        return owners;
    }
    owners = work_out(members, prefix_bytes, path);
    if (prefix) {
        kept = (struct sl_fragment){.text = (const char *)&owners, .len = sizeof(owners)};
        sl_intern_add(&members->intern, prefix, path, &kept);
    }
    return owners;
}

/* ---- one response ---- */

static void give_to(struct sl_members *members, uint64_t set, char owner)
{
    sl_buf_add_byte(&members->scratch->owners, owner);
    members->set |= set;
    for (; set; set &= set - 1) {
        members->of[lowest(set)].updates++;
    }
}

static void give_update(struct sl_members *members, const struct owners *owners)
{
    members->unasked += owners->is_unasked;
    give_to(members, bit(owners->first), (char)owners->first);
}

static void give_delete(struct sl_members *members, const struct owners *owners)
{
    bool is_told = owners->set != bit(owners->first) && members->told < SL_STREAM_MAX_TOLD;

    members->unasked += owners->is_unasked;
    members->told += is_told;
    if (is_told) {
        give_to(members, owners->set, (char)SEVERAL);
    } else {
        give_to(members, bit(owners->first), (char)owners->first);
    }
}

bool sl_members_share(struct sl_members *members, const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(response);
    struct sl_gnmi_cursor deletes = updates;
    struct sl_gnmi_update update;
    struct sl_str path;

    members->set = 0;
    members->told = 0;
    members->unasked = 0;
    sl_buf_reset(&members->scratch->owners);
    for (size_t i = 0; i < members->count; i++) {
        members->of[i].updates = 0;
    }
    if (!sl_buf_reserve(&members->scratch->owners, (size_t)response->updates + response->deletes)) {
        return false;
    }
    const struct sl_intern_prefix *prefix = sl_intern_prefix(&members->intern, response->prefix);

    while (sl_gnmi_next_update(&updates, &update)) {
        struct owners owners = owners_of(members, prefix, response->prefix, update.path);
        give_update(members, &owners);
    }
    while (sl_gnmi_next_delete(&deletes, &path)) {
        struct owners owners = owners_of(members, prefix, response->prefix, path);
        give_delete(members, &owners);
    }
    return true;
}

uint32_t sl_members_updates(const struct sl_members *members, size_t member)
{
    return members->of[member].updates;
}

uint32_t sl_members_unasked(const struct sl_members *members)
{
    return members->unasked;
}

bool sl_members_gets(const struct sl_members *members, size_t member)
{
    return members->set == 0 || (members->set & bit(member)) != 0;
}

/* ---- a member's part ---- */

static void add_part(struct sl_members *members, const struct sl_gnmi_response *response,
                     size_t member, struct sl_gnmi_rewrite *rewrite)
{
    const struct sl_intern_prefix *prefix = sl_intern_prefix(&members->intern, response->prefix);
    struct sl_gnmi_cursor updates = sl_gnmi_response_begin(response);
    struct sl_gnmi_cursor deletes = updates;
    const uint8_t *owner = (const uint8_t *)members->scratch->owners.data;
    struct sl_gnmi_update update;
    struct sl_str path;

    for (; sl_gnmi_next_update(&updates, &update); owner++) {
        if (*owner == member) {
            sl_gnmi_rewrite_add_update(rewrite, update.path, &update);
        }
    }
    for (; sl_gnmi_next_delete(&deletes, &path); owner++) {
        bool is_mine = *owner == member;
        if (*owner == SEVERAL) {
            is_mine = owners_of(members, prefix, response->prefix, path).set & bit(member);
        }
        if (is_mine) {
            sl_gnmi_rewrite_add_delete(rewrite, path);
        }
    }
}

const struct sl_gnmi_response *
sl_members_part(struct sl_members *members, const struct sl_gnmi_response *response, size_t member)
{
    struct sl_gnmi_rewrite rewrite;

    SL_ASSERT(sl_members_gets(members, member));
    if (members->of[member].updates == response->updates + response->deletes) {
        return response;
    }
    sl_gnmi_rewrite_begin(&rewrite, response, &members->scratch->part);
    add_part(members, response, member, &rewrite);
    return sl_gnmi_rewrite_end(&rewrite, &members->part) ? &members->part : NULL;
}

/* ---- lifetime ---- */

static size_t count_paths(const struct sl_stream_member *member)
{
    size_t count = 0;

    for (size_t i = 0; i < member->asked_count; i++) {
        for (const char *const *path = member->asked[i].paths; *path; path++) {
            count++;
        }
    }
    return count;
}

static bool init_member(struct member *member, const struct sl_stream_member *from,
                        const char *prefix, struct sl_status *why)
{
    *why = sl_status_out_of_memory();
    member->patterns = calloc(count_paths(from) + 1, sizeof(struct sl_gnmi_pattern *));
    for (size_t i = 0; member->patterns && i < from->asked_count; i++) {
        for (const char *const *path = from->asked[i].paths; *path; path++) {
            struct sl_gnmi_pattern *pattern = sl_gnmi_pattern_new(prefix, *path, why);
            if (!pattern) {
                return false;
            }
            member->patterns[member->count++] = pattern;
        }
    }
    return member->patterns != NULL;
}

struct sl_members *sl_members_new(const struct sl_stream_member *members, size_t count,
                                  const char *prefix, struct sl_encoder_memory *memory,
                                  struct sl_members_scratch *scratch, struct sl_status *why)
{
    struct sl_members *all = calloc(1, sizeof(*all) + count * sizeof(all->of[0]));

    SL_ASSERT(count > 0 && count <= SL_STREAM_MAX_MEMBERS);
    if (!all) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    sl_intern_init(&all->intern, memory);
    all->scratch = scratch;
    for (size_t i = 0; i < count; i++) {
        all->count++;
        if (!init_member(&all->of[i], &members[i], prefix, why)) {
            sl_members_free(all);
            return NULL;
        }
    }
    return all;
}

void sl_members_free(struct sl_members *members)
{
    if (!members) {
        return;
    }
    for (size_t i = 0; i < members->count; i++) {
        for (size_t j = 0; j < members->of[i].count; j++) {
            sl_gnmi_pattern_free(members->of[i].patterns[j]);
        }
        free(members->of[i].patterns);
    }
    sl_intern_fini(&members->intern);
    free(members);
}
