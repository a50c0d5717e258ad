#include "commands.h"

#include "base/buf.h"
#include "gnmi.services.h"
#include "gnmi/ask.h"
#include "grpc/message.h"
#include "normalise/text.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/print.h"
#include "unary.h"

#define CAPABILITIES GNMI__G_NMI__CAPABILITIES

enum { MODEL_COLUMN = 44, ORGANIZATION_COLUMN = 34 };

static const struct sl_flag_group groups[] = {
    {"Targets and connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_capabilities = {
    .name = "capabilities",
    .doc = "ask devices for their gNMI version, models and encodings",
    .usage = "",
    .text = "Asks every target for its version of gNMI, the models it knows and the encodings it\n"
            "can write (gNMI Capabilities).",
    .examples = "  sluice capabilities -a leaf1:57400 -u admin --tls-ca ca.pem\n"
                "  sluice capabilities -c sluice.yaml --target 'leaf*' --format json",
    .groups = groups,
};

/* ---- printing ---- */

static const char *encoding_name(int number)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&gnmi__encoding__descriptor, number);

    return value ? value->name : "unknown";
}

static void add_column(struct sl_buf *out, const char *text, size_t width)
{
    size_t start = out->len;

    sl_print_plain(out, sl_str_from(text));
    for (size_t len = out->len - start; len < width; len++) {
        sl_buf_add_byte(out, ' ');
    }
    sl_buf_add_byte(out, ' ');
}

static void add_table(struct sl_buf *out, const Gnmi__CapabilityResponse *answer)
{
    sl_buf_add_c(out, "gNMI version  ");
    sl_print_plain(out, sl_str_from(answer->gnmi_version));
    sl_buf_add_c(out, "\nencodings    ");
    for (size_t i = 0; i < answer->n_supported_encodings; i++) {
        sl_buf_printf(out, " %s", encoding_name((int)answer->supported_encodings[i]));
    }
    sl_buf_printf(out, "\nmodels        %zu\n", answer->n_supported_models);
    for (size_t i = 0; i < answer->n_supported_models; i++) {
        const Gnmi__ModelData *model = answer->supported_models[i];
        sl_buf_add_c(out, "  ");
        add_column(out, model->name, MODEL_COLUMN);
        add_column(out, model->organization, ORGANIZATION_COLUMN);
        sl_print_plain(out, sl_str_from(model->version));
        sl_buf_add_byte(out, '\n');
    }
}

static void add_flat(struct sl_buf *out, const Gnmi__CapabilityResponse *answer)
{
    sl_buf_add_c(out, "version: ");
    sl_print_plain(out, sl_str_from(answer->gnmi_version));
    sl_buf_add_byte(out, '\n');
    for (size_t i = 0; i < answer->n_supported_models; i++) {
        const Gnmi__ModelData *model = answer->supported_models[i];
        sl_buf_add_c(out, "model: ");
        sl_print_plain(out, sl_str_from(model->name));
        sl_buf_add_c(out, ", ");
        sl_print_plain(out, sl_str_from(model->organization));
        sl_buf_add_c(out, ", ");
        sl_print_plain(out, sl_str_from(model->version));
        sl_buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < answer->n_supported_encodings; i++) {
        sl_buf_printf(out, "encoding: %s\n", encoding_name((int)answer->supported_encodings[i]));
    }
}

static void add_member(struct sl_buf *out, const char *name, const char *value)
{
    sl_buf_printf(out, "\"%s\":", name);
    sl_text_add_quoted(out, sl_str_from(value));
}

/* The object that gnmic prints. */
static void add_json(struct sl_buf *out, const char *source, const Gnmi__CapabilityResponse *answer)
{
    sl_buf_add_byte(out, '{');
    add_member(out, "source", source);
    sl_buf_add_byte(out, ',');
    add_member(out, "version", answer->gnmi_version);
    sl_buf_add_c(out, ",\"supported-models\":[");
    for (size_t i = 0; i < answer->n_supported_models; i++) {
        const Gnmi__ModelData *model = answer->supported_models[i];
        sl_buf_add_c(out, i ? ",{" : "{");
        add_member(out, "name", model->name);
        sl_buf_add_byte(out, ',');
        add_member(out, "organization", model->organization);
        sl_buf_add_byte(out, ',');
        add_member(out, "version", model->version);
        sl_buf_add_byte(out, '}');
    }
    sl_buf_add_c(out, "],\"encodings\":[");
    for (size_t i = 0; i < answer->n_supported_encodings; i++) {
        sl_buf_printf(out, "%s\"%s\"", i ? "," : "",
                      encoding_name((int)answer->supported_encodings[i]));
    }
    sl_buf_add_byte(out, ']');
}

static struct sl_status print(const struct sl_tool_target *target, enum sl_tool_format format,
                              const Gnmi__CapabilityResponse *answer, struct sl_str bytes)
{
    struct sl_buf out = {0};
    struct sl_status status;

    if (format == SL_TOOL_TABLE || format == SL_TOOL_FLAT) {
        (format == SL_TOOL_TABLE ? add_table : add_flat)(&out, answer);
        sl_tool_add_extension_lines(&out, bytes, &gnmi__capability_response__descriptor);
        return sl_print_text(target, &out);
    }
    add_json(&out, target->name, answer);
    sl_tool_add_extensions(&out, bytes, &gnmi__capability_response__descriptor);
    sl_buf_add_byte(&out, '}');
    status = sl_print_json(target, &out);
    sl_buf_fini(&out);
    return status;
}

/* ---- the call ---- */

static struct sl_status take(struct sl_tool_target *target, struct sl_str bytes, void *arg)
{
    const struct unary *unary = arg;
    enum sl_tool_format format = sl_tool_format(&unary->common);
    struct sl_status status;
    ProtobufCMessage *answer =
        sl_grpc_message_unpack_kept(&gnmi__capability_response__descriptor,
                                    (const uint8_t *)bytes.data, (uint32_t)bytes.len, &status);

    if (!answer) {
        return status;
    }
    if (format == SL_TOOL_PROTOJSON || format == SL_TOOL_PROTOTEXT) {
        status = sl_print_message(target, format, answer->descriptor, bytes);
    } else {
        status = print(target, format, (const Gnmi__CapabilityResponse *)answer, bytes);
    }
    protobuf_c_message_free_unpacked(answer, NULL);
    return status;
}

static bool make_request(struct unary *unary)
{
    struct sl_tool_extensions extensions = {0};
    struct sl_status why = sl_status_ok();

    if (sl_tool_read_extensions(&unary->common, &extensions)) {
        Gnmi__CapabilityRequest *request =
            sl_gnmi_capabilities_new(extensions.items, extensions.count, &why);
        unary->request = request ? &request->base : NULL;
        if (!request) {
            sl_tool_complain(&unary->common, "%s", why.text);
        }
    }
    sl_tool_extensions_fini(&extensions);
    return unary->request != NULL;
}

int sl_command_capabilities(int argc, char **argv)
{
    static const struct unary_kind kind = {
        .tool = &sl_tool_capabilities,
        .method = &gnmi__g_nmi__methods[CAPABILITIES],
        .make_request = make_request,
        .take = take,
    };
    struct unary unary = {0};

    return unary_main(&unary, &kind, argc, argv);
}
