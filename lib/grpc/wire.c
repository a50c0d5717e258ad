#include "grpc/wire.h"

#include <string.h>

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

/* ---- lists ---- */

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t';
}

bool sl_grpc_list_has(struct sl_str list, struct sl_str word)
{
    size_t start = 0;

    for (size_t at = 0; at <= list.len; at++) {
        if (at < list.len && list.data[at] != ',') {
            continue;
        }
        size_t end = at;
        while (start < end && is_space(list.data[start])) {
            start++;
        }
        while (end > start && is_space(list.data[end - 1])) {
            end--;
        }
        if (sl_str_eq((struct sl_str){list.data + start, end - start}, word)) {
            return true;
        }
        start = at + 1;
    }
    return false;
}

/* ---- timeouts ---- */

enum { TIMEOUT_DIGITS = 8, TIMEOUT_MAX = 99999999 };

static const struct {
    char letter;
    uint64_t ns;
} timeout_units[] = {
    {'n', 1},
    {'u', 1000},
    {'m', 1000 * 1000},
    {'S', 1000 * 1000 * 1000},
    {'M', UINT64_C(60) * 1000 * 1000 * 1000},
    {'H', UINT64_C(3600) * 1000 * 1000 * 1000},
};

void sl_grpc_timeout_encode(uint64_t timeout_ns, struct sl_buf *out)
{
    size_t last = SL_ARRAY_LEN(timeout_units) - 1;
    size_t unit = 0;
    uint64_t count = timeout_ns;

    while (count > TIMEOUT_MAX && unit < last) {
        unit++;
        count = timeout_ns / timeout_units[unit].ns + (timeout_ns % timeout_units[unit].ns != 0);
    }
    sl_buf_add_u64(out, sl_min_u64(count, TIMEOUT_MAX));
    sl_buf_add_byte(out, timeout_units[unit].letter);
}

bool sl_grpc_timeout_decode(struct sl_str text, uint64_t *timeout_ns)
{
    uint64_t count;

    if (text.len < 2 || text.len > TIMEOUT_DIGITS + 1 ||
        !sl_str_to_u64((struct sl_str){text.data, text.len - 1}, &count)) {
        return false;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(timeout_units); i++) {
        if (timeout_units[i].letter == text.data[text.len - 1]) {
            bool fits = count <= UINT64_MAX / timeout_units[i].ns;
            *timeout_ns = fits ? count * timeout_units[i].ns : UINT64_MAX;
            return true;
        }
    }
    return false;
}
