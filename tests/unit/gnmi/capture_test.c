/* Captures: what is written is what proto/capture.proto says, and is read again whole, in pieces,
 * cut off anywhere and damaged. */
#include "gnmi/capture.h"

#include "capture.pb-c.h"
#include "test.h"

enum { ENTRIES = 6, MOST_ENTRIES = 16 };

static const char *const subscriptions[] = {"counters", "states", NULL};

static const struct sl_gnmi_capture_header written_header = {
    .target = {"leaf1", 5},
    .vendor = {"arista-eos", 10},
    .sluice = {"0.1.0", 5},
    .request = {"\x0a\x00", 2},
    .started_ns = 1700000000000000001,
    .part = 3,
};

/* What a reader made of a file: one line for each thing that it read. */
struct reading {
    struct sl_buf lines;
    struct sl_status why; /* of the end */
    uint64_t at;
};

static void write_capture(struct sl_buf *out)
{
    sl_gnmi_capture_add_header(out, &written_header, subscriptions);
    sl_gnmi_capture_add_response(out, 10, SL_STR("\x18\x01"));
    sl_gnmi_capture_add_response(out, -1, SL_STR(""));
    sl_gnmi_capture_add_response(out, INT64_MAX, SL_STR("no protobuf \xff\x00 at all"));
    sl_gnmi_capture_add_end(out, 12, SL_UNAVAILABLE, SL_STR("closed by peer"));
    sl_gnmi_capture_add_end(out, 13, SL_OK, SL_STR(""));
    sl_gnmi_capture_add_stop(out, 14, "duration");
    assert_false(out->failed);
}

static void note_header(struct reading *reading, const struct sl_gnmi_capture_header *header)
{
    struct sl_str fields = header->fields;
    struct sl_str name;

    sl_buf_printf(&reading->lines, "header target=%.*s vendor=%.*s sluice=%.*s part=%u at=%lld",
                  SL_STR_ARG(header->target), SL_STR_ARG(header->vendor),
                  SL_STR_ARG(header->sluice), header->part, (long long)header->started_ns);
    while (sl_gnmi_capture_subscription(&fields, &name)) {
        sl_buf_printf(&reading->lines, " %.*s", SL_STR_ARG(name));
    }
    sl_buf_printf(&reading->lines, " request=%zu\n", header->request.len);
}

static void note_entry(struct reading *reading, const struct sl_gnmi_capture_entry *entry)
{
    static const char *const kinds[] = {"response", "end", "stop"};

    sl_buf_printf(&reading->lines, "%s %lld %s", kinds[entry->kind], (long long)entry->received_ns,
                  sl_code_name(entry->code));
    sl_buf_add_byte(&reading->lines, ' ');
    sl_buf_add_str(&reading->lines, entry->response);
    sl_buf_add_str(&reading->lines, entry->text);
    sl_buf_add_byte(&reading->lines, '\n');
}

/* Reads `file`, of which the reader first sees `chunk` bytes and then as many more each time that
 * it asks; 0: all at once. */
static void read_capture(struct sl_str file, size_t chunk, struct reading *reading)
{
    struct sl_gnmi_capture_reader reader = {0};
    struct sl_gnmi_capture_piece piece;
    size_t used = 0;
    size_t seen = chunk ? sl_min_size(chunk, file.len) : file.len;
    enum sl_gnmi_capture_step step;

    *reading = (struct reading){0};
    do {
        struct sl_str bytes = {file.data + used, seen - used};
        step = sl_gnmi_capture_read(&reader, bytes, &piece, &reading->why);
        used += piece.used_bytes;
        assert_true(used <= seen);
        assert_int_equal(reader.at, used);
        if (step == SL_GNMI_CAPTURE_HEADER) {
            note_header(reading, &piece.header);
        } else if (step == SL_GNMI_CAPTURE_ENTRY) {
            note_entry(reading, &piece.entry);
        } else if (step == SL_GNMI_CAPTURE_MORE && seen < file.len) {
            assert_true(piece.needed_bytes > seen - used);
            seen += sl_min_size(chunk, file.len - seen);
            step = SL_GNMI_CAPTURE_ENTRY; /* goes on */
        }
    } while (step == SL_GNMI_CAPTURE_HEADER || step == SL_GNMI_CAPTURE_ENTRY);
    if (step == SL_GNMI_CAPTURE_MORE) {
        reading->why = sl_gnmi_capture_end(&reader, file.len - used);
    }
    reading->at = used;
}

