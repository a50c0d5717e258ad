/* mending.c - the device's ways: how it is asked, what is mended of what it sends, and what its
 * messages say beside their data. */
#include <stdlib.h>

#include "gnmi/extension.h"
#include "stream/internal.h"
#include "stream/prober.h"

/* ---- the profile ---- */

static void log_workarounds(struct sl_stream *stream, const struct sl_gnmi_profile *profile)
{
    enum sl_gnmi_encoding encoding =
        sl_gnmi_profile_encoding(profile, (int)stream->config.subscribe.encoding);
    struct sl_buf names = {.data = NULL};

    for (int i = 0; i < SL_GNMI_WORKAROUNDS; i++) {
        if (stream->workarounds >> i & 1) {
            sl_buf_add_c(&names, names.len ? "," : "");
            sl_buf_add_c(&names, sl_gnmi_workaround_name((enum sl_gnmi_workaround)i));
        }
    }
    sl_log(stream->workarounds & SL_GNMI_WORK(OTHER_ENCODING) ? SL_LOG_WARN : SL_LOG_INFO,
           &stream->subject, "workarounds in force", sl_log_text("reason", "vendor"),
           sl_log_text("vendor", profile->vendor->name),
           sl_log_text("encoding", sl_gnmi_encoding_name(encoding)),
           sl_log_text("asked", sl_gnmi_encoding_name(stream->config.subscribe.encoding)),
           sl_log_text("are", sl_buf_text(&names)));
    sl_buf_fini(&names);
}

static void warn_of_target(struct sl_stream *stream, const struct sl_gnmi_profile *profile)
{
    if (profile->vendor->needs_target && !stream->config.subscribe.target) {
        sl_log(SL_LOG_WARN, &stream->subject,
               "the device wants prefix.target: the subscription's key 'target'",
               sl_log_text("reason", "vendor"), sl_log_text("vendor", profile->vendor->name));
    }
}

/* Of what all members ask for together. */
static bool set_mends(struct sl_stream *stream, uint32_t in_force)
{
    const struct sl_stream_config *config = &stream->config;
    struct sl_gnmi_subscribe whole = config->subscribe;
    struct sl_gnmi_asked *asked;
    size_t room = 1;
    bool is_set = false;

    if (!stream->mend && !sl_mend_does(in_force)) {
        return true;
    }
    stream->mend = stream->mend ? stream->mend : calloc(1, sizeof(*stream->mend));
    for (size_t i = 0; i < config->member_count; i++) {
        room += config->members[i].asked_count;
    }
    asked = calloc(room, sizeof(*asked));
    whole.asked = asked;
    whole.asked_count = 0;
    for (size_t i = 0; asked && i < config->member_count; i++) {
        const struct sl_stream_member *member = &config->members[i];
        for (size_t j = 0; j < member->asked_count; j++) {
            asked[whole.asked_count++] = member->asked[j];
        }
    }
    if (asked && stream->mend) {
        is_set = sl_mend_set(stream->mend, in_force, &whole);
    }
    free(asked);
    return is_set;
}

/* The request, and what is done for its sake. False: everything stays as it was. */
static bool set_request(struct sl_stream *stream, const struct sl_gnmi_profile *profile,
                        uint32_t *in_force)
{
    struct sl_buf request = {.data = NULL};
    struct sl_status status =
        sl_asking_pack(&stream->asking, sl_prober_asked(stream), &stream->config.subscribe, profile,
                       &request, in_force);

    if (sl_status_is_ok(&status) && !set_mends(stream, *in_force)) {
        status = sl_status_out_of_memory();
    }
    if (!sl_status_is_ok(&status)) {
        sl_log(SL_LOG_WARN, &stream->subject, "the request stays as it was",
               sl_log_text("reason", sl_status_reason(&status)), sl_log_text("why", status.text));
        sl_buf_fini(&request);
        return false;
    }
    sl_buf_fini(&stream->request);
    stream->request = request;
    return true;
}

