/* made_path.h - Paths made out of any bytes: names, keys and values of all that means something in
 * the text of a path. Keys are in the order of their names, none twice, so that the same path
 * always has the same bytes. */
#ifndef SLUICE_TESTS_GNMI_MADE_PATH_H
#define SLUICE_TESTS_GNMI_MADE_PATH_H

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/buf.h"
#include "gnmi.pb-c.h"

struct made_input {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint8_t made_byte(struct made_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static inline char *made_word(struct made_input *input, size_t most)
{
    static const char known[] = "/[]=:\\*.\n\r\tnxu0 a\"'";
    size_t len = made_byte(input) % (most + 1);
    char *word = calloc(1, len + 1);

    SL_ASSERT(word);
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = made_byte(input);
        word[i] = byte < 192 ? known[byte % (sizeof(known) - 1)] : (char)byte;
    }
    return word;
}

static inline bool is_above_all(const Gnmi__PathElem *elem, const char *name)
{
    return elem->n_key == 0 || strcmp(elem->key[elem->n_key - 1]->key, name) < 0;
}

static inline void made_key(struct made_input *input, Gnmi__PathElem *elem)
{
    Gnmi__PathElem__KeyEntry *key = malloc(sizeof(*key));

    SL_ASSERT(key);
    gnmi__path_elem__key_entry__init(key);
    key->key = made_word(input, 4);
    key->value = made_word(input, 6);
    if (*key->key && is_above_all(elem, key->key)) {
        elem->key[elem->n_key++] = key;
    } else {
        protobuf_c_message_free_unpacked(&key->base, NULL);
    }
}

static inline Gnmi__PathElem *made_elem(struct made_input *input)
{
    Gnmi__PathElem *elem = malloc(sizeof(*elem));
    size_t keys = made_byte(input) % 4;

    SL_ASSERT(elem);
    gnmi__path_elem__init(elem);
    elem->name = made_word(input, 6);
    elem->key = calloc(keys + 1, sizeof(*elem->key));
    SL_ASSERT(elem->key);
    for (size_t i = 0; i < keys; i++) {
        made_key(input, elem);
    }
    return elem;
}

/* To be freed with gnmi__path__free_unpacked. */
static inline Gnmi__Path *made_path(struct made_input *input)
{
    Gnmi__Path *path = malloc(sizeof(*path));
    size_t elems = made_byte(input) % 6;

    SL_ASSERT(path);
    gnmi__path__init(path);
    path->origin = made_word(input, 4);
    path->elem = calloc(elems + 1, sizeof(*path->elem));
    SL_ASSERT(path->elem);
    for (size_t i = 0; i < elems; i++) {
        path->elem[path->n_elem++] = made_elem(input);
    }
    return path;
}

static inline void made_pack(const Gnmi__Path *path, struct sl_buf *out)
{
    bool has_room = sl_buf_reserve(out, gnmi__path__get_packed_size(path) + 1);

    SL_ASSERT(has_room);
    out->len += gnmi__path__pack(path, (uint8_t *)out->data + out->len);
}

#endif