static void forget(struct reading *reading)
{
    sl_buf_fini(&reading->lines);
}

static size_t count_lines(struct reading *reading)
{
    const char *text = sl_buf_text(&reading->lines);
    size_t count = 0;

    for (size_t i = 0; i < reading->lines.len; i++) {
        count += text[i] == '\n';
    }
    return count;
}

/* ---- what is written ---- */

static const char all_lines[] =
    "header target=leaf1 vendor=arista-eos sluice=0.1.0 part=3 at=1700000000000000001 counters "
    "states request=2\n"
    "response 10 OK \x18\x01\n"
    "response -1 OK \n"
    "response 9223372036854775807 OK no protobuf \xff\0 at all\n"
    "end 12 UNAVAILABLE closed by peer\n"
    "end 13 OK \n"
    "stop 14 OK duration\n";

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 40; chunk++) {
        struct sl_buf out = {0};
        struct reading reading;

        write_capture(&out);
        read_capture(sl_buf_str(&out), chunk, &reading);
        assert_int_equal(reading.lines.len, sizeof(all_lines) - 1);
        assert_memory_equal(reading.lines.data, all_lines, sizeof(all_lines) - 1);
        assert_true(sl_status_is_ok(&reading.why));
        forget(&reading);
        sl_buf_fini(&out);
    }
}

static void protobuf_reads_what_is_written(void **state)
{
    struct sl_buf out = {0};

    (void)state;
    write_capture(&out);
    Sluice__Capture__V1__Capture *capture =
        sluice__capture__v1__capture__unpack(NULL, out.len, (const uint8_t *)out.data);
    assert_non_null(capture);
    assert_string_equal(capture->magic, "sluice capture");
    assert_int_equal(capture->header->version, SL_GNMI_CAPTURE_VERSION);
    assert_string_equal(capture->header->target, "leaf1");
    assert_int_equal(capture->header->n_subscription, 2);
    assert_string_equal(capture->header->subscription[1], "states");
    assert_int_equal(capture->header->request.len, 2);
    assert_string_equal(capture->header->vendor, "arista-eos");
    assert_int_equal(capture->header->started_ns, written_header.started_ns);
    assert_int_equal(capture->header->part, 3);
    assert_int_equal(capture->n_entry, ENTRIES);
    assert_int_equal(capture->entry[2]->received_ns, INT64_MAX);
    assert_int_equal(capture->entry[2]->response.len, 21);
    assert_int_equal(capture->entry[3]->end->code, SL_UNAVAILABLE);
    assert_string_equal(capture->entry[3]->end->text, "closed by peer");
    assert_string_equal(capture->entry[5]->stop->reason, "duration");
    sluice__capture__v1__capture__free_unpacked(capture, NULL);
    sl_buf_fini(&out);
}

static void large_responses_are_read_again(void **state)
{
    static const size_t sizes[] = {127, 128, 16383, 16384, 70000, 3000000};

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(sizes); i++) {
        struct sl_buf message = {0};
        struct sl_buf out = {0};
        struct sl_gnmi_capture_reader reader = {0};
        struct sl_gnmi_capture_piece piece;
        struct sl_status why;

        assert_true(sl_buf_reserve(&message, sizes[i]));
        memset(message.data, 'x', sizes[i]);
        message.len = sizes[i];
        sl_gnmi_capture_add_header(&out, &written_header, subscriptions);
        sl_gnmi_capture_add_response(&out, 1, sl_buf_str(&message));
        assert_int_equal(sl_gnmi_capture_read(&reader, sl_buf_str(&out), &piece, &why),
                         SL_GNMI_CAPTURE_HEADER);
        struct sl_str rest = {out.data + piece.used_bytes, out.len - piece.used_bytes};
        assert_int_equal(sl_gnmi_capture_read(&reader, rest, &piece, &why), SL_GNMI_CAPTURE_ENTRY);
        assert_true(sl_str_eq(piece.entry.response, sl_buf_str(&message)));
        assert_int_equal(reader.at, out.len);
        sl_buf_fini(&message);
        sl_buf_fini(&out);
    }
}

