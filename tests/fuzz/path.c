/* path.c - paths as text: what is read, written out again and read once more, is the same path. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "gnmi/path.h"
#include "gnmi/request.h"

static void add_escaped(struct sl_buf *out, const char *word)
{
    for (; *word; word++) {
        if (strchr("]=[/\\", *word)) {
            sl_buf_add_byte(out, '\\');
        }
        sl_buf_add_byte(out, *word);
    }
}

static void add_path(struct sl_buf *out, const Gnmi__Path *path)
{
    if (*path->origin) {
        sl_buf_add_c(out, path->origin);
        sl_buf_add_byte(out, ':');
    }
    sl_buf_add_c(out, path->n_elem ? "" : "/");
    for (size_t i = 0; i < path->n_elem; i++) {
        const Gnmi__PathElem *elem = path->elem[i];
        sl_buf_add_byte(out, '/');
        add_escaped(out, elem->name);
        for (size_t k = 0; k < elem->n_key; k++) {
            sl_buf_add_byte(out, '[');
            add_escaped(out, elem->key[k]->key);
            sl_buf_add_byte(out, '=');
            add_escaped(out, elem->key[k]->value);
            sl_buf_add_byte(out, ']');
        }
    }
}

static void pack(const Gnmi__Path *path, struct sl_buf *out)
{
    bool has_room = sl_buf_reserve(out, gnmi__path__get_packed_size(path) + 1);

    SL_ASSERT(has_room);
    out->len = gnmi__path__pack(path, (uint8_t *)out->data);
}

static void assert_returns(const Gnmi__Path *path)
{
    struct sl_buf text = {0};
    struct sl_buf bytes = {0};
    struct sl_buf again_bytes = {0};
    struct sl_status why;

    add_path(&text, path);
    if (text.len <= SL_GNMI_MAX_TEXT_BYTES) {
        Gnmi__Path *again = sl_gnmi_path_parse(sl_buf_str(&text), &why);
        SL_ASSERT(again);
        pack(path, &bytes);
        pack(again, &again_bytes);
        SL_ASSERT(sl_str_eq(sl_buf_str(&bytes), sl_buf_str(&again_bytes)));
        gnmi__path__free_unpacked(again, NULL);
    }
    sl_buf_fini(&text);
    sl_buf_fini(&bytes);
    sl_buf_fini(&again_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str text = {(const char *)data, size};
    struct sl_status why;
    Gnmi__Path *path = sl_gnmi_path_parse(text, &why);
    struct sl_status checked = sl_gnmi_path_check(text);

    SL_ASSERT((path != NULL) == sl_status_is_ok(&why));
    SL_ASSERT((path != NULL) == sl_status_is_ok(&checked));
    if (path) {
        assert_returns(path);
        gnmi__path__free_unpacked(path, NULL);
    } else {
        SL_ASSERT(why.code == SL_INVALID_ARGUMENT && strstr(why.text, "byte"));
    }
    return 0;
}