bool sl_stream_set_profile(struct sl_stream *stream, const struct sl_gnmi_profile *profile)
{
    uint32_t requests = SL_GNMI_WORK(DROPS_TIMELESS) - 1; /* those before it are of requests */
    uint32_t in_force = profile->vendor->workarounds & ~requests;

    if (!set_request(stream, profile, &in_force)) {
        return false;
    }
    stream->profile = *profile;
    if ((in_force & SL_GNMI_WORK(EXPECTS_MS)) && stream->clock.unit == SL_CLOCK_AUTO) {
        stream->clock.unit = SL_CLOCK_MS; /* until a number speaks for another one */
    }
    if (in_force != stream->workarounds) {
        stream->workarounds = in_force;
        log_workarounds(stream, profile);
    }
    warn_of_target(stream, profile);
    return true;
}

struct sl_status sl_stream_pack_paths(const struct sl_stream *stream, const uint8_t *is_in,
                                      struct sl_buf *request)
{
    const struct sl_gnmi_profile *profile = stream->profile.vendor ? &stream->profile : NULL;
    uint32_t in_force = 0;

    return sl_asking_pack(&stream->asking, is_in, &stream->config.subscribe, profile, request,
                          &in_force);
}

void sl_stream_pack_request(struct sl_stream *stream)
{
    struct sl_buf request = {.data = NULL};
    struct sl_status status = sl_stream_pack_paths(stream, sl_prober_asked(stream), &request);

    if (!sl_status_is_ok(&status)) {
        sl_log(SL_LOG_WARN, &stream->subject, "the request stays as it was",
               sl_log_text("reason", sl_status_reason(&status)), sl_log_text("why", status.text));
        sl_buf_fini(&request);
        return;
    }
    sl_buf_fini(&stream->request);
    stream->request = request;
}

enum sl_clock_policy sl_stream_clock_policy(const struct sl_stream *stream,
                                            const struct sl_route *route)
{
    enum sl_clock_policy policy = route->config.clock_policy;

    if (policy != SL_CLOCK_OF_FORMAT) {
        return policy;
    }
    if (stream->workarounds & SL_GNMI_WORK(DOUBTS_TIME)) {
        return SL_CLOCK_RECEIVE;
    }
    return stream->workarounds & SL_GNMI_WORK(EXPECTS_MS) ? SL_CLOCK_DEVICE : policy;
}

void sl_stream_mended(const struct sl_stream *stream, struct sl_mend_counts *counts)
{
    *counts = stream->mend ? stream->mend->counts : (struct sl_mend_counts){.lost = 0};
}

uint32_t sl_stream_workarounds(const struct sl_stream *stream)
{
    return stream->workarounds;
}

/* ---- what a message says beside its data ---- */

static void note_extension(struct sl_stream *stream, struct sl_str bytes)
{
    struct sl_gnmi_extension extension;
    GnmiExt__Extension *message =
        gnmi_ext__extension__unpack(NULL, bytes.len, (const uint8_t *)bytes.data);

    stream->view.extensions++;
    if (!message) {
        return;
    }
    sl_gnmi_extension_read(message, &extension);
    if (extension.kind == SL_GNMI_CONFIG_DONE) {
        stream->view.config_syncs++;
        sl_log(SL_LOG_INFO, &stream->subject, "configuration synced",
               sl_log_text("commit-confirm-id", extension.of.config_done.commit_confirm_id),
               sl_log_text("server-commit-id", extension.of.config_done.server_commit_id));
    } else if (extension.kind == SL_GNMI_REGISTERED) {
        sl_log(SL_LOG_DEBUG, &stream->subject, "registered extension",
               sl_log_u64("id", extension.of.registered.id),
               sl_log_u64("bytes", extension.of.registered.message.len));
    }
    gnmi_ext__extension__free_unpacked(message, NULL);
}

/* The vendor's header, which each message has, is not unpacked but read where it lies. */
static void note_header(struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    uint64_t missing = sl_mend_note(stream->mend, response);

    if (missing > 0) {
        sl_log(SL_LOG_WARN, &stream->subject, "the device lost messages, its own numbers say",
               sl_log_text("reason", "lost-messages"), sl_log_u64("messages", missing),
               sl_log_u64("so-far", stream->mend->counts.lost));
    }
}

void sl_stream_note_extensions(struct sl_stream *stream, const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_extensions_begin(response);
    struct sl_str bytes;

    if (stream->mend && stream->mend->sensors) {
        note_header(stream, response);
        return;
    }
    while (sl_gnmi_next_extension(&cursor, &bytes)) {
        note_extension(stream, bytes);
    }
}
