/* Captures on disk: what was written is read, in one file or several, cut off or from a place; a
 * disk that takes no more leaves a good file. */
#include "capture/source.h"
#include "capture/writer.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

enum { PATH_BYTES = 200, LARGE_BYTES = 3 * 1024 * 1024, MOST_MESSAGES = 100000 };

static char directory[] = "/tmp/sluice-capture-XXXXXX";
static char path[PATH_BYTES];
static const char *const subscriptions[] = {"counters", NULL};

static struct sl_capture_writer_options options_of(const char *where)
{
    return (struct sl_capture_writer_options){
        .path = where,
        .header = {.target = SL_STR("leaf1"), .sluice = SL_STR("0"), .started_ns = 5},
        .subscriptions = subscriptions,
    };
}

static struct sl_capture_writer *open_writer(const struct sl_capture_writer_options *options)
{
    struct sl_status why;
    struct sl_capture_writer *writer = sl_capture_writer_open(options, &why);

    assert_non_null(writer);
    return writer;
}

/* A message that says which it is, `len` bytes long at least. */
static struct sl_str message_of(struct sl_buf *out, unsigned number, size_t len)
{
    sl_buf_reset(out);
    sl_buf_printf(out, "message %u ", number);
    while (out->len < len) {
        sl_buf_add_byte(out, 'x');
    }
    return sl_buf_str(out);
}

static void write_messages(struct sl_capture_writer *writer, unsigned count, size_t len)
{
    struct sl_buf text = {0};
    struct sl_status why;

    for (unsigned i = 0; i < count; i++) {
        assert_true(sl_capture_writer_response(writer, i, message_of(&text, i, len), &why));
    }
    sl_buf_fini(&text);
}

static void close_writer(struct sl_capture_writer *writer, const char *reason)
{
    struct sl_status why;

    assert_true(sl_capture_writer_close(writer, 9, reason, &why));
}

static struct sl_capture_source *open_source(const char *where)
{
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(where, &why);

    if (!source) {
        print_error("%s: %s\n", where, why.text);
    }
    assert_non_null(source);
    return source;
}

/* How many messages there are, each of which must be the next; `end`: how it ended. */
static unsigned count_messages(struct sl_capture_source *source, unsigned first, size_t len,
                               struct sl_status *end)
{
    struct sl_gnmi_capture_entry entry;
    struct sl_buf text = {0};
    unsigned count = 0;

    while (sl_capture_source_next(source, &entry, end)) {
        if (entry.kind == SL_GNMI_CAPTURE_RESPONSE) {
            assert_true(sl_str_eq(entry.response, message_of(&text, first + count, len)));
            assert_int_equal(entry.received_ns, first + count);
            count++;
        }
    }
    sl_buf_fini(&text);
    return count;
}

static unsigned read_messages(const char *where, unsigned first, size_t len, struct sl_status *end)
{
    struct sl_capture_source *source = open_source(where);
    unsigned count = count_messages(source, first, len, end);

    sl_capture_source_close(source);
    return count;
}

/* ---- there and back ---- */

static void what_was_written_is_read(void **state)
{
    const struct sl_capture_writer_options options = options_of(path);
    struct sl_gnmi_capture_entry entry;
    struct sl_status why;
    struct stat file;

    (void)state;
    struct sl_capture_writer *writer = open_writer(&options);
    assert_true(sl_capture_writer_response(writer, 6, SL_STR("\x18\x01"), &why));
    assert_true(sl_capture_writer_end(writer, 7, SL_UNAVAILABLE, SL_STR("gone"), &why));
    uint64_t bytes = sl_capture_writer_bytes(writer);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_size, bytes); /* nothing waits in memory */
    assert_int_equal(file.st_mode & 0137, 0);
    close_writer(writer, "count");

    struct sl_capture_source *source = open_source(path);
    const struct sl_gnmi_capture_header *header = sl_capture_source_header(source);
    assert_true(sl_str_eq_c(header->target, "leaf1"));
    assert_int_equal(header->part, 0);
    assert_true(sl_capture_source_next(source, &entry, &why));
    assert_true(sl_str_eq(entry.response, SL_STR("\x18\x01")));
    assert_true(sl_capture_source_next(source, &entry, &why));
    assert_int_equal(entry.code, SL_UNAVAILABLE);
    assert_true(sl_capture_source_next(source, &entry, &why));
    assert_int_equal(entry.kind, SL_GNMI_CAPTURE_STOP);
    assert_true(sl_str_eq_c(entry.text, "count"));
    for (int i = 0; i < 3; i++) {
        assert_false(sl_capture_source_next(source, &entry, &why));
        assert_true(sl_status_is_ok(&why));
    }
    sl_capture_source_close(source);
}

