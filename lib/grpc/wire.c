#include "grpc/wire.h"

#include "h2/session.h"

enum sl_code sl_grpc_code_of_http(unsigned http_status)
{
    switch (http_status) {
    case 400:
        return SL_INTERNAL;
    case 401:
        return SL_UNAUTHENTICATED;
    case 403:
        return SL_PERMISSION_DENIED;
    case 404:
        return SL_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return SL_UNAVAILABLE;
    default:
        return SL_UNKNOWN;
    }
}

enum sl_code sl_grpc_code_of_h2(uint32_t h2_error)
{
    switch (h2_error) {
    case SL_H2_REFUSED_STREAM:
        return SL_UNAVAILABLE;
    case SL_H2_CANCEL:
        return SL_CANCELLED;
    case SL_H2_ENHANCE_YOUR_CALM:
        return SL_RESOURCE_EXHAUSTED;
    case SL_H2_INADEQUATE_SECURITY:
        return SL_PERMISSION_DENIED;
    default:
        return SL_INTERNAL;
    }
}

enum sl_code sl_grpc_code_of_text(struct sl_str text)
{
    uint64_t number;

    return sl_str_to_u64(text, &number) && number < SL_CODES ? (enum sl_code)number : SL_UNKNOWN;
}

void sl_grpc_percent_encode(struct sl_str text, struct sl_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte < 0x20 || byte > 0x7e || byte == '%') {
            sl_buf_printf(out, "%%%02X", (unsigned)byte);
        } else {
            sl_buf_add_byte(out, (char)byte);
        }
    }
}

/* The value of a hexadecimal digit, 16 when it is none. */
static unsigned digit(char byte)
{
    if (byte >= '0' && byte <= '9') {
        return (unsigned)(byte - '0');
    }
    char lower = (char)(byte | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 16;
}

void sl_grpc_percent_decode(struct sl_str text, struct sl_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        bool has_two = text.data[i] == '%' && text.len - i > 2;
        unsigned high = has_two ? digit(text.data[i + 1]) : 16;
        unsigned low = has_two ? digit(text.data[i + 2]) : 16;
        if (high < 16 && low < 16) {
            sl_buf_add_byte(out, (char)(high << 4 | low));
            i += 2;
        } else {
            sl_buf_add_byte(out, text.data[i]);
        }
    }
}
