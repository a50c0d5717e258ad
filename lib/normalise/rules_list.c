#include "normalise/rules_internal.h"

enum { KEPT_BYTES = 256 * 1024 };

void sl_rules_list_begin(struct sl_rules_list *list)
{
    list->copy_count = 0;
    sl_buf_trim(&list->values, KEPT_BYTES);
}

static bool has_bytes(const struct sl_gnmi_value *value)
{
    switch (value->kind) {
    case SL_GNMI_VALUE_STRING:
    case SL_GNMI_VALUE_BYTES:
    case SL_GNMI_VALUE_LEAFLIST:
    case SL_GNMI_VALUE_ANY:
    case SL_GNMI_VALUE_JSON:
    case SL_GNMI_VALUE_JSON_IETF:
    case SL_GNMI_VALUE_ASCII:
    case SL_GNMI_VALUE_PROTO_BYTES:
        return true;
    case SL_GNMI_VALUE_NONE:
    case SL_GNMI_VALUE_INT:
    case SL_GNMI_VALUE_UINT:
    case SL_GNMI_VALUE_BOOL:
    case SL_GNMI_VALUE_FLOAT:
    case SL_GNMI_VALUE_DOUBLE:
    case SL_GNMI_VALUE_DECIMAL:
        break;
    }
    return false;
}

void sl_rules_list_copy(struct sl_rules_list *list, uint32_t at, const struct sl_gnmi_value *value)
{
    if (!has_bytes(value)) {
        return;
    }
    SL_ASSERT(list->copy_count < SL_RULES_LISTED);
    list->copies[list->copy_count++] =
        (struct sl_rules_copy){.at = at, .offset = (uint32_t)list->values.len};
    sl_buf_add_str(&list->values, value->of.bytes);
}

bool sl_rules_list_end(struct sl_rules_list *list, struct sl_gnmi_response *response)
{
    for (uint32_t i = 0; i < list->copy_count && !list->values.failed; i++) {
        struct sl_rules_copy *copy = &list->copies[i];
        struct sl_str *bytes = &list->updates[copy->at].update.value.of.bytes;
        bytes->data = bytes->len ? list->values.data + copy->offset : "";
    }
    response->listed = list->updates;
    return !list->values.failed;
}

/* As a message of its own: what the encoder sees of it is the same. */
static bool write_out(struct sl_rules_scratch *scratch, struct sl_gnmi_response *response)
{
    struct sl_gnmi_rewrite rewrite;

    sl_buf_trim(&scratch->out, KEPT_BYTES);
    sl_gnmi_rewrite_begin(&rewrite, response, &scratch->out);
    for (uint32_t i = 0; i < response->updates; i++) {
        const struct sl_gnmi_update *update = &response->listed[i].update;
        sl_gnmi_rewrite_add_update_value(&rewrite, update->path, &update->value,
                                         update->duplicates);
    }
    return sl_gnmi_rewrite_end(&rewrite, response);
}

bool sl_rules_take_out(struct sl_rules_state *state, struct sl_gnmi_response *out,
                       struct sl_buf *kept)
{
    struct sl_rules_scratch *scratch = state->scratch;

    SL_ASSERT(!kept->data);
    if (out->listed && !write_out(scratch, out)) {
        return false;
    }
    *kept = scratch->out;
    sl_buf_init(&scratch->out, SL_RULES_MAX_BYTES);
    return true;
}
