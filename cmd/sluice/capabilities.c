#include "commands.h"

#include "base/buf.h"
#include "gnmi.services.h"
#include "gnmi/ask.h"
#include "grpc/message.h"
#include "normalise/text.h"
#include "tool/dial.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/print.h"

#define CAPABILITIES GNMI__G_NMI__CAPABILITIES

enum { MODEL_COLUMN = 44, ORGANIZATION_COLUMN = 34 };

struct capabilities {
    struct sl_tool_options common;
    Gnmi__CapabilityRequest *request;
};

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

static const ProtobufCMessage *request(struct sl_tool_target *target, void *arg,
                                       struct sl_status *why)
{
    struct capabilities *capabilities = arg;

    (void)target;
    (void)why;
    return &capabilities->request->base;
}

static struct sl_status take(struct sl_tool_target *target, struct sl_str bytes, void *arg)
{
    const struct capabilities *capabilities = arg;
    enum sl_tool_format format = sl_tool_format(&capabilities->common);
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

static bool make_request(struct capabilities *capabilities)
{
    struct sl_tool_extensions extensions = {0};
    struct sl_status why = sl_status_ok();

    if (sl_tool_read_extensions(&capabilities->common, &extensions)) {
        capabilities->request = sl_gnmi_capabilities_new(extensions.items, extensions.count, &why);
        if (!capabilities->request) {
            sl_tool_complain(&capabilities->common, "%s", why.text);
        }
    }
    sl_tool_extensions_fini(&extensions);
    return capabilities->request != NULL;
}

static enum sl_tool_exit ask(struct capabilities *capabilities)
{
    struct sl_tool_ask ask = {
        .method = &gnmi__g_nmi__methods[CAPABILITIES],
        .request = request,
        .take = take,
        .arg = capabilities,
    };
    enum sl_tool_exit code = SL_TOOL_EXIT_USAGE;

    if (make_request(capabilities)) {
        code = sl_tool_ask(&capabilities->common, &ask);
    }
    if (capabilities->request) {
        gnmi__capability_request__free_unpacked(capabilities->request, NULL);
    }
    return code;
}

int sl_command_capabilities(int argc, char **argv)
{
    struct capabilities capabilities = {0};
    enum sl_tool_exit code = SL_TOOL_EXIT_USAGE;

    if (sl_tool_parse(&sl_tool_capabilities, argc, argv, &capabilities.common)) {
        if (capabilities.common.wants_help) {
            sl_tool_print_help(&sl_tool_capabilities, stdout);
            code = SL_TOOL_EXIT_OK;
        } else {
            code = ask(&capabilities);
        }
    }
    sl_tool_fini(&capabilities.common);
    return (int)code;
}
