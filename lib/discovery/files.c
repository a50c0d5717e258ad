/* Files: their directories are watched, and all are looked at again and again besides. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "discovery/source.h"

enum { CHUNK_BYTES = 64 * 1024, QUIET_MS = 100, MAX_FILES = 10 * 1000 };

struct files {
    struct sl_source *source;
    struct sl_path_watch **watches; /* one for each pattern's directory; NULL where there is none */
    struct sl_timer *quiet;         /* after a change, for more of them */
    struct sl_timer *poll;
};

static bool read_file(const char *path, uint64_t max_bytes, struct sl_buf *text,
                      struct sl_status *why)
{
    FILE *stream = fopen(path, "re");
    size_t len = 1;

    while (stream && len && text->len <= max_bytes) {
        len = sl_buf_reserve(text, CHUNK_BYTES)
                  ? fread(text->data + text->len, 1, CHUNK_BYTES, stream)
                  : 0;
        text->len += len;
    }
    bool is_read = stream && !ferror(stream) && !text->failed;
    if (!is_read) {
        *why = sl_status_error(SL_UNAVAILABLE, "%.180s: %s", path, strerror(errno));
    } else if (text->len > max_bytes) {
        *why = sl_status_error(SL_OUT_OF_RANGE, "%.180s: longer than max-bytes (%llu)", path,
                               (unsigned long long)max_bytes);
        is_read = false;
    }
    if (stream) {
        fclose(stream);
    }
    return is_read;
}

/* What is known of the file from before. */
static const struct sl_found *known(const struct sl_source *source, const char *path)
{
    for (size_t i = 0; i < source->count; i++) {
        if (!source->found[i].is_foreign && strcmp(source->found[i].place, path) == 0) {
            return &source->found[i];
        }
    }
    return NULL;
}

/* False when memory is out. A file that cannot be taken stays as it was, and is in `why`. */
static bool add_file(struct sl_source *source, const char *path, struct sl_found **found,
                     size_t *count, struct sl_status *why)
{
    struct sl_buf text = {0};
    struct sl_status wrong;
    bool is_added = true;

    const struct sl_found *before = known(source, path); /* this thread's: nobody else writes */
    const struct sl_str old = before ? (struct sl_str){before->text, before->len} : SL_STR("");
    bool is_read = read_file(path, source->spec->options.max_bytes, &text, &wrong);
    if (is_read && ((before && sl_str_eq(old, sl_buf_str(&text))) ||
                    sl_source_is_document(path, sl_buf_str(&text), &wrong))) {
        is_added = sl_source_add(found, count, source, path, sl_buf_str(&text));
    } else {
        *why = wrong;
        is_added = !before || sl_source_add(found, count, source, path, old);
    }
    sl_buf_fini(&text);
    return is_added;
}

/* The directory of a pattern, all before the last slash: to be freed. NULL when that is a pattern
 * itself, or memory is out. */
static char *directory_of(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    size_t len = slash ? (size_t)(slash - pattern) : 0;
    char *directory =
        slash ? sl_str_dup((struct sl_str){pattern, len ? len : 1}) : sl_str_dup(SL_STR("."));

    if (directory && strpbrk(directory, "*?[")) {
        free(directory);
        return NULL;
    }
    return directory;
}

/* A pattern that matches nothing means that there are no files; a directory that is not there, as
 * where a file system is not mounted, does not. */
static bool has_directory(const char *pattern)
{
    char *directory = directory_of(pattern);
    bool is_there = !directory || access(directory, R_OK | X_OK) == 0;

    free(directory);
    return is_there;
}

/* All files that the patterns name. False: what was found before stays, `why`. */
static bool match(const struct sl_source_options *options, glob_t *paths, struct sl_status *why)
{
    for (size_t i = 0; i < options->paths.count; i++) {
        const char *pattern = options->paths.items[i];
        bool is_pattern = strpbrk(pattern, "*?[");
        int result =
            glob(pattern, (i ? GLOB_APPEND : 0) | (is_pattern ? 0 : GLOB_NOCHECK), NULL, paths);
        if ((result && result != GLOB_NOMATCH) || (is_pattern && !has_directory(pattern))) {
            *why = sl_status_error(SL_UNAVAILABLE, "%.180s: cannot be looked up", pattern);
            return false;
        }
    }
    return true;
}

