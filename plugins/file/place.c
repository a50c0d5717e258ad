#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

enum { FILE_MODE = 0640 };

void file_place_init(struct file_place *place, const struct file_place_config *config)
{
    *place = (struct file_place){.config = config, .fd = -1, .at = ""};
}

static bool fail(struct file_place *place, const char *at, int error)
{
    place->at = at;
    place->error = error;
    return false;
}

void file_place_leave(struct file_place *place)
{
    if (place->is_entered) {
        flock(place->fd, LOCK_UN);
        place->is_entered = false;
    }
}

void file_place_close(struct file_place *place)
{
    if (place->fd >= 0) {
        close(place->fd); /* and the lock is gone */
        place->fd = -1;
        place->is_entered = false;
        place->is_dirty = false;
    }
}

void file_place_fini(struct file_place *place)
{
    if (place->is_dirty && place->config->sync != FILE_SYNC_NEVER) {
        (void)file_place_sync(place); /* nobody is left to tell */
    }
    file_place_close(place);
}

/* To read as well, for a torn line's sake; without blocking, should it be a pipe. */
bool file_place_open(struct file_place *place)
{
    int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct stat info;

    if (place->fd >= 0) {
        return true;
    }
    place->fd = open(place->config->path, flags, FILE_MODE);
    if (place->fd < 0) {
        return fail(place, "open", errno);
    }
    place->is_regular = fstat(place->fd, &info) == 0 && S_ISREG(info.st_mode);
    place->is_fresh = true;
    place->is_new = true;
    place->is_dirty = false;
    return true;
}

/* ---- putting aside ---- */

static bool number_path(const struct file_place *place, int64_t number, char *path)
{
    int len = number ? snprintf(path, PATH_MAX, "%s.%lld", place->config->path, (long long)number)
                     : snprintf(path, PATH_MAX, "%s", place->config->path);

    return len > 0 && len < PATH_MAX;
}

/* The first number without a file, or the last that is kept. */
static int64_t first_free(const struct file_place *place)
{
    char path[PATH_MAX];
    int64_t number = 1;

    while (number < place->config->keep && number_path(place, number, path) &&
           access(path, F_OK) == 0) {
        number++;
    }
    return number;
}

/* The newest last: until then everybody who comes waits for the lock. */
static bool put_aside(struct file_place *place)
{
    char from[PATH_MAX];
    char to[PATH_MAX];

    if (place->is_dirty && place->config->sync != FILE_SYNC_NEVER && !file_place_sync(place)) {
        return false;
    }
    for (int64_t number = first_free(place); number > 0; number--) {
        if (!number_path(place, number - 1, from) || !number_path(place, number, to)) {
            return fail(place, "rotate", ENAMETOOLONG);
        }
        if (rename(from, to) != 0 && (errno != ENOENT || number == 1)) {
            return fail(place, "rotate", errno);
        }
    }
    return true;
}

static bool is_due(const struct file_place *place, const struct stat *info, size_t len)
{
    const struct file_place_config *config = place->config;
    uint64_t size = (uint64_t)info->st_size;
    struct timespec now;

    if (!place->is_regular || size == 0) {
        return false;
    }
    if (config->max_bytes && (size >= config->max_bytes || len > config->max_bytes - size)) {
        return true;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ns = (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
    int64_t last_ns = (int64_t)info->st_mtim.tv_sec * NS_PER_S + info->st_mtim.tv_nsec;

    return config->interval_ns && last_ns / config->interval_ns < now_ns / config->interval_ns;
}

/* ---- entering ---- */

/* Another has put it aside, or somebody has taken it away. */
static bool has_moved(const struct file_place *place, const struct stat *ours)
{
    struct stat there;

    return place->is_regular && (stat(place->config->path, &there) != 0 ||
                                 there.st_ino != ours->st_ino || there.st_dev != ours->st_dev);
}

enum file_entry file_place_enter(struct file_place *place, size_t len)
{
    struct stat info;

    for (;;) {
        if (!file_place_open(place)) {
            return FILE_FAILED;
        }
        if (flock(place->fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK || errno == EINTR) {
                return FILE_BUSY;
            }
            (void)fail(place, "lock", errno);
            return FILE_FAILED;
        }
        place->is_entered = true;
        if (fstat(place->fd, &info) != 0) {
            (void)fail(place, "stat", errno);
            return FILE_FAILED;
        }
        bool has_gone = has_moved(place, &info);
        if (!has_gone && !is_due(place, &info, len)) {
            place->end = info.st_size;
            return FILE_ENTERED;
        }
        if (!has_gone && !put_aside(place)) {
            return FILE_FAILED;
        }
        file_place_close(place);
    }
}

bool file_place_is_torn(const struct file_place *place)
{
    char last;

    return place->is_regular && place->end > 0 && pread(place->fd, &last, 1, place->end - 1) == 1 &&
           last != '\n';
}

bool file_place_cut(struct file_place *place, size_t len)
{
    return place->is_regular && ftruncate(place->fd, place->end + (off_t)len) == 0;
}

static bool sync_directory(struct file_place *place)
{
    char path[PATH_MAX];

    if (!number_path(place, 0, path)) {
        return fail(place, "sync", ENAMETOOLONG);
    }
    char *slash = strrchr(path, '/');
    if (slash) {
        slash[slash == path] = '\0';
    }
    int fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    /* some file systems have nothing to sync there */
    return error == 0 || error == EINVAL || fail(place, "sync", error);
}

bool file_place_sync(struct file_place *place)
{
    if (!place->is_regular) {
        place->is_dirty = false;
        return true;
    }
    if (fdatasync(place->fd) != 0) {
        return fail(place, "sync", errno);
    }
    if (place->is_new && !sync_directory(place)) {
        return false;
    }
    place->is_new = false;
    place->is_dirty = false;
    return true;
}
