#include "import/diff.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#include "import/diff_internal.h"

static void choose_seed(struct sl_diff *diff)
{
    if (getrandom(&diff->seed, sizeof(diff->seed), GRND_NONBLOCK) < 0) {
        diff->seed = (uint64_t)(uintptr_t)diff;
    }
}

struct sl_diff *sl_diff_new(const struct sl_diff_options *options)
{
    struct sl_diff *diff = calloc(1, sizeof(*diff));

    SL_ASSERT(options->ignored_count <= SL_DIFF_MAX_IGNORED);
    if (!diff) {
        return NULL;
    }
    diff->options = *options;
    diff->options.limit_bytes = options->limit_bytes ? options->limit_bytes : SL_DIFF_MAX_BYTES;
    diff->flat.options = &diff->options;
    for (size_t i = 0; i < options->ignored_count; i++) {
        bool is_time = strcmp(options->ignored[i], "timestamp") == 0;
        diff->flat.ignores_time = diff->flat.ignores_time || is_time;
        diff->ignores_rounding =
            diff->ignores_rounding || strcmp(options->ignored[i], "rounding") == 0;
    }
    sl_buf_init(&diff->flat.path, SL_DIFF_MAX_RECORD_BYTES);
    sl_buf_init(&diff->flat.text, SL_DIFF_MAX_RECORD_BYTES);
    sl_buf_init(&diff->flat.members, 2 * (size_t)SL_DIFF_MAX_RECORD_BYTES);
    sl_buf_init(&diff->flat.record, 2 * (size_t)SL_DIFF_MAX_RECORD_BYTES);
    for (size_t end = SL_DIFF_OLD; end <= SL_DIFF_NEW; end++) {
        sl_buf_init(&diff->sides[end].split.piece, SL_DIFF_MAX_RECORD_BYTES);
        diff->sides[end].split.line = 1;
    }
    choose_seed(diff);
    return diff;
}

void sl_diff_free(struct sl_diff *diff)
{
    for (size_t end = SL_DIFF_OLD; diff && end <= SL_DIFF_NEW; end++) {
        sl_buf_fini(&diff->sides[end].split.piece);
        sl_buf_fini(&diff->sides[end].text);
        sl_buf_fini(&diff->sides[end].records);
    }
    if (diff) {
        sl_diff_flat_fini(&diff->flat);
        free(diff->heads);
    }
    free(diff);
}

/* ---- errors ---- */

bool sl_diff_fail(struct sl_diff *diff, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (!*diff->error) {
        vsnprintf(diff->error, sizeof(diff->error), format, args);
    }
    va_end(args);
    return false;
}

const char *sl_diff_error(const struct sl_diff *diff)
{
    return diff->error;
}

/* At a byte of the piece under way. */
static bool fail_in(struct sl_diff *diff, const struct sl_diff_split *split, size_t at,
                    const char *what)
{
    uint64_t line = split->begun_line;
    uint64_t column = split->begun_column;

    for (size_t i = 0; i < at; i++) {
        bool is_end = split->piece.data[i] == '\n';
        line += is_end;
        column = is_end ? 1 : column + 1;
    }
    return sl_diff_fail(diff, "line %llu, column %llu: %s", (unsigned long long)line,
                        (unsigned long long)column, what);
}

/* ---- records ---- */

size_t sl_diff_records(const struct sl_diff *diff, enum sl_diff_end end)
{
    return diff->sides[end].records.len / sizeof(struct sl_diff_record);
}

struct sl_diff_record *sl_diff_record(const struct sl_diff *diff, enum sl_diff_end end, size_t i)
{
    return (struct sl_diff_record *)(void *)diff->sides[end].records.data + i;
}

struct sl_str sl_diff_text(const struct sl_diff *diff, enum sl_diff_end end,
                           const struct sl_diff_record *record)
{
    const char *text = diff->sides[end].text.data;

    return (struct sl_str){text ? text + record->at : "", record->len};
}

