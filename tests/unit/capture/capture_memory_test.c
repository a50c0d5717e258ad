/* Every allocation of writing and of reading a capture fails once: an error that says so, nothing
 * left over, and the file as it was. */
#include "capture/source.h"
#include "capture/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failing.h"
#include "test.h"

enum { MESSAGE_BYTES = 200 * 1024 };

static char path[] = "/tmp/sluice-capture-memory-XXXXXX";
static char message[MESSAGE_BYTES];

static bool write_capture(struct sl_status *why)
{
    static const char *const subscriptions[] = {NULL};
    const struct sl_capture_writer_options options = {.path = path, .subscriptions = subscriptions};
    struct sl_capture_writer *writer = sl_capture_writer_open(&options, why);

    if (!writer) {
        return false;
    }
    bool is_good =
        sl_capture_writer_response(writer, 1, SL_STR("small"), why) &&
        sl_capture_writer_response(writer, 2, (struct sl_str){message, sizeof(message)}, why);
    struct sl_status closed;
    return sl_capture_writer_close(writer, 3, NULL, &closed) && is_good;
}

/* How many entries; `why`: of the end. */
static unsigned read_capture(struct sl_status *why)
{
    struct sl_capture_source *source = sl_capture_source_open(path, why);
    struct sl_gnmi_capture_entry entry;
    unsigned count = 0;

    while (source && sl_capture_source_next(source, &entry, why)) {
        count++;
    }
    sl_capture_source_close(source);
    return count;
}

static void each_allocation_of_a_writer_may_fail(void **state)
{
    struct sl_status why = sl_status_ok();
    bool is_written = false;

    (void)state;
    for (long allowed = 0; !is_written; allowed++) {
        has_failed = false;
        left = allowed;
        is_written = write_capture(&why);
        left = -1;
        assert_true(is_written != has_failed);
        assert_true(is_written || why.code == SL_RESOURCE_EXHAUSTED);
        unsigned read = read_capture(&why);
        assert_true(read == 0 || why.code == SL_OK);
    }
    assert_int_equal(read_capture(&why), 2);
}

static void each_allocation_of_a_source_may_fail(void **state)
{
    struct sl_status why = sl_status_ok();
    unsigned read = 0;

    (void)state;
    assert_true(write_capture(&why));
    for (long allowed = 0; read < 2; allowed++) {
        has_failed = false;
        left = allowed;
        read = read_capture(&why);
        left = -1;
        assert_int_equal(why.code, has_failed ? SL_RESOURCE_EXHAUSTED : SL_OK);
    }
}

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    memset(message, 'm', sizeof(message));
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_a_writer_may_fail),
        cmocka_unit_test(each_allocation_of_a_source_may_fail),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