/* ---- what is cut off ---- */

/* The bytes at which each line of the whole reading was there. */
static size_t ends_of_pieces(struct sl_str file, size_t *ends)
{
    struct sl_gnmi_capture_reader reader = {0};
    struct sl_gnmi_capture_piece piece;
    struct sl_status why;
    size_t count = 0;

    while (reader.at < file.len) {
        struct sl_str rest = {file.data + reader.at, file.len - (size_t)reader.at};
        enum sl_gnmi_capture_step step = sl_gnmi_capture_read(&reader, rest, &piece, &why);
        assert_true(step == SL_GNMI_CAPTURE_HEADER || step == SL_GNMI_CAPTURE_ENTRY);
        assert_true(count < MOST_ENTRIES);
        ends[count++] = (size_t)reader.at;
    }
    return count;
}

static void cut_off_anywhere_what_stands_before_is_read(void **state)
{
    struct sl_buf out = {0};
    size_t ends[MOST_ENTRIES];

    (void)state;
    write_capture(&out);
    size_t count = ends_of_pieces(sl_buf_str(&out), ends);
    assert_int_equal(count, ENTRIES + 1);
    for (size_t len = 0; len <= out.len; len++) {
        struct reading reading;
        size_t whole = 0;
        while (whole < count && ends[whole] <= len) {
            whole++;
        }
        read_capture((struct sl_str){out.data, len}, len % 3, &reading);
        assert_int_equal(count_lines(&reading), whole);
        assert_memory_equal(reading.lines.len ? reading.lines.data : "", all_lines,
                            reading.lines.len);
        bool is_whole = whole && ends[whole - 1] == len;
        enum sl_code expected = whole == 0 ? SL_INVALID_ARGUMENT : is_whole ? SL_OK : SL_DATA_LOSS;
        assert_int_equal(reading.why.code, expected);
        forget(&reading);
    }
    sl_buf_fini(&out);
}

static void the_end_says_where_it_was_cut(void **state)
{
    struct sl_buf out = {0};
    struct reading reading;
    size_t ends[MOST_ENTRIES];
    struct sl_buf words = {0};

    (void)state;
    write_capture(&out);
    ends_of_pieces(sl_buf_str(&out), ends);
    read_capture((struct sl_str){out.data, ends[2] + 5}, 0, &reading);
    sl_buf_printf(&words, "byte %zu: cut off, the file ends 5 bytes into an entry", ends[2]);
    assert_string_equal(reading.why.text, sl_buf_text(&words));
    forget(&reading);
    read_capture((struct sl_str){out.data, 20}, 0, &reading);
    assert_string_equal(reading.why.text, "byte 20: the file ends before the header does");
    forget(&reading);
    read_capture(SL_STR(""), 0, &reading);
    assert_string_equal(reading.why.text, "byte 0: the file ends before the header does");
    forget(&reading);
    sl_buf_fini(&words);
    sl_buf_fini(&out);
}

/* ---- what is damaged ---- */

#define MAGIC  "\x0a\x0esluice capture"
#define HEADER "\x12\x02\x08\x01"

static void assert_bad(struct sl_str file, const char *expected)
{
    for (size_t chunk = 0; chunk < 3; chunk++) {
        struct reading reading;

        read_capture(file, chunk, &reading);
        assert_int_equal(reading.why.code, SL_INVALID_ARGUMENT);
        assert_string_equal(reading.why.text, expected);
        forget(&reading);
    }
}

