/* print.h - what devices answer, for a person or for the next program.
 *
 * One printer for each target. A SubscribeResponse and each notification of a GetResponse come out
 * alike:
 *
 *     flat       a line for each update and each delete: "origin:/a/b[k=v]/c: value", and
 *                "origin:/a/b: (deleted)"; JSON values taken apart to their leaves
 *     event      gnmic's array of events      (normalise/event.h)      \
 *     json       gnmic's object of a response (normalise/gnmic_json.h)  > with two blanks a level
 *     protojson  protobuf's JSON mapping      (normalise/protojson.h)  /
 *     prototext  protobuf's text format       (normalise/message_text.h), an empty line behind each
 *     table      lines for a person: the time and the target, and below it a path and a value each
 *
 * and, of streams alone, what sinks write, a line for each record (normalise/encoder.h):
 * event-split, sluice.v1-json, telegraf-json, influx; and proto, the messages' bytes, each behind
 * its length as a varint.
 *
 * Values are printed as they came: numbers digit by digit. Of text for people (flat, table) no byte
 * of a device reaches a terminal that could steer it. Where several targets answer, each line but
 * those of event, json and what sinks write, which name their source, begins with "[target] ",
 * unless --no-prefix.
 */
#ifndef SLUICE_TOOL_PRINT_H
#define SLUICE_TOOL_PRINT_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "gnmi/response.h"
#include "tool/dial.h"
#include "tool/options.h"
#include "tool/value_text.h"

/* In the order of --format's words. */
enum sl_tool_format {
    SL_TOOL_AUTO,
    SL_TOOL_FLAT,
    SL_TOOL_EVENT,
    SL_TOOL_JSON,
    SL_TOOL_PROTOJSON,
    SL_TOOL_PROTOTEXT,
    SL_TOOL_TABLE,
    /* of streams alone */
    SL_TOOL_PROTO,
    SL_TOOL_EVENT_SPLIT,
    SL_TOOL_SLUICE_V1_JSON,
    SL_TOOL_TELEGRAF_JSON,
    SL_TOOL_INFLUX,
};

/* The format in force: never AUTO, which is TABLE where standard output is a terminal, else JSON.
 */
enum sl_tool_format sl_tool_format(const struct sl_tool_options *options);

/* Prints a whole message of any type as protojson or prototext. What cannot be printed (an Any of
 * an unknown type in protojson, memory) is an INTERNAL status. */
struct sl_status sl_print_message(const struct sl_tool_target *target, enum sl_tool_format format,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  struct sl_str message) SL_MUST_CHECK;

/* Prints lines, and frees them. */
struct sl_status sl_print_text(const struct sl_tool_target *target,
                               struct sl_buf *text) SL_MUST_CHECK;

/* Prints one JSON value, indented. */
struct sl_status sl_print_json(const struct sl_tool_target *target,
                               const struct sl_buf *json) SL_MUST_CHECK;

/* Appends the JSON text, with two blanks a level and a line's end. It has no blanks and no errors.
 */
void sl_json_indent(struct sl_buf *out, struct sl_str json);

/* --dry-run: prints a request that nobody is sent, as prototext or, for any other format, as
 * protojson. Returns whether that went well. */
bool sl_print_request(const struct sl_tool_options *options, const ProtobufCMessage *request);

/* --print-request: the same on standard error, of bytes that the target is about to be sent. */
void sl_tool_show_request(const struct sl_tool_target *target,
                          const ProtobufCMessageDescriptor *descriptor, struct sl_str request);

/* ---- responses ---- */

struct sl_printer;
struct sl_gnmi_subscribe; /* gnmi/request.h */

/* `subscription` names what was subscribed to in event and json ("" : nothing does), `subscribe` is
 * what it was, for telegraf-json and influx (NULL: nothing). Of a list the
 * responses come out together at its end, in json and event as one array: a Get; else each at once.
 * NULL when memory is out. */
struct sl_printer *sl_printer_new(const struct sl_tool_target *target, const char *subscription,
                                  const struct sl_gnmi_subscribe *subscribe,
                                  bool is_list) SL_MUST_CHECK;
void sl_printer_free(struct sl_printer *printer); /* NULL is nothing */

/* Prints one SubscribeResponse. CANCELLED, "output-closed": standard output takes no more, and the
 * tool ends well. An update that the format cannot carry (NaN in json) is left out and said on
 * standard error. */
struct sl_status sl_printer_response(struct sl_printer *printer,
                                     const struct sl_gnmi_response *response) SL_MUST_CHECK;

/* The same of the bytes of one; INVALID_ARGUMENT: they are none. */
struct sl_status sl_printer_bytes(struct sl_printer *printer, struct sl_str message) SL_MUST_CHECK;

/* Of a list: prints it. */
struct sl_status sl_printer_end(struct sl_printer *printer) SL_MUST_CHECK;

#endif
