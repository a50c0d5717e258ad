#include "tool/extensions.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "gnmi/wire.h"
#include "normalise/message_json.h"

/* ---- sent ---- */

bool sl_tool_add_extension(struct sl_tool_extensions *extensions,
                           const struct sl_gnmi_extension *extension)
{
    size_t count = extensions->count + 1;
    struct sl_gnmi_extension *items = realloc(extensions->items, count * sizeof(*items));

    extensions->items = items ? items : extensions->items;
    struct sl_buf *bytes = items ? realloc(extensions->bytes, count * sizeof(*bytes)) : NULL;
    extensions->bytes = bytes ? bytes : extensions->bytes;
    if (!bytes) {
        return false;
    }
    items[count - 1] = *extension;
    bytes[count - 1] = (struct sl_buf){0};
    extensions->count = count;
    return true;
}

static int digit(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, letter >= 'A' && letter <= 'F' ? letter + 32 : letter);

    return letter && found ? (int)(found - digits) : -1;
}

static bool add_hex(struct sl_buf *out, const char *text)
{
    for (; text[0] && text[1]; text += 2) {
        int high = digit(text[0]);
        int low = digit(text[1]);
        if (high < 0 || low < 0) {
            return false;
        }
        sl_buf_add_byte(out, (char)(high << 4 | low));
    }
    return !*text;
}

/* "ID:TEXT" or "ID:hex:…". */
static bool read_registered(struct sl_tool_extensions *extensions, const char *text)
{
    const char *colon = strchr(text, ':');
    struct sl_gnmi_extension extension = {.kind = SL_GNMI_REGISTERED};
    uint64_t id;

    if (!colon || !sl_str_to_u64((struct sl_str){text, (size_t)(colon - text)}, &id) ||
        id > INT32_MAX) {
        return false;
    }
    extension.of.registered.id = (uint32_t)id;
    extension.of.registered.message = sl_str_from(colon + 1);
    if (!sl_tool_add_extension(extensions, &extension)) {
        return false;
    }
    if (!sl_str_starts_with(extension.of.registered.message, SL_STR("hex:"))) {
        return true;
    }
    struct sl_buf *bytes = &extensions->bytes[extensions->count - 1];
    bool is_good = add_hex(bytes, colon + 1 + strlen("hex:")) && !bytes->failed;

    extensions->items[extensions->count - 1].of.registered.message = sl_buf_str(bytes);
    return is_good;
}

bool sl_tool_read_extensions(const struct sl_tool_options *options,
                             struct sl_tool_extensions *extensions)
{
    for (size_t i = 0; i < options->extensions.count; i++) {
        if (!read_registered(extensions, options->extensions.items[i])) {
            return sl_tool_complain(options,
                                    "--registered-extension: expected ID:TEXT or ID:hex:0a1b..., "
                                    "found '%.80s'",
                                    options->extensions.items[i]);
        }
    }
    return true;
}

void sl_tool_extensions_fini(struct sl_tool_extensions *extensions)
{
    for (size_t i = 0; i < extensions->count; i++) {
        sl_buf_fini(&extensions->bytes[i]);
    }
    free(extensions->bytes);
    free(extensions->items);
    *extensions = (struct sl_tool_extensions){0};
}

/* ---- received ---- */

/* The next extension of a message, as JSON; false at the end. One that has no form is left out. */
static bool next(struct sl_wire *wire, uint32_t number, struct sl_buf *out)
{
    struct sl_wire_field field;
    size_t before = out->len;

    while (!out->failed && sl_wire_next(wire, &field)) {
        if (!sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            continue;
        }
        if (sl_message_json_add(out, before, SL_MESSAGE_PROTOJSON, &gnmi_ext__extension__descriptor,
                                field.bytes)) {
            return true;
        }
        out->len = before;
    }
    return false;
}

static uint32_t number_of(const ProtobufCMessageDescriptor *descriptor)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(descriptor, "extension");

    SL_ASSERT(field);
    return field->id;
}

void sl_tool_add_extensions(struct sl_buf *out, struct sl_str message,
                            const ProtobufCMessageDescriptor *descriptor)
{
    struct sl_wire wire = sl_wire_of(message);
    uint32_t number = number_of(descriptor);
    struct sl_buf one = {0};
    bool is_any = false;

    for (const char *before = ",\"extensions\":["; next(&wire, number, &one); before = ",") {
        sl_buf_add_c(out, before);
        sl_buf_add_str(out, sl_buf_str(&one));
        sl_buf_reset(&one);
        is_any = true;
    }
    out->failed = out->failed || one.failed;
    sl_buf_add_c(out, is_any ? "]" : "");
    sl_buf_fini(&one);
}

void sl_tool_add_extension_lines(struct sl_buf *out, struct sl_str message,
                                 const ProtobufCMessageDescriptor *descriptor)
{
    struct sl_wire wire = sl_wire_of(message);
    uint32_t number = number_of(descriptor);

    for (;;) {
        size_t before = out->len;
        sl_buf_add_c(out, "extension: ");
        if (!next(&wire, number, out)) {
            out->len = before;
            return;
        }
        sl_buf_add_byte(out, '\n');
    }
}
