#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/internal.h"

enum { NOTE_BYTES = 500 };

struct sl_import *sl_import_new(const struct sl_config *config,
                                const struct sl_import_options *options)
{
    struct sl_import *import = calloc(1, sizeof(*import));

    if (import) {
        import->config = config;
        import->options = *options;
        import->root = sl_config_root(config);
    }
    return import;
}

static void wipe(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void sl_import_free(struct sl_import *import)
{
    for (size_t i = 0; import && i < import->note_count; i++) {
        free((void *)(uintptr_t)import->notes[i].text);
    }
    for (size_t i = 0; import && i < import->secret_count; i++) {
        wipe(import->secrets[i].value);
        free(import->secrets[i].variable);
    }
    free(import);
}

/* The same words about the same line count once: several readers see what is inherited. */
static bool is_known(const struct sl_import *import, uint32_t line, const char *text)
{
    for (size_t i = 0; i < import->note_count; i++) {
        if (import->notes[i].line == line && strcmp(import->notes[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

/* Behind those of the same and of earlier lines. */
static void insert(struct sl_import *import, struct sl_import_note note)
{
    size_t at = import->note_count++;

    for (; at > 0 && import->notes[at - 1].line > note.line; at--) {
        import->notes[at] = import->notes[at - 1];
    }
    import->notes[at] = note;
}

void sl_import_note(struct sl_import *import, const struct sl_config_node *node,
                    enum sl_import_note_kind kind, const char *format, ...)
{
    char text[NOTE_BYTES];
    uint32_t line = node ? sl_config_line(node) : 0;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *at = text; *at; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '.' : *at;
    }
    if (is_known(import, line, text)) {
        return;
    }
    import->left_out += kind == SL_IMPORT_LEFT_OUT;
    if (import->note_count == SL_IMPORT_MAX_NOTES) {
        return;
    }
    char *copy = sl_str_dup(sl_str_from(text));
    if (copy) {
        insert(import, (struct sl_import_note){.line = line, .kind = kind, .text = copy});
    }
    import->is_failed = import->is_failed || !copy;
}

size_t sl_import_notes(const struct sl_import *import)
{
    return import->note_count;
}

const struct sl_import_note *sl_import_note_at(const struct sl_import *import, size_t i)
{
    SL_ASSERT(i < import->note_count);
    return &import->notes[i];
}

size_t sl_import_left_out(const struct sl_import *import)
{
    return import->left_out;
}

const char *sl_import_note_name(enum sl_import_note_kind kind)
{
    return kind == SL_IMPORT_CHANGED ? "changed" : "left out";
}

void sl_import_put_trial(struct sl_import *import)
{
    sl_buf_add_c(import->out, "collector: {workers: 1, admin: {listen: \"\"}}\n");
}

void sl_import_put_trial_device(struct sl_import *import)
{
    sl_buf_add_c(import->out, "    replay: {pace: fast, file: ");
    sl_import_add_text(import->out, import->options.replay);
    sl_buf_add_c(import->out, "}\n    insecure: true\n");
}

void sl_import_put_trial_sink(struct sl_import *import, const char *name)
{
    const char *output = import->options.output;
    bool is_wanted = output && strcmp(output, name) == 0;

    sl_import_put_raw(import, "type", is_wanted ? "stdout" : "\"null\"", 4);
}

bool sl_import_is_left_aside(const char *only, const char *name)
{
    return only && strcmp(only, name) != 0;
}

void sl_import_add_head(const struct sl_import *import, const char *collector, const char *source,
                        struct sl_buf *out)
{
    sl_buf_printf(out, "# Made of %s, a configuration of %s, by sluice " SLUICE_VERSION ".\n",
                  source, collector);
    if (!import->note_count) {
        sl_buf_add_c(out, "# Everything in it could be carried over.\n");
    }
    for (size_t i = 0; i < import->note_count; i++) {
        const struct sl_import_note *note = &import->notes[i];
        sl_buf_printf(out, "# %s:%u: %s: %s\n", source, note->line, sl_import_note_name(note->kind),
                      note->text);
    }
    sl_buf_add_byte(out, '\n');
}
