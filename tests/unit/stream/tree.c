#include "tree.h"

#include <stdio.h>
#include <string.h>

static const char *leaf_text(int leaf)
{
    static char text[TREE_LEAVES][32];

    snprintf(text[leaf], sizeof(text[leaf]), "/a[k=%d]/b%d/c%d", leaf / 9, leaf / 3 % 3, leaf % 3);
    return text[leaf];
}

static bool is_beneath(const char *leaf, const char *top)
{
    size_t len = strcmp(top, "/") == 0 ? 0 : strlen(top);

    return strncmp(leaf, top, len) == 0 && (leaf[len] == '\0' || leaf[len] == '/');
}

void tree_clear_beneath(struct tree *tree, const char *top)
{
    for (int i = 0; i < TREE_LEAVES; i++) {
        if (is_beneath(leaf_text(i), top)) {
            tree->values[i] = TREE_NONE;
        }
    }
}

void tree_clear(struct tree *tree)
{
    tree_clear_beneath(tree, "/");
}

void tree_set(struct tree *tree, const char *path, int value)
{
    for (int i = 0; i < TREE_LEAVES; i++) {
        if (strcmp(leaf_text(i), path) == 0) {
            tree->values[i] = value;
        }
    }
}

unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245U + 12345U;
    return (*seed >> 16) % below;
}

static const char *draw_top(unsigned *seed)
{
    static char text[32];
    unsigned i = draw(seed, 3);
    unsigned j = draw(seed, 3);

    switch (draw(seed, 8)) {
    case 0:
        return "/";
    case 1:
        snprintf(text, sizeof(text), "/a[k=%u]", i);
        break;
    case 2:
    case 3:
        snprintf(text, sizeof(text), "/a[k=%u]/b%u", i, j);
        break;
    default:
        return leaf_text((int)draw(seed, TREE_LEAVES));
    }
    return text;
}

static struct sl_str draw_atomic(struct tree *device, unsigned *seed, int value)
{
    char prefix[32];
    const char *paths[4] = {NULL};
    static const char *const names[] = {"/c0", "/c1", "/c2"};
    size_t count = 0;

    snprintf(prefix, sizeof(prefix), "/a[k=%u]/b%u", draw(seed, 3), draw(seed, 3));
    tree_clear_beneath(device, prefix);
    for (size_t i = 0; i < 3; i++) {
        if (draw(seed, 2)) {
            char path[64];
            snprintf(path, sizeof(path), "%s%s", prefix, names[i]);
            tree_set(device, path, value);
            paths[count++] = names[i];
        }
    }
    return notify_bytes(
        &(struct notify){.prefix = prefix, .updates = paths, .value = value, .is_atomic = true});
}

struct sl_str tree_draw(struct tree *device, unsigned *seed, int value)
{
    const char *updates[5] = {NULL};
    const char *deletes[2] = {NULL};
    size_t count = draw(seed, 4);

    if (draw(seed, 6) == 0) {
        return draw_atomic(device, seed, value);
    }
    if (draw(seed, 3) == 0) {
        deletes[0] = draw_top(seed);
        tree_clear_beneath(device, deletes[0]);
    }
    for (size_t i = 0; i < count; i++) {
        updates[i] = leaf_text((int)draw(seed, TREE_LEAVES));
        tree_set(device, updates[i], value);
    }
    return notify_bytes(&(struct notify){.updates = updates, .deletes = deletes, .value = value});
}
