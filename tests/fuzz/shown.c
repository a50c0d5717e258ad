/* shown.c - what the tools print of a device's bytes: nothing in it can steer a terminal, prototext
 * is lines of printable ASCII whose braces close, whatever has a form in protobuf's JSON has one in
 * its text too, and JSON that is indented is the same JSON. */
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "gnmi.pb-c.h"
#include "gnmi/path_print.h"
#include "gnmi/response.h"
#include "normalise/message_json.h"
#include "normalise/message_text.h"
#include "tool/extensions.h"
#include "tool/print.h"
#include "tool/value_text.h"

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &gnmi__subscribe_response__descriptor, &gnmi__get_response__descriptor,
    &gnmi__set_response__descriptor,       &gnmi__capability_response__descriptor,
    &gnmi__set_request__descriptor,        &gnmi__subscribe_request__descriptor,
};

static void assert_plain(struct sl_str text)
{
    while (text.len) {
        uint32_t rune = 0;
        size_t len = sl_utf8_decode(text, &rune);
        SL_ASSERT(len > 0 && rune >= ' ' && (rune < 0x7f || rune >= 0xa0));
        text = (struct sl_str){text.data + len, text.len - len};
    }
}

static void assert_prototext(struct sl_str text)
{
    long depth = 0;

    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        SL_ASSERT(end && end > text.data);
        for (const char *at = text.data; at < end; at++) {
            SL_ASSERT(*at >= ' ' && *at <= '~');
        }
        bool is_close = end[-1] == '}';
        depth += (end[-1] == '{') - is_close;
        SL_ASSERT(depth >= 0);
        text = (struct sl_str){end + 1, text.len - (size_t)(end + 1 - text.data)};
    }
    SL_ASSERT(depth == 0);
}

/* What is left of indented JSON without blanks outside of its strings. */
static void assert_same_json(struct sl_str compact, struct sl_str indented)
{
    size_t at = 0;
    bool is_text = false;

    for (size_t i = 0; i < indented.len; i++) {
        char byte = indented.data[i];
        if (!is_text && (byte == ' ' || byte == '\n')) {
            continue;
        }
        SL_ASSERT(at < compact.len && compact.data[at] == byte);
        at++;
        if (is_text && byte == '\\') {
            i++;
            SL_ASSERT(i < indented.len && compact.data[at] == indented.data[i]);
            at++;
        } else if (byte == '"') {
            is_text = !is_text;
        }
    }
    SL_ASSERT(at == compact.len && !is_text);
}

static void check_message(const ProtobufCMessageDescriptor *descriptor, struct sl_str message)
{
    struct sl_buf text = {0};
    struct sl_buf json = {0};
    struct sl_buf indented = {0};
    bool is_text = sl_message_text_add(&text, descriptor, message);
    bool is_json = sl_message_json_add(&json, 0, SL_MESSAGE_PROTOJSON, descriptor, message);

    SL_ASSERT(is_text || !is_json);
    if (is_text) {
        assert_prototext(sl_buf_str(&text));
    }
    if (is_json) {
        sl_json_indent(&indented, sl_buf_str(&json));
        assert_same_json(sl_buf_str(&json), sl_buf_str(&indented));
    }
    sl_buf_reset(&json);
    sl_tool_add_extensions(&json, message, descriptor);
    sl_tool_add_extension_lines(&json, message, descriptor);
    sl_buf_fini(&text);
    sl_buf_fini(&json);
    sl_buf_fini(&indented);
}

static void check_leaf(struct sl_str name, struct sl_str text, void *arg)
{
    struct sl_buf plain = {0};

    (void)arg;
    assert_plain(text);
    sl_print_plain(&plain, name);
    assert_plain(sl_buf_str(&plain));
    sl_buf_fini(&plain);
}

static void check_updates(const struct sl_gnmi_response *response)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    struct sl_gnmi_update update;
    struct sl_json json;
    struct sl_buf text = {0};

    sl_json_init(&json);
    while (sl_gnmi_next_update(&cursor, &update)) {
        sl_print_leaves(&update.value, &json, &text, check_leaf, NULL);
    }
    sl_json_fini(&json);
    sl_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str message = {(const char *)data, size};
    struct sl_gnmi_response response;
    struct sl_buf scratch = {0};

    for (size_t i = 0; i < SL_ARRAY_LEN(descriptors); i++) {
        check_message(descriptors[i], message);
    }
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    if (sl_status_is_ok(&status)) {
        check_updates(&response);
    }
    sl_buf_fini(&scratch);
    return 0;
}
