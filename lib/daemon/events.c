#include "daemon/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"

/* One event; `bytes` are a type, a key and a text for each field, the last two ended by a NUL. */
struct event {
    struct sl_list node;
    uint64_t number;
    int64_t at_ns;
    enum sl_log_level level;
    const char *message;
    size_t len;
    char bytes[];
};

struct sl_events {
    pthread_mutex_t mutex;
    struct sl_list list; /* the oldest first */
    size_t count;
    size_t bytes;  /* of all of them */
    uint64_t last; /* number */
};

struct sl_events *sl_events_new(void)
{
    struct sl_events *events = calloc(1, sizeof(*events));

    if (events) {
        pthread_mutex_init(&events->mutex, NULL);
        sl_list_init(&events->list);
    }
    return events;
}

static void drop(struct sl_events *events, struct event *event)
{
    sl_list_remove(&event->node);
    events->count--;
    events->bytes -= sizeof(*event) + event->len;
    free(event);
}

void sl_events_free(struct sl_events *events)
{
    if (!events) {
        return;
    }
    SL_LIST_FOR_EACH(node, &events->list)
    {
        drop(events, SL_CONTAINER_OF(node, struct event, node));
    }
    pthread_mutex_destroy(&events->mutex);
    free(events);
}

/* ---- in ---- */

/* A text ends at its first NUL: what is behind it is not told. */
static void add_field(struct sl_buf *out, char type, const char *key, struct sl_str text)
{
    sl_buf_add_byte(out, type);
    sl_buf_add_c(out, key);
    sl_buf_add_byte(out, '\0');
    sl_buf_add(out, text.data, text.len ? strnlen(text.data, text.len) : 0);
    sl_buf_add_byte(out, '\0');
}

static void add_number(struct sl_buf *out, const char *key, uint64_t number)
{
    sl_buf_add_byte(out, 'n');
    sl_buf_add_c(out, key);
    sl_buf_add_byte(out, '\0');
    sl_buf_add_u64(out, number);
    sl_buf_add_byte(out, '\0');
}

static void add_fields(struct sl_buf *out, const struct sl_log_event *event)
{
    const struct sl_log_subject *subject = event->subject;

    for (size_t i = 0; subject && i < subject->who_count; i++) {
        add_field(out, 't', subject->who[i].key, subject->who[i].text);
    }
    for (size_t i = 0; i < event->count; i++) {
        const struct sl_log_field *field = &event->fields[i];
        if (field->is_number) {
            add_number(out, field->key, field->number);
        } else {
            add_field(out, 't', field->key, field->text);
        }
    }
    if (sl_log_stream(subject) > 0) {
        add_number(out, "stream", sl_log_stream(subject));
    }
}

/* NULL when memory is out. */
static struct event *copy(const struct sl_log_event *event)
{
    struct sl_buf fields;

    sl_buf_init(&fields, SL_LOG_LINE_BYTES);
    add_fields(&fields, event);
    struct event *copied = fields.failed ? NULL : malloc(sizeof(*copied) + fields.len);
    if (copied) {
        *copied = (struct event){.at_ns = event->at_ns,
                                 .level = event->level,
                                 .message = event->message,
                                 .len = fields.len};
        if (fields.len > 0) {
            memcpy(copied->bytes, fields.data, fields.len);
        }
    }
    sl_buf_fini(&fields);
    return copied;
}

static void append(struct sl_events *events, struct event *event)
{
    sl_list_init(&event->node);
    sl_list_append(&events->list, &event->node);
    event->number = events->last;
    events->count++;
    events->bytes += sizeof(*event) + event->len;
    while (events->count > SL_EVENTS_MAX || events->bytes > SL_EVENTS_BYTES) {
        drop(events, SL_CONTAINER_OF(events->list.next, struct event, node));
    }
}

void sl_events_hear(void *arg, const struct sl_log_event *event)
{
    struct sl_events *events = arg;
    struct event *copied = copy(event);

    pthread_mutex_lock(&events->mutex);
    events->last++;
    if (copied) {
        append(events, copied);
    }
    pthread_mutex_unlock(&events->mutex);
}

/* ---- out ---- */

static json_t *fields_json(struct sl_json *json, const struct event *event)
{
    json_t *object = sl_json_object(json);

    for (size_t at = 0; at < event->len;) {
        const char *key = event->bytes + at + 1;
        const char *text = key + strlen(key) + 1;
        uint64_t number;
        if (event->bytes[at] == 'n' && sl_str_to_u64(sl_str_from(text), &number)) {
            sl_json_put(json, object, key, sl_json_u64(json, number));
        } else {
            sl_json_put(json, object, key, sl_json_text(json, text));
        }
        at += (size_t)(text - key) + strlen(text) + 2;
    }
    return object;
}

static json_t *event_json(struct sl_json *json, const struct event *event)
{
    json_t *object = sl_json_object(json);

    sl_json_put(json, object, "n", sl_json_u64(json, event->number));
    sl_json_put(json, object, "at", sl_json_time(json, event->at_ns));
    sl_json_put(json, object, "level", sl_json_text(json, sl_log_level_name(event->level)));
    sl_json_put(json, object, "msg", sl_json_text(json, event->message));
    sl_json_put(json, object, "fields", fields_json(json, event));
    return object;
}

/* How many there are with a number above `after`. */
static size_t count_after(const struct sl_events *events, uint64_t after)
{
    size_t count = 0;

    SL_LIST_FOR_EACH(node, &events->list)
    {
        count += SL_CONTAINER_OF(node, struct event, node)->number > after;
    }
    return count;
}

json_t *sl_events_json(struct sl_events *events, struct sl_json *json,
                       const struct sl_events_part *part)
{
    json_t *root = sl_json_object(json);
    json_t *array = sl_json_array(json);
    uint64_t next = part->after;
    size_t count = 0;

    pthread_mutex_lock(&events->mutex);
    size_t all = count_after(events, part->after);
    size_t skipped = part->is_newest && all > part->limit ? all - part->limit : 0;
    SL_LIST_FOR_EACH(node, &events->list)
    {
        const struct event *event = SL_CONTAINER_OF(node, struct event, node);
        if (event->number <= part->after || count >= skipped + part->limit) {
            continue;
        }
        if (count++ >= skipped) {
            sl_json_add(json, array, event_json(json, event));
            next = event->number;
        }
    }
    pthread_mutex_unlock(&events->mutex);
    sl_json_put(json, root, "next", sl_json_u64(json, next));
    sl_json_put(json, root, "events", array);
    return root;
}