static void what_is_no_capture_is_refused_where_it_differs(void **state)
{
    (void)state;
    assert_bad(SL_STR("{\"a\": 1}"), "byte 0: this is not a capture");
    assert_bad(SL_STR("\x0a\x0esluice captura"), "byte 0: this is not a capture");
    assert_bad(SL_STR(MAGIC "\x1a\x00"), "byte 16: an entry before the header");
    assert_bad(SL_STR(MAGIC "\x12\x00"),
               "byte 18: a capture of version 0; this program reads version 1");
    assert_bad(SL_STR(MAGIC "\x12\x02\x08\x02"),
               "byte 18: a capture of version 2; this program reads version 1");
    assert_bad(SL_STR(MAGIC HEADER "\x08\x00"),
               "byte 20: neither a header nor an entry of a capture");
    assert_bad(SL_STR(MAGIC HEADER "\x02\x00"),
               "byte 20: neither a header nor an entry of a capture");
    assert_bad(SL_STR(MAGIC HEADER "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00"),
               "byte 20: neither a header nor an entry of a capture");
    assert_bad(SL_STR(MAGIC "\x12\x04\x08\x01\x12\x05"), "byte 20: the header is damaged");
    assert_bad(SL_STR(MAGIC HEADER "\x1a\x02\x12\x09"), "byte 22: the entry is damaged");
    assert_bad(SL_STR(MAGIC HEADER "\x1a\x02\x00\x00"), "byte 22: the entry is damaged");
    assert_bad(SL_STR(MAGIC HEADER "\x1a\x04\x1a\x02\x0a\x09"), "byte 26: the entry is damaged");
}

/* What is longer than it may be is refused by its length alone, before any of it is there. */
static void lengths_are_held_against_their_limits_first(void **state)
{
    (void)state;
    assert_bad(SL_STR(MAGIC "\x12\x81\x80\x80\x02"), "byte 16: 4194305 bytes, 4194304 at most");
    assert_bad(SL_STR(MAGIC HEADER "\x1a\x81\x80\x84\x80\x01"),
               "byte 20: 268500993 bytes, 268500992 at most");
    assert_bad(SL_STR(MAGIC HEADER "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
               "byte 20: 18446744073709551615 bytes, 268500992 at most");
    assert_bad(SL_STR(MAGIC HEADER "\x7a\x81\x80\x80\x02"),
               "byte 20: 4194305 bytes, 4194304 at most");
}

static void what_is_not_known_is_passed_over(void **state)
{
    struct reading reading;

    (void)state;
    read_capture(SL_STR(MAGIC "\x7a\x03new"
                              "\x12\x07\x7a\x03new\x08\x01"
                              "\x1a\x05\x7a\x03new"
                              "\x7a\x00"
                              "\x1a\x06\x7a\x00\x12\x02hi"),
                 0, &reading);
    assert_true(sl_status_is_ok(&reading.why));
    assert_string_equal(sl_buf_text(&reading.lines),
                        "header target= vendor= sluice= part=0 at=0 request=0\nresponse 0 OK hi\n");
    forget(&reading);
}

static void files_behind_one_another_are_one(void **state)
{
    struct sl_buf out = {0};
    struct reading reading;

    (void)state;
    write_capture(&out);
    write_capture(&out);
    read_capture(sl_buf_str(&out), 0, &reading);
    assert_true(sl_status_is_ok(&reading.why));
    assert_int_equal(count_lines(&reading), 1 + 2 * ENTRIES);
    forget(&reading);
    sl_buf_fini(&out);
}

static void codes_that_nobody_knows_are_unknown(void **state)
{
    struct reading reading;

    (void)state;
    read_capture(SL_STR(MAGIC HEADER "\x1a\x04\x1a\x02\x08\x11"
                                     "\x1a\x02\x1a\x00"),
                 0, &reading);
    assert_string_equal(sl_buf_text(&reading.lines),
                        "header target= vendor= sluice= part=0 at=0 request=0\n"
                        "end 0 UNKNOWN \nend 0 OK \n");
    forget(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(protobuf_reads_what_is_written),
        cmocka_unit_test(large_responses_are_read_again),
        cmocka_unit_test(cut_off_anywhere_what_stands_before_is_read),
        cmocka_unit_test(the_end_says_where_it_was_cut),
        cmocka_unit_test(what_is_no_capture_is_refused_where_it_differs),
        cmocka_unit_test(lengths_are_held_against_their_limits_first),
        cmocka_unit_test(what_is_not_known_is_passed_over),
        cmocka_unit_test(files_behind_one_another_are_one),
        cmocka_unit_test(codes_that_nobody_knows_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
