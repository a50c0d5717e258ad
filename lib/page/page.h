/* page.h - the status page: files that lie in the binary, ready to be served.
 *
 *     /               index.html
 *     /page/NAME      style, modules, icon, and the chart library
 *
 * The page has no data of its own: its modules ask /api/v1 of the same origin (daemon/admin.h),
 * with a token where that wants one. So the files may be served to whoever reaches the listener.
 * All of it is constant and lies in the binary, from where it comes into memory when it is first
 * asked for; any thread. A build without it (SL_PAGE off) finds nothing.
 */
#ifndef SLUICE_PAGE_PAGE_H
#define SLUICE_PAGE_PAGE_H

#include <stddef.h>

#include "base/str.h"

struct sl_page_asset {
    const char *path; /* of the request: "/page/main.js" */
    const char *type; /* Content-Type */
    const char *etag; /* with its quotes; another one whenever the bytes are others */
    struct sl_str bytes;
};

struct sl_page_header {
    const char *name;
    const char *value;
};

/* The headers that go with every asset, beside its own type and ETag: nothing is run, shown or
 * asked that does not come from the same origin (Content Security Policy Level 3). Ends with a NULL
 * name. */
extern const struct sl_page_header sl_page_headers[];

/* Made by the build (bundle.py). */
extern const struct sl_page_asset sl_page_assets[];
extern const size_t sl_page_asset_count;

/* The asset at that path, which has no query; NULL: there is none. */
const struct sl_page_asset *sl_page_find(const char *path);

#endif
