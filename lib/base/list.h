/* list.h - a doubly linked list whose links live in the members.
 *
 * A node that is on no list points at itself, so "is it listed?" and removing twice are safe. A
 * state is a list here: "which streams are held?" is a walk, not a search.
 */
#ifndef SLUICE_BASE_LIST_H
#define SLUICE_BASE_LIST_H

#include <stdbool.h>

#include "base/base.h"

struct sl_list {
    struct sl_list *next;
    struct sl_list *prev;
};

/* Makes an empty list of a head, or an unlisted node of a node. Needed before anything else. */
static inline void sl_list_init(struct sl_list *node)
{
    node->next = node;
    node->prev = node;
}

static inline bool sl_list_is_empty(const struct sl_list *list)
{
    return list->next == list;
}

/* Puts `node`, which must be on no list, at the end of `list`. */
static inline void sl_list_append(struct sl_list *list, struct sl_list *node)
{
    SL_ASSERT(node->next == node);
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* Takes `node` off its list, if it is on one. */
static inline void sl_list_remove(struct sl_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    sl_list_init(node);
}

/* The first node, taken off the list; NULL when the list is empty. */
static inline struct sl_list *sl_list_pop(struct sl_list *list)
{
    struct sl_list *node = list->next;

    if (node == list) {
        return NULL;
    }
    sl_list_remove(node);
    return node;
}

/* Walks from the front. The body may remove `node` itself, but nothing else. */
#define SL_LIST_FOR_EACH(node, list)                                                               \
    for (struct sl_list *node = (list)->next, *node##_next = node->next; node != (list);           \
         node = node##_next, node##_next = node->next)

#endif
