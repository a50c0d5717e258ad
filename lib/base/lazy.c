#include "base/lazy.h"

#include <dlfcn.h>
#include <string.h>

static struct sl_status missing(const char *file)
{
    const char *words = dlerror();

    return sl_status_because("library-missing",
                             sl_status_error(SL_FAILED_PRECONDITION, "%s: %s", file,
                                             words ? words : "cannot be loaded"));
}

bool sl_lazy_load(const char *file, const struct sl_lazy_symbol *symbols, void *functions,
                  struct sl_status *why)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

    if (!library) {
        *why = missing(file);
        return false;
    }
    for (const struct sl_lazy_symbol *symbol = symbols; symbol->name; symbol++) {
        void *function = dlsym(library, symbol->name);
        if (!function) {
            *why = missing(file);
            dlclose(library);
            return false;
        }
        /* C has no conversion between the two; POSIX has them alike. */
        memcpy((char *)functions + symbol->offset, &function, sizeof(function));
    }
    return true;
}
