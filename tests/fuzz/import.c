/* import.c - any bytes as a configuration of gnmic. */
#include "fuzz.h"
#include "imported.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_config *config = sl_config_parse("in", (struct sl_str){(const char *)data, size});

    SL_ASSERT(config);
    fuzz_import(config, sl_import_gnmic, size & 1);
    return 0;
}
