#include "device/leaves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNTER_ELEMS = 5,
    STATE_ELEMS = 4,
    INTERFACE_ELEM = 1,
    FLAP_MS = 1000, /* oper-status is down so long */
    FLAPS = 4,      /* and so many times as long is the whole period */
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

enum { ADMIN_STATUS, OPER_STATUS, DESCRIPTION };

static const char *const states[SL_DEVICE_STATES] = {
    [ADMIN_STATUS] = "admin-status",
    [OPER_STATUS] = "oper-status",
    [DESCRIPTION] = "description",
};

static const char *const above[] = {"interfaces", "interface", "state", "counters"};

/* Where a leaf stands. */
struct place {
    uint32_t interface;
    size_t elems;
    const char *name; /* the last element */
    uint32_t state;   /* of a state: which */
};

static struct place place_of(const struct sl_device_leaves *leaves, uint32_t leaf)
{
    uint32_t first_state = leaves->interfaces * SL_DEVICE_COUNTERS;

    if (leaf < first_state) {
        return (struct place){.interface = leaf / SL_DEVICE_COUNTERS,
                              .elems = COUNTER_ELEMS,
                              .name = counters[leaf % SL_DEVICE_COUNTERS]};
    }
    leaf -= first_state;
    return (struct place){.interface = leaf / SL_DEVICE_STATES,
                          .elems = STATE_ELEMS,
                          .name = states[leaf % SL_DEVICE_STATES],
                          .state = leaf % SL_DEVICE_STATES};
}

static const char *elem_of(const struct place *place, size_t index)
{
    return index + 1 == place->elems ? place->name : above[index];
}

static void interface_name(const struct place *place, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "eth%u", place->interface);
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

static void add_path(struct sl_buf *out, const struct place *place)
{
    char name[NAME_BYTES];
    char key_name[] = "name";
    Gnmi__PathElem__KeyEntry key;
    Gnmi__PathElem__KeyEntry *keys[] = {&key};
    Gnmi__PathElem elems[COUNTER_ELEMS];
    Gnmi__PathElem *elem_pointers[COUNTER_ELEMS];
    Gnmi__Path path;
    uint8_t packed[UINT8_MAX];
    size_t len;

    interface_name(place, name);
    gnmi__path_elem__key_entry__init(&key);
    gnmi__path__init(&path);
    key.key = key_name;
    key.value = name;
    for (size_t i = 0; i < place->elems; i++) {
        gnmi__path_elem__init(&elems[i]);
        elems[i].name = borrowed(elem_of(place, i));
        elem_pointers[i] = &elems[i];
    }
    elems[INTERFACE_ELEM].n_key = 1;
    elems[INTERFACE_ELEM].key = keys;
    path.n_elem = place->elems;
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
    leaves->interfaces = interfaces;
    leaves->count = interfaces * (SL_DEVICE_COUNTERS + SL_DEVICE_STATES);
    leaves->ends = calloc(leaves->count + 1, sizeof(*leaves->ends));
    if (!leaves->ends) {
        return false;
    }
    for (uint32_t leaf = 0; leaf < leaves->count; leaf++) {
        const struct place place = place_of(leaves, leaf);
        add_path(&leaves->paths, &place);
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

static uint64_t mix(uint32_t device, uint32_t leaf)
{
    return (((uint64_t)device << 32 | leaf) + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t sl_device_leaf_value(uint32_t device, uint32_t leaf, uint64_t elapsed_ms)
{
    uint64_t mixed = mix(device, leaf);
    uint64_t start = mixed >> 24;
    uint64_t pace = mixed >> 52 | 1;

    return start + elapsed_ms * pace;
}

const char *sl_device_leaf_text(const struct sl_device_leaves *leaves, uint32_t device,
                                uint32_t leaf, uint64_t elapsed_ms)
{
    if (leaf < leaves->interfaces * SL_DEVICE_COUNTERS) {
        return NULL;
    }
    switch (place_of(leaves, leaf).state) {
    case OPER_STATUS:
        elapsed_ms += mix(device, leaf) >> 52; /* not all at once */
        return elapsed_ms / FLAP_MS % FLAPS == FLAPS - 1 ? "DOWN" : "UP";
    case DESCRIPTION:
        return "simulated";
    default:
        return "UP";
    }
}

bool sl_device_leaf_differs(const struct sl_device_leaves *leaves, uint32_t device, uint32_t leaf,
                            uint64_t one_ms, uint64_t other_ms)
{
    const char *one = sl_device_leaf_text(leaves, device, leaf, one_ms);

    if (one) {
        return strcmp(one, sl_device_leaf_text(leaves, device, leaf, other_ms)) != 0;
    }
    return sl_device_leaf_value(device, leaf, one_ms) !=
           sl_device_leaf_value(device, leaf, other_ms);
}

static bool key_matches(const Gnmi__PathElem *elem, const struct place *place, size_t index)
{
    char name[NAME_BYTES];

    if (index != INTERFACE_ELEM) {
        return elem->n_key == 0;
    }
    interface_name(place, name);
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

static bool elem_matches(const Gnmi__PathElem *elem, const struct place *place, size_t index)
{
    if (strcmp(elem->name, "*") != 0 && strcmp(elem->name, elem_of(place, index)) != 0) {
        return false;
    }
    return key_matches(elem, place, index);
}

bool sl_device_leaf_matches(const struct sl_device_leaves *leaves, uint32_t leaf,
                            const struct sl_device_pattern *pattern)
{
    const struct place place = place_of(leaves, leaf);
    size_t at = 0;              /* in the pattern */
    size_t index = 0;           /* in the leaf's path */
    size_t retry_at = SIZE_MAX; /* behind the last `...` */
    size_t retry_index = 0;     /* where the next attempt behind it begins */

    while (at < pattern->count) {
        const Gnmi__PathElem *elem = pattern->elems[at];

        if (strcmp(elem->name, "...") == 0) {
            retry_at = ++at;
            retry_index = index;
        } else if (index < place.elems && elem_matches(elem, &place, index)) {
            at++;
            index++;
        } else if (retry_at != SIZE_MAX && retry_index < place.elems) {
            at = retry_at;
            index = ++retry_index;
        } else {
            return false;
        }
    }
    return true;
}
