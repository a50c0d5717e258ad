/* Responses, in the format that is asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gnmi.pb-c.h"

#include "gnmi/pack.h"
#include "gnmi/path_print.h"
#include "loop/loop.h"
#include "normalise/encoder.h"
#include "normalise/message_text.h"
#include "tool/extensions.h"
#include "tool/print.h"

enum {
    MAX_PATH_COLUMN = 100,               /* longer paths push their values to the right */
    KEPT_PATHS_BYTES = 16 * 1024 * 1024, /* interned, by the encoder */
    TIME_BYTES = 64,
};

struct sl_printer {
    const struct sl_tool_target *target;
    enum sl_tool_format format;
    bool is_list;
    struct sl_encoder_memory memory;
    struct sl_encoder *encoder; /* EVENT, JSON, PROTOJSON; else NULL */
    struct sl_buf scratch;      /* of sl_gnmi_response_read */
    struct sl_buf record;       /* the encoder's */
    struct sl_buf list;         /* records, with commas between them */
    struct sl_buf out;
    struct sl_buf path; /* of the update under way */
    struct sl_buf text; /* of its value */
    struct sl_json json;
    size_t column;    /* of table: where values stand */
    int64_t shown_ns; /* of table: the time in the heading above */
    bool has_heading;
    /* of records */
    uint64_t epoch;
    uint64_t seq;
    bool is_synced;
};

/* ---- flat ---- */

static void add_path(struct sl_printer *printer, const struct sl_gnmi_response *response,
                     struct sl_str path)
{
    struct sl_buf text = {0};

    sl_buf_reset(&printer->path);
    if (sl_gnmi_path_print(response->prefix, path, &text)) {
        sl_print_plain(&printer->path, sl_buf_str(&text));
    } else {
        sl_buf_add_c(&printer->path, "(a path with too many keys)");
    }
    sl_buf_fini(&text);
}

/* The path, and behind it the name of a leaf of JSON; of the root the name alone. */
static void add_name(struct sl_printer *printer, struct sl_str name)
{
    struct sl_str path = sl_buf_str(&printer->path);

    path.len -= name.len && path.len && path.data[path.len - 1] == '/';
    sl_buf_add_str(&printer->out, path);
    sl_print_plain(&printer->out, name);
}

static void add_flat_leaf(struct sl_str name, struct sl_str text, void *arg)
{
    struct sl_printer *printer = arg;

    add_name(printer, name);
    sl_buf_add_c(&printer->out, ": ");
    sl_buf_add_str(&printer->out, text);
    sl_buf_add_byte(&printer->out, '\n');
}

/* ---- table ---- */

static void add_heading(struct sl_printer *printer, const struct sl_gnmi_response *response)
{
    int64_t ns = response->timestamp_ns;
    int64_t rest = (ns % SL_NS_PER_S + SL_NS_PER_S) % SL_NS_PER_S;
    time_t seconds = (time_t)((ns - rest) / SL_NS_PER_S);
    char text[TIME_BYTES];
    struct tm tm;

    if (printer->has_heading && printer->shown_ns == ns && !response->is_atomic) {
        return;
    }
    printer->has_heading = true;
    printer->shown_ns = ns;
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm)) {
        snprintf(text, sizeof(text), "%lld s since 1970", (long long)seconds);
    }
    sl_buf_printf(&printer->out, "%s.%03uZ%s\n", text, (unsigned)(rest / SL_NS_PER_MS),
                  response->is_atomic ? "  atomic" : "");
}

/* Where values are to stand: behind the longest path, if that is not too long. */
static void measure_leaf(struct sl_str name, struct sl_str text, void *arg)
{
    struct sl_printer *printer = arg;
    size_t len = 2 + printer->path.len + name.len;

    (void)text;
    if (len <= MAX_PATH_COLUMN && len > printer->column) {
        printer->column = len;
    }
}

static void add_table_leaf(struct sl_str name, struct sl_str text, void *arg)
{
    struct sl_printer *printer = arg;
    size_t start = printer->out.len;

    sl_buf_add_c(&printer->out, "  ");
    add_name(printer, name);
    for (size_t len = printer->out.len - start; len < printer->column; len++) {
        sl_buf_add_byte(&printer->out, ' ');
    }
    sl_buf_add_c(&printer->out, "  ");
    sl_buf_add_str(&printer->out, text);
    sl_buf_add_byte(&printer->out, '\n');
}