static bool is_repeated(const glob_t *paths, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(paths->gl_pathv[i], paths->gl_pathv[at]) == 0) {
            return true;
        }
    }
    return false;
}

static void look(struct sl_source *source)
{
    struct sl_status why = sl_status_ok();
    struct sl_found *found = NULL;
    size_t count = 0;
    glob_t paths = {0};
    bool is_good = match(&source->spec->options, &paths, &why);

    for (size_t i = 0; is_good && i < paths.gl_pathc; i++) {
        if (count == MAX_FILES) {
            why = sl_status_error(SL_OUT_OF_RANGE, "more than %d files", MAX_FILES);
            break;
        }
        if (!is_repeated(&paths, i) && !add_file(source, paths.gl_pathv[i], &found, &count, &why)) {
            why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
            is_good = false;
        }
    }
    globfree(&paths);
    if (is_good) {
        sl_source_publish(source, found, count, NULL, &why);
    } else {
        sl_found_free(found, count);
        sl_source_fail(source, &why);
    }
}

static void on_path(void *arg)
{
    struct files *files = arg;

    if (!sl_timer_is_armed(files->quiet)) {
        sl_timer_start(files->quiet, QUIET_MS);
    }
}

/* Of the pattern's directory; one that is a pattern itself is polled. */
static struct sl_path_watch *watch(struct files *files, struct sl_loop *loop, const char *pattern)
{
    char *directory = directory_of(pattern);
    struct sl_path_watch *made =
        directory ? sl_path_watch_new(loop, directory, on_path, files) : NULL;

    free(directory);
    return made;
}

/* A directory that was not there before may be now. */
static void watch_all(struct files *files, struct sl_loop *loop)
{
    const struct sluice_strings *patterns = &files->source->spec->options.paths;

    for (size_t i = 0; files->watches && i < patterns->count; i++) {
        if (!files->watches[i]) {
            files->watches[i] = watch(files, loop, patterns->items[i]);
        }
    }
}

static void on_look(void *arg)
{
    struct files *files = arg;
    int64_t interval_ns = files->source->spec->options.interval_ns;

    watch_all(files, files->source->loop);
    look(files->source);
    sl_timer_start(files->poll, (uint64_t)(interval_ns / SL_NS_PER_MS));
}

static void on_stop(void *arg)
{
    sl_loop_stop(arg);
}

static void run_loop(struct files *files)
{
    struct sl_source *source = files->source;

    pthread_mutex_lock(&source->lock);
    bool is_stopping = source->is_stopping;
    pthread_mutex_unlock(&source->lock);
    if (!files->watches || !files->quiet || !files->poll) {
        const struct sl_status why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        sl_source_fail(source, &why);
    } else if (!is_stopping) {
        on_look(files);
        sl_loop_run(source->loop);
    }
}

void sl_source_run_files(struct sl_source *source)
{
    struct sl_loop *loop = sl_loop_new();
    struct files files = {.source = source};

    if (!loop) {
        const struct sl_status why =
            sl_status_error(SL_RESOURCE_EXHAUSTED, "cannot make an event loop");
        sl_source_fail(source, &why);
        return;
    }
    pthread_mutex_lock(&source->lock);
    source->stop_due = (struct sl_post){.fn = on_stop, .arg = loop};
    source->loop = loop;
    pthread_mutex_unlock(&source->lock);
    files.watches = calloc(source->spec->options.paths.count, sizeof(*files.watches));
    files.quiet = sl_timer_new(loop, on_look, &files);
    files.poll = sl_timer_new(loop, on_look, &files);
    run_loop(&files);
    for (size_t i = 0; files.watches && i < source->spec->options.paths.count; i++) {
        sl_path_watch_free(files.watches[i]);
    }
    sl_timer_free(files.quiet);
    sl_timer_free(files.poll);
    free(files.watches);
    pthread_mutex_lock(&source->lock);
    source->loop = NULL;
    pthread_mutex_unlock(&source->lock);
    sl_loop_free(loop);
}
