/* telegraf.c - any bytes as TOML, and what is TOML as a configuration of Telegraf: each error has
 * its place, and what was taken is imported like any other. */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "imported.h"

/* One error, for the first ends it: "in:LINE:COLUMN: what", in one line. */
static void assert_error(const struct sl_config *config)
{
    struct sl_buf errors = {0};
    unsigned long row = 0;
    unsigned long column = 0;
    int end = 0;

    sl_config_print_errors(config, &errors);
    const char *line = sl_buf_text(&errors);
    int read = sscanf(line, "in:%lu:%lu: %n", &row, &column, &end);

    SL_ASSERT(read == 2 && end > 0 && row > 0 && column > 0);
    SL_ASSERT(sl_config_errors(config) == 1 && !sl_config_root(config));
    SL_ASSERT(strchr(line, '\n') == line + errors.len - 1);
    sl_buf_fini(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_config *config =
        sl_config_parse_toml("in", (struct sl_str){(const char *)data, size});

    SL_ASSERT(config);
    if (sl_config_errors(config)) {
        assert_error(config);
    } else {
        SL_ASSERT(sl_config_root(config));
    }
    fuzz_import(config, sl_import_telegraf, size & 1);
    return 0;
}
