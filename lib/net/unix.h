/* unix.h - sockets of the file system that listen, and the files that stand for them. */
#ifndef SLUICE_NET_UNIX_H
#define SLUICE_NET_UNIX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "net/address.h"

/* The file that a listener made. */
struct sl_unix_file {
    bool is_there; /* else there is none: an abstract name */
    dev_t dev;
    ino_t ino;
};

/* A socket that listens, or an error below 0. A socket file that nobody listens on is replaced, any
 * other file is not. The file has `mode`, from its beginning no more than that; 0: what the umask
 * leaves. */
int sl_unix_listen(const struct sl_address *address, int backlog, mode_t mode,
                   struct sl_unix_file *file) SL_MUST_CHECK;

/* Removes the file, unless it is another one by now. */
void sl_unix_unlink(const struct sl_address *address, const struct sl_unix_file *file);

#endif
