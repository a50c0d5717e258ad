/* What a person looks for among the streams. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/api_internal.h"

enum { ID_BYTES = 3 * SL_SETTINGS_MAX_NAME_BYTES };

bool sl_api_filter_read(struct sl_api_filter *filter, const char *text)
{
    char *rest = NULL;

    *filter = (struct sl_api_filter){.count = 0};
    if (!text) {
        return true;
    }
    if (strlen(text) >= sizeof(filter->text)) {
        return false;
    }
    memcpy(filter->text, text, strlen(text) + 1);
    char *word = strtok_r(filter->text, " \t", &rest);
    for (; word; word = strtok_r(NULL, " \t", &rest)) {
        if (filter->count == SL_API_FILTER_WORDS) {
            return false;
        }
        filter->words[filter->count++] = word;
    }
    return true;
}

/* ---- fields ---- */

static bool is_target(const struct sl_api_stream *stream, const char *value)
{
    return strcasecmp(stream->target, value) == 0;
}

static bool is_held_by(const struct sl_api_stream *stream, const char *value)
{
    for (size_t i = 0; i < stream->row->route_count; i++) {
        const struct sl_route_row *route = &stream->row->routes[i];
        for (size_t j = 0; j < route->place_count; j++) {
            if (route->places[j].held > 0 && strcasecmp(route->sink->name, value) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_in_state(const struct sl_api_stream *stream, const char *value)
{
    return strcasecmp(stream->state, value) == 0 || strcasecmp(stream->condition, value) == 0 ||
           strcasecmp(stream->level, value) == 0;
}

static bool is_so(const struct sl_api_stream *stream, const char *value)
{
    enum sl_stream_state state = stream->row->view.state;
    const struct {
        const char *word;
        bool holds;
    } words[] = {
        {"blocked", stream->is_blocked},
        {"stale", stream->is_stale},
        {"stalled", stream->is_stalled},
        {"synced", stream->is_synced},
        {"held", stream->rank == SL_API_HELD},
        {"down", state == SL_STREAM_WAITING || state == SL_STREAM_BACKOFF},
    };

    for (size_t i = 0; i < SL_ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i].word, value) == 0) {
            return words[i].holds;
        }
    }
    return false;
}

static const struct {
    const char *prefix;
    bool (*fits)(const struct sl_api_stream *stream, const char *value);
} fields[] = {
    {"target:", is_target}, {"sink:", is_held_by}, {"state:", is_in_state}, {"is:", is_so}};

/* ---- words ---- */

static bool id_has(const struct sl_api_stream *stream, const char *part)
{
    char id[ID_BYTES];

    snprintf(id, sizeof(id), "%s/%s", stream->target, stream->subscription);
    return sl_api_has(id, part);
}

static bool word_fits(const char *word, const struct sl_api_stream *stream)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(fields); i++) {
        size_t len = strlen(fields[i].prefix);
        if (strncasecmp(word, fields[i].prefix, len) == 0 && word[len]) {
            return fields[i].fits(stream, word + len);
        }
    }
    return id_has(stream, word) || sl_api_has(stream->condition, word) ||
           sl_api_has(stream->state, word) ||
           (stream->last_error && sl_api_has(stream->last_error, word));
}

bool sl_api_filter_fits(const struct sl_api_filter *filter, const struct sl_api_stream *stream)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (!word_fits(filter->words[i], stream)) {
            return false;
        }
    }
    return true;
}
