#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/journal.h"

enum { ENTRY_BYTES = 1 << 20, MAX_FIELDS = SL_JOURNAL_FIELDS };

/* A journal of the test's own, and the last entry that it read. */
struct desk {
    int fd;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct sl_journal journal;
    char *bytes;
    size_t len;
    bool was_file;
    size_t count;
    struct {
        char name[128];
        const char *value;
        size_t len;
    } fields[MAX_FIELDS];
};

static void listen_at(struct desk *desk)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    desk->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(desk->fd >= 0);
    strcpy(address.sun_path, desk->path);
    assert_int_equal(bind(desk->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    char dir[] = "/tmp/sl_journal_XXXXXX";

    assert_non_null(desk);
    assert_non_null(mkdtemp(dir));
    snprintf(desk->path, sizeof(desk->path), "%s/socket", dir);
    desk->bytes = malloc(ENTRY_BYTES);
    assert_non_null(desk->bytes);
    listen_at(desk);
    assert_true(sl_journal_open(&desk->journal, desk->path));
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;

    sl_journal_close(&desk->journal);
    if (desk->fd >= 0) {
        close(desk->fd);
    }
    unlink(desk->path);
    *strrchr(desk->path, '/') = '\0';
    assert_int_equal(rmdir(desk->path), 0);
    free(desk->bytes);
    free(desk);
    return 0;
}

/* As the journal does: the bytes of a memfd count only when nobody can change them any more. */
static void read_file(struct desk *desk, int fd)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    struct stat file;

    assert_int_equal(fcntl(fd, F_GET_SEALS), seals);
    assert_int_equal(fstat(fd, &file), 0);
    assert_true(file.st_size < ENTRY_BYTES);
    desk->len = (size_t)file.st_size;
    assert_int_equal(pread(fd, desk->bytes, desk->len, 0), file.st_size);
    close(fd);
}

/* `NAME LF 64 bits little endian, value LF` or `NAME=value LF`: the protocol's two forms. */
static void parse(struct desk *desk)
{
    desk->count = 0;
    for (size_t at = 0; at < desk->len; desk->count++) {
        size_t name = strcspn(desk->bytes + at, "=\n");
        assert_true(desk->count < MAX_FIELDS && name < sizeof(desk->fields[0].name));
        snprintf(desk->fields[desk->count].name, sizeof(desk->fields[0].name), "%.*s", (int)name,
                 desk->bytes + at);
        bool is_plain = desk->bytes[at + name] == '=';
        at += name + 1;
        uint64_t len = 0;
        if (is_plain) {
            len = strcspn(desk->bytes + at, "\n");
        } else {
            for (unsigned i = 0; i < 8; i++) {
                len |= (uint64_t)(unsigned char)desk->bytes[at++] << (8 * i);
            }
        }
        assert_true(len < desk->len - at);
        desk->fields[desk->count].value = desk->bytes + at;
        desk->fields[desk->count].len = (size_t)len;
        at += (size_t)len;
        assert_int_equal(desk->bytes[at++], '\n');
    }
}

