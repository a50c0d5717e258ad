#include "normalise/glob.h"

#include <stdlib.h>
#include <string.h>

#include "gnmi.pb-c.h"

#include "gnmi/path.h"

struct sl_glob {
    Gnmi__Path *path;
};

/* ---- words ---- */

/* The last star takes one more byte each time that what follows it does not fit. */
bool sl_glob_word_matches(const char *pattern, struct sl_str word)
{
    const char *star = NULL;
    size_t at = 0;
    size_t star_at = 0;

    while (at < word.len) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern && (*pattern == '?' || *pattern == word.data[at])) {
            pattern++;
            at++;
        } else if (star) {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

static bool name_matches(const char *pattern, struct sl_str name)
{
    if (sl_glob_word_matches(pattern, name)) {
        return true;
    }
    struct sl_str bare = sl_gnmi_without_module(name);

    return bare.len != name.len && sl_glob_word_matches(pattern, bare);
}

/* ---- elements ---- */

static bool is_deep(const Gnmi__PathElem *elem)
{
    return strcmp(elem->name, "...") == 0 || strcmp(elem->name, "**") == 0;
}

static const struct sl_gnmi_key *find_key(const struct sl_rule_path *path, size_t elem,
                                          const char *name)
{
    for (size_t i = 0; i < path->key_count; i++) {
        if (path->keys[i].elem == elem && sl_str_eq_c(path->keys[i].key.name, name)) {
            return &path->keys[i].key;
        }
    }
    return NULL;
}

static bool elem_matches(const Gnmi__PathElem *glob, const struct sl_rule_path *path, size_t elem,
                         bool is_open)
{
    if (!name_matches(glob->name, path->elems[elem])) {
        return false;
    }
    for (size_t i = 0; i < glob->n_key; i++) {
        const struct sl_gnmi_key *key = find_key(path, elem, glob->key[i]->key);
        if (key ? !sl_glob_word_matches(glob->key[i]->value, key->value) : !is_open) {
            return false;
        }
    }
    return true;
}

/* ---- paths ---- */

/* With a bit for each place in the glob where a path may stand, all of them are followed at once:
 * bit i is set when the elements so far match the first i of the glob. */
static uint64_t settle(const Gnmi__Path *glob, uint64_t places)
{
    for (size_t i = 0; i < glob->n_elem; i++) {
        if ((places >> i & 1) && is_deep(glob->elem[i])) {
            places |= UINT64_C(1) << (i + 1);
        }
    }
    return places;
}

static uint64_t step(const Gnmi__Path *glob, uint64_t places, const struct sl_rule_path *path,
                     size_t elem, bool is_open)
{
    uint64_t next = 0;

    for (size_t i = 0; i < glob->n_elem; i++) {
        if (!(places >> i & 1)) {
            continue;
        }
        if (is_deep(glob->elem[i])) {
            next |= UINT64_C(1) << i;
        } else if (elem_matches(glob->elem[i], path, elem, is_open)) {
            next |= UINT64_C(1) << (i + 1);
        }
    }
    return settle(glob, next);
}

static uint64_t follow(const struct sl_glob *glob, const struct sl_rule_path *path, bool is_open)
{
    uint64_t places = 1;

    if (*glob->path->origin && !sl_glob_word_matches(glob->path->origin, path->origin)) {
        return 0;
    }
    places = settle(glob->path, places);
    for (size_t i = 0; i < path->elem_count && places; i++) {
        places = step(glob->path, places, path, i, is_open);
    }
    return places;
}

bool sl_glob_matches(const struct sl_glob *glob, const struct sl_rule_path *path)
{
    return follow(glob, path, false) >> glob->path->n_elem & 1;
}

bool sl_glob_reaches(const struct sl_glob *glob, const struct sl_rule_path *path)
{
    return follow(glob, path, true) != 0;
}

bool sl_glob_reaches_below(const struct sl_glob *glob, const struct sl_rule_path *path)
{
    uint64_t unfinished = (UINT64_C(1) << glob->path->n_elem) - 1;

    return (follow(glob, path, true) & unfinished) != 0;
}

/* ---- lifetime ---- */

struct sl_glob *sl_glob_new(struct sl_str text, struct sl_status *why)
{
    struct sl_glob *glob = calloc(1, sizeof(*glob));

    *why = sl_status_ok();
    if (!glob) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    glob->path = sl_gnmi_path_parse(text, why);
    if (glob->path && glob->path->n_elem > SL_GLOB_MAX_ELEMS) {
        *why = sl_status_error(SL_INVALID_ARGUMENT, "a glob of more than %d elements",
                               (int)SL_GLOB_MAX_ELEMS);
    }
    if (!sl_status_is_ok(why)) {
        sl_glob_free(glob);
        return NULL;
    }
    return glob;
}

void sl_glob_free(struct sl_glob *glob)
{
    if (glob) {
        if (glob->path) {
            gnmi__path__free_unpacked(glob->path, NULL);
        }
        free(glob);
    }
}
