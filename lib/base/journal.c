#include "base/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LEN_BYTES = 8, /* of a value, little endian */
    PIECES = 3,    /* of a field: its name and the value's length, the value, a line feed */
    DIGITS = 24,
    US_PER_MS = 1000,
};

struct entry {
    struct iovec pieces[SL_JOURNAL_FIELDS * PIECES];
    char heads[SL_JOURNAL_FIELDS][SL_JOURNAL_NAME_BYTES + 1 + LEN_BYTES];
    char digits[SL_JOURNAL_FIELDS][DIGITS];
    size_t count; /* fields */
};

/* ---- fields ---- */

/* The journal knows A-Z, 0-9 and '_'. */
static char name_byte(char byte)
{
    if (byte >= 'a' && byte <= 'z') {
        return (char)(byte - 'a' + 'A');
    }
    bool is_known = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');

    return byte != '\0' && is_known ? byte : '_';
}

/* `KEY LF length value LF`, which takes any bytes. */
static void add(struct entry *entry, const char *prefix, const char *key, struct sl_str value)
{
    if (entry->count == SL_JOURNAL_FIELDS) {
        return;
    }
    char *head = entry->heads[entry->count];
    size_t at = 0;
    uint64_t len = sl_min_u64(value.len, SL_JOURNAL_VALUE_BYTES);

    for (; *prefix; prefix++) {
        head[at++] = *prefix;
    }
    for (; *key && at < SL_JOURNAL_NAME_BYTES; key++) {
        head[at++] = name_byte(*key);
    }
    head[at++] = '\n';
    for (unsigned i = 0; i < LEN_BYTES; i++) {
        head[at++] = (char)(unsigned char)(len >> (8 * i));
    }
    struct iovec *pieces = &entry->pieces[entry->count++ * PIECES];
    pieces[0] = (struct iovec){head, at};
    pieces[1] = (struct iovec){(void *)(uintptr_t)value.data, (size_t)len};
    pieces[2] = (struct iovec){(void *)(uintptr_t) "\n", 1};
}

static void add_text(struct entry *entry, const char *key, const char *text)
{
    add(entry, "", key, sl_str_from(text));
}

static void add_number(struct entry *entry, const char *key, uint64_t number)
{
    if (entry->count < SL_JOURNAL_FIELDS) {
        char *digits = entry->digits[entry->count];
        snprintf(digits, DIGITS, "%" PRIu64, number);
        add(entry, "SLUICE_", key, sl_str_from(digits));
    }
}

static void add_fields(struct entry *entry, const struct sl_log_event *event)
{
    const struct sl_log_subject *subject = event->subject;

    for (size_t i = 0; subject && i < subject->who_count; i++) {
        add(entry, "SLUICE_", subject->who[i].key, subject->who[i].text);
    }
    if (sl_log_stream(subject) > 0) {
        add_number(entry, "stream", sl_log_stream(subject));
    }
    for (size_t i = 0; i < event->count; i++) {
        const struct sl_log_field *field = &event->fields[i];
        if (field->is_number) {
            add_number(entry, field->key, field->number);
        } else {
            add(entry, "SLUICE_", field->key, field->text);
        }
    }
    if (subject && subject->left_out > 0) {
        add_number(entry, "left-out", subject->left_out);
    }
}

/* ---- sending ---- */

static int send_message(struct sl_journal *journal, struct msghdr *message)
{
    bool was_stuck = atomic_load_explicit(&journal->is_stuck, memory_order_relaxed);
    ssize_t sent;

    message->msg_name = &journal->address;
    message->msg_namelen = sizeof(journal->address);
    do {
        sent = sendmsg(journal->fd, message, MSG_NOSIGNAL | (was_stuck ? MSG_DONTWAIT : 0));
    } while (sent < 0 && errno == EINTR);
    int error = sent < 0 ? errno : 0;
    if (was_stuck != (error == EAGAIN)) {
        atomic_store_explicit(&journal->is_stuck, error == EAGAIN, memory_order_relaxed);
    }
    return error;
}

static int send_file(struct sl_journal *journal, int fd)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return send_message(journal, &message);
}

/* The journal takes a memfd that nobody can change any more. */
static int send_large(struct sl_journal *journal, const struct entry *entry)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    size_t len = 0;
    int error = EIO;

    for (size_t i = 0; i < entry->count * PIECES; i++) {
        len += entry->pieces[i].iov_len;
    }
    int fd = memfd_create("sluice-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return errno;
    }
    if (writev(fd, entry->pieces, (int)(entry->count * PIECES)) == (ssize_t)len &&
        fcntl(fd, F_ADD_SEALS, seals) == 0) {
        error = send_file(journal, fd);
    }
    close(fd);
    return error;
}

int sl_journal_send(struct sl_journal *journal, const struct sl_log_event *event)
{
    static const char *const priorities[] = {
        [SL_LOG_DEBUG] = "7", [SL_LOG_INFO] = "6", [SL_LOG_WARN] = "4", [SL_LOG_ERROR] = "3"};
    char line[SL_LOG_LINE_BYTES];
    struct entry entry;

    entry.count = 0;
    size_t len = sl_log_format(SL_LOG_LOGFMT, line, event->level, event->subject, event->message,
                               event->fields, event->count);
    add(&entry, "", "MESSAGE", (struct sl_str){line, len});
    add_text(&entry, "PRIORITY", priorities[event->level]);
    add_text(&entry, "SYSLOG_IDENTIFIER", "sluice");
    add_text(&entry, "SLUICE_MSG", event->message);
    add_fields(&entry, event);
    struct msghdr message = {.msg_iov = entry.pieces, .msg_iovlen = entry.count * PIECES};
    int error = send_message(journal, &message);
    return error == EMSGSIZE || error == ENOBUFS ? send_large(journal, &entry) : error;
}

/* ---- public ---- */

bool sl_journal_has_stderr(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    struct stat file;
    char found[2 * DIGITS];

    if (!text || fstat(STDERR_FILENO, &file) != 0) {
        return false;
    }
    snprintf(found, sizeof(found), "%" PRIu64 ":%" PRIu64, (uint64_t)file.st_dev,
             (uint64_t)file.st_ino);
    return strcmp(text, found) == 0;
}

bool sl_journal_open(struct sl_journal *journal, const char *path)
{
    const struct timeval patience = {.tv_usec = SL_JOURNAL_PATIENCE_MS * US_PER_MS};
    const struct sockaddr *address = (const struct sockaddr *)&journal->address;

    *journal = (struct sl_journal){.fd = -1, .address = {.sun_family = AF_UNIX}};
    if (strlen(path) >= sizeof(journal->address.sun_path)) {
        return false;
    }
    strcpy(journal->address.sun_path, path);
    int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_there = probe >= 0 && connect(probe, address, sizeof(journal->address)) == 0;
    if (probe >= 0) {
        close(probe);
    }
    if (!is_there) {
        return false;
    }
    /* not connected: the journal may be started anew */
    journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return journal->fd >= 0 &&
           setsockopt(journal->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0;
}

void sl_journal_close(struct sl_journal *journal)
{
    if (journal->fd >= 0) {
        close(journal->fd);
        journal->fd = -1;
    }
}
