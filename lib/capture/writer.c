#include "capture/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "capture/internal.h"

enum {
    FILE_MODE = 0640,
    KEPT_BYTES = 1024 * 1024, /* of the memory for a large entry, once it is written */
};

struct sl_capture_writer {
    struct sl_capture_writer_options options;
    uint32_t part; /* of the file that is open; 0: there is one alone */
    int fd;        /* below 0: none is open */
    uint64_t file_bytes;
    uint64_t head_bytes; /* of them, the header */
    uint64_t bytes;
    struct sl_buf scratch; /* what is to be written next */
    struct sl_buf name;
};

/* ---- one file ---- */

/* A file that ends within an entry would end there for every reader. */
static void cut_back(struct sl_capture_writer *writer)
{
    if (ftruncate(writer->fd, (off_t)writer->file_bytes) == 0) {
        lseek(writer->fd, (off_t)writer->file_bytes, SEEK_SET);
    }
}

/* The scratch. */
static bool write_out(struct sl_capture_writer *writer, struct sl_status *why)
{
    const struct sl_buf *scratch = &writer->scratch;

    if (scratch->failed) {
        *why = sl_status_out_of_memory();
        return false;
    }
    if (!sl_file_write(writer->fd, sl_buf_str(scratch))) {
        *why = sl_capture_error("write", errno);
        cut_back(writer);
        return false;
    }
    writer->file_bytes += scratch->len;
    writer->bytes += scratch->len;
    return true;
}

/* "" when memory is out. */
static const char *name_of(struct sl_capture_writer *writer, uint32_t part)
{
    sl_buf_reset(&writer->name);
    sl_buf_add_c(&writer->name, writer->options.path);
    if (part) {
        sl_buf_printf(&writer->name, ".%06u", part);
    }
    return sl_buf_text(&writer->name);
}

static bool open_file(struct sl_capture_writer *writer, struct sl_status *why)
{
    struct sl_gnmi_capture_header header = writer->options.header;

    header.part = writer->part;
    sl_buf_reset(&writer->scratch);
    sl_gnmi_capture_add_header(&writer->scratch, &header, writer->options.subscriptions);
    const char *name = name_of(writer, writer->part);
    if (!*name) {
        *why = sl_status_out_of_memory();
        return false;
    }
    writer->fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (writer->fd < 0) {
        *why = sl_capture_error("open", errno);
        return false;
    }
    writer->file_bytes = 0;
    bool is_written = write_out(writer, why);
    writer->head_bytes = writer->file_bytes;
    return is_written;
}

/* Until it is on the disk. What is not a file of a disk (a pipe) knows no such thing. */
static bool close_file(struct sl_capture_writer *writer, struct sl_status *why)
{
    int error = fsync(writer->fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;

    if (close(writer->fd) != 0 && error == 0) {
        error = errno;
    }
    writer->fd = -1;
    if (error) {
        *why = sl_capture_error("write", error);
    }
    return error == 0;
}

static bool add_stop(struct sl_capture_writer *writer, int64_t now_ns, const char *reason,
                     struct sl_status *why)
{
    sl_buf_reset(&writer->scratch);
    sl_gnmi_capture_add_stop(&writer->scratch, now_ns, reason);
    return write_out(writer, why);
}

/* ---- files in a row ---- */

static void forget_old(struct sl_capture_writer *writer)
{
    uint32_t keep = writer->options.keep;

    if (keep && writer->part > keep) {
        unlink(name_of(writer, writer->part - keep));
    }
}

static bool next_file(struct sl_capture_writer *writer, int64_t now_ns, struct sl_status *why)
{
    if (!add_stop(writer, now_ns, "rotated", why) || !close_file(writer, why)) {
        return false;
    }
    writer->part++;
    forget_old(writer);
    return open_file(writer, why);
}

/* A file takes one entry at least, however large. */
static bool make_room(struct sl_capture_writer *writer, int64_t now_ns, size_t more,
                      struct sl_status *why)
{
    uint64_t limit = writer->options.rotate_bytes;
    bool is_full =
        limit && writer->file_bytes > writer->head_bytes && writer->file_bytes + more > limit;

    return !is_full || next_file(writer, now_ns, why);
}

struct sl_capture_writer *sl_capture_writer_open(const struct sl_capture_writer_options *options,
                                                 struct sl_status *why)
{
    struct sl_capture_writer *writer = calloc(1, sizeof(*writer));

    if (!writer) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    writer->options = *options;
    writer->part = options->rotate_bytes ? 1 : 0;
    writer->fd = -1;
    if (!open_file(writer, why)) {
        struct sl_status ignored;
        sl_capture_writer_close(writer, 0, NULL, &ignored);
        return NULL;
    }
    return writer;
}

bool sl_capture_writer_response(struct sl_capture_writer *writer, int64_t received_ns,
                                struct sl_str response, struct sl_status *why)
{
    if (response.len > SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "a message of %zu bytes, %d at most",
                               response.len, SL_GNMI_CAPTURE_MAX_RESPONSE_BYTES);
        return false;
    }
    if (!make_room(writer, received_ns, response.len, why)) {
        return false;
    }
    sl_buf_trim(&writer->scratch, KEPT_BYTES);
    sl_gnmi_capture_add_response(&writer->scratch, received_ns, response);
    return write_out(writer, why);
}

bool sl_capture_writer_end(struct sl_capture_writer *writer, int64_t received_ns, enum sl_code code,
                           struct sl_str text, struct sl_status *why)
{
    if (!make_room(writer, received_ns, 0, why)) {
        return false;
    }
    sl_buf_reset(&writer->scratch);
    sl_gnmi_capture_add_end(&writer->scratch, received_ns, code, text);
    return write_out(writer, why);
}

uint64_t sl_capture_writer_bytes(const struct sl_capture_writer *writer)
{
    return writer->bytes;
}

bool sl_capture_writer_close(struct sl_capture_writer *writer, int64_t now_ns, const char *reason,
                             struct sl_status *why)
{
    bool is_good = true;

    if (!writer) {
        return true;
    }
    if (writer->fd >= 0) {
        is_good = !reason || add_stop(writer, now_ns, reason, why);
        struct sl_status closed;
        if (!close_file(writer, &closed) && is_good) {
            *why = closed;
            is_good = false;
        }
    }
    sl_buf_fini(&writer->scratch);
    sl_buf_fini(&writer->name);
    free(writer);
    return is_good;
}
