/* The differences for a person: those of one kind together, the first ones in words. */
#include <stdlib.h>
#include <string.h>

#include "import/diff_internal.h"

enum { SHOWN_EXAMPLES = 3, VALUE_BYTES = 120, RECORD_BYTES = 300 };

enum group_kind { GROUP_CHANGE, GROUP_ONLY_OLD, GROUP_ONLY_NEW };

struct group {
    enum group_kind kind;
    struct sl_buf title; /* a member's name, without the numbers of items */
    struct sl_buf examples;
    uint64_t count;
};

struct report {
    const struct sl_diff *diff;
    const char *name;
    struct sl_buf title;
    const struct sl_diff_record *before; /* whose changes are told */
    struct group groups[SL_DIFF_MAX_GROUPS];
    size_t group_count;
    uint64_t unseen; /* differences for which there was no group left */
};

/* ---- words ---- */

/* Not more than that many bytes, and whole characters. */
static void add_cut(struct sl_buf *out, struct sl_str text, size_t most)
{
    size_t len = sl_min_size(text.len, most);

    while (len < text.len && len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--;
    }
    sl_buf_add(out, text.data, len);
    sl_buf_add_c(out, len < text.len ? "..." : "");
}

/* The members of a part, or of all (-1). */
static void add_members(struct sl_buf *out, struct sl_str record, int part)
{
    size_t start = out->len;
    struct sl_diff_member member;

    while (sl_diff_next(&record, &member) && out->len - start < RECORD_BYTES) {
        if (part >= 0 && (int)sl_diff_part_of(member.name) != part) {
            continue;
        }
        size_t at = out->len;
        sl_buf_add_c(out, out->len > start ? " " : "");
        sl_diff_show_name(out, member.name, true);
        sl_buf_add_byte(out, '=');
        add_cut(out, member.value, VALUE_BYTES);
        if (!out->failed && out->len - start > RECORD_BYTES) {
            out->len = at;
            sl_buf_add_c(out, " ...");
            return;
        }
    }
}

static const char *remark(enum sl_diff_kind kind)
{
    switch (kind) {
    case SL_DIFF_TYPE:
        return " (another type)";
    case SL_DIFF_OLD_ROUNDED:
        return " (the old one is rounded)";
    case SL_DIFF_NEW_ROUNDED:
        return " (the new one is rounded)";
    case SL_DIFF_OTHER:
    case SL_DIFF_OLD_LACKS:
    case SL_DIFF_NEW_LACKS:
        break;
    }
    return "";
}

static void add_change(struct sl_buf *out, const struct sl_diff_change *change)
{
    bool has_old = change->kind != SL_DIFF_OLD_LACKS;
    bool has_new = change->kind != SL_DIFF_NEW_LACKS;

    sl_buf_add_c(out, "old ");
    add_cut(out, has_old ? change->before : SL_STR("has none"), VALUE_BYTES);
    sl_buf_add_c(out, ", new ");
    add_cut(out, has_new ? change->after : SL_STR("has none"), VALUE_BYTES);
    sl_buf_add_c(out, remark(change->kind));
}

/* ---- groups ---- */

/* That of report->title; NULL: there are too many. */
static struct group *find_group(struct report *report, enum group_kind kind)
{
    for (size_t i = 0; i < report->group_count; i++) {
        struct group *group = &report->groups[i];
        if (group->kind == kind &&
            sl_str_eq(sl_buf_str(&group->title), sl_buf_str(&report->title))) {
            return group;
        }
    }
    if (report->group_count == SL_DIFF_MAX_GROUPS) {
        report->unseen++;
        return NULL;
    }
    struct group *group = &report->groups[report->group_count++];
    group->kind = kind;
    sl_buf_add_str(&group->title, sl_buf_str(&report->title));
    return group;
}

static void begin_example(struct report *report, struct group *group,
                          const struct sl_diff_record *old)
{
    sl_buf_add_c(&group->examples, "  ");
    if (old) {
        sl_buf_printf(&group->examples, "%s:%u: ", report->name, old->line);
    }
}

static void on_change(void *arg, const struct sl_diff_change *change)
{
    struct report *report = arg;
    struct group *group = NULL;

    sl_buf_reset(&report->title);
    sl_diff_show_name(&report->title, change->name, false);
    group = find_group(report, GROUP_CHANGE);
    if (!group || group->count++ >= SHOWN_EXAMPLES) {
        return;
    }
    begin_example(report, group, report->before);
    add_change(&group->examples, change);
    sl_buf_add_c(&group->examples, " in ");
    add_members(&group->examples, sl_diff_text(report->diff, SL_DIFF_OLD, report->before),
                SL_DIFF_PART_NAMES);
    sl_buf_add_byte(&group->examples, '\n');
}

