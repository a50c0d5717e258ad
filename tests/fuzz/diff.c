/* diff.c - any bytes as records of JSON or lines, at one end or both: what can be read is the same
 * as itself, cut anywhere, and what is told of it is lines of printable text. */
#include <string.h>

#include "fuzz.h"
#include "import/diff.h"

enum { MOST_IGNORED = 2 };

static struct sl_diff *start(uint8_t choice)
{
    static const char *const ignored[MOST_IGNORED] = {"rounding", "timestamp"};
    const struct sl_diff_options options = {.form = choice & 1 ? SL_DIFF_INFLUX : SL_DIFF_JSON,
                                            .ignored = ignored,
                                            .ignored_count = choice & 2 ? MOST_IGNORED : 0};
    struct sl_diff *diff = sl_diff_new(&options);

    SL_ASSERT(diff);
    return diff;
}

/* In two parts. */
static bool feed(struct sl_diff *diff, enum sl_diff_end end, struct sl_str text, size_t cut)
{
    struct sl_str rest = {text.data + cut, text.len - cut};

    return sl_diff_add(diff, end, (struct sl_str){text.data, cut}) &&
           sl_diff_add(diff, end, rest) && sl_diff_finish(diff, end);
}

static void assert_text(const struct sl_buf *text)
{
    SL_ASSERT(!text->failed && text->len && text->data[text->len - 1] == '\n');
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        SL_ASSERT((c >= ' ' && c != 0x7f) || c == '\n');
    }
}

static void assert_sum(const struct sl_diff *diff)
{
    struct sl_diff_counts counts = sl_diff_counts(diff);
    uint64_t both = counts.same + counts.rounded + counts.differ;

    SL_ASSERT(counts.old_records == both + counts.only_old);
    SL_ASSERT(counts.new_records == both + counts.only_new);
}

static void compare(uint8_t choice, struct sl_str old, struct sl_str new, size_t cut)
{
    struct sl_diff *diff = start(choice);
    bool is_same = sl_str_eq(old, new);
    struct sl_buf text = {0};

    if (feed(diff, SL_DIFF_OLD, old, 0)) {
        bool is_good = feed(diff, SL_DIFF_NEW, new, cut);
        SL_ASSERT(is_good || !is_same);
        if (is_good) {
            SL_ASSERT(!is_same || sl_diff_is_same(diff));
            assert_sum(diff);
            sl_diff_print(diff, "old", 0, &text);
            assert_text(&text);
        }
    } else {
        SL_ASSERT(*sl_diff_error(diff) && !strchr(sl_diff_error(diff), '\n'));
    }
    sl_buf_fini(&text);
    sl_diff_free(diff);
}

/* A choice, a place to cut at, and both ends, with a zero between them; or one, twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct sl_str all = {(const char *)data + 2, size - 2};
    const char *zero = all.len ? memchr(all.data, 0, all.len) : NULL;
    struct sl_str old = zero ? (struct sl_str){all.data, (size_t)(zero - all.data)} : all;
    struct sl_str new = zero ? (struct sl_str){zero + 1, all.len - old.len - 1} : all;

    compare(data[0], old, new, sl_min_size(data[1], new.len));
    return 0;
}
