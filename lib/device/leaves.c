#include "device/leaves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAF_ELEMS = 5,
    INTERFACE_ELEM = 1,
    COUNTER_ELEM = 4,
    NAME_BYTES = 16,
    UPDATE_PATH_TAG = 0x0a
};

static const char *const counters[SL_DEVICE_COUNTERS] = {
    "in-octets",          "in-unicast-pkts",     "in-pkts",
    "in-broadcast-pkts",  "in-multicast-pkts",   "in-errors",
    "in-discards",        "in-fcs-errors",       "in-unknown-protos",
    "out-octets",         "out-unicast-pkts",    "out-pkts",
    "out-broadcast-pkts", "out-multicast-pkts",  "out-errors",
    "out-discards",       "carrier-transitions", "resets",
};

static const char *const above[LEAF_ELEMS] = {"interfaces", "interface", "state", "counters", NULL};

static const char *leaf_elem(uint32_t leaf, size_t index)
{
    return index == COUNTER_ELEM ? counters[leaf % SL_DEVICE_COUNTERS] : above[index];
}

static void interface_name(uint32_t leaf, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "eth%u", leaf / SL_DEVICE_COUNTERS);
}

/* protobuf-c takes strings that it will not write to without const. */
static char *borrowed(const char *text)
{
    union {
        const char *given;
        char *taken;
    } pointer = {.given = text};

    return pointer.taken;
}

static void add_path(struct sl_buf *out, uint32_t leaf)
{
    char name[NAME_BYTES];
    char key_name[] = "name";
    Gnmi__PathElem__KeyEntry key;
    Gnmi__PathElem__KeyEntry *keys[] = {&key};
    Gnmi__PathElem elems[LEAF_ELEMS];
    Gnmi__PathElem *elem_pointers[LEAF_ELEMS];
    Gnmi__Path path;
    uint8_t packed[UINT8_MAX];
    size_t len;

    interface_name(leaf, name);
    gnmi__path_elem__key_entry__init(&key);
    gnmi__path__init(&path);
    key.key = key_name;
    key.value = name;
    for (size_t i = 0; i < LEAF_ELEMS; i++) {
        gnmi__path_elem__init(&elems[i]);
        elems[i].name = borrowed(leaf_elem(leaf, i));
        elem_pointers[i] = &elems[i];
    }
    elems[INTERFACE_ELEM].n_key = 1;
    elems[INTERFACE_ELEM].key = keys;
    path.n_elem = LEAF_ELEMS;
    path.elem = elem_pointers;
    len = gnmi__path__get_packed_size(&path);
    SL_ASSERT(len < 128); /* a length of one byte: our own names are short */
    gnmi__path__pack(&path, packed);
    sl_buf_add_byte(out, UPDATE_PATH_TAG);
    sl_buf_add_byte(out, (char)len);
    sl_buf_add(out, packed, len);
}

bool sl_device_leaves_init(struct sl_device_leaves *leaves, uint32_t interfaces)
{
    sl_buf_init(&leaves->paths, 0);
    leaves->count = interfaces * SL_DEVICE_COUNTERS;
    leaves->ends = calloc(leaves->count + 1, sizeof(*leaves->ends));
    if (!leaves->ends) {
        return false;
    }
    for (uint32_t leaf = 0; leaf < leaves->count; leaf++) {
        add_path(&leaves->paths, leaf);
        leaves->ends[leaf] = (uint32_t)leaves->paths.len;
    }
    return !leaves->paths.failed;
}

void sl_device_leaves_fini(struct sl_device_leaves *leaves)
{
    sl_buf_fini(&leaves->paths);
    free(leaves->ends);
    leaves->ends = NULL;
}

struct sl_str sl_device_leaves_path(const struct sl_device_leaves *leaves, uint32_t leaf)
{
    uint32_t begin = leaf == 0 ? 0 : leaves->ends[leaf - 1];

    SL_ASSERT(leaf < leaves->count);
    return (struct sl_str){leaves->paths.data + begin, leaves->ends[leaf] - begin};
}

uint64_t sl_device_leaf_value(uint32_t device, uint32_t leaf, uint64_t elapsed_ms)
{
    uint64_t mixed = ((uint64_t)device << 32 | leaf) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t start = mixed >> 24;
    uint64_t pace = mixed >> 52;

    return start + elapsed_ms * pace;
}

static bool key_matches(const Gnmi__PathElem *elem, uint32_t leaf, size_t index)
{
    char name[NAME_BYTES];

    if (index != INTERFACE_ELEM) {
        return elem->n_key == 0;
    }
    interface_name(leaf, name);
    for (size_t i = 0; i < elem->n_key; i++) {
        const Gnmi__PathElem__KeyEntry *key = elem->key[i];

        if (strcmp(key->key, "name") != 0) {
            return false;
        }
        if (strcmp(key->value, "*") != 0 && strcmp(key->value, name) != 0) {
            return false;
        }
    }
    return true;
}

static bool elem_matches(const Gnmi__PathElem *elem, uint32_t leaf, size_t index)
{
    if (strcmp(elem->name, "*") != 0 && strcmp(elem->name, leaf_elem(leaf, index)) != 0) {
        return false;
    }
    return key_matches(elem, leaf, index);
}

bool sl_device_leaf_matches(uint32_t leaf, const struct sl_device_pattern *pattern)
{
    size_t at = 0;              /* in the pattern */
    size_t index = 0;           /* in the leaf's path */
    size_t retry_at = SIZE_MAX; /* behind the last `...` */
    size_t retry_index = 0;     /* where the next attempt behind it begins */

    while (at < pattern->count) {
        const Gnmi__PathElem *elem = pattern->elems[at];

        if (strcmp(elem->name, "...") == 0) {
            retry_at = ++at;
            retry_index = index;
        } else if (index < LEAF_ELEMS && elem_matches(elem, leaf, index)) {
            at++;
            index++;
        } else if (retry_at != SIZE_MAX && retry_index < LEAF_ELEMS) {
            at = retry_at;
            index = ++retry_index;
        } else {
            return false;
        }
    }
    return true;
}