static bool keep(struct sl_diff *diff, enum sl_diff_end end, struct sl_str text, uint64_t hash)
{
    struct sl_diff_side *side = &diff->sides[end];
    struct sl_diff_record record = {
        .hash = hash,
        .at = side->text.len,
        .len = (uint32_t)text.len,
        .line = (uint32_t)sl_min_u64(side->split.begun_line, UINT32_MAX),
        .next = SL_DIFF_NONE,
        .pair = SL_DIFF_NONE,
    };
    uint64_t bytes = side->text.len + side->records.len + text.len + sizeof(record);

    if (bytes > diff->options.limit_bytes) {
        unsigned long long mib = diff->options.limit_bytes / SL_MIB;
        return end == SL_DIFF_NEW
                   ? sl_diff_fail(diff,
                                  "more than %llu MiB of new records that it has not; is it of the "
                                  "same capture?",
                                  mib)
                   : sl_diff_fail(diff,
                                  "line %u: more than %llu MiB of records up to here; compare "
                                  "those of a shorter capture",
                                  record.line, mib);
    }
    sl_buf_add_str(&side->text, text);
    sl_buf_add(&side->records, &record, sizeof(record));
    return (!side->text.failed && !side->records.failed) || sl_diff_fail(diff, "out of memory");
}

/* The oldest record that is the same leaves those that nothing has met. */
static bool meet(struct sl_diff *diff, struct sl_str text, uint64_t hash)
{
    uint32_t *at = &diff->heads[hash & diff->mask];

    while (*at != SL_DIFF_NONE) {
        struct sl_diff_record *record = sl_diff_record(diff, SL_DIFF_OLD, *at);
        if (record->hash == hash && sl_str_eq(sl_diff_text(diff, SL_DIFF_OLD, record), text)) {
            *at = record->next;
            record->is_met = true;
            diff->counts.same++;
            return true;
        }
        at = &record->next;
    }
    return false;
}

bool sl_diff_take(struct sl_diff *diff, enum sl_diff_end end, struct sl_str text)
{
    struct sl_diff_flat *flat = &diff->flat;
    size_t at = 0;

    sl_diff_flat_begin(flat);
    const char *error = diff->options.form == SL_DIFF_JSON ? sl_diff_read_json(flat, text, &at)
                                                           : sl_diff_read_influx(flat, text, &at);
    if (error) {
        return fail_in(diff, &diff->sides[end].split, at, error);
    }
    if (!sl_diff_flat_end(flat)) {
        return fail_in(diff, &diff->sides[end].split, 0,
                       "a record that is too large to compare, or no memory");
    }
    struct sl_str record = sl_buf_str(&flat->record);
    uint64_t hash = XXH3_64bits_withSeed(record.len ? record.data : "", record.len, diff->seed);
    diff->sides[end].count++;
    return (end == SL_DIFF_NEW && meet(diff, record, hash)) || keep(diff, end, record, hash);
}

/* ---- ends ---- */

bool sl_diff_add(struct sl_diff *diff, enum sl_diff_end end, struct sl_str bytes)
{
    SL_ASSERT((end == SL_DIFF_NEW) == (diff->heads != NULL) || *diff->error);
    return !*diff->error && sl_diff_split(diff, end, bytes);
}

bool sl_diff_finish(struct sl_diff *diff, enum sl_diff_end end)
{
    if (*diff->error || !sl_diff_split_end(diff, end)) {
        return false;
    }
    if (end == SL_DIFF_NEW) {
        sl_diff_make_pairs(diff);
        return true;
    }
    sl_buf_trim(&diff->sides[end].split.piece, 0);
    return sl_diff_make_table(diff) || sl_diff_fail(diff, "out of memory");
}

struct sl_diff_counts sl_diff_counts(const struct sl_diff *diff)
{
    struct sl_diff_counts counts = diff->counts;

    counts.old_records = diff->sides[SL_DIFF_OLD].count;
    counts.new_records = diff->sides[SL_DIFF_NEW].count;
    return counts;
}

bool sl_diff_is_same(const struct sl_diff *diff)
{
    return !diff->counts.differ && !diff->counts.only_old && !diff->counts.only_new;
}
