/* path.c - paths as text: what is read, written out canonically and read once more, is the same
 * path, and its canonical text is its own canonical text. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "gnmi/request.h"

static int compare_keys(const void *left, const void *right)
{
    const Gnmi__PathElem__KeyEntry *const *a = left;
    const Gnmi__PathElem__KeyEntry *const *b = right;

    return strcmp((*a)->key, (*b)->key);
}

/* The bytes, keys in the order of their names. */
static void pack(const Gnmi__Path *path, struct sl_buf *out)
{
    bool has_room = sl_buf_reserve(out, gnmi__path__get_packed_size(path) + 1);

    SL_ASSERT(has_room);
    for (size_t i = 0; i < path->n_elem; i++) {
        if (path->elem[i]->n_key) {
            qsort(path->elem[i]->key, path->elem[i]->n_key, sizeof(path->elem[i]->key[0]),
                  compare_keys);
        }
    }
    out->len = gnmi__path__pack(path, (uint8_t *)out->data);
}

/* False: more keys in an element than are ever sorted. */
static bool print(struct sl_str bytes, struct sl_buf *text)
{
    bool is_printed = sl_gnmi_path_print((struct sl_str){0}, bytes, text);

    SL_ASSERT(!text->failed);
    return is_printed;
}

static void assert_returns(const Gnmi__Path *path)
{
    struct sl_buf text = {0};
    struct sl_buf again_text = {0};
    struct sl_buf bytes = {0};
    struct sl_buf again_bytes = {0};
    struct sl_status why;

    pack(path, &bytes);
    if (print(sl_buf_str(&bytes), &text) && text.len <= SL_GNMI_MAX_TEXT_BYTES) {
        Gnmi__Path *again = sl_gnmi_path_parse(sl_buf_str(&text), &why);
        SL_ASSERT(again);
        pack(again, &again_bytes);
        SL_ASSERT(sl_str_eq(sl_buf_str(&bytes), sl_buf_str(&again_bytes)));
        SL_ASSERT(print(sl_buf_str(&again_bytes), &again_text));
        SL_ASSERT(sl_str_eq(sl_buf_str(&text), sl_buf_str(&again_text)));
        gnmi__path__free_unpacked(again, NULL);
    }
    sl_buf_fini(&text);
    sl_buf_fini(&again_text);
    sl_buf_fini(&bytes);
    sl_buf_fini(&again_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str text = {(const char *)data, size};
    struct sl_status why;
    size_t wrong_at;
    Gnmi__Path *path = sl_gnmi_path_parse_at(text, &why, &wrong_at);
    struct sl_status checked = sl_gnmi_path_check(text);

    SL_ASSERT((path != NULL) == sl_status_is_ok(&why));
    SL_ASSERT((path != NULL) == sl_status_is_ok(&checked));
    if (path) {
        assert_returns(path);
        gnmi__path__free_unpacked(path, NULL);
    } else {
        SL_ASSERT(why.code == SL_INVALID_ARGUMENT && strstr(why.text, "byte"));
        SL_ASSERT(wrong_at <= size);
    }
    return 0;
}
