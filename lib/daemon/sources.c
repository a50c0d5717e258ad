#include "daemon/sources.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum { NOTE_LINES = 20 }; /* of each reading, in the log */

struct counts {
    size_t targets;
    size_t wrong;
    size_t conflicts;
    size_t elsewhere;
};

struct sl_sources {
    const struct sl_settings *settings; /* whose sources they are */
    struct sl_settings **held;          /* likewise, beside those of the start */
    size_t held_count;
    struct sl_discovery *discovery;
    char *state_dir;
    uint64_t changes;   /* of discovery, when it was read last */
    struct sl_buf told; /* the notes that the log has */
    pthread_mutex_t lock;
    struct counts *counts; /* per source */
};

/* Where the configuration says, or else where the service manager has made a place; systemd.exec(5)
 * may name several, of which the first is meant. */
static char *state_dir(const struct sl_settings *settings)
{
    const char *said = settings->collector.state_dir;
    const char *made = getenv("STATE_DIRECTORY");

    return said[0] || !made ? sl_str_dup(sl_str_from(said))
                            : sl_str_dup((struct sl_str){made, strcspn(made, ":")});
}

struct sl_sources *sl_sources_open(const struct sl_settings *settings, struct sl_loop *loop,
                                   void (*on_change)(void *arg), void *arg, struct sl_status *why)
{
    struct sl_sources *sources = calloc(1, sizeof(*sources));

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (sources) {
        pthread_mutex_init(&sources->lock, NULL);
        sources->settings = settings;
        sources->counts = calloc(settings->source_count + 1, sizeof(*sources->counts));
        sources->state_dir = state_dir(settings);
        const struct sl_discovery_config config = {
            .specs = settings->sources,
            .count = settings->source_count,
            .state_dir = sources->state_dir,
            .loop = loop,
            .on_change = on_change,
            .arg = arg,
        };
        bool is_ready = sources->counts && sources->state_dir;
        sources->discovery = is_ready ? sl_discovery_open(&config, why) : NULL;
        if (!sources->discovery) {
            sl_sources_close(sources);
            return NULL;
        }
        sl_discovery_wait(sources->discovery, SL_SOURCES_WAIT_MS);
    }
    return sources;
}

void sl_sources_close(struct sl_sources *sources)
{
    if (sources) {
        sl_discovery_close(sources->discovery);
        pthread_mutex_destroy(&sources->lock);
        sl_buf_fini(&sources->told);
        for (size_t i = 0; i < sources->held_count; i++) {
            sl_settings_release(sources->held[i]);
        }
        free(sources->held);
        free(sources->counts);
        free(sources->state_dir);
        free(sources);
    }
}

static void log_lines(const char *text)
{
    for (size_t i = 0; *text; i++) {
        size_t len = strcspn(text, "\n");
        if (i == NOTE_LINES) {
            sl_log(SL_LOG_WARN, NULL, "discovery: there are more, which are not shown",
                   sl_log_text("reason", "bad-target"));
            return;
        }
        char *line = sl_str_dup((struct sl_str){text, len});
        sl_log(SL_LOG_WARN, NULL, "discovery: what was found is not as it should be",
               sl_log_text("reason", "bad-target"),
               sl_log_text("why", line ? line : "out of memory"));
        free(line);
        text += len + (text[len] == '\n');
    }
}

/* Counts, and what is new of what had to be left out. */
static void note(struct sl_sources *sources, struct sl_settings_document *documents, size_t count)
{
    struct counts *counts = calloc(sources->settings->source_count + 1, sizeof(*counts));
    struct sl_buf notes = {0};

    for (size_t i = 0; counts && i < count; i++) {
        size_t at = 0;
        while (strcmp(sources->settings->sources[at].name, documents[i].source) != 0) {
            at++;
            SL_ASSERT(at < sources->settings->source_count);
        }
        counts[at].targets += documents[i].targets;
        counts[at].wrong += documents[i].wrong;
        counts[at].conflicts += documents[i].conflicts;
        counts[at].elsewhere += documents[i].elsewhere;
        sl_buf_add_str(&notes, sl_buf_str(&documents[i].notes));
    }
    if (counts) {
        pthread_mutex_lock(&sources->lock);
        memcpy(sources->counts, counts, sources->settings->source_count * sizeof(*counts));
        pthread_mutex_unlock(&sources->lock);
    }
    if (!sl_str_eq(sl_buf_str(&notes), sl_buf_str(&sources->told))) {
        log_lines(sl_buf_text(&notes));
    }
    sl_buf_fini(&sources->told);
    sources->told = notes;
    free(counts);
}

/* The name that lives as long as `settings`, where they have such a source. */
static const char *lasting(const struct sl_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->source_count; i++) {
        if (strcmp(settings->sources[i].name, name) == 0) {
            return settings->sources[i].name;
        }
    }
    return "discovery";
}

static struct sl_settings *read_found(struct sl_sources *sources, const char *file,
                                      const struct sl_found *found, size_t count,
                                      struct sl_buf *errors)
{
    struct sl_settings_document *documents = calloc(count + 1, sizeof(*documents));
    struct sl_settings *settings = NULL;

