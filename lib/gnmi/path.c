#include "gnmi/path.h"

void sl_gnmi_path_read(struct sl_str bytes, struct sl_gnmi_path *path)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    *path = (struct sl_gnmi_path){.elems = wire};
    while (sl_wire_next(&wire, &field)) {
        if (field.type != SL_WIRE_BYTES) {
            continue;
        }
        switch (field.number) {
        case 2:
            path->origin = field.bytes;
            break;
        case 3:
            path->has_elem = true;
            break;
        case 4:
            path->target = field.bytes;
            break;
        default:
            break;
        }
    }
}

/* The name of a PathElem, and where its first field is. */
static void read_elem(struct sl_str bytes, struct sl_gnmi_elem *elem)
{
    struct sl_wire wire = sl_wire_of(bytes);
    struct sl_wire_field field;

    elem->name = (struct sl_str){0};
    elem->keys = wire;
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            elem->name = field.bytes;
        }
    }
}

bool sl_gnmi_path_next(struct sl_gnmi_path *path, struct sl_gnmi_elem *elem)
{
    struct sl_wire_field field;

    while (sl_wire_next(&path->elems, &field)) {
        if (path->has_elem && sl_wire_is(&field, 3, SL_WIRE_BYTES)) {
            read_elem(field.bytes, elem);
            return true;
        }
        if (!path->has_elem && sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            *elem = (struct sl_gnmi_elem){.name = field.bytes};
            return true;
        }
    }
    return false;
}

static void read_key(struct sl_str entry, struct sl_gnmi_key *key)
{
    struct sl_wire wire = sl_wire_of(entry);
    struct sl_wire_field field;

    *key = (struct sl_gnmi_key){0};
    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, 1, SL_WIRE_BYTES)) {
            key->name = field.bytes;
        } else if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            key->value = field.bytes;
        }
    }
}

bool sl_gnmi_elem_next_key(struct sl_gnmi_elem *elem, struct sl_gnmi_key *key)
{
    struct sl_wire_field field;

    while (sl_wire_next(&elem->keys, &field)) {
        if (sl_wire_is(&field, 2, SL_WIRE_BYTES)) {
            read_key(field.bytes, key);
            return true;
        }
    }
    return false;
}
