/* token.h - the records that are with a plugin, each under a handle.
 *
 * What a plugin gets to name a record is a number in a pointer's clothes: the place in a table, and
 * which use of the place it is. The host never follows what a plugin gives back, it looks it up: so
 * one that comes twice, or never was, is told apart from one that is out, whatever it is. The
 * records stand in the order in which they went out, so that the oldest is known. Everything is
 * O(1) for a record.
 *
 * Pure: no clock, no I/O. One thread.
 */
#ifndef SLUICE_SINK_TOKEN_H
#define SLUICE_SINK_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

struct sl_token;
struct sluice_token;
struct sl_token_slot;

enum {
    SL_TOKENS_MOST = 1 << 24, /* records out at once */
    SL_TOKEN_BYTES = 40,      /* of the table for each of them */
};

struct sl_tokens {
    struct sl_token_slot *slots; /* slot 0 is the head of those out */
    uint32_t cap;
    uint32_t first_free; /* 0: none */
    uint32_t count;      /* out */
    uint32_t overdue;    /* of them */
    uint32_t young;      /* the oldest that is not overdue; 0: none */
    uint64_t first_use;  /* the number of the first handle, and of the next one */
    uint64_t next_use;
    int64_t taken_since_ns; /* since when the one that was taken last had been out */
};

/* What a handle that came back is. */
enum sl_token_sort {
    SL_TOKEN_OUT,
    SL_TOKEN_TWICE,   /* it was out, and has come back before */
    SL_TOKEN_UNKNOWN, /* it never was */
};

/* `seed`: a number that differs between tables, so that a handle of one is none of another. */
void sl_tokens_init(struct sl_tokens *tokens, uint64_t seed);
void sl_tokens_fini(struct sl_tokens *tokens);

/* Makes sure that the next sl_tokens_add succeeds. False: no memory, or too many are out. */
bool sl_tokens_reserve(struct sl_tokens *tokens) SL_MUST_CHECK;

/* The handle that the next sl_tokens_add will give. There is room. */
struct sluice_token *sl_tokens_next(const struct sl_tokens *tokens);

/* `token` is out from `now_ns` on, which is never before that of the one added last. */
void sl_tokens_add(struct sl_tokens *tokens, struct sl_token *token, int64_t now_ns);

/* The handle's record is out no more; NULL where it was not, and `sort` says what it is. */
struct sl_token *sl_tokens_take(struct sl_tokens *tokens, const struct sluice_token *handle,
                                enum sl_token_sort *sort) SL_MUST_CHECK;

/* The oldest, out no more; NULL: none is out. */
struct sl_token *sl_tokens_take_oldest(struct sl_tokens *tokens);

/* Since when the oldest record is out; the oldest that is not overdue. 0: there is none. */
int64_t sl_tokens_oldest_ns(const struct sl_tokens *tokens);
int64_t sl_tokens_young_ns(const struct sl_tokens *tokens);

/* Records that are out since `since_ns` or longer are overdue. Returns how many became it now. */
uint32_t sl_tokens_mark_overdue(struct sl_tokens *tokens, int64_t since_ns);

#endif
