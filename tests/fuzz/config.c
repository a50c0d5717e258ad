/* config.c - any bytes as a configuration file: it is taken whole, and what is in force can be
 * printed; or it is refused, and each line of the errors names the file and the place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/settings.h"
#include "fuzz.h"

/* "FILE: ..." or "FILE:LINE:COLUMN: ..."; behind them a line about errors that were not printed. */
static void assert_error(const char *line, const char *file)
{
    size_t len = strlen(file);
    unsigned long row;
    unsigned long column;
    int end = 0;

    SL_ASSERT(strncmp(line, file, len) == 0 && line[len] == ':');
    if (line[len + 1] != ' ') {
        int read = sscanf(line + len, ":%lu:%lu: %n", &row, &column, &end);
        SL_ASSERT(read == 2 && end > 0 && row > 0 && column > 0);
    }
    for (const char *at = line; *at && *at != '\n'; at++) {
        SL_ASSERT((unsigned char)*at >= ' ' && *at != 0x7f);
    }
}

static void assert_errors(struct sl_buf *errors, const char *file)
{
    const char *line = sl_buf_text(errors);
    size_t lines = 0;

    SL_ASSERT(*line && strlen(line) == errors->len);
    while (*line) {
        const char *end = strchr(line, '\n');
        SL_ASSERT(end);
        assert_error(line, file);
        lines++;
        line = end + 1;
    }
    SL_ASSERT(lines <= SL_CONFIG_MAX_ERRORS + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_buf text = {0};
    char file[64];
    int fd = memfd_create("sluice.yaml", MFD_CLOEXEC);

    SL_ASSERT(fd >= 0);
    ssize_t written = size ? write(fd, data, size) : 0;
    SL_ASSERT(written == (ssize_t)size);
    snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
    struct sl_settings *settings = sl_settings_read(file, &text);

    if (settings) {
        SL_ASSERT(text.len == 0);
        sl_settings_print(settings, &text);
        SL_ASSERT(!text.failed && text.len > 0);
        sl_settings_free(settings);
    } else {
        assert_errors(&text, file);
    }
    sl_buf_fini(&text);
    close(fd);
    return 0;
}
