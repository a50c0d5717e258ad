/* status.c - what a peer's status and message may say: percent-encoding there and back, the text of
 * a code, and the one line that is shown of it. */
#include <string.h>

#include "base/status.h"
#include "fuzz.h"
#include "grpc/wire.h"

static void assert_encoding_returns(struct sl_str text)
{
    struct sl_buf encoded = {0};
    struct sl_buf decoded = {0};

    sl_grpc_percent_encode(text, &encoded);
    for (size_t i = 0; i < encoded.len; i++) {
        SL_ASSERT(encoded.data[i] >= ' ' && encoded.data[i] <= '~');
    }
    sl_grpc_percent_decode(sl_buf_str(&encoded), &decoded);
    SL_ASSERT(sl_str_eq(text, sl_buf_str(&decoded)));
    sl_buf_fini(&decoded);
    sl_buf_fini(&encoded);
}

static void assert_decoding_shrinks(struct sl_str text)
{
    struct sl_buf decoded = {0};

    sl_grpc_percent_decode(text, &decoded);
    SL_ASSERT(!decoded.failed && decoded.len <= text.len && text.len <= 3 * decoded.len);
    if (!text.len || !memchr(text.data, '%', text.len)) {
        SL_ASSERT(sl_str_eq(text, sl_buf_str(&decoded)));
    }
    sl_buf_fini(&decoded);
}

static void assert_quote_is_one_line(struct sl_str text)
{
    struct sl_status status = sl_status_quote(SL_ABORTED, "the peer says", text);

    SL_ASSERT(strnlen(status.text, sizeof(status.text)) < sizeof(status.text));
    for (const char *at = status.text; *at; at++) {
        SL_ASSERT(*at >= ' ' && *at <= '~' && *at != '"' && *at != '\\');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str text = {(const char *)data, size};
    enum sl_code code = sl_grpc_code_of_text(text);
    uint64_t number;

    SL_ASSERT((int)code < SL_CODES);
    SL_ASSERT(code == SL_UNKNOWN || (sl_str_to_u64(text, &number) && number == code));
    assert_encoding_returns(text);
    assert_decoding_shrinks(text);
    assert_quote_is_one_line(text);
    return 0;
}
