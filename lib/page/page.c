#include "page/page.h"

#include <string.h>

const struct sl_page_header sl_page_headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-cache"}, /* asked again each time, and answered by the ETag */
    {NULL, NULL},
};

const struct sl_page_asset *sl_page_find(const char *path)
{
    for (size_t i = 0; i < sl_page_asset_count; i++) {
        if (strcmp(path, sl_page_assets[i].path) == 0) {
            return &sl_page_assets[i];
        }
    }
    return NULL;
}