/* What a command line of the device printed, line by line. */
static void add_block(struct sl_printer *printer, struct sl_str text)
{
    sl_buf_add_c(&printer->out, "  ");
    sl_buf_add_str(&printer->out, sl_buf_str(&printer->path));
    sl_buf_add_byte(&printer->out, '\n');
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t shown = len - (len && text.data[len - 1] == '\r');
        sl_buf_add_c(&printer->out, "    ");
        sl_print_plain(&printer->out, (struct sl_str){text.data, shown});
        sl_buf_add_byte(&printer->out, '\n');
        len += end != NULL;
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

static bool is_block(const struct sl_printer *printer, const struct sl_gnmi_value *value)
{
    return printer->format == SL_TOOL_TABLE &&
           (value->kind == SL_GNMI_VALUE_ASCII || value->kind == SL_GNMI_VALUE_STRING) &&
           value->of.bytes.len && memchr(value->of.bytes.data, '\n', value->of.bytes.len);
}

/* ---- both ---- */

static void add_updates(struct sl_printer *printer, const struct sl_gnmi_response *response,
                        sl_print_leaf_fn add_leaf)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;

    while (sl_gnmi_next_update(&cursor, &update)) {
        add_path(printer, response, update.path);
        if (is_block(printer, &update.value)) {
            if (add_leaf == measure_leaf) {
                continue;
            }
            add_block(printer, update.value.of.bytes);
        } else {
            sl_print_leaves(&update.value, &printer->json, &printer->text, add_leaf, printer);
        }
        printer->out.failed = printer->out.failed || printer->path.failed || printer->text.failed;
    }
}

static void add_deletes(struct sl_printer *printer, const struct sl_gnmi_response *response,
                        sl_print_leaf_fn add_leaf)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_str path;

    while (sl_gnmi_next_delete(&cursor, &path)) {
        add_path(printer, response, path);
        add_leaf((struct sl_str){0}, SL_STR("(deleted)"), printer);
    }
}

/* Deletes first: that is the order in which they happen. */
static void add_lines(struct sl_printer *printer, const struct sl_gnmi_response *response)
{
    bool is_table = printer->format == SL_TOOL_TABLE;
    sl_print_leaf_fn add_leaf = is_table ? add_table_leaf : add_flat_leaf;

    if (is_table && response->kind == SL_GNMI_UPDATE) {
        add_heading(printer, response);
        add_updates(printer, response, measure_leaf);
    }
    if (response->kind == SL_GNMI_UPDATE) {
        add_deletes(printer, response, add_leaf);
        add_updates(printer, response, add_leaf);
    } else if (response->kind == SL_GNMI_SYNC) {
        sl_buf_printf(&printer->out, "sync-response: %s\n", response->is_sync ? "true" : "false");
    }
    sl_tool_add_extension_lines(&printer->out, response->message,
                                &gnmi__subscribe_response__descriptor);
}

/* ---- the encoders' formats ---- */

static void add_to_list(struct sl_printer *printer)
{
    struct sl_str record = sl_buf_str(&printer->record);

    if (printer->format == SL_TOOL_EVENT) { /* an array of its own */
        record = (struct sl_str){record.data + 1, record.len - 2};
    }
    sl_buf_add_c(&printer->list, printer->list.len ? "," : "");
    sl_buf_add_str(&printer->list, record);
}

/* As a sink writes them: lines. */
static void add_records(struct sl_printer *printer)
{
    struct sl_str records = sl_buf_str(&printer->record);

    sl_buf_add_str(&printer->out, records);
    if (records.data[records.len - 1] != '\n') {
        sl_buf_add_byte(&printer->out, '\n');
    }
}

static bool encode(struct sl_printer *printer, const struct sl_gnmi_response *response)
{
    const struct sl_encoder_context context = {.epoch = printer->epoch,
                                               .seq = printer->seq + 1,
                                               .received_ns = sl_loop_wall_ns(),
                                               .is_synced = printer->is_synced};
    struct sl_encoded encoded = {0};

    sl_buf_reset(&printer->record);
    if (!sl_encoder_encode(printer->encoder, response, &context, &printer->record, &encoded)) {
        return false;
    }
    printer->seq += printer->record.len > 0;
    printer->is_synced =
        printer->is_synced || (response->kind == SL_GNMI_SYNC && response->is_sync);
    if (encoded.dropped) {
        fprintf(stderr,
                "sluice %s: %s: %u values that this format cannot carry are left out: "
                "--format flat has them\n",
                printer->target->run->options->tool->name, printer->target->name, encoded.dropped);
    }
    if (printer->record.len && printer->is_list) {
        add_to_list(printer);
    } else if (printer->record.len && printer->format >= SL_TOOL_PROTO) {
        add_records(printer);
    } else if (printer->record.len) {
        sl_json_indent(&printer->out, sl_buf_str(&printer->record));
    }
    return !printer->list.failed;
}

static void add_delimited(struct sl_buf *out, struct sl_str message)
{
    char len[SL_PACK_VARINT_BYTES];

    sl_buf_add(out, len, (size_t)(sl_pack_put_varint(len, message.len) - len));
    sl_buf_add_str(out, message);
}

/* ---- public ---- */

static struct sl_status no_memory(void)
{
    return sl_status_because("out-of-memory",
                             sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory"));
}

/* Those of records name their source by themselves. */
static bool names_target(enum sl_tool_format format)
{
    return format == SL_TOOL_EVENT || format == SL_TOOL_JSON || format >= SL_TOOL_PROTO;
}

static struct sl_status flush(struct sl_printer *printer)
{
    struct sl_status status = no_memory();

