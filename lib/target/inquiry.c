#include "target/inquiry.h"

#include "gnmi.services.h"

static uint32_t max_message_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_INQUIRY_MAX_BYTES;
}

static enum sl_grpc_take on_bytes(struct sl_grpc_call *call, const uint8_t *bytes, uint32_t length,
                                  void *arg)
{
    struct sl_inquiry *inquiry = arg;

    (void)call;
    sl_gnmi_capabilities_read((struct sl_str){(const char *)bytes, length}, &inquiry->told);
    inquiry->has_told = true;
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct sl_inquiry *inquiry = arg;
    bool has_told = inquiry->has_told && sl_status_is_ok(status);

    (void)call;
    sl_timer_free(inquiry->timer);
    inquiry->timer = NULL;
    inquiry->call = NULL;
    inquiry->on_done(has_told ? &inquiry->told : NULL, status, inquiry->arg);
}

static const struct sl_grpc_call_events call_events = {
    .max_message_bytes = max_message_bytes,
    .on_bytes = on_bytes,
    .on_status = on_status,
};

static void on_timer(void *arg)
{
    struct sl_inquiry *inquiry = arg;
    const struct sl_status why =
        sl_status_because("deadline", sl_status_error(SL_DEADLINE_EXCEEDED, "no answer in %d ms",
                                                      (int)SL_INQUIRY_TIMEOUT_MS));

    if (inquiry->call) {
        sl_grpc_call_fail(inquiry->call, &why);
    }
}

void sl_inquiry_init(struct sl_inquiry *inquiry, struct sl_loop *loop, sl_inquiry_done_fn on_done,
                     void *arg)
{
    inquiry->loop = loop;
    inquiry->on_done = on_done;
    inquiry->arg = arg;
}

void sl_inquiry_fini(struct sl_inquiry *inquiry)
{
    SL_ASSERT(!inquiry->call && !inquiry->timer);
}

bool sl_inquiry_begin(struct sl_inquiry *inquiry, struct sl_h2_session *session)
{
    bool has_user = inquiry->username[0] != '\0';
    const struct sl_grpc_field metadata[] = {
        {SL_STR("username"), sl_str_from(inquiry->username), false},
        {SL_STR("password"), sl_str_from(inquiry->password), true},
    };
    const struct sl_grpc_request request = {
        .method = &gnmi__g_nmi__methods[GNMI__G_NMI__CAPABILITIES],
        .authority = inquiry->authority,
        .user_agent = "sluice/" SLUICE_VERSION,
        .metadata = metadata,
        .metadata_count = has_user ? SL_ARRAY_LEN(metadata) : 0,
        .identity_only = true,
        .context = inquiry->grpc,
    };

    SL_ASSERT(!inquiry->call);
    inquiry->has_told = false;
    inquiry->timer = sl_timer_new(inquiry->loop, on_timer, inquiry);
    if (!inquiry->timer) {
        return false;
    }
    inquiry->call = sl_grpc_call_open(session, &request, &call_events, inquiry);
    if (!inquiry->call) {
        sl_timer_free(inquiry->timer);
        inquiry->timer = NULL;
        return false;
    }
    sl_timer_start(inquiry->timer, SL_INQUIRY_TIMEOUT_MS);
    if (sl_grpc_call_send_bytes(inquiry->call, "", 0) == SL_GRPC_SENT) {
        sl_grpc_call_half_close(inquiry->call);
    } else {
        sl_grpc_call_cancel(inquiry->call);
    }
    return true;
}
