/* Mends on what a device may send: whatever it is, nothing is lost without being counted, what
 * comes out is a response like any other, and mending it a second time finds nothing more to do. */
#include "normalise/mend.h"

#include "fuzz.h"

static const char *const paths[] = {"/interfaces/interface[name=*]/state", "/a/.../z", NULL};
static const struct sl_gnmi_asked asked = {.paths = paths};
static const struct sl_gnmi_subscribe subscribe = {
    .asked = &asked, .asked_count = 1, .prefix = "/top", .target = "r1"};

/* What the updates and deletes are, walked. */
static void count(const struct sl_gnmi_response *response, uint32_t *updates, uint32_t *deletes)
{
    struct sl_gnmi_cursor at = sl_gnmi_response_begin(response);
    struct sl_gnmi_cursor gone = at;
    struct sl_gnmi_update update;
    struct sl_str path;

    *updates = 0;
    *deletes = 0;
    while (sl_gnmi_next_update(&at, &update)) {
        ++*updates;
    }
    while (sl_gnmi_next_delete(&gone, &path)) {
        ++*deletes;
    }
}

static void mend(struct sl_mend *mend, const struct sl_gnmi_response *response)
{
    struct sl_buf out = {.data = NULL};
    struct sl_buf again = {.data = NULL};
    struct sl_buf scratch = {.data = NULL};
    struct sl_mended mended;
    struct sl_mended twice;
    struct sl_gnmi_response read;
    uint32_t updates;
    uint32_t deletes;

    SL_ASSERT(sl_mend_apply(mend, response, true, &out, &mended));
    if (!mended.is_dropped) {
        count(&mended.response, &updates, &deletes);
        SL_ASSERT(updates == mended.response.updates && deletes == mended.response.deletes);
        SL_ASSERT(updates + deletes + mended.filtered == response->updates + response->deletes);
        SL_ASSERT(mended.response.timestamp_ns == response->timestamp_ns);
        struct sl_status status = sl_gnmi_response_read(mended.response.message, &scratch, &read);
        SL_ASSERT(sl_status_is_ok(&status) && read.updates == updates && read.deletes == deletes);
        SL_ASSERT(sl_mend_apply(mend, &mended.response, true, &again, &twice));
        SL_ASSERT(!twice.is_dropped && twice.filtered == 0);
    } else {
        SL_ASSERT(mended.filtered == response->updates + response->deletes);
    }
    sl_buf_fini(&out);
    sl_buf_fini(&again);
    sl_buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sl_str message = {(const char *)data, size};
    struct sl_buf scratch = {.data = NULL};
    struct sl_gnmi_capabilities capabilities;
    struct sl_gnmi_response response;
    struct sl_mend mending = {.works = 0};
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    sl_gnmi_capabilities_read(message, &capabilities);
    SL_ASSERT(capabilities.vendor != NULL);
    SL_ASSERT(sl_mend_set(&mending, UINT32_MAX, &subscribe));
    if (sl_status_is_ok(&status)) {
        (void)sl_mend_note(&mending, &response);
        mend(&mending, &response);
        SL_ASSERT(sl_mend_set(&mending, UINT32_MAX & ~SL_GNMI_WORK(DROPS_UNASKED), &subscribe));
        mend(&mending, &response);
    }
    sl_mend_fini(&mending);
    sl_buf_fini(&scratch);
    return 0;
}
