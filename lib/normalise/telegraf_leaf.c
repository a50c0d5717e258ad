#include "normalise/telegraf_leaf.h"

#include <string.h>

#include "gnmi/pack.h"
#include "gnmi/path.h"
#include "gnmi/path_build.h"

enum {
    KEPT_BYTES = 64 * 1024,
    PATH_ELEM = 3, /* of Path */
    ELEM_NAME = 1, /* of PathElem */
};

void sl_telegraf_leaves_init(struct sl_telegraf_leaves *leaves, struct sl_encoder_memory *memory)
{
    *leaves = (struct sl_telegraf_leaves){0};
    sl_intern_init(&leaves->paths, memory);
    sl_buf_init(&leaves->path, SL_FRAGMENT_MAX_BYTES);
}

void sl_telegraf_leaves_fini(struct sl_telegraf_leaves *leaves)
{
    sl_intern_fini(&leaves->paths);
    sl_buf_fini(&leaves->path);
}

/* The deprecated elements become usual ones, so that more can be put behind them. */
bool sl_telegraf_leaves_begin(struct sl_telegraf_leaves *leaves, struct sl_str path)
{
    struct sl_gnmi_path_build build;
    struct sl_gnmi_path read;
    struct sl_gnmi_elem elem;
    struct sl_gnmi_key key;

    sl_buf_trim(&leaves->path, KEPT_BYTES);
    sl_gnmi_path_read(path, &read);
    sl_gnmi_path_build_begin(&build, &leaves->path);
    sl_gnmi_path_build_origin(&build, read.origin);
    while (sl_gnmi_path_next_label(&read, &key)) {
        sl_gnmi_path_build_label(&build, key.name, key.value);
    }
    while (sl_gnmi_path_next(&read, &elem)) {
        sl_gnmi_path_build_elem(&build, elem.name);
        while (sl_gnmi_elem_next_key(&elem, &key)) {
            sl_gnmi_path_build_key(&build, key.name, key.value);
        }
    }
    leaves->value_len = sl_gnmi_path_build_end(&build).len;
    return !leaves->path.failed;
}

static void add_elem(struct sl_buf *path, struct sl_str name)
{
    size_t start = sl_pack_begin(path, PATH_ELEM);

    sl_pack_bytes(path, ELEM_NAME, name);
    sl_pack_end(path, start);
}

bool sl_telegraf_leaves_find(struct sl_telegraf_leaves *leaves, struct sl_pass *pass,
                             struct sl_str name, struct sl_fragment *fragment)
{
    struct sl_buf *path = &leaves->path;

    path->len = leaves->value_len;
    while (name.len) {
        struct sl_str rest = {name.data + 1, name.len - 1}; /* behind the '/' */
        const char *slash = rest.len ? memchr(rest.data, '/', rest.len) : NULL;
        size_t len = slash ? (size_t)(slash - rest.data) : rest.len;
        add_elem(path, (struct sl_str){rest.data, len});
        name = (struct sl_str){rest.data + len, rest.len - len};
    }
    if (path->failed) {
        sl_buf_reset(path);
        return false;
    }
    return sl_pass_find(pass, sl_buf_str(path), fragment);
}
