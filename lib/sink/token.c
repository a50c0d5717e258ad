#include "sink/token.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64, KEPT_SLOTS = 4096, INDEX_BITS = 25 };

/* A handle is a use and an index side by side. */
#define INDEX_MASK (((uint64_t)1 << INDEX_BITS) - 1)
#define USE_MASK   (((uint64_t)1 << (64 - INDEX_BITS)) - 1)

_Static_assert(sizeof(uintptr_t) == sizeof(uint64_t), "a handle has the bits of a pointer");
_Static_assert(SL_TOKENS_MOST < 1 << INDEX_BITS, "an index has room in a handle");

struct sl_token_slot {
    struct sl_token *token; /* NULL: free */
    uint64_t use;
    int64_t since_ns;
    uint32_t next; /* of those out, in order; of the free ones, any. 0: the head */
    uint32_t prev; /* of those out */
    bool is_overdue;
};

_Static_assert(sizeof(struct sl_token_slot) == SL_TOKEN_BYTES, "what a record costs");

/* Neither 0 nor near that of another table. */
void sl_tokens_init(struct sl_tokens *tokens, uint64_t seed)
{
    uint64_t first = (seed * UINT64_C(0x9E3779B97F4A7C15)) >> INDEX_BITS;

    *tokens = (struct sl_tokens){.first_use = first, .next_use = first};
}

void sl_tokens_fini(struct sl_tokens *tokens)
{
    free(tokens->slots);
    *tokens = (struct sl_tokens){.slots = NULL};
}

/* Slots from `cap` on become free ones. */
static void link_free(struct sl_tokens *tokens, uint32_t cap)
{
    for (uint32_t i = cap; i > tokens->cap; i--) {
        tokens->slots[i - 1] = (struct sl_token_slot){.next = tokens->first_free};
        tokens->first_free = i - 1;
    }
    tokens->cap = cap;
}

bool sl_tokens_reserve(struct sl_tokens *tokens)
{
    uint32_t cap = tokens->cap ? tokens->cap * 2 : FIRST_SLOTS;

    if (tokens->first_free) {
        return true;
    }
    if (cap > SL_TOKENS_MOST) {
        return false;
    }
    struct sl_token_slot *slots = realloc(tokens->slots, cap * sizeof(*slots));
    if (!slots) {
        return false;
    }
    tokens->slots = slots;
    if (tokens->cap == 0) {
        slots[0] = (struct sl_token_slot){.token = NULL};
        tokens->cap = 1;
    }
    link_free(tokens, cap);
    return true;
}

struct sluice_token *sl_tokens_next(const struct sl_tokens *tokens)
{
    uint64_t bits = (tokens->next_use & USE_MASK) << INDEX_BITS | tokens->first_free;

    SL_ASSERT(tokens->first_free);
    return (struct sluice_token *)(uintptr_t)bits;
}

void sl_tokens_add(struct sl_tokens *tokens, struct sl_token *token, int64_t now_ns)
{
    uint32_t index = tokens->first_free;
    struct sl_token_slot *slot = &tokens->slots[index];
    struct sl_token_slot *head = &tokens->slots[0];

    SL_ASSERT(index && token);
    tokens->first_free = slot->next;
    *slot = (struct sl_token_slot){
        .token = token, .use = tokens->next_use & USE_MASK, .since_ns = now_ns, .prev = head->prev};
    tokens->slots[head->prev].next = index;
    head->prev = index;
    tokens->next_use++;
    tokens->count++;
    tokens->young = tokens->young ? tokens->young : index;
}

/* What an outage has made large goes back to the system. */
static void empty(struct sl_tokens *tokens)
{
    free(tokens->slots);
    tokens->slots = NULL;
    tokens->cap = 0;
    tokens->first_free = 0;
}

static struct sl_token *take(struct sl_tokens *tokens, uint32_t index)
{
    struct sl_token_slot *slot = &tokens->slots[index];
    struct sl_token *token = slot->token;

    tokens->slots[slot->prev].next = slot->next;
    tokens->slots[slot->next].prev = slot->prev;
    tokens->young = tokens->young == index ? slot->next : tokens->young;
    tokens->overdue -= slot->is_overdue;
    tokens->count--;
    tokens->taken_since_ns = slot->since_ns;
    *slot = (struct sl_token_slot){.next = tokens->first_free};
    tokens->first_free = index;
    if (tokens->count == 0 && tokens->cap > KEPT_SLOTS) {
        empty(tokens);
    }
    return token;
}

struct sl_token *sl_tokens_take(struct sl_tokens *tokens, const struct sluice_token *handle,
                                enum sl_token_sort *sort)
{
    uint64_t bits = (uintptr_t)handle;
    uint64_t index = bits & INDEX_MASK;
    uint64_t use = bits >> INDEX_BITS;
    uint64_t age = (use - tokens->first_use) & USE_MASK;
    bool is_known = index > 0 && index < tokens->cap;

    if (is_known && tokens->slots[index].token && tokens->slots[index].use == use) {
        *sort = SL_TOKEN_OUT;
        return take(tokens, (uint32_t)index);
    }
    bool was_out = index > 0 && age < tokens->next_use - tokens->first_use;
    *sort = was_out ? SL_TOKEN_TWICE : SL_TOKEN_UNKNOWN;
    return NULL;
}

struct sl_token *sl_tokens_take_oldest(struct sl_tokens *tokens)
{
    return tokens->count ? take(tokens, tokens->slots[0].next) : NULL;
}

int64_t sl_tokens_oldest_ns(const struct sl_tokens *tokens)
{
    return tokens->count ? tokens->slots[tokens->slots[0].next].since_ns : 0;
}

int64_t sl_tokens_young_ns(const struct sl_tokens *tokens)
{
    return tokens->young ? tokens->slots[tokens->young].since_ns : 0;
}

uint32_t sl_tokens_mark_overdue(struct sl_tokens *tokens, int64_t since_ns)
{
    uint32_t marked = 0;

    while (tokens->young && tokens->slots[tokens->young].since_ns <= since_ns) {
        tokens->slots[tokens->young].is_overdue = true;
        tokens->young = tokens->slots[tokens->young].next;
        marked++;
    }
    tokens->overdue += marked;
    return marked;
}
