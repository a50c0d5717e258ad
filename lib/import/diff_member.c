/* Two records, member by member. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/diff_internal.h"

bool sl_diff_next(struct sl_str *record, struct sl_diff_member *member)
{
    if (!record->len) {
        return false;
    }
    const char *value = memchr(record->data, SL_DIFF_VALUE, record->len);
    SL_ASSERT(value);
    size_t name_len = (size_t)(value++ - record->data);
    const char *end = memchr(value, SL_DIFF_MEMBER, record->len - name_len - 1);
    SL_ASSERT(end);

    member->name = (struct sl_str){record->data, name_len};
    member->value = (struct sl_str){value, (size_t)(end - value)};
    record->len -= (size_t)(end + 1 - record->data);
    record->data = end + 1;
    return true;
}

/* ---- names ---- */

/* The first word of a name, which loses it with what is before the next. */
static struct sl_str first_word(struct sl_str *name)
{
    size_t len = 0;

    while (len < name->len && name->data[len] != SL_DIFF_INTO && name->data[len] != SL_DIFF_ITEM) {
        len++;
    }
    struct sl_str word = {name->data, len};
    len += len < name->len;
    *name = (struct sl_str){len ? name->data + len : name->data, name->len - len};
    return word;
}

static bool is_among(struct sl_str word, const char *const *words)
{
    for (; *words; words++) {
        if (sl_str_eq_c(word, *words)) {
            return true;
        }
    }
    return false;
}

enum sl_diff_part sl_diff_part_of(struct sl_str name)
{
    static const char *const times[] = {"timestamp", "time", NULL};
    static const char *const values[] = {"values", "fields", "updates", "deletes", NULL};
    struct sl_str word = first_word(&name);

    if (sl_str_eq_c(word, "update")) { /* protojson's Notification */
        word = first_word(&name);
        return sl_str_eq_c(word, "timestamp") ? SL_DIFF_PART_TIME
               : sl_str_eq_c(word, "prefix")  ? SL_DIFF_PART_NAMES
                                              : SL_DIFF_PART_VALUES;
    }
    return is_among(word, times)    ? SL_DIFF_PART_TIME
           : is_among(word, values) ? SL_DIFF_PART_VALUES
                                    : SL_DIFF_PART_NAMES;
}

void sl_diff_show_name(struct sl_buf *out, struct sl_str name, bool counts)
{
    bool is_item = false;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool ends = c == SL_DIFF_INTO || c == SL_DIFF_ITEM;
        sl_buf_add_c(out, ends && is_item ? "]" : "");
        is_item = c == SL_DIFF_ITEM || (is_item && !ends);
        if (ends) {
            sl_buf_add_byte(out, c == SL_DIFF_ITEM ? '[' : '.');
        } else if (!is_item || counts) {
            sl_buf_add_byte(out, c);
        }
    }
    sl_buf_add_c(out, is_item ? "]" : "");
}

/* ---- values ---- */

enum type { TYPE_TEXT, TYPE_INTEGER, TYPE_DECIMAL, TYPE_WORD, TYPE_EMPTY };

static enum type type_of(struct sl_str value)
{
    char first = value.len ? value.data[0] : 0;

    if (first == '"') {
        return TYPE_TEXT;
    }
    if (first != '-' && (first < '0' || first > '9')) {
        return first == '{' || first == '[' ? TYPE_EMPTY : TYPE_WORD;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (memchr(".eE", value.data[i], 3)) {
            return TYPE_DECIMAL;
        }
    }
    return TYPE_INTEGER;
}

static bool is_number(struct sl_str value)
{
    return type_of(value) == TYPE_INTEGER || type_of(value) == TYPE_DECIMAL;
}

/* The number as a decimal: without a letter of the line protocol, and with a point. */
static void add_decimal(struct sl_buf *out, struct sl_str value)
{
    size_t len = sl_diff_number_len(value);

    sl_diff_add_number(out, (struct sl_str){value.data, len ? len : value.len}, true);
}

/* The shortest decimal that is this double, as every collector writes it. */
static bool is_shortest(struct sl_str text, double number)
{
    char shortest[40] = "";
    struct sl_buf decimal = {0};

    if (!isfinite(number)) {
        return false;
    }
    for (int digits = 0; digits < 17; digits++) {
        snprintf(shortest, sizeof(shortest), "%.*e", digits, number);
        if (strtod(shortest, NULL) == number) {
            break;
        }
    }
    add_decimal(&decimal, sl_str_from(shortest));
    bool is_same = !decimal.failed && sl_str_eq(sl_buf_str(&decimal), text);
    sl_buf_fini(&decimal);
    return is_same;
}

/* Whether `rounded` is what a double makes of `exact`, or, of one with a fraction, a float. */
static bool is_rounded(struct sl_buf *rounded, struct sl_buf *exact)
{
    const char *text = sl_buf_text(exact);
    bool has_fraction = exact->len < 2 || strcmp(text + exact->len - 2, ".0") != 0;

    return is_shortest(sl_buf_str(rounded), strtod(text, NULL)) ||
           (has_fraction && is_shortest(sl_buf_str(rounded), (double)strtof(text, NULL)));
}

/* Of two that stand there differently. */
static enum sl_diff_kind judge_numbers(struct sl_str before, struct sl_str after)
{
    struct sl_buf old = {0};
    struct sl_buf new = {0};
    enum sl_diff_kind kind = SL_DIFF_OTHER;

    add_decimal(&old, before);
    add_decimal(&new, after);
    if (old.failed || new.failed) {
        kind = SL_DIFF_OTHER;
    } else if (sl_str_eq(sl_buf_str(&old), sl_buf_str(&new))) {
        kind = SL_DIFF_TYPE;
    } else if (is_rounded(&old, &new)) {
        kind = SL_DIFF_OLD_ROUNDED;
    } else if (is_rounded(&new, &old)) {
        kind = SL_DIFF_NEW_ROUNDED;
    }
    sl_buf_fini(&old);
    sl_buf_fini(&new);
    return kind;
}

static enum sl_diff_kind judge(struct sl_str before, struct sl_str after)
{
    if (is_number(before) && is_number(after)) {
        return judge_numbers(before, after);
    }
    return type_of(before) == type_of(after) ? SL_DIFF_OTHER : SL_DIFF_TYPE;
}

/* ---- side by side ---- */

void sl_diff_compare(struct sl_str before, struct sl_str after,
                     void (*on_change)(void *arg, const struct sl_diff_change *change), void *arg)
{
    struct sl_diff_member old;
    struct sl_diff_member new;
    bool has_old = sl_diff_next(&before, &old);
    bool has_new = sl_diff_next(&after, &new);

    while (has_old || has_new) {
        int order = !has_old ? 1 : !has_new ? -1 : sl_str_cmp(old.name, new.name);
        struct sl_diff_change change = {.name = order > 0 ? new.name : old.name};
        if (order <= 0) {
            change.before = old.value;
            has_old = sl_diff_next(&before, &old);
        }
        if (order >= 0) {
            change.after = new.value;
            has_new = sl_diff_next(&after, &new);
        }
        if (order == 0 && sl_str_eq(change.before, change.after)) {
            continue;
        }
        change.kind = order < 0   ? SL_DIFF_NEW_LACKS
                      : order > 0 ? SL_DIFF_OLD_LACKS
                                  : judge(change.before, change.after);
        on_change(arg, &change);
    }
}