    for (size_t i = 0; documents && i < count; i++) {
        documents[i] = (struct sl_settings_document){
            .source = found[i].source,
            .place = found[i].place,
            .text = {found[i].text, found[i].len},
            .is_foreign = found[i].is_foreign,
        };
    }
    if (documents) {
        settings = sl_settings_read_with(file, documents, count, errors);
    } else {
        sl_buf_printf(errors, "%s: out of memory\n", file);
    }
    if (settings) {
        note(sources, documents, count);
    }
    for (size_t i = 0; settings && i < settings->target_count; i++) {
        struct sl_target_settings *target = &settings->targets[i];
        target->source = target->source ? lasting(settings, target->source) : NULL;
    }
    for (size_t i = 0; documents && i < count; i++) {
        sl_buf_fini(&documents[i].notes);
    }
    free(documents);
    return settings;
}

struct sl_settings *sl_sources_read(struct sl_sources *sources, const char *file,
                                    struct sl_buf *errors)
{
    struct sl_settings *settings = NULL;
    struct sl_found *found = NULL;
    size_t count = 0;

    if (!sources) {
        return sl_settings_read(file, errors);
    }
    sources->changes = sl_discovery_changes(sources->discovery);
    if (sl_discovery_found(sources->discovery, &found, &count)) {
        settings = read_found(sources, file, found, count, errors);
    } else {
        sl_buf_printf(errors, "%s: out of memory\n", file);
    }
    sl_found_free(found, count);
    return settings;
}

bool sl_sources_have_news(const struct sl_sources *sources)
{
    return sl_discovery_changes(sources->discovery) != sources->changes;
}

static bool is_used(const struct sl_sources *sources, const struct sl_settings *settings)
{
    for (size_t i = 0; i < settings->source_count; i++) {
        if (sl_discovery_uses(sources->discovery, &settings->sources[i])) {
            return true;
        }
    }
    return false;
}

/* Those in which a source began that still runs, and those of now. */
static void drop_unused(struct sl_sources *sources)
{
    size_t kept = 0;

    for (size_t i = 0; i < sources->held_count; i++) {
        if (sources->held[i] == sources->settings || is_used(sources, sources->held[i])) {
            sources->held[kept++] = sources->held[i];
        } else {
            sl_settings_release(sources->held[i]);
        }
    }
    sources->held_count = kept;
}

/* Takes `settings` over, unless it fails. */
static bool change(struct sl_sources *sources, struct sl_settings *settings)
{
    struct counts *counts = calloc(settings->source_count + 1, sizeof(*counts));
    struct sl_settings **held =
        realloc(sources->held, (sources->held_count + 1) * sizeof(struct sl_settings *));

    sources->held = held ? held : sources->held;
    if (!counts || !held ||
        !sl_discovery_change(sources->discovery, settings->sources, settings->source_count)) {
        free(counts);
        return false;
    }
    sources->held[sources->held_count++] = settings;
    pthread_mutex_lock(&sources->lock);
    struct counts *old = sources->counts;
    sources->counts = counts;
    sources->settings = settings;
    pthread_mutex_unlock(&sources->lock);
    free(old);
    drop_unused(sources);
    return true;
}

void sl_sources_follow(struct sl_sources *sources, const struct sl_settings *taken,
                       const char *file)
{
    bool is_same = sources->settings->source_count == taken->source_count;
    struct sl_buf errors = {0};

    for (size_t i = 0; is_same && i < taken->source_count; i++) {
        is_same = sl_source_is_same(&sources->settings->sources[i], &taken->sources[i]);
    }
    if (is_same) {
        return;
    }
    /* Settings of their own: those in force have all targets, and are not to live as long. */
    struct sl_settings *settings = sl_settings_read(file, &errors);
    sl_buf_fini(&errors);
    if (settings && change(sources, settings)) {
        sl_log(SL_LOG_INFO, NULL, "discovery: other sources",
               sl_log_text("reason", "configuration"),
               sl_log_u64("sources", settings->source_count));
        return;
    }
    sl_settings_release(settings);
    sl_log(SL_LOG_ERROR, NULL,
           "discovery: the sources stay as they were: memory is out, or the file has gone",
           sl_log_text("reason", "not-changed"));
}

size_t sl_sources_count(const struct sl_sources *sources)
{
    return sources ? sl_discovery_sources(sources->discovery) : 0;
}

bool sl_sources_row(struct sl_sources *sources, size_t i, struct sl_sources_row *row)
{
    *row = (struct sl_sources_row){.targets = 0};
    if (!sl_discovery_status(sources->discovery, i, &row->source)) {
        return false;
    }
    pthread_mutex_lock(&sources->lock);
    if (i < sources->settings->source_count) {
        row->targets = sources->counts[i].targets;
        row->wrong = sources->counts[i].wrong;
        row->conflicts = sources->counts[i].conflicts;
        row->elsewhere = sources->counts[i].elsewhere;
    }
    pthread_mutex_unlock(&sources->lock);
    return true;
}