static void files_larger_than_what_is_read_at_once_are_read_whole(void **state)
{
    static const struct {
        unsigned count;
        size_t len;
    } rows[] = {{20000, 30}, {3, LARGE_BYTES}, {40, 64 * 1024}, {5, 64 * 1024 - 40}};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(rows); i++) {
        const struct sl_capture_writer_options options = options_of(path);
        struct sl_capture_writer *writer = open_writer(&options);
        struct sl_status end;

        write_messages(writer, rows[i].count, rows[i].len);
        close_writer(writer, NULL);
        assert_int_equal(read_messages(path, 0, rows[i].len, &end), rows[i].count);
        assert_true(sl_status_is_ok(&end));
    }
}

static void reading_goes_on_from_a_place(void **state)
{
    const struct sl_capture_writer_options options = options_of(path);
    struct sl_capture_writer *writer = open_writer(&options);
    struct sl_gnmi_capture_entry entry;
    struct sl_status why;

    (void)state;
    write_messages(writer, 10, 20);
    close_writer(writer, NULL);
    struct sl_capture_source *source = open_source(path);
    uint64_t first = sl_capture_source_at(source);
    for (int i = 0; i < 4; i++) {
        assert_true(sl_capture_source_next(source, &entry, &why));
    }
    uint64_t fifth = sl_capture_source_at(source);
    assert_int_equal(count_messages(source, 4, 20, &why), 6);
    assert_true(sl_capture_source_seek(source, fifth, &why));
    assert_int_equal(count_messages(source, 4, 20, &why), 6);
    assert_true(sl_capture_source_seek(source, first, &why));
    assert_int_equal(count_messages(source, 0, 20, &why), 10);
    assert_true(sl_status_is_ok(&why));
    sl_capture_source_close(source);
}

/* ---- several files ---- */

static void part_path(char name[PATH_BYTES], unsigned part)
{
    assert_true(snprintf(name, PATH_BYTES, "%.180s.%06u", path, part) < PATH_BYTES);
}

static void files_follow_one_another_where_one_would_be_too_large(void **state)
{
    struct sl_capture_writer_options options = options_of(path);
    unsigned read = 0;

    (void)state;
    options.rotate_bytes = 1000;
    struct sl_capture_writer *writer = open_writer(&options);
    write_messages(writer, 50, 100);
    close_writer(writer, "signal");
    for (unsigned part = 1; read < 50; part++) {
        char name[PATH_BYTES];
        struct sl_status end;
        struct stat file;

        part_path(name, part);
        unsigned count = read_messages(name, read, 100, &end);
        assert_true(sl_status_is_ok(&end));
        assert_in_range(count, 1, 9);
        assert_int_equal(stat(name, &file), 0);
        assert_true(file.st_size <= 1000 + 30); /* and its stop */
        struct sl_capture_source *source = open_source(name);
        assert_int_equal(sl_capture_source_header(source)->part, part);
        sl_capture_source_close(source);
        read += count;
        unlink(name);
    }
}

static void a_message_larger_than_a_file_has_one_of_its_own(void **state)
{
    struct sl_capture_writer_options options = options_of(path);

    (void)state;
    options.rotate_bytes = 100;
    struct sl_capture_writer *writer = open_writer(&options);
    write_messages(writer, 3, 5000);
    close_writer(writer, NULL);
    for (unsigned part = 1; part <= 3; part++) {
        char name[PATH_BYTES];
        struct sl_status end;

        part_path(name, part);
        assert_int_equal(read_messages(name, part - 1, 5000, &end), 1);
        unlink(name);
    }
}

static void the_oldest_files_go_where_only_some_are_kept(void **state)
{
    struct sl_capture_writer_options options = options_of(path);
    char name[PATH_BYTES];

    (void)state;
    options.rotate_bytes = 100;
    options.keep = 2;
    struct sl_capture_writer *writer = open_writer(&options);
    write_messages(writer, 6, 200);
    close_writer(writer, NULL);
    for (unsigned part = 1; part <= 6; part++) {
        part_path(name, part);
        assert_int_equal(access(name, F_OK) == 0, part > 4);
        unlink(name);
    }
}

/* ---- what goes wrong ---- */

static void assert_not_opened(const char *where, enum sl_code code, const char *text)
{
    struct sl_status why;

    assert_null(sl_capture_source_open(where, &why));
    assert_int_equal(why.code, code);
    assert_string_equal(why.text, text);
}

