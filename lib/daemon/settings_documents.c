/* Which targets there are: the configuration's own, then those of documents that came from
 * elsewhere, each name once; and which of them are this collector's. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "daemon/settings_read.h"

struct gatherer {
    struct sl_settings_reader *reader;
    size_t room; /* of the arrays */
    void *names; /* a tree of struct known */
};

struct known {
    const char *name;
    const char *where;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static void keep(void *known)
{
    (void)known; /* it lies in a document */
}

/* `first` is who has said the name before, NULL when nobody has. False when memory is out. */
static bool enter_name(struct gatherer *gatherer, const char *name, const char *where,
                       const char **first)
{
    struct known *known = sl_config_alloc(gatherer->reader->config, 1, sizeof(*known));

    if (!known) {
        return false;
    }
    *known = (struct known){name, where};
    struct known **found = tsearch(known, &gatherer->names, compare);
    if (!found) {
        sl_config_note_out_of_memory(gatherer->reader->config);
        return false;
    }
    *first = *found == known ? NULL : (*found)->where;
    return true;
}

/* ---- shards ---- */

static bool is_elsewhere(const struct sl_settings *settings, const char *name)
{
    uint64_t count = (uint64_t)settings->collector.shard.count;

    return XXH64(name, strlen(name), 0) % count != (uint64_t)settings->collector.shard.index;
}

/* ---- the configuration's own ---- */

static void add(struct gatherer *gatherer, const struct sl_settings_place *place, const char *name)
{
    struct sl_settings *settings = gatherer->reader->settings;

    SL_ASSERT(settings->target_count < gatherer->room);
    gatherer->reader->places[settings->target_count] = *place;
    settings->targets[settings->target_count++] = (struct sl_target_settings){
        .name = name, .source = place->document ? place->document->source : NULL};
}

static bool add_own(struct gatherer *gatherer)
{
    struct sl_settings_reader *reader = gatherer->reader;
    size_t count = reader->targets ? sl_config_count(reader->targets) : 0;

    for (size_t i = 0; i < count; i++) {
        const char *name = sl_config_key(reader->targets, i);
        const char *first;
        const struct sl_settings_place place = {
            .config = reader->config,
            .key = sl_config_key_node(reader->targets, i),
            .node = sl_config_at(reader->targets, i),
            .defaults = reader->default_target,
            .is_elsewhere = is_elsewhere(reader->settings, name),
        };
        if (reader->document_count && !enter_name(gatherer, name, "the configuration", &first)) {
            return false;
        }
        add(gatherer, &place, name);
    }
    return true;
}

/* ---- those of documents ---- */

/* The name of the i-th of `root`, and where it stands; NULL after an error that was reported. */
static const char *name_at(struct sl_config *config, const struct sl_config_node *root, size_t i,
                           const struct sl_config_node **place)
{
    size_t before = sl_config_reports(config);
    const char *name = NULL;

    if (sl_config_kind(root) == SL_CONFIG_MAP) {
        *place = sl_config_key_node(root, i);
        name = sl_config_key(root, i);
    } else {
        const struct sl_config_node *item = sl_config_at(root, i);
        *place = sl_config_get(item, "name");
        if (!*place) {
            sl_config_error(config, item, "expected a target with its 'name'");
            return NULL;
        }
        name = sl_config_text(config, *place);
    }
    if (sl_config_reports(config) == before) {
        sl_settings_check_name(config, *place, name);
    }
    return sl_config_reports(config) == before ? name : NULL;
}

/* False when memory is out. */
static bool add_found(struct gatherer *gatherer, const struct sl_settings_place *place,
                      const char *name)
{
    struct sl_settings_document *document = place->document;
    const char *first;

    if (is_elsewhere(gatherer->reader->settings, name)) {
        document->elsewhere++;
        return true;
    }
    if (!enter_name(gatherer, name, document->source, &first)) {
        return false;
    }
    if (first) {
        document->conflicts++;
        sl_config_error(place->config, place->key,
                        "target '%s' is left out: it is in %s already, which goes before", name,
                        first);
    } else if (gatherer->reader->settings->target_count == gatherer->room) {
        document->wrong++;
        sl_config_error(place->config, place->key, "target '%s' is left out: there can be %d", name,
                        SL_SETTINGS_MAX_TARGETS);
    } else {
        add(gatherer, place, name);
    }
    return true;
}

static bool add_document(struct gatherer *gatherer, struct sl_config *config,
                         struct sl_settings_document *document)
{
    const struct sl_config_node *root = sl_config_root(config);
    bool is_listed = root && sl_config_kind(root) == SL_CONFIG_LIST;

