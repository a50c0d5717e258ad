/* diff.h - whether two collectors made the same records of the same messages.
 *
 * The old collector's output is compared with the new one's by what it means. Each JSON object that
 * stands alone or in an array is a record, and so is each line of the line protocol. The order of
 * members, blanks, escapes, how records are put into arrays and lines, and the order of records do
 * not count. Values do: numbers as decimals, digit by digit (no double holds them), 1, 1.0 and "1"
 * being three things.
 *
 * Records that are not the same are brought together where that can be: those that have all but
 * values in common, then those that differ in names and tags, in their time, or in having a member
 * or not. What cannot be brought together is in the old output alone, or in the new one.
 *
 * All of the old records that have not been met yet are held, up to a limit, as are the new ones
 * that are not the same as any. Pure, one thread.
 */
#ifndef SLUICE_IMPORT_DIFF_H
#define SLUICE_IMPORT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

enum {
    SL_DIFF_MAX_RECORD_BYTES = 32 * 1024 * 1024, /* as it stands, and as it is kept */
    SL_DIFF_MAX_BYTES = 512 * 1024 * 1024,       /* of the records of a side, as they are kept */
    SL_DIFF_MAX_DEPTH = 100,                     /* of JSON */
    SL_DIFF_MAX_IGNORED = 64,
    SL_DIFF_MAX_GROUPS = 256, /* that differences are told in; those of others are counted */
};

enum sl_diff_form { SL_DIFF_JSON, SL_DIFF_INFLUX };

enum sl_diff_end { SL_DIFF_OLD, SL_DIFF_NEW };

struct sl_diff_options {
    enum sl_diff_form form;
    const char *const *ignored; /* borrowed: members by their names ("tags.source", and what is
                                   under "tags"), "timestamp" for the record's time in any format,
                                   "rounding" for numbers that went through a double */
    size_t ignored_count;       /* at most SL_DIFF_MAX_IGNORED */
    uint64_t limit_bytes;       /* 0: SL_DIFF_MAX_BYTES */
};

struct sl_diff_counts {
    uint64_t old_records;
    uint64_t new_records;
    uint64_t same;
    uint64_t rounded; /* same but for rounding, and that is ignored */
    uint64_t differ;
    uint64_t only_old;
    uint64_t only_new;
};

struct sl_diff;

/* NULL when memory is out. */
struct sl_diff *sl_diff_new(const struct sl_diff_options *options) SL_MUST_CHECK;
void sl_diff_free(struct sl_diff *diff);

/* The next bytes of one end, cut anywhere: first all of the old one, and its end, then the new
 * one's. False: it cannot be compared, sl_diff_error says why, and nothing more is taken. */
bool sl_diff_add(struct sl_diff *diff, enum sl_diff_end end, struct sl_str bytes) SL_MUST_CHECK;

/* That was all. Behind the new one's the outcome stands. */
bool sl_diff_finish(struct sl_diff *diff, enum sl_diff_end end) SL_MUST_CHECK;

/* "line 3, column 7: what", or what; one line. */
const char *sl_diff_error(const struct sl_diff *diff);

struct sl_diff_counts sl_diff_counts(const struct sl_diff *diff);

/* Whether nothing differs. */
bool sl_diff_is_same(const struct sl_diff *diff);

/* Appends the differences in groups, `limit` of them (0: all), and a line that sums up. `name` is
 * what the old end is called. No byte of it steers a terminal, `name` aside. */
void sl_diff_print(const struct sl_diff *diff, const char *name, size_t limit, struct sl_buf *out);

#endif
