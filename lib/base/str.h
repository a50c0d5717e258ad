/* str.h - a string is a pointer and a length.
 *
 * A sl_str borrows: whoever made it says how long the bytes live. It need not end in NUL and may
 * hold any byte. The empty string is {NULL or anything, 0}.
 */
#ifndef SLUICE_BASE_STR_H
#define SLUICE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sl_str {
    const char *data;
    size_t len;
};

/* A sl_str of a string literal, and the two arguments of a "%.*s". */
#define SL_STR(literal) ((struct sl_str){(literal), sizeof(literal) - 1})
#define SL_STR_ARG(str) (int)(str).len, ((str).data ? (str).data : "")

/* Of a C string; NULL gives the empty string. */
static inline struct sl_str sl_str_from(const char *text)
{
    return (struct sl_str){text, text ? strlen(text) : 0};
}

static inline bool sl_str_eq(struct sl_str a, struct sl_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* With a literal the compiler knows its length: most strings differ in that. */
static inline bool sl_str_eq_c(struct sl_str a, const char *text)
{
    return sl_str_eq(a, sl_str_from(text));
}

bool sl_str_starts_with(struct sl_str str, struct sl_str prefix);

/* Bytewise order, a prefix before the longer string: below 0, 0 or above 0. */
int sl_str_cmp(struct sl_str a, struct sl_str b);

/* A NUL-terminated copy on the heap, to be freed with free(). NULL when memory is out. */
char *sl_str_dup(struct sl_str str);

/* The whole of `str` as a decimal number of at most 64 bits; false if it is anything else. */
bool sl_str_to_u64(struct sl_str str, uint64_t *value);

/* The member of `names` that is closest to `word` by edit distance, NULL when none is near (more
 * than a third of the letters differ). For "did you mean" hints. `names` ends with NULL. */
const char *sl_str_nearest(const char *word, const char *const *names);

#endif
