#include "gnmi/path_build.h"

#include "gnmi/pack.h"
#include "gnmi/path.h"

enum { ORIGIN = 2, ELEM = 3, TARGET = 4 };                                   /* of Path */
enum { ELEM_NAME = 1, ELEM_KEY = 2 };                                        /* of PathElem */
enum { ENTRY_NAME = SL_GNMI_LABEL_NAME, ENTRY_VALUE = SL_GNMI_LABEL_VALUE }; /* of its map, too */

void sl_gnmi_path_build_begin(struct sl_gnmi_path_build *build, struct sl_buf *out)
{
    *build = (struct sl_gnmi_path_build){.out = out, .start = out->len};
}

static void end_elem(struct sl_gnmi_path_build *build)
{
    if (build->elem) {
        sl_pack_end(build->out, build->elem);
        build->elem = 0;
    }
}

static void add_text(struct sl_gnmi_path_build *build, uint32_t number, struct sl_str text)
{
    end_elem(build);
    if (text.len) {
        sl_pack_bytes(build->out, number, text);
    }
}

void sl_gnmi_path_build_origin(struct sl_gnmi_path_build *build, struct sl_str origin)
{
    add_text(build, ORIGIN, origin);
}

void sl_gnmi_path_build_target(struct sl_gnmi_path_build *build, struct sl_str target)
{
    add_text(build, TARGET, target);
}

void sl_gnmi_path_build_elem(struct sl_gnmi_path_build *build, struct sl_str name)
{
    end_elem(build);
    build->elem = sl_pack_begin(build->out, ELEM);
    if (name.len) {
        sl_pack_bytes(build->out, ELEM_NAME, name);
    }
}

static void add_entry(struct sl_buf *out, uint32_t number, struct sl_str name, struct sl_str value)
{
    size_t start = sl_pack_begin(out, number);

    sl_pack_bytes(out, ENTRY_NAME, name);
    sl_pack_bytes(out, ENTRY_VALUE, value);
    sl_pack_end(out, start);
}

void sl_gnmi_path_build_key(struct sl_gnmi_path_build *build, struct sl_str name,
                            struct sl_str value)
{
    SL_ASSERT(build->elem || build->out->failed);
    add_entry(build->out, ELEM_KEY, name, value);
}

void sl_gnmi_path_build_label(struct sl_gnmi_path_build *build, struct sl_str name,
                              struct sl_str value)
{
    end_elem(build);
    add_entry(build->out, SL_GNMI_PATH_LABELS, name, value);
}

struct sl_str sl_gnmi_path_build_end(struct sl_gnmi_path_build *build)
{
    end_elem(build);
    if (build->out->failed || build->out->len == build->start) {
        return (struct sl_str){0};
    }
    return (struct sl_str){build->out->data + build->start, build->out->len - build->start};
}
