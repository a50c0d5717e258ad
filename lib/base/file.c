#include "base/file.h"

#include <errno.h>
#include <unistd.h>

bool sl_file_write(int fd, struct sl_str text)
{
    while (text.len) {
        ssize_t written = write(fd, text.data, text.len);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        text.data += written;
        text.len -= (size_t)written;
    }
    return true;
}
