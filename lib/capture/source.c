#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/internal.h"

enum {
    CHUNK_BYTES = 64 * 1024,
    KEPT_BYTES = 1024 * 1024, /* of the memory for a large entry, once it is read */
};

struct sl_capture_source {
    int fd;
    struct sl_gnmi_capture_reader reader;
    struct sl_buf bytes; /* of the file, from reader.at - used on */
    size_t used;         /* of them, by the last pieces */
    bool is_over;        /* `why` is what next says */
    struct sl_status why;
    struct sl_buf header_bytes;
    struct sl_gnmi_capture_header header;
};

struct sl_status sl_capture_error(const char *verb, int error)
{
    enum sl_code code = error == ENOENT                      ? SL_NOT_FOUND
                        : error == EACCES || error == EPERM  ? SL_PERMISSION_DENIED
                        : error == ENOSPC || error == EDQUOT ? SL_RESOURCE_EXHAUSTED
                                                             : SL_UNAVAILABLE;

    return sl_status_error(code, "%s: %s", verb, strerror(error));
}

/* More of the file behind what is there. 0: there is no more; below 0: `why`. As much room is made
 * as was filled before, whatever length the file claims. */
static ssize_t read_more(struct sl_capture_source *source, struct sl_status *why)
{
    struct sl_buf *bytes = &source->bytes;
    size_t more = bytes->len > CHUNK_BYTES ? bytes->len : CHUNK_BYTES;
    ssize_t got;

    if (!sl_buf_reserve(bytes, more)) {
        *why = sl_status_out_of_memory();
        return -1;
    }
    do {
        got = read(source->fd, bytes->data + bytes->len, more);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        *why = sl_capture_error("read", errno);
        return -1;
    }
    bytes->len += (size_t)got;
    return got;
}

static void drop_used(struct sl_capture_source *source)
{
    if (source->used) {
        sl_buf_drop(&source->bytes, source->used);
        source->used = 0;
    }
    if (source->bytes.len == 0) {
        sl_buf_trim(&source->bytes, KEPT_BYTES);
    }
}

/* HEADER or ENTRY; MORE at the end of the file, BAD with anything that is wrong: `why`. */
static enum sl_gnmi_capture_step read_piece(struct sl_capture_source *source,
                                            struct sl_gnmi_capture_piece *piece,
                                            struct sl_status *why)
{
    for (;;) {
        struct sl_str rest = {source->bytes.data ? source->bytes.data + source->used : NULL,
                              source->bytes.len - source->used};
        enum sl_gnmi_capture_step step = sl_gnmi_capture_read(&source->reader, rest, piece, why);
        source->used += piece->used_bytes;
        if (step != SL_GNMI_CAPTURE_MORE) {
            return step;
        }
        drop_used(source);
        ssize_t got = read_more(source, why);
        if (got < 0) {
            return SL_GNMI_CAPTURE_BAD;
        }
        if (got == 0) {
            *why = sl_gnmi_capture_end(&source->reader, source->bytes.len);
            return SL_GNMI_CAPTURE_MORE;
        }
    }
}

static bool read_header(struct sl_capture_source *source, struct sl_status *why)
{
    struct sl_gnmi_capture_piece piece;

    if (read_piece(source, &piece, why) != SL_GNMI_CAPTURE_HEADER) {
        return false;
    }
    sl_buf_add_str(&source->header_bytes, piece.header.fields);
    source->header = sl_gnmi_capture_header_of(sl_buf_str(&source->header_bytes));
    if (source->header_bytes.failed) {
        *why = sl_status_out_of_memory();
    }
    return !source->header_bytes.failed;
}

struct sl_capture_source *sl_capture_source_open(const char *path, struct sl_status *why)
{
    struct sl_capture_source *source = calloc(1, sizeof(*source));

    if (!source) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    source->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0) {
        *why = sl_capture_error("open", errno);
        free(source);
        return NULL;
    }
    if (!read_header(source, why)) {
        sl_capture_source_close(source);
        return NULL;
    }
    return source;
}

void sl_capture_source_close(struct sl_capture_source *source)
{
    if (!source) {
        return;
    }
    close(source->fd);
    sl_buf_fini(&source->bytes);
    sl_buf_fini(&source->header_bytes);
    free(source);
}

const struct sl_gnmi_capture_header *
sl_capture_source_header(const struct sl_capture_source *source)
{
    return &source->header;
}

bool sl_capture_source_next(struct sl_capture_source *source, struct sl_gnmi_capture_entry *entry,
                            struct sl_status *why)
{
    struct sl_gnmi_capture_piece piece;

    if (!source->is_over && read_piece(source, &piece, &source->why) == SL_GNMI_CAPTURE_ENTRY) {
        *entry = piece.entry;
        return true;
    }
    source->is_over = true;
    *why = source->why;
    return false;
}

uint64_t sl_capture_source_at(const struct sl_capture_source *source)
{
    return source->reader.at;
}

bool sl_capture_source_seek(struct sl_capture_source *source, uint64_t at, struct sl_status *why)
{
    if (lseek(source->fd, (off_t)at, SEEK_SET) < 0) {
        *why = sl_capture_error("seek", errno);
        return false;
    }
    source->reader.at = at;
    source->used = 0;
    source->is_over = false;
    sl_buf_reset(&source->bytes);
    return true;
}
