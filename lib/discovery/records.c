#include "discovery/records.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

enum { MAX_KEY_BYTES = 200, LINE_BYTES = 8 /* of a document, around name and target */ };

struct record {
    char *name;
    char *json;   /* NULL: nothing good was said of it */
    size_t bytes; /* of its line */
    bool is_wrong;
};

struct sl_records {
    void *tree;
    uint64_t max_bytes;
    uint64_t bytes;
    size_t wrong;
};

struct sl_records *sl_records_new(uint64_t max_bytes)
{
    struct sl_records *records = calloc(1, sizeof(*records));

    if (records) {
        records->max_bytes = max_bytes;
    }
    return records;
}

static void free_record(void *arg)
{
    struct record *record = arg;

    free(record->name);
    free(record->json);
    free(record);
}

void sl_records_free(struct sl_records *records)
{
    if (records) {
        tdestroy(records->tree, free_record);
        free(records);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->name, ((const struct record *)b)->name);
}

/* ---- JSON ---- */

static void put_text(struct sl_buf *out, const char *text)
{
    sl_buf_add_byte(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            sl_buf_add_byte(out, '\\');
        }
        if ((unsigned char)*text < ' ') {
            sl_buf_printf(out, "\\u%04x", (unsigned)*text);
        } else {
            sl_buf_add_byte(out, *text);
        }
    }
    sl_buf_add_byte(out, '"');
}

/* As deep as a document may be: SL_CONFIG_MAX_DEPTH. */
static void put_node(struct sl_buf *out, const struct sl_config_node *node)
{
    bool is_map = sl_config_kind(node) == SL_CONFIG_MAP;
    bool is_plain;

    switch (sl_config_kind(node)) {
    case SL_CONFIG_NULL:
        sl_buf_add_c(out, "null");
        break;
    case SL_CONFIG_SCALAR:
        put_text(out, sl_config_raw(node, &is_plain).data);
        break;
    case SL_CONFIG_LIST:
    case SL_CONFIG_MAP:
        sl_buf_add_byte(out, is_map ? '{' : '[');
        for (size_t i = 0; i < sl_config_count(node) && !out->failed; i++) {
            sl_buf_add_c(out, i ? ", " : "");
            if (is_map) {
                put_text(out, sl_config_key(node, i));
                sl_buf_add_c(out, ": ");
            }
            put_node(out, sl_config_at(node, i));
        }
        sl_buf_add_byte(out, is_map ? '}' : ']');
        break;
    }
}

/* ---- one record ---- */

static struct record *find(const struct sl_records *records, const char *name)
{
    const struct record wanted = {.name = (char *)(uintptr_t)name};
    struct record **found = tfind(&wanted, &records->tree, compare);

    return found ? *found : NULL;
}

static void drop(struct sl_records *records, const char *name)
{
    struct record *record = find(records, name);

    if (record) {
        records->bytes -= record->bytes;
        records->wrong -= record->is_wrong;
        tdelete(record, &records->tree, compare);
        free_record(record);
    }
}

static size_t line_bytes(const char *name, const char *json)
{
    return strlen(name) + (json ? strlen(json) : 0) + LINE_BYTES;
}

/* Takes `name` and `json` over, where the latter may be NULL; in place of what was there. */
static bool put(struct sl_records *records, char *name, char *json)
{
    struct record *record = calloc(1, sizeof(*record));

    if (!record || !name) {
        free(record);
        free(name);
        free(json);
        return false;
    }
    *record = (struct record){.name = name, .json = json, .bytes = line_bytes(name, json)};
    drop(records, name);
    struct record **found = tsearch(record, &records->tree, compare);
    if (!found) {
        free_record(record);
        return false;
    }
    records->bytes += record->bytes;
    return true;
}

