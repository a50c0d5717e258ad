#include "daemon/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

enum {
    DIRECTORIES = SL_FILE_WATCH_LINKS + 2, /* of the links, of the file */
    EVENT_BYTES = 4096,
};

static const uint32_t events = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE |
                               IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                               IN_ONLYDIR;

/* What a file is told apart by; all zero: it is not there. */
struct look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
    struct timespec changed;
};

struct directories {
    int numbers[DIRECTORIES]; /* inotify's */
    size_t count;
};

struct sl_file_watch {
    const char *file;
    sl_loop_fn fn;
    void *arg;
    int fd;
    struct sl_watch *readable;
    struct sl_timer *quiet;
    struct directories directories;
    struct look seen; /* by the last look */
    struct look told; /* of */
};

/* ---- the way to the file ---- */

/* Where a walk along a path stands: what is left of it, in a directory that is no link. */
struct walk {
    char directory[PATH_MAX];
    char rest[PATH_MAX];
    unsigned links;
};

static void add_directory(const struct sl_file_watch *watch, struct directories *found,
                          const char *path)
{
    int number = inotify_add_watch(watch->fd, path, events);

    if (number < 0) {
        sl_log(SL_LOG_WARN, NULL, "a directory of the configuration's file is not watched",
               sl_log_text("reason", "not-watched"), sl_log_text("directory", path),
               sl_log_text("why", strerror(errno)));
    } else if (found->count < DIRECTORIES) {
        found->numbers[found->count++] = number;
    }
}

/* Takes the next name off the rest. False: there is none. */
static bool next_name(struct walk *walk, char name[PATH_MAX])
{
    size_t begin = strspn(walk->rest, "/");
    size_t len = strcspn(walk->rest + begin, "/");

    memcpy(name, walk->rest + begin, len);
    name[len] = '\0';
    memmove(walk->rest, walk->rest + begin + len, strlen(walk->rest + begin + len) + 1);
    return len > 0;
}

/* The link's text comes before what is left. False: it is too long. */
static bool take_link(struct walk *walk, const char *text)
{
    char rest[PATH_MAX];
    int len = snprintf(rest, sizeof(rest), "%s/%s", text, walk->rest);

    if (len < 0 || (size_t)len >= sizeof(rest) || ++walk->links > SL_FILE_WATCH_LINKS) {
        return false;
    }
    memcpy(walk->rest, rest, (size_t)len + 1);
    if (text[0] == '/') {
        memcpy(walk->directory, "/", sizeof("/"));
    }
    return true;
}

/* One name further. False: it leads no further. */
static bool step(const struct sl_file_watch *watch, struct directories *found, struct walk *walk)
{
    char name[PATH_MAX];
    char path[PATH_MAX];
    char text[PATH_MAX];

    if (!next_name(walk, name)) {
        return false;
    }
    int len = snprintf(path, sizeof(path), "%s/%s", walk->directory, name);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return false;
    }
    ssize_t link_len = readlink(path, text, sizeof(text) - 1);
    bool is_there = link_len >= 0 || errno == EINVAL;
    if (link_len >= 0 || !is_there || walk->rest[strspn(walk->rest, "/")] == '\0') {
        add_directory(watch, found, walk->directory);
    }
    if (link_len >= 0) {
        text[link_len] = '\0';
        return take_link(walk, text);
    }
    memcpy(walk->directory, path, (size_t)len + 1);
    return is_there;
}

static void drop_directories(struct sl_file_watch *watch, const struct directories *kept)
{
    for (size_t i = 0; i < watch->directories.count; i++) {
        bool is_kept = false;
        for (size_t j = 0; j < kept->count; j++) {
            is_kept = is_kept || kept->numbers[j] == watch->directories.numbers[i];
        }
        if (!is_kept) {
            (void)inotify_rm_watch(watch->fd, watch->directories.numbers[i]); /* gone, perhaps */
        }
    }
}

static void follow(struct sl_file_watch *watch)
{
    struct directories found = {.count = 0};
    struct walk walk = {.directory = ".", .links = 0};
    size_t len = strlen(watch->file);

    if (len < sizeof(walk.rest)) {
        memcpy(walk.rest, watch->file, len + 1);
        if (watch->file[0] == '/') {
            memcpy(walk.directory, "/", sizeof("/"));
        }
        while (step(watch, &found, &walk)) {
        }
    }
    drop_directories(watch, &found);
    watch->directories = found;
}

/* ---- looks ---- */

static bool is_same(const struct look *a, const struct look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* The directories first: what changes after the look is an event. */
static struct look look_at(struct sl_file_watch *watch)
{
    struct stat file;

    follow(watch);
    if (stat(watch->file, &file) != 0) {
        return (struct look){.inode = 0};
    }
    return (struct look){file.st_dev, file.st_ino, file.st_size, file.st_mtim, file.st_ctim};
}

static void on_quiet(void *arg)
{
    struct sl_file_watch *watch = arg;
    struct look seen = look_at(watch);

    if (!is_same(&seen, &watch->seen)) {
        watch->seen = seen;
        sl_timer_start(watch->quiet, SL_FILE_WATCH_QUIET_MS);
    } else if (!is_same(&seen, &watch->told)) {
        watch->told = seen;
        watch->fn(watch->arg);
    }
}

/* What has happened does not matter, as it is looked at anyhow. */
static void on_event(void *arg)
{
    struct sl_file_watch *watch = arg;
    char bytes[EVENT_BYTES];

    while (read(watch->fd, bytes, sizeof(bytes)) > 0) {
    }
    if (!sl_timer_is_armed(watch->quiet)) {
        sl_timer_start(watch->quiet, SL_FILE_WATCH_QUIET_MS);
    }
}

/* ---- public ---- */

struct sl_file_watch *sl_file_watch_new(struct sl_loop *loop, const char *file, sl_loop_fn fn,
                                        void *arg, struct sl_status *why)
{
    struct sl_file_watch *watch = calloc(1, sizeof(*watch));

    *why = sl_status_out_of_memory();
    if (!watch) {
        return NULL;
    }
    watch->file = file;
    watch->fn = fn;
    watch->arg = arg;
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot watch %s: inotify: %s", file,
                               strerror(errno));
    } else {
        watch->readable = sl_watch_new(loop, watch->fd, on_event, watch);
        watch->quiet = sl_timer_new(loop, on_quiet, watch);
    }
    if (!watch->readable || !watch->quiet) {
        sl_file_watch_free(watch);
        return NULL;
    }
    watch->seen = watch->told = look_at(watch);
    return watch;
}

void sl_file_watch_free(struct sl_file_watch *watch)
{
    if (watch) {
        sl_watch_free(watch->readable);
        sl_timer_free(watch->quiet);
        if (watch->fd >= 0) {
            close(watch->fd);
        }
        free(watch);
    }
}
