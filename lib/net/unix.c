/* Unix sockets: their addresses, who is at the other end, and the files that stand for them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/internal.h"

enum { STALE_RETRIES = 3 }; /* others may come and go while a stale file is replaced */

/* An abstract name begins with a NUL and ends with its length (unix(7)). */
static socklen_t to_sockaddr(const struct sl_address *address, struct sockaddr_un *out)
{
    bool is_abstract = address->kind == SL_ADDRESS_ABSTRACT;
    size_t len = strlen(address->host);

    SL_ASSERT(len <= SL_ADDRESS_UNIX_BYTES);
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path + is_abstract, address->host, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
}

int sl_unix_connect(const struct sl_address *address)
{
    struct sockaddr_un to;
    socklen_t len = to_sockaddr(address, &to);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, len) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd >= 0 ? fd : -errno;
}

/* A socket file that nobody listens on any more, and still the one that was looked at. */
static bool is_stale(const struct sl_address *address, struct stat *file)
{
    struct stat again;

    if (lstat(address->host, file) != 0 || !S_ISSOCK(file->st_mode)) {
        return false;
    }
    int fd = sl_unix_connect(address);
    if (fd >= 0) {
        close(fd);
    }
    return fd == -ECONNREFUSED && lstat(address->host, &again) == 0 &&
           again.st_ino == file->st_ino && again.st_dev == file->st_dev;
}

/* 0, or an error below 0. */
static int bind_to(int fd, const struct sl_address *address)
{
    struct sockaddr_un own;
    struct stat file;
    socklen_t len = to_sockaddr(address, &own);

    for (int tries = 0;; tries++) {
        if (bind(fd, (const struct sockaddr *)&own, len) == 0) {
            return 0;
        }
        int error = errno;
        if (error != EADDRINUSE || address->kind == SL_ADDRESS_ABSTRACT || tries == STALE_RETRIES ||
            !is_stale(address, &file)) {
            return -error;
        }
        if (unlink(address->host) != 0 && errno != ENOENT) {
            return -errno;
        }
    }
}

/* Bound with no more than `mode`; what the umask took of it is given back. 0, or an error below 0.
 */
static int bind_as(int fd, const struct sl_address *address, mode_t mode)
{
    bool has_file = address->kind == SL_ADDRESS_UNIX;
    int error;

    if (mode && fchmod(fd, mode) != 0) {
        return -errno;
    }
    error = bind_to(fd, address);
    if (error == 0 && mode && has_file && chmod(address->host, mode) != 0) {
        error = -errno;
        unlink(address->host);
    }
    return error;
}

int sl_unix_listen(const struct sl_address *address, int backlog, mode_t mode,
                   struct sl_unix_file *file)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct stat made;

    file->is_there = false;
    if (fd < 0) {
        return -errno;
    }
    int error = bind_as(fd, address, mode);
    if (error) {
        close(fd);
        return error;
    }
    if (address->kind == SL_ADDRESS_UNIX && lstat(address->host, &made) == 0) {
        *file = (struct sl_unix_file){.is_there = true, .dev = made.st_dev, .ino = made.st_ino};
    }
    if (listen(fd, backlog) != 0) {
        error = -errno;
        sl_unix_unlink(address, file);
        close(fd);
        return error;
    }
    return fd;
}

void sl_unix_unlink(const struct sl_address *address, const struct sl_unix_file *file)
{
    struct stat now;

    if (file->is_there && lstat(address->host, &now) == 0 && now.st_dev == file->dev &&
        now.st_ino == file->ino) {
        unlink(address->host);
    }
}

void sl_unix_peer(int fd, struct sl_peer_key *key, char name[SL_NET_NAME_BYTES])
{
    struct ucred who;
    socklen_t len = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0) {
        who = (struct ucred){.uid = (uid_t)-1};
    }
    *key = (struct sl_peer_key){.bytes = {AF_UNIX}};
    memcpy(key->bytes + 1, &who.uid, sizeof(who.uid));
    snprintf(name, SL_NET_NAME_BYTES, "unix:uid=%u,pid=%d", (unsigned)who.uid, (int)who.pid);
}
