#include "commands.h"

#include <stdlib.h>

#include "base/buf.h"
#include "gnmi.services.h"
#include "gnmi/ask.h"
#include "gnmi/wire.h"
#include "normalise/message_fields.h"
#include "normalise/value.h"
#include "tool/extensions.h"
#include "tool/options.h"
#include "tool/print.h"
#include "unary.h"

#define AT(field) offsetof(struct get, field)

struct get {
    struct unary unary;
    struct sl_tool_list paths;
    struct sl_tool_list models;
    const char *prefix;
    int type; /* enum sl_gnmi_data_type */
    int64_t depth;
    bool values_only;
};

static const char *const types[] = {"all", "config", "state", "operational", NULL};

static const struct sl_flag get_flags[] = {
    {.name = "path",
     .type = SL_FLAG_LIST,
     .offset = AT(paths),
     .value = "PATH",
     .doc = "what to get: origin:/a/b[key=value]/c; the flag again for more"},
    {.name = "prefix",
     .type = SL_FLAG_TEXT,
     .offset = AT(prefix),
     .value = "PATH",
     .doc = "stands in front of every path"},
    {.name = "type",
     .letter = 't',
     .type = SL_FLAG_WORD,
     .offset = AT(type),
     .words = types,
     .initial = "all",
     .doc = "which data"},
    {.name = "model",
     .type = SL_FLAG_COMMAS,
     .offset = AT(models),
     .value = "NAME",
     .doc = "only data of these models, as 'sluice capabilities' names them"},
    {.name = "depth",
     .type = SL_FLAG_NUMBER,
     .offset = AT(depth),
     .value = "N",
     .max = UINT32_MAX,
     .doc = "so many levels below each path (the depth extension); 0: all"},
    {.name = "values-only",
     .type = SL_FLAG_SWITCH,
     .offset = AT(values_only),
     .doc = "print values without their paths"},
    {.name = "dry-run",
     .type = SL_FLAG_SWITCH,
     .offset = AT(unary.dry_run),
     .doc = "print the request, ask nobody"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Get", get_flags},
    {"Targets and connection", sl_tool_connection_flags},
    {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},
    {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},
    {NULL, NULL},
};

const struct sl_tool sl_tool_get = {
    .name = "get",
    .doc = "get data of devices, once",
    .usage = "--path PATH ...",
    .text = "Asks every target for the data under the paths as it is now (gNMI Get).",
    .examples =
        "  sluice get -a leaf1:57400 -u admin --tls-ca ca.pem --path /interfaces\n"
        "  sluice get -c sluice.yaml --target leaf1 --path '/system/state/hostname' --values-only\n"
        "  sluice get -a leaf1,leaf2 --insecure --type config --encoding json_ietf \\\n"
        "      --path openconfig:/interfaces/interface[name=eth0] --format flat",
    .groups = groups,
};

/* ---- printing ---- */

static struct sl_status no_memory(void)
{
    return sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
}

/* For people the values as they are, a line each; for programs one JSON array. */
struct values {
    struct sl_buf out;
    struct sl_json json;
    bool is_json;
    size_t left_out;
};

static void add_value(struct values *values, const struct sl_gnmi_value *value)
{
    size_t start = values->out.len;

    if (!values->is_json) {
        sl_print_value(&values->out, value);
        sl_buf_add_byte(&values->out, '\n');
        return;
    }
    sl_buf_add_byte(&values->out, start ? ',' : '[');
    if (!sl_value_add_whole(&values->out, &values->json, value)) {
        values->out.len = start;
        values->left_out++;
    }
}

static struct sl_status add_values(struct values *values, struct sl_str answer)
{
    struct sl_wire wire = sl_wire_of(answer);
    struct sl_status status = sl_status_ok();
    struct sl_buf scratch = {0};
    struct sl_str bytes;

    while (sl_status_is_ok(&status) && sl_gnmi_next_notification(&wire, &bytes)) {
        struct sl_gnmi_response response;
        struct sl_gnmi_update update;
        status = sl_gnmi_response_read(bytes, &scratch, &response);
        if (sl_status_is_ok(&status)) {
            struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(&response);
            while (sl_gnmi_next_update(&cursor, &update)) {
                add_value(values, &update.value);
            }
        }
    }
    sl_buf_fini(&scratch);
    return status;
}

static struct sl_status print_values(const struct sl_tool_target *target, struct sl_str answer)
{
    enum sl_tool_format format = sl_tool_format(target->run->options);
    struct values values = {.is_json = format != SL_TOOL_TABLE && format != SL_TOOL_FLAT};

    sl_json_init(&values.json);
    struct sl_status status = add_values(&values, answer);
    if (values.is_json) {
        sl_buf_add_c(&values.out, values.out.len ? "]" : "[]");
    }
    if (sl_status_is_ok(&status)) {
        status = values.is_json ? sl_print_json(target, &values.out)
                                : sl_print_text(target, &values.out);
    }
    if (sl_status_is_ok(&status) && values.left_out) {
        status = sl_status_error(SL_DATA_LOSS, "%zu values that JSON cannot carry: --format flat",
                                 values.left_out);
    }
    sl_json_fini(&values.json);
    sl_buf_fini(&values.out);
    return status;
}

static struct sl_status print_notifications(struct sl_printer *printer, struct sl_str answer)
{
    struct sl_wire wire = sl_wire_of(answer);
    struct sl_status status = sl_status_ok();
    struct sl_str bytes;

    while (sl_status_is_ok(&status) && sl_gnmi_next_notification(&wire, &bytes)) {
        status = sl_printer_bytes(printer, bytes);
    }
    return sl_status_is_ok(&status) ? sl_printer_end(printer) : status;
}

/* Those of the whole answer. */
static struct sl_status print_extensions(const struct sl_tool_target *target,
                                         enum sl_tool_format format, struct sl_str answer)
{
    struct sl_buf out = {0};

    if (format == SL_TOOL_TABLE || format == SL_TOOL_FLAT) {
        sl_tool_add_extension_lines(&out, answer, &gnmi__get_response__descriptor);
    }
    return sl_print_text(target, &out);
}

static struct sl_status print(const struct sl_tool_target *target, struct sl_str answer)
{
    enum sl_tool_format format = sl_tool_format(target->run->options);
    struct sl_printer *printer = sl_printer_new(target, "", NULL, true);

    if (!printer) {
        return no_memory();
    }
    struct sl_status status = print_notifications(printer, answer);

    sl_printer_free(printer);
    return sl_status_is_ok(&status) ? print_extensions(target, format, answer) : status;
}

/* ---- the call ---- */

static struct sl_status take(struct sl_tool_target *target, struct sl_str answer, void *arg)
{
    const struct get *get = arg;
    enum sl_tool_format format = sl_tool_format(&get->unary.common);

    /* What is in its notifications is checked when they are read. */
    if (!sl_message_is_whole(answer)) {
        return sl_status_error(SL_INTERNAL, "the answer is no message");
    }
    if (get->values_only) {
        return print_values(target, answer);
    }
    if (format == SL_TOOL_PROTOJSON || format == SL_TOOL_PROTOTEXT) {
        return sl_print_message(target, format, &gnmi__get_response__descriptor, answer);
    }
    return print(target, answer);
}

/* ---- the request ---- */

static bool add_depth(const struct get *get, struct sl_tool_extensions *extensions)
{
    const struct sl_gnmi_extension depth = {.kind = SL_GNMI_DEPTH,
                                            .of.depth = (uint32_t)get->depth};

    return !sl_tool_is_given(&get->unary.common, "depth") ||
           sl_tool_add_extension(extensions, &depth) ||
           sl_tool_complain(&get->unary.common, "out of memory");
}

static bool build(struct get *get, const struct sl_gnmi_model *models,
                  const struct sl_tool_extensions *extensions)
{
    struct sl_status why = sl_status_ok();
    const struct sl_gnmi_get words = {
        .paths = (const char *const *)get->paths.items,
        .prefix = get->prefix,
        .target = sl_tool_prefix_target(&get->unary.common),
        .type = (enum sl_gnmi_data_type)get->type,
        .encoding = (enum sl_gnmi_encoding)get->unary.common.encoding,
        .models = models,
        .model_count = get->models.count,
        .extensions = extensions->items,
        .extension_count = extensions->count,
    };

    Gnmi__GetRequest *request = sl_gnmi_get_new(&words, &why);
    get->unary.request = request ? &request->base : NULL;
    return request || sl_tool_complain(&get->unary.common, "%s", why.text);
}

static bool check_paths(const struct get *get)
{
    for (size_t i = 0; i < get->paths.count; i++) {
        struct sl_status why = sl_gnmi_path_check(sl_str_from(get->paths.items[i]));
        if (!sl_status_is_ok(&why)) {
            return sl_tool_complain(&get->unary.common, "--path '%.80s': %s", get->paths.items[i],
                                    why.text);
        }
    }
    return get->paths.count ||
           sl_tool_complain(&get->unary.common, "no path; expected --path PATH");
}

static bool make_request(struct unary *unary)
{
    struct get *get = (struct get *)unary;
    struct sl_tool_extensions extensions = {0};
    struct sl_gnmi_model *models = calloc(get->models.count + 1, sizeof(*models));
    bool is_good = false;

    for (size_t i = 0; models && i < get->models.count; i++) {
        models[i] = (struct sl_gnmi_model){get->models.items[i], "", ""};
    }
    if (!models) {
        sl_tool_complain(&get->unary.common, "out of memory");
    } else {
        is_good = check_paths(get) && sl_tool_read_extensions(&get->unary.common, &extensions) &&
                  add_depth(get, &extensions) && build(get, models, &extensions);
    }
    sl_tool_extensions_fini(&extensions);
    free(models);
    return is_good;
}

int sl_command_get(int argc, char **argv)
{
    static const struct unary_kind kind = {
        .tool = &sl_tool_get,
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__GET],
        .make_request = make_request,
        .take = take,
    };
    struct get get = {0};

    return unary_main(&get.unary, &kind, argc, argv);
}
