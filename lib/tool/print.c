#include "tool/print.h"

#include <stdio.h>
#include <unistd.h>

#include "grpc/message.h"
#include "normalise/message_json.h"
#include "normalise/message_text.h"

enum sl_tool_format sl_tool_format(const struct sl_tool_options *options)
{
    if (options->format == SL_TOOL_AUTO) {
        return isatty(STDOUT_FILENO) ? SL_TOOL_TABLE : SL_TOOL_JSON;
    }
    return (enum sl_tool_format)options->format;
}

/* ---- JSON for people ---- */

static void new_line(struct sl_buf *out, unsigned depth)
{
    sl_buf_add_byte(out, '\n');
    while (depth--) {
        sl_buf_add_c(out, "  ");
    }
}

/* The end of the string that begins at `at`. */
static size_t string_end(struct sl_str json, size_t at)
{
    for (at++; at < json.len && json.data[at] != '"'; at++) {
        at += json.data[at] == '\\';
    }
    return sl_min_size(at + 1, json.len);
}

void sl_json_indent(struct sl_buf *out, struct sl_str json)
{
    unsigned depth = 0;

    for (size_t at = 0; at < json.len; at++) {
        char byte = json.data[at];
        bool is_opening = byte == '{' || byte == '[';
        bool is_closing = byte == '}' || byte == ']';
        bool was_opening = at && (json.data[at - 1] == '{' || json.data[at - 1] == '[');
        if (is_closing) {
            depth -= depth > 0;
        }
        if (at && ((is_closing && !was_opening) || (!is_closing && was_opening))) {
            new_line(out, depth);
        }
        if (byte == '"') {
            size_t end = string_end(json, at);
            sl_buf_add(out, json.data + at, end - at);
            at = end - 1;
            continue;
        }
        sl_buf_add_byte(out, byte);
        depth += is_opening;
        if (byte == ',') {
            new_line(out, depth);
        } else if (byte == ':') {
            sl_buf_add_byte(out, ' ');
        }
    }
    sl_buf_add_byte(out, '\n');
}

/* ---- whole messages ---- */

static struct sl_status no_memory(void)
{
    return sl_status_because("out-of-memory",
                             sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
}

static struct sl_status write_out(const struct sl_tool_target *target, struct sl_buf *out,
                                  bool is_named)
{
    struct sl_status status =
        out->failed ? no_memory() : sl_tool_write(target, sl_buf_str(out), is_named);

    sl_buf_fini(out);
    return status;
}

struct sl_status sl_print_text(const struct sl_tool_target *target, struct sl_buf *text)
{
    return write_out(target, text, true);
}

struct sl_status sl_print_json(const struct sl_tool_target *target, const struct sl_buf *json)
{
    struct sl_buf out = {0};

    out.failed = json->failed;
    sl_json_indent(&out, sl_buf_str(json));
    return write_out(target, &out, false);
}

/* Whether it is out->failed or the message's own fault. */
static struct sl_status no_form(const struct sl_buf *out)
{
    return out->failed
               ? no_memory()
               : sl_status_error(SL_INTERNAL, "the answer holds what this format has no form for");
}

/* Appends the message's lines; false: no_form says why. */
static bool add_message(struct sl_buf *out, enum sl_tool_format format,
                        const ProtobufCMessageDescriptor *descriptor, struct sl_str message)
{
    struct sl_buf compact = {0};

    if (format == SL_TOOL_PROTOTEXT) {
        return sl_message_text_add(out, descriptor, message);
    }
    bool is_ok = sl_message_json_add(&compact, 0, SL_MESSAGE_PROTOJSON, descriptor, message);

    sl_json_indent(out, sl_buf_str(&compact));
    out->failed = out->failed || compact.failed;
    sl_buf_fini(&compact);
    return is_ok;
}

struct sl_status sl_print_message(const struct sl_tool_target *target, enum sl_tool_format format,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  struct sl_str message)
{
    struct sl_buf out = {0};

    if (!add_message(&out, format, descriptor, message)) {
        struct sl_status status = no_form(&out);
        sl_buf_fini(&out);
        return status;
    }
    return write_out(target, &out, true);
}

/* Of requests: prototext, or protojson for any other format. */
static enum sl_tool_format request_format(const struct sl_tool_options *options)
{
    return options->format == SL_TOOL_PROTOTEXT ? SL_TOOL_PROTOTEXT : SL_TOOL_PROTOJSON;
}

bool sl_print_request(const struct sl_tool_options *options, const ProtobufCMessage *request)
{
    struct sl_buf bytes = {0};
    struct sl_status status = no_memory();

    if (sl_grpc_message_pack(request, &bytes)) {
        status = sl_print_message(NULL, request_format(options), request->descriptor,
                                  sl_buf_str(&bytes));
    }
    sl_buf_fini(&bytes);
    return sl_status_is_ok(&status) || sl_tool_complain(options, "%s", status.text);
}

void sl_tool_show_request(const struct sl_tool_target *target,
                          const ProtobufCMessageDescriptor *descriptor, struct sl_str request)
{
    const struct sl_tool_options *options = target->run->options;
    struct sl_buf out = {0};

    if (options->print_request && add_message(&out, request_format(options), descriptor, request)) {
        fprintf(stderr, "%s: %s\n%s", target->name, descriptor->short_name, sl_buf_text(&out));
    }
    sl_buf_fini(&out);
}