    if (printer->out.failed) {
        return status;
    }
    if (printer->format == SL_TOOL_PROTO) {
        status = sl_tool_write_bytes(printer->target, sl_buf_str(&printer->out));
    } else {
        status = sl_tool_write(printer->target, sl_buf_str(&printer->out),
                               !names_target(printer->format));
    }
    sl_buf_reset(&printer->out);
    return status;
}

/* The encoder's format; false: the printer does it by itself. */
static bool has_encoder(enum sl_tool_format format, enum sl_format *encoded)
{
    static const struct {
        enum sl_tool_format format;
        enum sl_format encoded;
    } rows[] = {
        {SL_TOOL_EVENT, SL_FORMAT_EVENT},
        {SL_TOOL_JSON, SL_FORMAT_GNMIC_JSON},
        {SL_TOOL_PROTOJSON, SL_FORMAT_PROTOJSON},
        {SL_TOOL_EVENT_SPLIT, SL_FORMAT_EVENT_SPLIT},
        {SL_TOOL_SLUICE_V1_JSON, SL_FORMAT_SLUICE_V1_JSON},
        {SL_TOOL_TELEGRAF_JSON, SL_FORMAT_TELEGRAF_JSON},
        {SL_TOOL_INFLUX, SL_FORMAT_INFLUX},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        if (rows[i].format == format) {
            *encoded = rows[i].encoded;
            return true;
        }
    }
    return false;
}

static struct sl_encoder *make_encoder(struct sl_printer *printer, enum sl_format format,
                                       const char *subscription,
                                       const struct sl_gnmi_subscribe *subscribe)
{
    const struct sl_encoder_config config = {
        .format = format,
        .target = sl_str_from(printer->target->name),
        .subscription = sl_str_from(subscription),
        .subscribe = subscribe,
        .memory = &printer->memory,
    };

    return sl_encoder_new(&config);
}

struct sl_printer *sl_printer_new(const struct sl_tool_target *target, const char *subscription,
                                  const struct sl_gnmi_subscribe *subscribe, bool is_list)
{
    struct sl_printer *printer = calloc(1, sizeof(*printer));
    enum sl_format encoded;

    if (!printer) {
        return NULL;
    }
    printer->target = target;
    printer->format = sl_tool_format(target->run->options);
    printer->is_list = is_list;
    printer->memory.limit_bytes = KEPT_PATHS_BYTES;
    sl_json_init(&printer->json);
    printer->epoch = (uint64_t)sl_loop_wall_ns();
    if (has_encoder(printer->format, &encoded)) {
        printer->encoder = make_encoder(printer, encoded, subscription, subscribe);
        if (!printer->encoder) {
            sl_printer_free(printer);
            return NULL;
        }
    }
    return printer;
}

void sl_printer_free(struct sl_printer *printer)
{
    if (!printer) {
        return;
    }
    sl_encoder_free(printer->encoder);
    sl_json_fini(&printer->json);
    sl_buf_fini(&printer->scratch);
    sl_buf_fini(&printer->record);
    sl_buf_fini(&printer->list);
    sl_buf_fini(&printer->out);
    sl_buf_fini(&printer->path);
    sl_buf_fini(&printer->text);
    free(printer);
}

struct sl_status sl_printer_response(struct sl_printer *printer,
                                     const struct sl_gnmi_response *response)
{
    sl_buf_reset(&printer->out);
    if (printer->encoder) {
        printer->out.failed = !encode(printer, response) || printer->out.failed;
    } else if (printer->format == SL_TOOL_PROTO) {
        add_delimited(&printer->out, response->message);
    } else if (printer->format == SL_TOOL_PROTOTEXT) {
        if (!sl_message_text_add(&printer->out, &gnmi__subscribe_response__descriptor,
                                 response->message)) {
            return no_memory();
        }
        sl_buf_add_byte(&printer->out, '\n');
    } else {
        add_lines(printer, response);
    }
    return flush(printer);
}

struct sl_status sl_printer_bytes(struct sl_printer *printer, struct sl_str message)
{
    struct sl_gnmi_response response;
    struct sl_status status = sl_gnmi_response_read(message, &printer->scratch, &response);

    return sl_status_is_ok(&status) ? sl_printer_response(printer, &response) : status;
}

struct sl_status sl_printer_end(struct sl_printer *printer)
{
    if (!printer->is_list || !printer->encoder) {
        return sl_status_ok();
    }
    sl_buf_reset(&printer->record);
    sl_buf_add_byte(&printer->record, '[');
    sl_buf_add_str(&printer->record, sl_buf_str(&printer->list));
    sl_buf_add_byte(&printer->record, ']');
    sl_json_indent(&printer->out, sl_buf_str(&printer->record));
    printer->out.failed = printer->out.failed || printer->record.failed || printer->list.failed;
    sl_buf_reset(&printer->list);
    return flush(printer);
}
