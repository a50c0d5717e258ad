#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/journal.h"

static _Atomic enum sl_log_level lowest_level = SL_LOG_INFO;
static _Atomic enum sl_log_format line_format = SL_LOG_LOGFMT; /* never SL_LOG_AUTO */
static struct sl_journal journal = {.fd = -1};                 /* once open it stays */

/* Held for reading while the tap runs, so that whoever takes it away waits for it. */
static pthread_rwlock_t tap_lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_bool has_tap;
static void (*tap_fn)(void *arg, const struct sl_log_event *event);
static void *tap_arg;

static _Atomic uint64_t total_lines[SL_LOG_ERROR + 1];
static _Atomic uint64_t total_left_out;

static const char *const level_names[] = {
    [SL_LOG_DEBUG] = "debug",
    [SL_LOG_INFO] = "info",
    [SL_LOG_WARN] = "warn",
    [SL_LOG_ERROR] = "error",
};

/* A line as it grows. Behind `cap` there is room for what closes it: a quote, a brace, a line feed
 * and a NUL. */
struct line {
    char *bytes;
    size_t len;
    size_t cap;
    bool is_json;
};

enum { CLOSING_BYTES = 4, ESCAPE_BYTES = sizeof("\\u0000") - 1 };

/* ---- one value ---- */

static bool put(struct line *line, const char *bytes, size_t len)
{
    if (len > line->cap - line->len) {
        return false;
    }
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
    return true;
}

static void close_with(struct line *line, char byte)
{
    line->bytes[line->len++] = byte;
}

static bool put_byte(struct line *line, unsigned char byte)
{
    char escape[ESCAPE_BYTES + 1];

    if (byte == '"' || byte == '\\') {
        const char pair[] = {'\\', (char)byte};
        return put(line, pair, sizeof(pair));
    }
    if (byte >= 0x20 && byte <= 0x7e) {
        return put(line, (const char *)&byte, 1);
    }
    snprintf(escape, sizeof(escape), "\\u%04x", byte);
    return put(line, escape, ESCAPE_BYTES);
}

/* What logfmt takes without quotes. */
static bool is_bare(struct sl_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte <= 0x20 || byte > 0x7e || byte == '"' || byte == '\\' || byte == '=') {
            return false;
        }
    }
    return text.len > 0;
}

/* Cut off where the line is full. */
static void put_quoted(struct line *line, struct sl_str text)
{
    if (!put(line, "\"", 1)) {
        return;
    }
    for (size_t i = 0; i < text.len && put_byte(line, (unsigned char)text.data[i]); i++) {
    }
    close_with(line, '"');
}

/* ---- fields ---- */

static size_t head_len(const struct line *line, const char *key)
{
    return strlen(key) + (line->is_json ? sizeof(",\"\":") - 1 : sizeof(" =") - 1);
}

static void put_key(struct line *line, const char *key)
{
    bool is_first = line->len == line->is_json; /* behind nothing but a brace */

    put(line, line->is_json ? "," : " ", !is_first);
    put(line, "\"", line->is_json);
    put(line, key, strlen(key));
    put(line, line->is_json ? "\":" : "=", line->is_json ? 2 : 1);
}

static void put_field(struct line *line, const struct sl_log_field *field)
{
    char digits[sizeof("18446744073709551615")];
    struct sl_str text = field->text;

    if (field->is_number) {
        snprintf(digits, sizeof(digits), "%llu", (unsigned long long)field->number);
        text = sl_str_from(digits);
    }
    bool is_plain = field->is_number || (!line->is_json && is_bare(text));
    size_t value_len = is_plain ? text.len : sizeof("\"\"") - 1; /* at least */
    if (head_len(line, field->key) + value_len > line->cap - line->len) {
        return;
    }
    put_key(line, field->key);
    if (is_plain) {
        put(line, text.data, text.len);
    } else {
        line->cap -= 1; /* the closing quote */
        put_quoted(line, text);
        line->cap += 1;
    }
}

static void put_fields(struct line *line, const struct sl_log_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_field(line, &fields[i]);
    }
}

static void put_who(struct line *line, const struct sl_log_subject *subject)
{
    for (size_t i = 0; i < subject->who_count; i++) {
        struct sl_log_field field = sl_log_str(subject->who[i].key, subject->who[i].text);
        put_field(line, &field);
    }
}

static void put_text(struct line *line, const char *key, const char *text)
{
    struct sl_log_field field = sl_log_text(key, text);

    put_field(line, &field);
}

