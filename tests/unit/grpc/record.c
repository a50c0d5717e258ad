#include "grpc/record.h"

static void say(struct record *record, const char *word)
{
    sl_buf_add_c(&record->said, word);
    sl_buf_add_byte(&record->said, ' ');
}

static void on_open(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    say(arg, "open");
}

static void on_headers(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    say(arg, "headers");
}

static bool on_received(struct sl_grpc_call *call, uint32_t len, void *arg)
{
    struct record *record = arg;

    (void)call;
    record->received_bytes += len;
    return !record->limit_bytes || record->received_bytes <= record->limit_bytes;
}

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    const struct record *record = arg;
    uint32_t limit = record->max_message_bytes;

    (void)call;
    return limit ? limit : SL_GRPC_MAX_MESSAGE_BYTES;
}

static enum sl_grpc_take on_message(struct sl_grpc_call *call, const uint8_t *bytes,
                                    uint32_t length, void *arg)
{
    struct record *record = arg;

    if (record->holds > 0) {
        record->holds--;
        say(record, "hold");
        return SL_GRPC_HOLD;
    }
    record->messages++;
    record->message_bytes += length;
    if (!record->is_quiet) {
        sl_buf_printf(&record->said, "msg:%.*s ", (int)length, (const char *)bytes);
    }
    if (record->cancels) {
        sl_grpc_call_cancel(call);
    }
    return record->stops ? SL_GRPC_STOP : SL_GRPC_TAKEN;
}

static void on_half_close(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    say(arg, "half-close");
}

static void on_writable(struct sl_grpc_call *call, void *arg)
{
    struct record *record = arg;

    (void)call;
    record->writables++;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct record *record = arg;

    assert_ptr_equal(call, record->call);
    record->call = NULL;
    record->status = *status;
    sl_buf_printf(&record->said, "status:%s ", sl_code_name(status->code));
}

const struct sl_grpc_call_events record_events = {
    .on_open = on_open,
    .on_headers = on_headers,
    .on_received = on_received,
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_message,
    .on_half_close = on_half_close,
    .on_writable = on_writable,
    .on_status = on_status,
};

void record_fini(struct record *record)
{
    assert_null(record->call);
    sl_buf_fini(&record->said);
}

void expect_said(struct record *record, const char *words)
{
    assert_string_equal(sl_buf_text(&record->said), words);
    sl_buf_reset(&record->said);
}
