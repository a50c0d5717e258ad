#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { NEAREST_MAX_BYTES = 64 };

bool sl_str_starts_with(struct sl_str str, struct sl_str prefix)
{
    return str.len >= prefix.len && sl_str_eq((struct sl_str){str.data, prefix.len}, prefix);
}

int sl_str_cmp(struct sl_str a, struct sl_str b)
{
    size_t common = sl_min_size(a.len, b.len);
    int order = common ? memcmp(a.data, b.data, common) : 0;

    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

char *sl_str_dup(struct sl_str str)
{
    char *copy = malloc(str.len + 1);

    if (copy) {
        if (str.len) {
            memcpy(copy, str.data, str.len);
        }
        copy[str.len] = '\0';
    }
    return copy;
}

bool sl_str_to_u64(struct sl_str str, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < str.len; i++) {
        unsigned digit = (unsigned)(unsigned char)str.data[i] - '0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return str.len > 0;
}

/* Levenshtein's distance by one row; both lengths are at most NEAREST_MAX_BYTES. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NEAREST_MAX_BYTES + 1];

    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = sl_min_size(replace, sl_min_size(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

const char *sl_str_nearest(const char *word, const char *const *names)
{
    size_t word_len = strlen(word);
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (; *names && word_len <= NEAREST_MAX_BYTES; names++) {
        size_t len = strlen(*names);
        if (len > NEAREST_MAX_BYTES) {
            continue;
        }
        size_t distance = edit_distance(word, word_len, *names, len);
        if (distance < best_distance && distance * 3 <= (len > word_len ? len : word_len)) {
            best = *names;
            best_distance = distance;
        }
    }
    return best;
}
