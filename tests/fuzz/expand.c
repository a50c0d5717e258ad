/* expand.c - braces in the text of a path: what has none is itself; each text that comes out of the
 * others has no group left, and comes out of the text itself: its front, its end. */
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "gnmi/path_expand.h"

enum { MOST_TEXTS = 200 };

struct seen {
    struct sl_str given;
    size_t plain; /* bytes at the front of it without braces, commas and backslashes */
    size_t count;
};

static bool is_special(char byte)
{
    return byte && strchr("{}\\,", byte) != NULL;
}

static bool take(struct sl_str text, void *arg)
{
    struct seen *seen = arg;
    struct sl_str front = {seen->given.data, seen->plain};

    SL_ASSERT(sl_str_starts_with(text, front));
    if (seen->plain == seen->given.len) {
        SL_ASSERT(sl_str_eq(text, seen->given));
    }
    return ++seen->count < MOST_TEXTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen seen = {.given = {(const char *)data, size}};

    while (seen.plain < size && !is_special((char)data[seen.plain])) {
        seen.plain++;
    }
    struct sl_status status = sl_gnmi_path_expand(seen.given, take, &seen);

    SL_ASSERT(sl_status_is_ok(&status) || status.code == SL_INVALID_ARGUMENT);
    SL_ASSERT(!sl_status_is_ok(&status) || seen.count > 0);
    SL_ASSERT(seen.count <= MOST_TEXTS);
    if (seen.plain == size && sl_status_is_ok(&status)) {
        SL_ASSERT(seen.count == 1);
    }
    return 0;
}