static void read_entry(struct desk *desk)
{
    struct iovec part = {desk->bytes, ENTRY_BYTES - 1};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
    int fd;
    ssize_t got = recvmsg(desk->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    assert_true(got >= 0);
    desk->len = (size_t)got;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    desk->was_file = head != NULL;
    if (head) {
        assert_int_equal(got, 0);
        memcpy(&fd, CMSG_DATA(head), sizeof(fd));
        read_file(desk, fd);
    }
    desk->bytes[desk->len] = '\0';
    parse(desk);
}

static void assert_field(const struct desk *desk, const char *name, const void *value, size_t len)
{
    size_t found = 0;

    for (size_t i = 0; i < desk->count; i++) {
        if (strcmp(desk->fields[i].name, name) == 0) {
            found++;
            assert_int_equal(desk->fields[i].len, len);
            assert_memory_equal(desk->fields[i].value, value, len);
        }
    }
    assert_int_equal(found, 1);
}

#define ASSERT_TEXT(desk, name, text) assert_field(desk, name, text, sizeof(text) - 1)

static struct sl_log_event event_of(enum sl_log_level level, const struct sl_log_field *fields,
                                    size_t count)
{
    return (struct sl_log_event){
        .level = level, .message = "connection ended", .fields = fields, .count = count};
}

static void each_field_of_a_line_is_one_of_the_entry(void **state)
{
    struct desk *desk = *state;
    const struct sl_log_field who[] = {sl_log_text("target", "leaf1"),
                                       sl_log_text("subscription", "counters")};
    const struct sl_log_field fields[] = {sl_log_text("why", "two words"),
                                          sl_log_u64("retry-ms", 250)};
    const uint64_t stream = 77;
    struct sl_log_subject subject;
    struct sl_log_event event = event_of(SL_LOG_WARN, fields, 2);

    sl_log_subject_init(&subject, who, 2);
    subject.stream = &stream;
    subject.left_out = 7;
    event.subject = &subject;
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
    assert_false(desk->was_file);
    ASSERT_TEXT(desk, "MESSAGE",
                "level=warn target=leaf1 subscription=counters msg=\"connection ended\" "
                "why=\"two words\" retry-ms=250 stream=77 left-out=7");
    ASSERT_TEXT(desk, "PRIORITY", "4");
    ASSERT_TEXT(desk, "SYSLOG_IDENTIFIER", "sluice");
    ASSERT_TEXT(desk, "SLUICE_MSG", "connection ended");
    ASSERT_TEXT(desk, "SLUICE_TARGET", "leaf1");
    ASSERT_TEXT(desk, "SLUICE_SUBSCRIPTION", "counters");
    ASSERT_TEXT(desk, "SLUICE_WHY", "two words");
    ASSERT_TEXT(desk, "SLUICE_RETRY_MS", "250");
    ASSERT_TEXT(desk, "SLUICE_STREAM", "77");
    ASSERT_TEXT(desk, "SLUICE_LEFT_OUT", "7");
    assert_int_equal(desk->count, 10);
}

static void levels_are_syslogs(void **state)
{
    static const char *const priorities[] = {"7", "6", "4", "3"};
    struct desk *desk = *state;

    for (int level = SL_LOG_DEBUG; level <= SL_LOG_ERROR; level++) {
        struct sl_log_event event = event_of((enum sl_log_level)level, NULL, 0);
        assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
        read_entry(desk);
        assert_field(desk, "PRIORITY", priorities[level], 1);
        assert_int_equal(desk->count, 4);
    }
}

static void no_byte_of_a_value_makes_a_field_of_its_own(void **state)
{
    static const char value[] = "a\nPRIORITY=0\n\0b=\xff\n";
    struct desk *desk = *state;
    const struct sl_log_field field = sl_log_str("why", (struct sl_str){value, sizeof(value) - 1});
    const struct sl_log_field odd = sl_log_text("dropped.b\xc3\xa4", "x");
    const struct sl_log_field fields[] = {field, odd};
    struct sl_log_event event = event_of(SL_LOG_INFO, fields, 2);

    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
    assert_field(desk, "SLUICE_WHY", value, sizeof(value) - 1);
    ASSERT_TEXT(desk, "PRIORITY", "6");
    ASSERT_TEXT(desk, "SLUICE_DROPPED_B__", "x");
    assert_int_equal(desk->count, 6);
}

static void a_long_name_is_as_long_as_the_journal_has_them(void **state)
{
    static const char name[] =
        "a-name-that-is-longer-than-the-journal-takes-any-because-it-has-words";
    static const char cut[] = "SLUICE_A_NAME_THAT_IS_LONGER_THAN_THE_JOURNAL_TAKES_ANY_BECAUSE_";
    struct desk *desk = *state;
    const struct sl_log_field field = sl_log_text(name, "x");
    struct sl_log_event event = event_of(SL_LOG_INFO, &field, 1);

    assert_int_equal(sizeof(cut) - 1, SL_JOURNAL_NAME_BYTES);
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
    ASSERT_TEXT(desk, cut, "x");
}

static void a_large_entry_is_a_sealed_file(void **state)
{
    static char value[2 * SL_JOURNAL_VALUE_BYTES];
    struct desk *desk = *state;
    struct sl_log_field fields[] = {sl_log_text("a", ""), sl_log_text("b", ""),
                                    sl_log_text("c", ""), sl_log_text("d", "")};
    const int small = 1;
    struct sl_log_event event = event_of(SL_LOG_ERROR, fields, SL_ARRAY_LEN(fields));

    /* the kernel makes the smallest of it: no datagram holds the entry then */
    assert_int_equal(setsockopt(desk->journal.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i < SL_ARRAY_LEN(fields); i++) {
        fields[i].text = (struct sl_str){value, sizeof(value)};
    }
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
    assert_true(desk->was_file);
    assert_field(desk, "SLUICE_A", value, SL_JOURNAL_VALUE_BYTES);
    assert_field(desk, "SLUICE_D", value, SL_JOURNAL_VALUE_BYTES);
    ASSERT_TEXT(desk, "PRIORITY", "3");
    assert_int_equal(desk->count, 8);
}

static void fields_beyond_the_limit_are_left_out(void **state)
{
    struct desk *desk = *state;
    struct sl_log_field fields[2 * SL_JOURNAL_FIELDS] = {{0}};
    struct sl_log_event event = event_of(SL_LOG_INFO, fields, SL_ARRAY_LEN(fields));

    for (size_t i = 0; i < SL_ARRAY_LEN(fields); i++) {
        fields[i] = i % 2 ? sl_log_u64("number", i) : sl_log_text("text", "x");
    }
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
    assert_int_equal(desk->count, SL_JOURNAL_FIELDS);
}

static void a_journal_that_does_not_read_holds_nobody_for_long(void **state)
{
    struct desk *desk = *state;
    struct sl_log_event event = event_of(SL_LOG_INFO, NULL, 0);
    size_t taken = 0;
    int error = 0;

    while (error == 0) {
        error = sl_journal_send(&desk->journal, &event);
        taken += error == 0;
    }
    assert_int_equal(error, EAGAIN);
    assert_true(desk->journal.is_stuck);
    assert_int_equal(sl_journal_send(&desk->journal, &event), EAGAIN);
    for (size_t i = 0; i < taken; i++) {
        read_entry(desk);
    }
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    assert_false(desk->journal.is_stuck);
    read_entry(desk);
}

static void a_journal_that_is_started_anew_is_found_again(void **state)
{
    struct desk *desk = *state;
    struct sl_log_event event = event_of(SL_LOG_INFO, NULL, 0);

    close(desk->fd);
    assert_int_equal(sl_journal_send(&desk->journal, &event), ECONNREFUSED);
    unlink(desk->path);
    assert_int_equal(sl_journal_send(&desk->journal, &event), ENOENT);
    listen_at(desk);
    assert_int_equal(sl_journal_send(&desk->journal, &event), 0);
    read_entry(desk);
}

static void where_no_journal_is_none_is_opened(void **state)
{
    char path[256];
    struct sl_journal journal;

    (void)state;
    assert_false(sl_journal_open(&journal, "/nowhere/socket"));
    assert_int_equal(journal.fd, -1);
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_false(sl_journal_open(&journal, path));
}

static void the_journals_stream_is_known_by_device_and_inode(void **state)
{
    struct stat file;
    char text[64];

    (void)state;
    unsetenv("JOURNAL_STREAM");
    assert_false(sl_journal_has_stderr());
    assert_int_equal(fstat(STDERR_FILENO, &file), 0);
    snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64, (uint64_t)file.st_dev,
             (uint64_t)file.st_ino);
    setenv("JOURNAL_STREAM", text, 1);
    assert_true(sl_journal_has_stderr());
    snprintf(text, sizeof(text), "%" PRIu64 ":%" PRIu64, (uint64_t)file.st_dev,
             (uint64_t)file.st_ino + 1);
    setenv("JOURNAL_STREAM", text, 1);
    assert_false(sl_journal_has_stderr());
    for (const char *const *odd = (const char *const[]){"", ":", "1", "x:y", NULL}; *odd; odd++) {
        setenv("JOURNAL_STREAM", *odd, 1);
        assert_false(sl_journal_has_stderr());
    }
    unsetenv("JOURNAL_STREAM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_field_of_a_line_is_one_of_the_entry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(levels_are_syslogs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_byte_of_a_value_makes_a_field_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_name_is_as_long_as_the_journal_has_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_large_entry_is_a_sealed_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_beyond_the_limit_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_does_not_read_holds_nobody_for_long, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_journal_that_is_started_anew_is_found_again, set_up,
                                        tear_down),
        cmocka_unit_test(where_no_journal_is_none_is_opened),
        cmocka_unit_test(the_journals_stream_is_known_by_device_and_inode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
