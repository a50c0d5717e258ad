/* tree.c - the simulator's data tree out of JSON, changed by more of it, and written again: a
 * version is in order and each path in it once, what is written is JSON in which no member comes
 * twice, and what cannot be leaves the version as it was. */
#include <jansson.h>

#include "base/buf.h"
#include "device/tree_json.h"
#include "fuzz.h"

static void assert_in_order(const struct sl_device_tree *tree)
{
    size_t bytes = 0;

    for (size_t i = 0; i < tree->count; i++) {
        bytes += tree->leaves[i]->bytes;
        SL_ASSERT(i == 0 || sl_device_leaf_compare(tree->leaves[i - 1], tree->leaves[i]) < 0);
    }
    SL_ASSERT(bytes == tree->bytes && bytes <= SL_DEVICE_MAX_TREE_BYTES);
    SL_ASSERT(tree->count <= SL_DEVICE_MAX_TREE_LEAVES);
}

/* Those of one origin, from `first` on, are one object; returns where the next origin begins. */
static size_t assert_json(const struct sl_device_tree *tree, size_t first, bool is_ietf)
{
    struct sl_buf text = {.data = NULL};
    size_t count = 0;
    json_error_t error;
    json_t *root;

    while (first + count < tree->count && sl_str_eq_c(sl_str_from(tree->leaves[first]->origin),
                                                      tree->leaves[first + count]->origin)) {
        count++;
    }
    sl_device_json_add_object(&text, tree->leaves + first, count, 0, is_ietf);
    SL_ASSERT(!text.failed);
    root =
        json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    SL_ASSERT(root && json_object_size(root) > 0);
    json_decref(root);
    sl_buf_fini(&text);
    return first + count;
}

static void assert_tree(const struct sl_device_tree *tree)
{
    assert_in_order(tree);
    for (size_t i = 0; i < tree->count;) {
        size_t behind = assert_json(tree, i, false);

        SL_ASSERT(assert_json(tree, i, true) == behind);
        i = behind;
    }
}

/* The second text at the place of one of the leaves, or at the root. */
static void change(struct sl_device_tree *tree, uint8_t which, struct sl_str text)
{
    const struct sl_device_leaf *leaf = tree->count > 0 ? tree->leaves[which % tree->count] : NULL;
    struct sl_device_place place = {.origin = ""};
    struct sl_status why = sl_status_ok();
    struct sl_device_edit edit;
    struct sl_device_tree *next;
    bool is_begun;

    if (leaf && which % 3 > 0) {
        why = sl_device_place_init(&place, NULL, leaf->path);
        SL_ASSERT(sl_status_is_ok(&why));
        place.count -= which % 2;
    }
    is_begun = sl_device_edit_init(&edit, tree, 2);
    SL_ASSERT(is_begun);
    sl_device_edit_delete(&edit, &place, which % 2);
    why = sl_device_json_put(&edit, &place, text);
    if (!sl_status_is_ok(&why)) {
        sl_device_edit_fini(&edit);
        return;
    }
    next = sl_device_edit_done(&edit, &why);
    SL_ASSERT((next != NULL) == sl_status_is_ok(&why));
    if (next) {
        assert_tree(next);
    }
    sl_device_tree_release(next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    uint8_t which = fuzz_byte(&input);
    size_t len = ((size_t)fuzz_byte(&input) << 8) + fuzz_byte(&input);
    struct sl_str first = fuzz_bytes(&input, len);
    struct sl_status why = sl_status_ok();
    struct sl_device_tree *tree = sl_device_json_read(first, 1, &why);

    SL_ASSERT((tree != NULL) == sl_status_is_ok(&why));
    if (tree) {
        assert_tree(tree);
        change(tree, which, fuzz_rest(&input));
        assert_tree(tree);
    }
    sl_device_tree_release(tree);
    return 0;
}
