/* Files of the page, straight from where they lie in the binary. */
#include <string.h>

#include "admin/internal.h"

static bool add_headers(struct MHD_Response *response, const struct sl_page_asset *asset)
{
    bool is_good = MHD_add_response_header(response, "Content-Type", asset->type) &&
                   MHD_add_response_header(response, "ETag", asset->etag);

    for (const struct sl_page_header *header = sl_page_headers; header->name; header++) {
        is_good = is_good && MHD_add_response_header(response, header->name, header->value);
    }
    return is_good;
}

struct MHD_Response *sl_admin_asset_response(const struct sl_page_asset *asset, const char *known,
                                             unsigned *code)
{
    bool is_known = known && strstr(known, asset->etag); /* it has quotes: no part of another */
    struct sl_str bytes = is_known ? SL_STR("") : asset->bytes;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        bytes.len, (void *)(uintptr_t)bytes.data, MHD_RESPMEM_PERSISTENT);

    *code = is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    if (response && !add_headers(response, asset)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    return response;
}