/* What it is about: its first value, else its first member. */
static void title_record(struct report *report, struct sl_str record)
{
    struct sl_diff_member member;
    struct sl_str name = {0};
    bool has_value = false;

    while (!has_value && sl_diff_next(&record, &member)) {
        has_value = sl_diff_part_of(member.name) == SL_DIFF_PART_VALUES;
        name = has_value || !name.data ? member.name : name;
    }
    sl_buf_reset(&report->title);
    sl_diff_show_name(&report->title, name, false);
}

static void add_lone(struct report *report, enum group_kind kind, struct sl_str text,
                     const struct sl_diff_record *old)
{
    title_record(report, text);
    struct group *group = find_group(report, kind);

    if (group && group->count++ < SHOWN_EXAMPLES) {
        begin_example(report, group, old);
        add_members(&group->examples, text, -1);
        sl_buf_add_byte(&group->examples, '\n');
    }
}

static void collect(struct report *report)
{
    const struct sl_diff *diff = report->diff;

    for (size_t i = 0; i < sl_diff_records(diff, SL_DIFF_OLD); i++) {
        const struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, i);
        struct sl_str text = sl_diff_text(diff, SL_DIFF_OLD, record);
        if (record->is_met) {
            continue;
        }
        if (record->pair == SL_DIFF_NONE) {
            add_lone(report, GROUP_ONLY_OLD, text, record);
            continue;
        }
        report->before = record;
        sl_diff_compare(
            text, sl_diff_text(diff, SL_DIFF_NEW, sl_diff_record(diff, SL_DIFF_NEW, record->pair)),
            on_change, report);
    }
    for (size_t i = 0; i < sl_diff_records(diff, SL_DIFF_NEW); i++) {
        const struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_NEW, i);
        if (record->pair == SL_DIFF_NONE) {
            add_lone(report, GROUP_ONLY_NEW, sl_diff_text(diff, SL_DIFF_NEW, record), NULL);
        }
    }
}

/* ---- the whole ---- */

static void print_group(const struct report *report, struct group *group, struct sl_buf *out)
{
    const char *title = group->title.len ? sl_buf_text(&group->title) : "nothing";

    switch (group->kind) {
    case GROUP_CHANGE:
        sl_buf_printf(out, "differ in %s: ", title);
        break;
    case GROUP_ONLY_OLD:
        sl_buf_printf(out, "only in %s, with %s: ", report->name, title);
        break;
    case GROUP_ONLY_NEW:
        sl_buf_printf(out, "only in the new ones, with %s: ", title);
        break;
    }
    sl_buf_printf(out, "%llu\n", (unsigned long long)group->count);
    sl_buf_add_str(out, sl_buf_str(&group->examples));
    if (group->count > SHOWN_EXAMPLES) {
        sl_buf_add_c(out, "  ...\n");
    }
}

static void print_sum(const struct sl_diff *diff, const char *name, struct sl_buf *out)
{
    struct sl_diff_counts counts = sl_diff_counts(diff);

    sl_buf_printf(out, "%llu records in %s, %llu new ones: %llu the same, ",
                  (unsigned long long)counts.old_records, name,
                  (unsigned long long)counts.new_records, (unsigned long long)counts.same);
    if (counts.rounded) {
        sl_buf_printf(out, "%llu the same but for rounding, ", (unsigned long long)counts.rounded);
    }
    sl_buf_printf(out, "%llu differ, %llu only in %s, %llu only new\n",
                  (unsigned long long)counts.differ, (unsigned long long)counts.only_old, name,
                  (unsigned long long)counts.only_new);
}

static void print_groups(struct report *report, size_t limit, struct sl_buf *out)
{
    size_t shown = limit ? sl_min_size(limit, report->group_count) : report->group_count;

    for (size_t i = 0; i < report->group_count; i++) {
        struct group *group = &report->groups[i];
        if (i < shown) {
            print_group(report, group, out);
        } else {
            report->unseen += group->count;
        }
        out->failed = out->failed || group->title.failed || group->examples.failed;
        sl_buf_fini(&group->title);
        sl_buf_fini(&group->examples);
    }
    if (report->unseen) {
        sl_buf_printf(out, "and %llu differences of other kinds\n",
                      (unsigned long long)report->unseen);
    }
}

void sl_diff_print(const struct sl_diff *diff, const char *name, size_t limit, struct sl_buf *out)
{
    struct report *report = calloc(1, sizeof(*report));

    if (!report) {
        out->failed = true;
        return;
    }
    report->diff = diff;
    report->name = name;
    collect(report);
    print_groups(report, limit, out);
    print_sum(diff, name, out);
    out->failed = out->failed || report->title.failed;
    sl_buf_fini(&report->title);
    free(report);
}
