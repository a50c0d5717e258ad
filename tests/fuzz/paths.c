/* paths.c - a Path made of anything, as text and read again, is the same path: byte by byte. */
#include "base/buf.h"
#include "fuzz.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "made_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct made_input input = {data, data + size};
    Gnmi__Path *path = made_path(&input);
    struct sl_buf bytes = {0};
    struct sl_buf text = {0};
    struct sl_buf again_bytes = {0};
    struct sl_status why;

    made_pack(path, &bytes);
    bool is_printed = sl_gnmi_path_print((struct sl_str){0}, sl_buf_str(&bytes), &text);
    SL_ASSERT(is_printed);
    Gnmi__Path *again = sl_gnmi_path_parse(sl_buf_str(&text), &why);
    SL_ASSERT(again);
    made_pack(again, &again_bytes);
    SL_ASSERT(sl_str_eq(sl_buf_str(&bytes), sl_buf_str(&again_bytes)));
    gnmi__path__free_unpacked(path, NULL);
    gnmi__path__free_unpacked(again, NULL);
    sl_buf_fini(&bytes);
    sl_buf_fini(&text);
    sl_buf_fini(&again_bytes);
    return 0;
}
