/* loader.c - shared objects out of a directory. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sink/registry.h"

static void tell(const struct sl_plugins_loading *loading, const char *file, const char *text)
{
    struct sl_buf line = {0};

    sl_buf_printf(&line, "%s: %s", file, text);
    loading->tell(sl_buf_text(&line), loading->arg);
    sl_buf_fini(&line);
}

/* ---- whose it is ---- */

/* Code of others is not run. */
static bool is_trusted(const struct stat *stat, struct sl_status *why)
{
    if (stat->st_uid != 0 && stat->st_uid != geteuid()) {
        *why = sl_status_error(SL_PERMISSION_DENIED,
                               "it belongs to user %u; expected root or user %u, who runs sluice",
                               (unsigned)stat->st_uid, (unsigned)geteuid());
        return false;
    }
    if (stat->st_mode & (S_IWGRP | S_IWOTH)) {
        *why = sl_status_error(SL_PERMISSION_DENIED,
                               "its group or others may write to it; chmod go-w mends that");
        return false;
    }
    return true;
}

static bool check_place(const char *path, bool is_directory, struct sl_status *why)
{
    struct stat stat_;

    if (stat(path, &stat_) != 0) {
        *why = sl_status_error(SL_NOT_FOUND, "%s", strerror(errno));
        return false;
    }
    if (is_directory != S_ISDIR(stat_.st_mode) || (!is_directory && !S_ISREG(stat_.st_mode))) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "expected a %s",
                               is_directory ? "directory" : "regular file");
        return false;
    }
    return is_trusted(&stat_, why);
}

/* The file and the directory in which it really is: a link may lead elsewhere. */
static bool check_file(const char *file, struct sl_status *why)
{
    char *path = realpath(file, NULL);

    if (!path) {
        *why = sl_status_error(SL_NOT_FOUND, "%s", strerror(errno));
        return false;
    }
    bool is_good = check_place(path, false, why);
    char *slash = strrchr(path, '/');
    slash[slash == path] = '\0';
    if (is_good && !check_place(path, true, why)) {
        struct sl_status of = *why;
        *why = sl_status_error(of.code, "its directory %.100s: %s", path, of.text);
        is_good = false;
    }
    free(path);
    return is_good;
}

/* ---- one object ---- */

static const struct sluice_plugin *find_descriptor(void *handle, size_t *bytes,
                                                   struct sl_status *why)
{
    const void *symbol = dlsym(handle, "sluice_plugin");
    const ElfW(Sym) *entry = NULL;
    void *extra = NULL;
    Dl_info info;

    if (!symbol) {
        *why = sl_status_error(SL_NOT_FOUND, "it exports no symbol sluice_plugin");
        return NULL;
    }
    if (dladdr1(symbol, &info, &extra, RTLD_DL_SYMENT)) {
        entry = extra;
    }
    if (!entry || ELF64_ST_TYPE(entry->st_info) != STT_OBJECT) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "its symbol sluice_plugin is no data");
        return NULL;
    }
    *bytes = entry->st_size;
    return symbol;
}

static bool load_handle(struct sl_plugins *plugins, const struct sl_plugins_loading *loading,
                        void *handle, const char *file, struct sl_status *why)
{
    struct sl_plugin_object *object = &plugins->objects[plugins->object_count];
    size_t bytes = 0;
    const struct sluice_plugin *descriptor = find_descriptor(handle, &bytes, why);

    if (!descriptor) {
        return false;
    }
    *object = (struct sl_plugin_object){.file = strdup(file)};
    if (!object->file) {
        *why = sl_status_out_of_memory();
        return false;
    }
    size_t sinks = plugins->sink_count;
    size_t processors = plugins->processor_count;
    if (!sl_plugins_add_descriptor(plugins, loading, descriptor, bytes, object, why)) {
        sl_plugins_forget(plugins, sinks, processors);
        free(object->file);
        return false;
    }
    plugins->handles[plugins->object_count++] = handle;
    return true;
}

static bool load_file(struct sl_plugins *plugins, const struct sl_plugins_loading *loading,
                      const char *file, struct sl_status *why)
{
    if (!check_file(file, why)) {
        return false;
    }
    if (plugins->object_count == SL_PLUGINS_MAX_OBJECTS) {
        *why =
            sl_status_error(SL_RESOURCE_EXHAUSTED, "more than %d plugins", SL_PLUGINS_MAX_OBJECTS);
        return false;
    }
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        *why = sl_status_quote(SL_INVALID_ARGUMENT, "it cannot be loaded", sl_str_from(dlerror()));
        return false;
    }
    if (!load_handle(plugins, loading, handle, file, why)) {
        dlclose(handle);
        return false;
    }
    return true;
}

/* ---- the directory ---- */

static int is_object(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 3, ".so") == 0;
}

static bool load_entry(struct sl_plugins *plugins, const struct sl_plugins_loading *loading,
                       const char *name)
{
    struct sl_status why = sl_status_ok();
    struct sl_buf path = {0};

    sl_buf_printf(&path, "%s/%s", loading->directory, name);
    bool is_good = !path.failed && load_file(plugins, loading, sl_buf_text(&path), &why);
    if (!is_good) {
        tell(loading, path.failed ? name : sl_buf_text(&path),
             path.failed ? "out of memory" : why.text);
    }
    sl_buf_fini(&path);
    return is_good;
}

bool sl_plugins_load(struct sl_plugins *plugins, const struct sl_plugins_loading *loading)
{
    struct dirent **entries = NULL;
    struct sl_status why = sl_status_ok();
    bool is_good = true;

    if (!check_place(loading->directory, true, &why)) {
        tell(loading, loading->directory, why.text);
        return false;
    }
    int count = scandir(loading->directory, &entries, is_object, alphasort);
    if (count < 0) {
        tell(loading, loading->directory, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        is_good = load_entry(plugins, loading, entries[i]->d_name) && is_good;
        free(entries[i]);
    }
    free(entries);
    return is_good;
}
