/* place.h - the file at a path, to which other writers, of this process or others, append as well.
 *
 * Who has entered it has it alone: an flock on what is at the path now. There it may be put aside
 * (path.1, path.2 …, the oldest is forgotten), which the others notice when they enter next.
 * Whatever ends in the middle of a line is cut off again, so that a line is either whole in a file
 * or not there; only a process that is killed while it writes leaves a torn line, and the next one
 * to open the file ends it.
 *
 * One thread for each of them; nothing here waits but the disk.
 */
#ifndef SLUICE_FILE_PLACE_H
#define SLUICE_FILE_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* In the order of the words of option `sync`. */
enum file_sync { FILE_SYNC_NEVER, FILE_SYNC_INTERVAL, FILE_SYNC_BATCH };

struct file_place_config {
    const char *path;
    uint64_t max_bytes;  /* put aside before it has more; 0: never for that */
    int64_t interval_ns; /* put aside when the next such stretch of time (UTC) begins; 0: never */
    int64_t keep;        /* so many that were put aside */
    int sync;            /* enum file_sync */
    int64_t sync_interval_ns;
};

struct file_place {
    const struct file_place_config *config; /* outlives it */
    int fd;                                 /* -1: not open */
    bool is_regular;                        /* else a pipe, a device: it can only be written */
    bool is_entered;
    bool is_fresh;  /* just opened: the last line may be torn */
    bool is_new;    /* its name is perhaps not on the disk */
    bool is_dirty;  /* written since it was synced */
    off_t end;      /* of the file, when it was entered */
    const char *at; /* what failed: "open", "write"; a literal */
    int error;      /* and its errno */
};

void file_place_init(struct file_place *place, const struct file_place_config *config);
void file_place_fini(struct file_place *place);

enum file_entry { FILE_ENTERED, FILE_BUSY, FILE_FAILED };

/* False: see `at`. */
bool file_place_open(struct file_place *place);

/* Opens, locks and, for the sake of `len` bytes to come, puts aside. BUSY: another has it. */
enum file_entry file_place_enter(struct file_place *place, size_t len);

/* Whether the last line has no end. Entered. */
bool file_place_is_torn(const struct file_place *place);

/* Forgets all but `len` of the bytes that were written since it was entered. */
bool file_place_cut(struct file_place *place, size_t len);

/* What is written is on the disk afterwards, and the file's name too. */
bool file_place_sync(struct file_place *place);

void file_place_leave(struct file_place *place);
void file_place_close(struct file_place *place); /* the next one to enter opens it anew */

#endif
