#include "admin/uri.h"

#include <string.h>

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that the escape at `at` stands for; 0: none that is taken. */
static char escaped(struct sl_str raw, size_t at)
{
    int high = at + 1 < raw.len ? hex_digit(raw.data[at + 1]) : -1;
    int low = at + 2 < raw.len ? hex_digit(raw.data[at + 2]) : -1;

    return high < 0 || low < 0 ? '\0' : (char)(high * 16 + low);
}

bool sl_uri_decode(struct sl_str raw, char *text, size_t room)
{
    size_t len = 0;

    for (size_t at = 0; at < raw.len; at++) {
        char byte = raw.data[at];
        if (byte == '%') {
            byte = escaped(raw, at);
            at += 2;
        }
        if (byte == '\0' || len + 1 >= room) {
            return false;
        }
        text[len++] = byte;
    }
    if (room == 0) {
        return false;
    }
    text[len] = '\0';
    return true;
}

bool sl_uri_matches(const char *pattern, const char *path, struct sl_str *segment)
{
    const char *hole = strstr(pattern, "{}");

    *segment = SL_STR("");
    if (!hole) {
        return strcmp(pattern, path) == 0;
    }
    size_t before = (size_t)(hole - pattern);
    if (strncmp(pattern, path, before) != 0) {
        return false;
    }
    size_t len = strcspn(path + before, "/");
    *segment = (struct sl_str){path + before, len};
    return len > 0 && strcmp(hole + 2, path + before + len) == 0;
}
