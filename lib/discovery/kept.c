/* The last good document of a source, as a file of its own that is replaced whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "discovery/source.h"

enum { PATH_BYTES = 4096, CHUNK_BYTES = 64 * 1024 };

static bool name_file(const struct sl_source *source, const char *end, char path[PATH_BYTES])
{
    int len =
        snprintf(path, PATH_BYTES, "%s/discovery-%s%s", source->state_dir, source->spec->name, end);

    return source->state_dir[0] && len > 0 && len < PATH_BYTES;
}

static bool load(const struct sl_source *source, struct sl_buf *text)
{
    char path[PATH_BYTES];
    FILE *stream = name_file(source, "", path) ? fopen(path, "re") : NULL;
    size_t len = 1;

    while (stream && len && !text->failed && text->len <= source->spec->options.max_bytes) {
        len = sl_buf_reserve(text, CHUNK_BYTES)
                  ? fread(text->data + text->len, 1, CHUNK_BYTES, stream)
                  : 0;
        text->len += len;
    }
    bool is_read = stream && !ferror(stream) && !text->failed && text->len > 0 &&
                   text->len <= source->spec->options.max_bytes;
    if (stream) {
        fclose(stream);
    }
    return is_read;
}

void sl_source_take_kept(struct sl_source *source, const char *place)
{
    struct sl_found *found = NULL;
    size_t count = 0;
    struct sl_buf text = {0};
    struct sl_status why;

    if (load(source, &text) && sl_source_is_document(place, sl_buf_str(&text), &why) &&
        sl_source_add(&found, &count, source, place, sl_buf_str(&text))) {
        sl_source_publish_kept(source, found, count);
    } else {
        sl_found_free(found, count);
    }
    sl_buf_fini(&text);
}

/* It may hold passwords: nobody else reads it. */
void sl_source_keep(struct sl_source *source, struct sl_str text)
{
    char path[PATH_BYTES];
    char made[PATH_BYTES];

    if (!name_file(source, "", path) || !name_file(source, ".new", made)) {
        return;
    }
    int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_written = fd >= 0 && sl_file_write(fd, text) && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    if (!is_written || rename(made, path) != 0) {
        sl_log(SL_LOG_WARN, NULL, "discovery: what was found cannot be kept on disk",
               sl_log_text("reason", "not-kept"), sl_log_text("source", source->spec->name),
               sl_log_text("path", path), sl_log_text("why", strerror(errno)));
        unlink(made);
    }
}