static void write_file(const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    assert_not_opened("/nowhere/at all", SL_NOT_FOUND, "open: No such file or directory");
    assert_not_opened(directory, SL_UNAVAILABLE, "read: Is a directory");
    assert_not_opened("/dev/null", SL_INVALID_ARGUMENT,
                      "byte 0: the file ends before the header does");
    write_file("collector:\n", 11);
    assert_not_opened(path, SL_INVALID_ARGUMENT, "byte 0: this is not a capture");
}

static void a_file_cut_off_anywhere_is_good_up_to_there(void **state)
{
    const struct sl_capture_writer_options options = options_of(path);
    struct sl_capture_writer *writer = open_writer(&options);
    uint64_t head = sl_capture_writer_bytes(writer);
    struct sl_status end;

    (void)state;
    write_messages(writer, 3, 30);
    uint64_t size = sl_capture_writer_bytes(writer);
    close_writer(writer, NULL);
    uint64_t entry = (size - head) / 3;
    for (uint64_t len = size; len >= head; len--) {
        assert_int_equal(truncate(path, (off_t)len), 0);
        assert_int_equal(read_messages(path, 0, 30, &end), (len - head) / entry);
        assert_int_equal(end.code, (len - head) % entry ? SL_DATA_LOSS : SL_OK);
    }
}

/* Bytes of the heap that are in use; always 0 with a sanitizer, which has a heap of its own. */
static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* A length that the file does not have is not believed: memory is made for what was read alone. */
static void a_length_alone_takes_no_memory(void **state)
{
    static const char file[] = "\x0a\x0esluice capture\x12\x02\x08\x01\x1a\x80\x80\x80\x80\x01";
    struct sl_gnmi_capture_entry entry;
    struct sl_status why;

    (void)state;
    write_file(file, sizeof(file) - 1);
    size_t before = heap_bytes();
    struct sl_capture_source *source = open_source(path);
    assert_false(sl_capture_source_next(source, &entry, &why));
    assert_int_equal(why.code, SL_DATA_LOSS);
    assert_true(heap_bytes() - before < SL_MIB);
    sl_capture_source_close(source);
}

static void a_full_disk_leaves_whole_entries(void **state)
{
    const struct sl_capture_writer_options options = options_of(path);
    struct sl_capture_writer *writer = open_writer(&options);
    uint64_t head = sl_capture_writer_bytes(writer);
    struct rlimit before;
    struct rlimit little;
    struct sl_buf text = {0};
    struct sl_status why;
    struct sl_status end;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    write_messages(writer, 2, 100);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = head + 2 * 120 + 50; /* in the midst of the third */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    bool is_written = sl_capture_writer_response(writer, 2, message_of(&text, 2, 100), &why);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(is_written);
    assert_string_equal(why.text, "write: File too large");
    assert_int_equal(read_messages(path, 0, 100, &end), 2);
    assert_true(sl_status_is_ok(&end));
    /* There is room again. */
    assert_true(sl_capture_writer_response(writer, 2, message_of(&text, 2, 100), &why));
    close_writer(writer, "size");
    assert_int_equal(read_messages(path, 0, 100, &end), 3);
    assert_true(sl_status_is_ok(&end));
    sl_buf_fini(&text);
}

static void what_cannot_be_written_is_said(void **state)
{
    struct sl_capture_writer_options options = options_of("/nowhere/at all");
    struct sl_status why;

    (void)state;
    assert_null(sl_capture_writer_open(&options, &why));
    assert_int_equal(why.code, SL_NOT_FOUND);
    options.path = "/dev/full";
    assert_null(sl_capture_writer_open(&options, &why));
    assert_int_equal(why.code, SL_RESOURCE_EXHAUSTED);
    assert_string_equal(why.text, "write: No space left on device");
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory)) {
        return -1;
    }
    return snprintf(path, sizeof(path), "%s/capture", directory) > 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(files_larger_than_what_is_read_at_once_are_read_whole),
        cmocka_unit_test(reading_goes_on_from_a_place),
        cmocka_unit_test(files_follow_one_another_where_one_would_be_too_large),
        cmocka_unit_test(a_message_larger_than_a_file_has_one_of_its_own),
        cmocka_unit_test(the_oldest_files_go_where_only_some_are_kept),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test(a_file_cut_off_anywhere_is_good_up_to_there),
        cmocka_unit_test(a_length_alone_takes_no_memory),
        cmocka_unit_test(a_full_disk_leaves_whole_entries),
        cmocka_unit_test(what_cannot_be_written_is_said),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