static void put_time(struct line *line, int64_t at_ns)
{
    const time_t at_s = at_ns / SL_NS_PER_S;
    struct tm utc;
    char seconds[32];
    char stamp[48];

    gmtime_r(&at_s, &utc);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp, sizeof(stamp), "%s.%03ldZ", seconds, (long)(at_ns % SL_NS_PER_S / 1000000));
    put_text(line, "time", stamp);
}

static struct line line_begin(char *bytes, enum sl_log_format format)
{
    struct line line = {
        .bytes = bytes, .cap = SL_LOG_LINE_BYTES - CLOSING_BYTES, .is_json = format == SL_LOG_JSON};

    put(&line, "{", line.is_json);
    return line;
}

static void put_rest(struct line *line, enum sl_log_level level,
                     const struct sl_log_subject *subject, const char *message,
                     const struct sl_log_field *fields, size_t count)
{
    put_text(line, "level", level_names[level]);
    if (subject) {
        put_who(line, subject);
    }
    put_text(line, "msg", message);
    put_fields(line, fields, count);
    if (sl_log_stream(subject) > 0) {
        struct sl_log_field stream = sl_log_u64("stream", sl_log_stream(subject));
        put_field(line, &stream);
    }
    if (subject && subject->left_out > 0) {
        struct sl_log_field left_out = sl_log_u64("left-out", subject->left_out);
        put_field(line, &left_out);
    }
    if (line->is_json) {
        close_with(line, '}');
    }
}

size_t sl_log_format(enum sl_log_format format, char *line, enum sl_log_level level,
                     const struct sl_log_subject *subject, const char *message,
                     const struct sl_log_field *fields, size_t count)
{
    struct line out = line_begin(line, format);

    put_rest(&out, level, subject, message, fields, count);
    line[out.len] = '\0';
    return out.len;
}

static void write_line(const struct sl_log_event *event)
{
    char bytes[SL_LOG_LINE_BYTES];
    struct line line = line_begin(bytes, atomic_load(&line_format));

    put_time(&line, event->at_ns);
    put_rest(&line, event->level, event->subject, event->message, event->fields, event->count);
    close_with(&line, '\n');
    ssize_t written = write(STDERR_FILENO, line.bytes, line.len);
    (void)written; /* nobody is left to tell */
}

/* Where the journal is gone, its lines go where it would have been told otherwise. */
static void print(const struct sl_log_event *event)
{
    if (atomic_load(&line_format) != SL_LOG_JOURNALD) {
        write_line(event);
        return;
    }
    int error = sl_journal_send(&journal, event);
    if (error == EAGAIN) {
        atomic_fetch_add_explicit(&total_left_out, 1, memory_order_relaxed);
    } else if (error != 0) {
        write_line(event);
    }
}

/* ---- who is told ---- */

static bool is_printed(enum sl_log_level level)
{
    return level >= atomic_load_explicit(&lowest_level, memory_order_relaxed);
}

static bool is_tapped(enum sl_log_level level)
{
    return level >= SL_LOG_INFO && atomic_load_explicit(&has_tap, memory_order_relaxed);
}

static void tell_tap(const struct sl_log_event *event)
{
    pthread_rwlock_rdlock(&tap_lock);
    if (tap_fn) {
        tap_fn(tap_arg, event);
    }
    pthread_rwlock_unlock(&tap_lock);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * SL_NS_PER_S + now.tv_nsec;
}

static void tell(struct sl_log_event event)
{
    event.at_ns = clock_ns(CLOCK_REALTIME);
    atomic_fetch_add_explicit(&total_lines[event.level], 1, memory_order_relaxed);
    if (is_printed(event.level)) {
        print(&event);
    }
    if (is_tapped(event.level)) {
        tell_tap(&event);
    }
}

/* ---- repeats ---- */

static uint64_t hash_texts(const struct sl_log_field *fields, size_t count)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; !fields[i].is_number && j < fields[i].text.len; j++) {
            hash = (hash ^ (unsigned char)fields[i].text.data[j]) * UINT64_C(1099511628211);
        }
    }
    return hash;
}

/* The message's own, or the one that has been silent for longest. */
static struct sl_log_repeat *find_repeat(struct sl_log_subject *subject, const char *message)
{
    struct sl_log_repeat *oldest = &subject->repeats[0];

