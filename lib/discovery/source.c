#include "discovery/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "config/config.h"

bool sl_source_is_stopping(struct sl_source *source)
{
    pthread_mutex_lock(&source->lock);
    bool is_stopping = source->is_stopping;
    pthread_mutex_unlock(&source->lock);
    return is_stopping;
}

bool sl_source_sleep(struct sl_source *source, int64_t ns)
{
    struct timespec until;
    int result = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns += until.tv_nsec;
    until.tv_sec += (time_t)(ns / SL_NS_PER_S);
    until.tv_nsec = (long)(ns % SL_NS_PER_S);
    pthread_mutex_lock(&source->lock);
    while (!source->is_stopping && result != ETIMEDOUT) {
        result = pthread_cond_timedwait(&source->changed, &source->lock, &until);
    }
    bool is_stopping = source->is_stopping;
    pthread_mutex_unlock(&source->lock);
    return is_stopping;
}

bool sl_source_is_document(const char *place, struct sl_str text, struct sl_status *why)
{
    struct sl_config *config = sl_config_parse(place, text);
    const struct sl_config_node *root = config ? sl_config_root(config) : NULL;
    struct sl_buf errors = {0};

    if (!config) {
        *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    if (root && sl_config_kind(root) != SL_CONFIG_MAP && sl_config_kind(root) != SL_CONFIG_LIST) {
        sl_config_error(config, root, "expected a map of names and targets, or a list of targets");
    }
    bool is_good = sl_config_errors(config) == 0;
    if (!is_good) {
        sl_config_print_errors(config, &errors);
        const char *words = sl_buf_text(&errors);
        *why = sl_status_error(SL_INVALID_ARGUMENT, "%.*s", (int)strcspn(words, "\n"), words);
    }
    sl_buf_fini(&errors);
    sl_config_free(config);
    return is_good;
}

static bool is_same(const struct sl_source *source, const struct sl_found *found, size_t count)
{
    bool is_same = source->count == count;

    for (size_t i = 0; is_same && i < count; i++) {
        is_same = source->found[i].len == found[i].len &&
                  source->found[i].is_foreign == found[i].is_foreign &&
                  strcmp(source->found[i].place, found[i].place) == 0 &&
                  memcmp(source->found[i].text, found[i].text, found[i].len) == 0;
    }
    return is_same;
}

/* With the lock. */
static void note_answer(struct sl_source *source)
{
    source->has_answered = true;
    pthread_cond_broadcast(&source->changed);
}

static void note_success(struct sl_source *source)
{
    if (source->status.error[0]) {
        sl_log(SL_LOG_INFO, NULL, "discovery: the source is well again",
               sl_log_text("source", source->spec->name));
    }
    source->status.success_ns = sl_loop_wall_ns();
    source->status.error[0] = '\0';
    note_answer(source);
}

/* With the lock; whether it is another failure than the last. */
static bool note_failure(struct sl_source *source, const struct sl_status *why)
{
    char *error = source->status.error;
    bool is_news = strncmp(error, why->text, sizeof(source->status.error) - 1) != 0;

    snprintf(error, sizeof(source->status.error), "%s", why->text);
    source->status.error_ns = sl_loop_wall_ns();
    source->status.failures++;
    note_answer(source);
    return is_news;
}

static void log_failure(const struct sl_source *source, const struct sl_status *why)
{
    sl_log(SL_LOG_WARN, NULL, "discovery: the source failed; what it found before stays",
           sl_log_text("reason", sl_status_reason(why)), sl_log_text("source", source->spec->name),
           sl_log_text("why", why->text));
}

/* With the lock. */
static void note_documents(struct sl_source *source, struct sl_found *found, size_t count,
                           const char *tag)
{
    source->found = found;
    source->count = count;
    source->status.documents = count;
    source->status.bytes = 0;
    for (size_t i = 0; i < count; i++) {
        source->status.bytes += found[i].len;
    }
    snprintf(source->status.tag, sizeof(source->status.tag), "%s", tag ? tag : "");
    source->status.is_kept = false;
}

void sl_source_publish(struct sl_source *source, struct sl_found *found, size_t count,
                       const char *tag, const struct sl_status *why)
{
    bool is_news = false;

    pthread_mutex_lock(&source->lock);
    bool is_change = !is_same(source, found, count);
    struct sl_found *old = source->found;
    size_t old_count = source->count;
    note_documents(source, found, count, tag);
    if (why && !sl_status_is_ok(why)) {
        is_news = note_failure(source, why);
    } else {
        note_success(source);
    }
    pthread_mutex_unlock(&source->lock);
    sl_found_free(old, old_count);
    if (is_news) {
        log_failure(source, why);
    }
    if (is_change) {
        sl_discovery_tell(source->discovery);
    }
}

void sl_source_publish_kept(struct sl_source *source, struct sl_found *found, size_t count)
{
    pthread_mutex_lock(&source->lock);
    bool is_new = source->count == 0;
    if (is_new) {
        note_documents(source, found, count, NULL);
        source->status.is_kept = true;
    }
    pthread_mutex_unlock(&source->lock);
    if (is_new) {
        sl_discovery_tell(source->discovery);
    } else {
        sl_found_free(found, count);
    }
}

bool sl_source_copy(struct sl_source *source, const struct sl_source *before)
{
    struct sl_found *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct sl_found *one = &before->found[i];
        if (!sl_source_add(&found, &count, source, one->place,
                           (struct sl_str){one->text, one->len})) {
            sl_found_free(found, count);
            return false;
        }
        found[i].is_foreign = one->is_foreign;
    }
    note_documents(source, found, count, NULL);
    source->status.is_kept = count > 0;
    return true;
}

bool sl_source_knows(const struct sl_source *source, struct sl_str text)
{
    return source->count == 1 && !source->status.is_kept &&
           sl_str_eq((struct sl_str){source->found[0].text, source->found[0].len}, text);
}

void sl_source_confirm(struct sl_source *source)
{
    pthread_mutex_lock(&source->lock);
    note_success(source);
    pthread_mutex_unlock(&source->lock);
}

void sl_source_fail(struct sl_source *source, const struct sl_status *why)
{
    pthread_mutex_lock(&source->lock);
    bool is_news = note_failure(source, why);
    pthread_mutex_unlock(&source->lock);
    if (is_news) {
        log_failure(source, why);
    }
}

bool sl_source_add(struct sl_found **found, size_t *count, const struct sl_source *source,
                   const char *place, struct sl_str text)
{
    struct sl_found *more = realloc(*found, (*count + 1) * sizeof(*more));

    if (!more) {
        return false;
    }
    *found = more;
    more[*count] = (struct sl_found){
        .source = source->spec->name,
        .place = sl_str_dup(sl_str_from(place)),
        .text = sl_str_dup(text),
        .len = text.len,
        .is_foreign = source->spec->options.type != SL_SOURCE_FILES,
    };
    if (!more[*count].place || !more[*count].text) {
        free(more[*count].place);
        free(more[*count].text);
        return false;
    }
    ++*count;
    return true;
}

void sl_found_free(struct sl_found *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(found[i].place);
        free(found[i].text);
    }
    free(found);
}