    if (root && !is_listed && sl_config_kind(root) != SL_CONFIG_MAP) {
        sl_config_error(config, root, "expected a map of names and targets, or a list of targets");
        return true;
    }
    for (size_t i = 0; root && i < sl_config_count(root); i++) {
        struct sl_settings_place place = {.config = config,
                                          .node = sl_config_at(root, i),
                                          .document = document,
                                          .is_listed = is_listed};
        const char *name = name_at(config, root, i, &place.key);
        document->wrong += !name;
        if (name && !add_found(gatherer, &place, name)) {
            return false;
        }
    }
    return true;
}

/* How many targets there can be at most. */
static size_t count_all(const struct sl_settings_reader *reader)
{
    size_t count = reader->targets ? sl_config_count(reader->targets) : 0;

    for (size_t i = 0; i < reader->document_count; i++) {
        const struct sl_config_node *root = sl_config_root(reader->settings->documents[i]);
        count += root && sl_config_kind(root) != SL_CONFIG_SCALAR ? sl_config_count(root) : 0;
    }
    return sl_min_size(count, SL_SETTINGS_MAX_TARGETS);
}

static bool parse_documents(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;

    settings->documents = calloc(reader->document_count + 1, sizeof(*settings->documents));
    for (size_t i = 0; settings->documents && i < reader->document_count; i++) {
        struct sl_settings_document *document = &reader->documents[i];
        struct sl_config *config = sl_config_parse(document->place, document->text);
        if (!config) {
            return false;
        }
        sl_config_set_foreign(config, document->is_foreign);
        settings->documents[settings->document_count++] = config;
        document->targets = document->wrong = document->conflicts = document->elsewhere = 0;
        sl_buf_reset(&document->notes);
    }
    return settings->documents != NULL;
}

bool sl_settings_gather(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    struct gatherer gatherer = {.reader = reader};

    if (!parse_documents(reader)) {
        sl_config_note_out_of_memory(reader->config);
        return false;
    }
    gatherer.room = count_all(reader);
    settings->targets = sl_config_alloc(reader->config, gatherer.room, sizeof(*settings->targets));
    reader->places = sl_config_alloc(reader->config, gatherer.room, sizeof(*reader->places));
    bool is_good = settings->targets && reader->places && add_own(&gatherer);
    for (size_t i = 0; is_good && i < reader->document_count; i++) {
        is_good = add_document(&gatherer, settings->documents[i], &reader->documents[i]);
    }
    tdestroy(gatherer.names, keep);
    return is_good;
}

/* ---- what is left ---- */

static bool is_ours(struct sl_settings *settings, const struct sl_settings_place *place,
                    const char *name)
{
    if (place->is_elsewhere) {
        settings->elsewhere_count++;
    } else if (place->is_wrong) {
        place->document->wrong++;
        sl_config_error(place->config, place->key, "target '%s' is left out", name);
    } else if (place->document) {
        place->document->targets++;
    }
    return !place->is_elsewhere && !place->is_wrong;
}

bool sl_settings_sift(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    size_t count = 0;
    bool is_whole = true;

    for (size_t i = 0; i < settings->target_count; i++) {
        if (is_ours(settings, &reader->places[i], settings->targets[i].name)) {
            reader->places[count] = reader->places[i];
            settings->targets[count++] = settings->targets[i];
        }
    }
    settings->target_count = count;
    for (size_t i = 0; i < reader->document_count; i++) {
        settings->elsewhere_count += reader->documents[i].elsewhere;
        sl_config_print_errors(settings->documents[i], &reader->documents[i].notes);
        is_whole = is_whole && !sl_config_is_cut_off(settings->documents[i]) &&
                   !reader->documents[i].notes.failed;
    }
    return is_whole;
}

void sl_settings_free_documents(struct sl_settings *settings)
{
    for (size_t i = 0; i < settings->document_count; i++) {
        sl_config_free(settings->documents[i]);
    }
    free(settings->documents);
}
