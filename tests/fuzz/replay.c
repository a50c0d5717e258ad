/* replay.c - feeds a fuzzer what is kept of its inputs, without libFuzzer.
 *
 * usage: fuzz_NAME corpus.b64 ...
 *
 * A line is one input in base64; empty lines and those that begin with '#' are skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"

static int digit(char byte)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = byte ? strchr(digits, byte) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* False when the line is not base64. */
static bool decode(struct sl_str line, struct sl_buf *out)
{
    uint32_t bits = 0;
    unsigned count = 0;

    while (line.len && line.data[line.len - 1] == '=') {
        line.len--;
    }
    for (size_t i = 0; i < line.len; i++) {
        int value = digit(line.data[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            sl_buf_add_byte(out, (char)(bits >> count));
        }
    }
    return count < 6 && !out->failed;
}

/* In a block of its own size, so that a sanitizer sees each byte too many. */
static void feed(struct sl_str input)
{
    uint8_t *copy = malloc(input.len ? input.len : 1);

    SL_ASSERT(copy);
    if (input.len) {
        memcpy(copy, input.data, input.len);
    }
    (void)LLVMFuzzerTestOneInput(copy, input.len);
    free(copy);
}

static bool replay(const char *name, size_t *inputs)
{
    FILE *file = fopen(name, "r");
    struct sl_buf input = {0};
    char *line = NULL;
    size_t cap = 0;
    bool is_ok = file != NULL;

    for (ssize_t len = 0; is_ok && (len = getline(&line, &cap, file)) > 0;) {
        struct sl_str text = {line, (size_t)len - (line[len - 1] == '\n')};
        if (text.len == 0 || text.data[0] == '#') {
            continue;
        }
        sl_buf_reset(&input);
        is_ok = decode(text, &input);
        if (is_ok) {
            ++*inputs;
            feed(sl_buf_str(&input));
        }
    }
    is_ok = is_ok && !ferror(file);
    if (!is_ok) {
        fprintf(stderr, "%s: cannot be read, or input %zu is not base64\n", name, *inputs + 1);
    }
    if (file) {
        fclose(file);
    }
    free(line);
    sl_buf_fini(&input);
    return is_ok;
}

int main(int argc, char **argv)
{
    size_t inputs = 0;

    for (int i = 1; i < argc; i++) {
        if (!replay(argv[i], &inputs)) {
            return 1;
        }
    }
    printf("%zu inputs\n", inputs);
    return inputs ? 0 : 1;
}