    for (size_t i = 0; i < SL_LOG_MESSAGES; i++) {
        struct sl_log_repeat *repeat = &subject->repeats[i];
        if (repeat->message == message) {
            return repeat;
        }
        oldest = repeat->since_ns < oldest->since_ns ? repeat : oldest;
    }
    *oldest = (struct sl_log_repeat){.message = message};
    return oldest;
}

static bool is_repeated(struct sl_log_subject *subject, const char *message,
                        const struct sl_log_field *fields, size_t count)
{
    struct sl_log_repeat *repeat = find_repeat(subject, message);
    uint32_t hash = (uint32_t)hash_texts(fields, count);
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

    if (repeat->all == 0 || now_ns - repeat->since_ns >= SL_LOG_REPEAT_S * SL_NS_PER_S) {
        *repeat = (struct sl_log_repeat){.message = message, .hash = hash, .since_ns = now_ns};
    } else if (repeat->hash != hash) {
        repeat->hash = hash;
        repeat->same = 0;
    }
    repeat->all = (uint16_t)(repeat->all + (repeat->all <= SL_LOG_BURST_ALL));
    repeat->same = (uint16_t)(repeat->same + (repeat->same <= SL_LOG_BURST));
    return repeat->same > SL_LOG_BURST || repeat->all > SL_LOG_BURST_ALL;
}

/* ---- public ---- */

void sl_log_set(enum sl_log_level level, enum sl_log_format format)
{
    bool is_journal =
        format == SL_LOG_JOURNALD || (format == SL_LOG_AUTO && sl_journal_has_stderr());
    bool is_open = is_journal && (journal.fd >= 0 || sl_journal_open(&journal, SL_JOURNAL_SOCKET));

    sl_log_set_level(level);
    if (is_open) {
        atomic_store(&line_format, SL_LOG_JOURNALD);
    } else {
        atomic_store(&line_format, format == SL_LOG_JSON ? SL_LOG_JSON : SL_LOG_LOGFMT);
    }
    if (is_journal && !is_open) {
        sl_log(SL_LOG_WARN, NULL, "no journal is there: logfmt on standard error",
               sl_log_text("socket", SL_JOURNAL_SOCKET));
    }
}

void sl_log_set_level(enum sl_log_level level)
{
    atomic_store(&lowest_level, level);
}

enum sl_log_level sl_log_level(void)
{
    return atomic_load(&lowest_level);
}

const char *sl_log_level_name(enum sl_log_level level)
{
    SL_ASSERT((unsigned)level < SL_ARRAY_LEN(level_names));
    return level_names[level];
}

void sl_log_tap(void (*tap)(void *arg, const struct sl_log_event *event), void *arg)
{
    pthread_rwlock_wrlock(&tap_lock);
    tap_fn = tap;
    tap_arg = arg;
    atomic_store(&has_tap, tap != NULL);
    pthread_rwlock_unlock(&tap_lock);
}

uint64_t sl_log_lines(enum sl_log_level level)
{
    SL_ASSERT((unsigned)level < SL_ARRAY_LEN(total_lines));
    return atomic_load_explicit(&total_lines[level], memory_order_relaxed);
}

uint64_t sl_log_left_out(void)
{
    return atomic_load_explicit(&total_left_out, memory_order_relaxed);
}

void sl_log_subject_init(struct sl_log_subject *subject, const struct sl_log_field *who,
                         size_t count)
{
    SL_ASSERT(count <= SL_LOG_WHO);
    *subject = (struct sl_log_subject){.who_count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        SL_ASSERT(!who[i].is_number);
        subject->who[i] = (struct sl_log_who){who[i].key, who[i].text};
    }
}

void sl_log_end(struct sl_log_subject *subject)
{
    if (subject->left_out > 0) {
        tell((struct sl_log_event){
            .level = SL_LOG_INFO, .message = "no more lines", .subject = subject});
        subject->left_out = 0;
    }
}

void sl_log_fields(enum sl_log_level level, struct sl_log_subject *subject, const char *message,
                   const struct sl_log_field *fields, size_t count)
{
    if (!is_printed(level) && !is_tapped(level)) {
        return;
    }
    if (subject && level > SL_LOG_DEBUG && is_repeated(subject, message, fields, count)) {
        subject->left_out++;
        atomic_fetch_add_explicit(&total_left_out, 1, memory_order_relaxed);
        return;
    }
    tell((struct sl_log_event){
        .level = level, .message = message, .subject = subject, .fields = fields, .count = count});
    if (subject) {
        subject->left_out = 0;
    }
}
