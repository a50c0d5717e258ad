/* log.h - one line for one decision, on standard error or in the journal.
 *
 *     time=2026-11-21T08:00:00.123Z level=info target=leaf1 subscription=counters msg="..." k=v
 *
 * A line is given as fields and written as logfmt, or as a JSON object with the same names in the
 * same order (RFC 8259, one object a line), or becomes an entry of systemd's journal, a field for a
 * field (journal.h). Values may hold any byte, a peer's too: whatever is not printable ASCII is
 * escaped, so that nobody can forge a field or a line. The line is logged once, where the decision
 * is taken, and says why as one word of few (`reason=`), the same one as in a metric that counts
 * it.
 *
 * A subject is who speaks. What it says again and again is printed SL_LOG_BURST times in
 * SL_LOG_REPEAT_S seconds, then left out; its next line says how many were (`left-out=7`), and so
 * does its end. Debug lines are never left out. One that speaks for a stream has its number in each
 * line (`stream=`): the epoch, which its records have, too.
 *
 * Any thread may log (a line is one write()), each subject is one thread's.
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/str.h"

enum sl_log_level { SL_LOG_DEBUG, SL_LOG_INFO, SL_LOG_WARN, SL_LOG_ERROR };
enum sl_log_format {
    SL_LOG_AUTO, /* the journal when standard error is a stream of it, else logfmt */
    SL_LOG_LOGFMT,
    SL_LOG_JSON,
    SL_LOG_JOURNALD, /* logfmt on standard error for lines that it does not get */
};

enum {
    SL_LOG_LINE_BYTES = 2048, /* in a longer line values are cut off and fields left out */
    SL_LOG_BURST = 5,         /* lines that say the same */
    SL_LOG_BURST_ALL = 20,    /* lines with the same message, whatever their fields say */
    SL_LOG_REPEAT_S = 60,
    SL_LOG_MESSAGES = 6, /* different messages of a subject that are told apart */
    SL_LOG_WHO = 3,
};

struct sl_log_field {
    const char *key; /* kebab-case */
    struct sl_str text;
    uint64_t number;
    bool is_number;
};

static inline struct sl_log_field sl_log_str(const char *key, struct sl_str text)
{
    return (struct sl_log_field){.key = key, .text = text};
}

static inline struct sl_log_field sl_log_text(const char *key, const char *text)
{
    return sl_log_str(key, sl_str_from(text));
}

static inline struct sl_log_field sl_log_u64(const char *key, uint64_t number)
{
    return (struct sl_log_field){.key = key, .number = number, .is_number = true};
}

/* What a subject has said under one message in the current SL_LOG_REPEAT_S seconds. */
struct sl_log_repeat {
    const char *message; /* NULL: unused */
    int64_t since_ns;
    uint32_t hash; /* of the texts of the last line that was different */
    uint16_t same;
    uint16_t all;
};

/* A field with a text. There are many subjects, so it is no larger than that. */
struct sl_log_who {
    const char *key;
    struct sl_str text;
};

struct sl_log_subject {
    struct sl_log_who who[SL_LOG_WHO];
    const uint64_t *stream; /* the number of the stream that it speaks for, 0: none yet; or NULL */
    struct sl_log_repeat repeats[SL_LOG_MESSAGES];
    uint32_t who_count;
    uint32_t left_out; /* since the last line */
};

/* 0: it speaks for none. NULL speaks for none. */
static inline uint64_t sl_log_stream(const struct sl_log_subject *subject)
{
    return subject && subject->stream ? *subject->stream : 0;
}

/* Copies the fields, at most SL_LOG_WHO, none of which is a number; their texts are borrowed. */
void sl_log_subject_init(struct sl_log_subject *subject, const struct sl_log_field *who,
                         size_t count);

/* The subject's last line, if lines of it were left out. */
void sl_log_end(struct sl_log_subject *subject);

/* Lines below `level` are not printed (the start: SL_LOG_INFO, logfmt). At any time, by one thread:
 * a line under way is written in either way. SL_LOG_JOURNALD where no journal is: logfmt, and a
 * warning. */
void sl_log_set(enum sl_log_level level, enum sl_log_format format);
void sl_log_set_level(enum sl_log_level level); /* any thread */
enum sl_log_level sl_log_level(void);
const char *sl_log_level_name(enum sl_log_level level); /* "warn" */

/* A line as it was said. What it points at lives until the tap returns. */
struct sl_log_event {
    enum sl_log_level level;
    int64_t at_ns;                        /* wall clock */
    const char *message;                  /* a literal */
    const struct sl_log_subject *subject; /* its `who`, and its `left_out` before; or NULL */
    const struct sl_log_field *fields;
    size_t count;
};

/* From now on `tap(arg, event)` is told every line of SL_LOG_INFO and above, whether or not the
 * level lets it be printed; repeats that are left out are left out here too. It is called on
 * whatever thread logs, on several at once, so it copies what it wants and returns; it must not
 * log. NULL takes it away: once sl_log_tap returns, the one before is not running and will not be
 * called again. */
void sl_log_tap(void (*tap)(void *arg, const struct sl_log_event *event), void *arg);

/* Lines that were printed or told to the tap. */
uint64_t sl_log_lines(enum sl_log_level level);

/* Lines that were left out, of all subjects, or that the journal did not take in time. */
uint64_t sl_log_left_out(void);

/* `subject` may be NULL. `message` is a literal, a sentence without a full stop. */
void sl_log_fields(enum sl_log_level level, struct sl_log_subject *subject, const char *message,
                   const struct sl_log_field *fields, size_t count);

/* sl_log(level, subject, "connected", sl_log_text("peer", peer), sl_log_u64("attempt", 3)) */
#define sl_log(level, subject, message, ...)                                                       \
    sl_log_fields(level, subject, message, (const struct sl_log_field[]){__VA_ARGS__},             \
                  SL_ARRAY_LEN(((const struct sl_log_field[]){__VA_ARGS__})))

/* The same without fields. */
#define sl_log_plain(level, subject, message) sl_log_fields(level, subject, message, NULL, 0)

/* The line without its time, as sl_log_fields writes it, NUL-terminated; its length. `line` has
 * SL_LOG_LINE_BYTES. Any bytes in the fields give one well-formed line. */
size_t sl_log_format(enum sl_log_format format, char *line, enum sl_log_level level,
                     const struct sl_log_subject *subject, const char *message,
                     const struct sl_log_field *fields, size_t count);

#endif
