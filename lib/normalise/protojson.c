#include "normalise/protojson.h"

#include "gnmi.pb-c.h"

#include "gnmi/wire.h"
#include "normalise/message_json.h"
#include "normalise/pass.h"

enum { NOTIFICATION_UPDATE = 4, NOTIFICATION_DELETE = 5, RESPONSE_ERROR = 4 };

static bool add_message(struct sl_pass *pass, const ProtobufCMessageDescriptor *descriptor,
                        struct sl_str message)
{
    return sl_message_json_add(pass->out, pass->start, SL_MESSAGE_PROTOJSON, descriptor, message);
}

/* All fields `number` of the notification, as a list: its updates, or its deletes. */
static void add_list(struct sl_pass *pass, const char *name, uint32_t number,
                     const ProtobufCMessageDescriptor *descriptor, bool *is_first)
{
    struct sl_wire wire = sl_wire_of(pass->response->notification);
    size_t list = pass->out->len;
    uint32_t published = pass->encoded->published;
    struct sl_wire_field field;

    sl_buf_printf(pass->out, "%s\"%s\":[", *is_first ? "" : ",", name);
    while (sl_wire_next(&wire, &field)) {
        if (!sl_wire_is(&field, number, SL_WIRE_BYTES)) {
            continue;
        }
        size_t start = pass->out->len;
        if (pass->encoded->published != published) {
            sl_buf_add_byte(pass->out, ',');
        }
        bool is_ok = !pass->is_full && add_message(pass, descriptor, field.bytes);
        sl_pass_count(pass, start, is_ok);
    }
    if (pass->encoded->published == published) {
        pass->out->len = list;
        return;
    }
    sl_buf_add_byte(pass->out, ']');
    *is_first = false;
}

static void add_notification(struct sl_pass *pass)
{
    const struct sl_gnmi_response *response = pass->response;
    struct sl_buf *out = pass->out;
    bool is_first = true;

    sl_buf_add_c(out, "{\"update\":{");
    if (response->timestamp_ns) {
        sl_buf_add_c(out, "\"timestamp\":\"");
        sl_buf_add_i64(out, response->timestamp_ns);
        sl_buf_add_byte(out, '"');
        is_first = false;
    }
    if (response->has_prefix) {
        sl_buf_add_c(out, is_first ? "\"prefix\":" : ",\"prefix\":");
        pass->is_full = !add_message(pass, &gnmi__path__descriptor, response->prefix);
        is_first = false;
    }
    add_list(pass, "update", NOTIFICATION_UPDATE, &gnmi__update__descriptor, &is_first);
    add_list(pass, "delete", NOTIFICATION_DELETE, &gnmi__path__descriptor, &is_first);
    if (response->is_atomic) {
        sl_buf_add_c(out, is_first ? "\"atomic\":true" : ",\"atomic\":true");
    }
    sl_buf_add_byte(out, '}');
}

/* The deprecated error: of several, all merged. One that holds an Any without a form is left out.
 */
static void add_error(struct sl_pass *pass)
{
    struct sl_buf *out = pass->out;
    struct sl_wire wire = sl_wire_of(pass->response->message);
    struct sl_wire_field field;
    struct sl_buf error = {0};
    size_t start = out->len;

    while (sl_wire_next(&wire, &field)) {
        if (sl_wire_is(&field, RESPONSE_ERROR, SL_WIRE_BYTES)) {
            sl_buf_add_str(&error, field.bytes);
        }
    }
    sl_buf_add_c(out, "{\"error\":");
    out->failed = out->failed || error.failed;
    if (!add_message(pass, &gnmi__error__descriptor, sl_buf_str(&error))) {
        out->len = start;
        sl_buf_add_byte(out, '{');
    }
    sl_buf_fini(&error);
}

/* Everything but the extensions and the last brace. */
static void add_response(struct sl_pass *pass)
{
    switch (pass->response->kind) {
    case SL_GNMI_UPDATE:
        add_notification(pass);
        break;
    case SL_GNMI_SYNC:
        sl_buf_add_c(pass->out, pass->response->is_sync ? "{\"syncResponse\":true"
                                                        : "{\"syncResponse\":false");
        break;
    case SL_GNMI_ERROR:
        add_error(pass);
        break;
    case SL_GNMI_EMPTY:
        sl_buf_add_byte(pass->out, '{');
        break;
    }
}

bool sl_protojson_encode(const struct sl_gnmi_response *response, struct sl_buf *out,
                         struct sl_encoded *encoded)
{
    struct sl_pass pass = {.response = response, .out = out, .start = out->len, .encoded = encoded};

    add_response(&pass);
    if (encoded->dropped && !encoded->published) {
        out->len = pass.start;
        return !out->failed;
    }
    sl_message_json_add_extensions(out, pass.start, SL_MESSAGE_PROTOJSON, response->message);
    sl_buf_add_byte(out, '}');
    return !out->failed;
}
