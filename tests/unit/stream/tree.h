/* tree.h - what a device has: the leaves /a[k=0]/b0/c0 … /a[k=2]/b2/c2, each with a value or not;
 * messages drawn that change it, and whoever applies them. */
#ifndef SLUICE_TESTS_UNIT_STREAM_TREE_H
#define SLUICE_TESTS_UNIT_STREAM_TREE_H

#include "notify.h"

enum { TREE_LEAVES = 27, TREE_NONE = -1 };

struct tree {
    int values[TREE_LEAVES];
};

void tree_clear(struct tree *tree);
void tree_clear_beneath(struct tree *tree, const char *top);
void tree_set(struct tree *tree, const char *path, int value); /* of no leaf: nothing */

/* From 0 on, below `below`. */
unsigned draw(unsigned *seed, unsigned below);

/* A message that brings `value`, and what it does to the device's own tree. Until the next call. */
struct sl_str tree_draw(struct tree *device, unsigned *seed, int value);

#endif