/* What was known of it stays. Where there is no room for its name it is not counted. */
static void mark_wrong(struct sl_records *records, const char *name)
{
    if (!find(records, name) && records->bytes + line_bytes(name, NULL) <= records->max_bytes) {
        bool is_put = put(records, sl_str_dup(sl_str_from(name)), NULL);
        if (!is_put) {
            return;
        }
    }
    struct record *record = find(records, name);
    if (record) {
        records->wrong += !record->is_wrong;
        record->is_wrong = true;
    }
}

/* The value as JSON; false: `why`. */
static bool convert(const char *name, struct sl_str value, uint64_t max_bytes, struct sl_buf *json,
                    struct sl_status *why)
{
    struct sl_config *config = sl_config_parse(name, value);
    const struct sl_config_node *root = config ? sl_config_root(config) : NULL;
    struct sl_buf errors = {0};

    *why = sl_status_error(SL_RESOURCE_EXHAUSTED, "out of memory");
    if (root && sl_config_kind(root) != SL_CONFIG_MAP) {
        sl_config_error(config, root, "expected a map, the keys of a target");
    }
    bool is_good = config && sl_config_errors(config) == 0;
    if (is_good) {
        sl_buf_init(json, max_bytes);
        put_node(json, root);
        is_good = !json->failed;
        *why =
            sl_status_error(SL_OUT_OF_RANGE, "%.80s: more than max-bytes, or memory is out", name);
    } else if (config) {
        sl_config_print_errors(config, &errors);
        const char *words = sl_buf_text(&errors);
        *why = sl_status_error(SL_INVALID_ARGUMENT, "%.*s", (int)strcspn(words, "\n"), words);
    }
    sl_buf_fini(&errors);
    sl_config_free(config);
    return is_good;
}

static bool is_key(struct sl_str key)
{
    return key.data && key.len > 0 && key.len <= MAX_KEY_BYTES && !memchr(key.data, '\0', key.len);
}

bool sl_records_take(struct sl_records *records, struct sl_str key, const struct sl_str *value,
                     struct sl_status *why)
{
    char name[MAX_KEY_BYTES + 1] = "";
    struct sl_buf json = {0};

    if (!is_key(key)) {
        *why =
            sl_status_error(SL_INVALID_ARGUMENT,
                            "expected a key, the target's name, of 1 to %d bytes", MAX_KEY_BYTES);
        return false;
    }
    memcpy(name, key.data, key.len);
    if (!value) {
        drop(records, name);
        return true;
    }
    const struct record *old = find(records, name);
    uint64_t others = records->bytes - (old ? old->bytes : 0);
    uint64_t left = records->max_bytes - sl_min_u64(others, records->max_bytes);
    bool is_taken = convert(name, *value, left ? left : 1, &json, why) &&
                    json.len + key.len + LINE_BYTES <= left;
    char *text = is_taken ? sl_str_dup(sl_buf_str(&json)) : NULL;
    is_taken = text && put(records, sl_str_dup(key), text);
    sl_buf_fini(&json);
    if (!is_taken) {
        mark_wrong(records, name);
    }
    return is_taken;
}

size_t sl_records_wrong(const struct sl_records *records)
{
    return records->wrong;
}

/* ---- the document ---- */

struct printing {
    struct sl_buf *out;
    bool has_any;
};

static void print_record(const void *node, VISIT visit, void *arg)
{
    const struct record *record = *(struct record *const *)node;
    struct printing *printing = arg;

    if ((visit == postorder || visit == leaf) && record->json) {
        sl_buf_add_c(printing->out, printing->has_any ? ",\n" : "\n");
        put_text(printing->out, record->name);
        sl_buf_add_c(printing->out, ": ");
        sl_buf_add_c(printing->out, record->json);
        printing->has_any = true;
    }
}

void sl_records_print(const struct sl_records *records, struct sl_buf *out)
{
    struct printing printing = {.out = out};

    sl_buf_add_byte(out, '{');
    twalk_r(records->tree, print_record, &printing);
    sl_buf_add_c(out, "\n}\n");
}
