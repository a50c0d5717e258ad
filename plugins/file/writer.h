/* writer.h - a thread that appends lines to one file.
 *
 * Lines go in at one end and come back, in order, at the other when write() has taken them, or,
 * where that is asked for, when they are on the disk. An error (disk full, no such directory) is
 * tried again, with longer waits, for as long as it takes; nothing is skipped, and no half of a
 * line stays behind. Several writers, of this process or others, may share a file (place.h).
 */
#ifndef SLUICE_FILE_WRITER_H
#define SLUICE_FILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "place.h"
#include "sluice_plugin.h"

enum { FILE_REASON_BYTES = 200 };

struct file_line {
    struct file_line *next;
    char *payload; /* from malloc */
    size_t len;
    struct sluice_token *token;
    int64_t taken_ns;
};

/* First in, first out. */
struct file_lines {
    struct file_line *first;
    struct file_line **end; /* where the next one goes; NULL: `first` */
};

void file_lines_add(struct file_lines *lines, struct file_line *line);
/* All of `more` to the end of `lines`; `more` is empty then. */
void file_lines_move(struct file_lines *lines, struct file_lines *more);
struct file_line *file_lines_pop(struct file_lines *lines);
void file_line_free(struct file_line *line);

/* What happened since the last look. */
struct file_news {
    struct file_lines written;
    bool is_changed; /* is_up and reason are new */
    bool is_up;      /* the last attempt to open or write worked */
    char reason[FILE_REASON_BYTES];
};

struct file_writer;

/* `wake(arg)` is called on the writer's thread when there is news; false: call again soon. `config`
 * outlives it. */
struct file_writer *file_writer_open(const struct file_place_config *config,
                                     bool (*wake)(void *arg), void *arg);

void file_writer_add(struct file_writer *writer, struct file_line *line);
void file_writer_news(struct file_writer *writer, struct file_news *news);

/* Ends the thread, at once but for a write() under way, and hands back what is written and what is
 * not; `left` is not in the file, but for a part of its first line perhaps. */
void file_writer_close(struct file_writer *writer, struct file_lines *written,
                       struct file_lines *left);

#endif
