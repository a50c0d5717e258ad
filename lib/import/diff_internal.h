/* diff_internal.h - what the parts of the comparison share.
 *
 * A record is kept as its members, sorted: NAME, SL_DIFF_VALUE, VALUE, SL_DIFF_MEMBER, again and
 * again. A name leads from the record to a value: SL_DIFF_INTO before each member of an object but
 * the first, SL_DIFF_ITEM before the number of an array's item. Values are JSON, in the one way in
 * which they are written here. Controls are escaped in both, so that these four stand for nothing
 * else.
 */
#ifndef SLUICE_IMPORT_DIFF_INTERNAL_H
#define SLUICE_IMPORT_DIFF_INTERNAL_H

#include "import/diff.h"

enum {
    SL_DIFF_ITEM = 0x1c,
    SL_DIFF_INTO = 0x1d,
    SL_DIFF_MEMBER = 0x1e,
    SL_DIFF_VALUE = 0x1f,
};

#define SL_DIFF_NONE UINT32_MAX /* no record */

struct sl_diff_record {
    uint64_t hash; /* of all of it, then of what pairs are made by */
    size_t at;     /* in the side's text */
    uint32_t len;
    uint32_t line; /* where it begins */
    uint32_t next; /* with a hash of the same bucket */
    uint32_t pair; /* the other side's */
    bool is_met;   /* the other side has the same */
};

/* Working memory for one record. */
struct sl_diff_flat {
    struct sl_buf path;    /* the name under way */
    struct sl_buf text;    /* names and values as they come */
    struct sl_buf members; /* struct sl_diff_span */
    struct sl_buf record;  /* what is kept */
    struct sl_buf shown;   /* a name as a person has it */
    const struct sl_diff_options *options;
    bool ignores_time;
};

struct sl_diff_span {
    uint32_t at;
    uint32_t name_len;
    uint32_t value_len;
};

/* What is under way of one end's text. */
struct sl_diff_split {
    uint64_t line;
    uint64_t column;
    uint64_t begun_line; /* of `piece` */
    uint64_t begun_column;
    struct sl_buf piece; /* a record as it stands, up to here */
    uint32_t depth;      /* of brackets in it */
    bool has_begun;
    bool is_quoted;
    bool is_escaped;
    bool is_list;     /* in an array of records */
    bool has_item;    /* in which a record has just been */
    bool wants_item;  /* in which a comma has */
    bool has_reached; /* influx: its fields */
};

struct sl_diff_side {
    struct sl_diff_split split;
    struct sl_buf text;    /* of its records */
    struct sl_buf records; /* struct sl_diff_record */
    uint64_t count;
};

struct sl_diff {
    struct sl_diff_options options;
    bool ignores_rounding;
    struct sl_diff_flat flat;
    struct sl_diff_side sides[2];
    uint32_t *heads; /* buckets of old records that nothing has met */
    uint32_t mask;
    uint64_t seed;
    struct sl_diff_counts counts;
    char error[400];
};

/* ---- what a record is (diff_flat.c) ---- */

void sl_diff_flat_begin(struct sl_diff_flat *flat);

/* What flat->path leads to; `value` is in its one form, and is not kept if the member is ignored.
 */
void sl_diff_flat_add(struct sl_diff_flat *flat, struct sl_str value);

/* flat->record is the record. False: memory is out, or it is too large. */
bool sl_diff_flat_end(struct sl_diff_flat *flat) SL_MUST_CHECK;
void sl_diff_flat_fini(struct sl_diff_flat *flat);

/* One character of a text or a name: what is a control, could steer a terminal or ends a text is
 * escaped. */
void sl_diff_add_rune(struct sl_buf *out, uint32_t rune);

/* The first one of `text`, and how many bytes it is; what is no UTF-8 is U+FFFD. */
size_t sl_diff_rune(struct sl_str text, uint32_t *rune);

/* Appends the number, which is one by JSON's grammar, in its one form: integers as they are, others
 * with a point. `is_decimal`: an integer, too. */
void sl_diff_add_number(struct sl_buf *out, struct sl_str number, bool is_decimal);

/* How long the JSON number is that `text` begins with; 0: it is none. */
size_t sl_diff_number_len(struct sl_str text);

/* A record of each format: of `text`, which is all of it. NULL, or what is wrong, and at which
 * byte. */
const char *sl_diff_read_json(struct sl_diff_flat *flat, struct sl_str text, size_t *at);
const char *sl_diff_read_influx(struct sl_diff_flat *flat, struct sl_str text, size_t *at);

/* ---- where a record is (diff_split.c) ---- */

/* Each whole record is given to sl_diff_take. */
bool sl_diff_split(struct sl_diff *diff, enum sl_diff_end end, struct sl_str bytes) SL_MUST_CHECK;
bool sl_diff_split_end(struct sl_diff *diff, enum sl_diff_end end) SL_MUST_CHECK;

/* diff.c: a record as it stands; false with the error set. */
bool sl_diff_take(struct sl_diff *diff, enum sl_diff_end end, struct sl_str text) SL_MUST_CHECK;
bool sl_diff_fail(struct sl_diff *diff, const char *format, ...) SL_PRINTF(2, 3);

/* ---- records side by side (diff_member.c) ---- */

struct sl_diff_member {
    struct sl_str name;
    struct sl_str value;
};

/* The next member from the front of `record`, which loses it; false: there is none. */
bool sl_diff_next(struct sl_str *record, struct sl_diff_member *member);

enum sl_diff_part { SL_DIFF_PART_NAMES, SL_DIFF_PART_TIME, SL_DIFF_PART_VALUES };

/* What the member of that name says: whose the record is (name, tags, source), when it was made, or
 * what there is. */
enum sl_diff_part sl_diff_part_of(struct sl_str name);

enum sl_diff_kind {
    SL_DIFF_OTHER, /* values of the same type */
    SL_DIFF_TYPE,
    SL_DIFF_OLD_ROUNDED, /* a double, or a float, of the new one is the old one */
    SL_DIFF_NEW_ROUNDED,
    SL_DIFF_OLD_LACKS,
    SL_DIFF_NEW_LACKS,
};

struct sl_diff_change {
    enum sl_diff_kind kind;
    struct sl_str name;
    struct sl_str before;
    struct sl_str after;
};

/* Calls `on_change` for each member in which the two differ. */
void sl_diff_compare(struct sl_str before, struct sl_str after,
                     void (*on_change)(void *arg, const struct sl_diff_change *change), void *arg);

/* Appends a name as a person has it: tags.source, updates[0].Path; `counts` false: updates[]. */
void sl_diff_show_name(struct sl_buf *out, struct sl_str name, bool counts);

/* ---- diff.c ---- */

struct sl_str sl_diff_text(const struct sl_diff *diff, enum sl_diff_end end,
                           const struct sl_diff_record *record);
size_t sl_diff_records(const struct sl_diff *diff, enum sl_diff_end end);
struct sl_diff_record *sl_diff_record(const struct sl_diff *diff, enum sl_diff_end end, size_t i);

/* diff_pairs.c: the table of the old records, false when memory is out; then what has not been met
 * is brought together, and counted. */
bool sl_diff_make_table(struct sl_diff *diff) SL_MUST_CHECK;
void sl_diff_make_pairs(struct sl_diff *diff);

#endif
