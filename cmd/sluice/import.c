#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"
#include "import/import.h"
#include "tool/options.h"

enum { HOST_BYTES = 256 };

struct import_tool {
    struct sl_tool_options common;
    const char *output; /* NULL: standard output */
    bool is_strict;
    bool keeps_secrets;
};

#define AT(field) offsetof(struct import_tool, field)

static const struct sl_flag import_flags[] = {
    {.name = "output",
     .letter = 'o',
     .type = SL_FLAG_TEXT,
     .offset = AT(output),
     .value = "FILE",
     .doc = "write the configuration there, readable by its owner alone; it must not be there yet"},
    {.name = "strict",
     .type = SL_FLAG_SWITCH,
     .offset = AT(is_strict),
     .doc = "write nothing where anything would be left out"},
    {.name = "keep-secrets",
     .type = SL_FLAG_SWITCH,
     .offset = AT(keeps_secrets),
     .doc = "secrets in plain text stay that; without, the configuration takes them from the "
            "environment"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Flags", import_flags}, {NULL, NULL}};

const struct sl_tool sl_tool_import = {
    .name = "import",
    .doc = "make a configuration of gnmic's or Telegraf's",
    .usage = "FILE [-o FILE]",
    .text =
        "Reads a configuration of gnmic (YAML) or Telegraf (TOML: FILE ends in .conf or .toml)\n"
        "and writes one of sluice that keeps payloads, keys, topics and partitions, so that\n"
        "consumers need not change. What cannot be carried over, and what is different from now\n"
        "on, is listed on standard error, a line each (FILE:LINE: what, and what to do), and at\n"
        "the head of the new configuration.\n"
        "\n"
        "References to the environment stay references. A secret in plain text becomes one;\n"
        "the list says which variable to set.",
    .examples = "  sluice import gnmic.yaml -o sluice.yaml && sluice check -c sluice.yaml\n"
                "  sluice import telegraf.conf -o sluice.yaml",
    .exits = "0 everything is carried over; 1 some things are left out, and listed; 2 nothing is\n"
             "written: wrong words, FILE cannot be read, it has nothing that sluice could run,\n"
             "or --strict and something would be left out.",
    .groups = groups,
    .takes_words = true,
};

static void print_notes(const char *source, const struct sl_import *import)
{
    size_t count = sl_import_notes(import);

    for (size_t i = 0; i < count; i++) {
        const struct sl_import_note *note = sl_import_note_at(import, i);
        fprintf(stderr, "%s:%u: %s: %s\n", source, note->line, sl_import_note_name(note->kind),
                note->text);
    }
    if (count == SL_IMPORT_MAX_NOTES) {
        fprintf(stderr, "%s: there may be more\n", source);
    }
}

static bool write_file(const struct import_tool *tool, const struct sl_buf *text)
{
    int file = open(tool->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *stream = file < 0 ? NULL : fdopen(file, "w");

    if (!stream) {
        sl_tool_complain(&tool->common, "%s: %s", tool->output, strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return false;
    }
    bool is_good = fwrite(text->data, 1, text->len, stream) == text->len;
    is_good = fclose(stream) == 0 && is_good;

    return is_good || sl_tool_complain(&tool->common, "%s: %s", tool->output, strerror(errno));
}

static bool write_out(const struct import_tool *tool, const struct sl_buf *text)
{
    if (tool->output) {
        return write_file(tool, text);
    }
    return (fwrite(text->data, 1, text->len, stdout) == text->len && fflush(stdout) == 0) ||
           sl_tool_complain(&tool->common, "standard output: %s", strerror(errno));
}

/* Telegraf's files are called telegraf.conf, those of telegraf.d SOMETHING.conf, all in TOML. */
static bool is_telegraf(const char *file)
{
    static const char *const endings[] = {".conf", ".toml"};
    size_t len = strlen(file);

    for (size_t i = 0; i < SL_ARRAY_LEN(endings); i++) {
        if (len >= strlen(endings[i]) &&
            strcasecmp(file + len - strlen(endings[i]), endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int import_document(const struct import_tool *tool, const char *file,
                           const struct sl_config *config)
{
    char host[HOST_BYTES] = "";
    struct sl_import_options options = {.keeps_secrets = tool->keeps_secrets};
    options.host = gethostname(host, sizeof(host) - 1) == 0 ? host : NULL;
    struct sl_import *import = sl_import_new(config, &options);
    int code = SL_EXIT_USAGE;
    struct sl_buf text = {0};

    if (!import) {
        sl_tool_complain(&tool->common, "out of memory");
        return SL_EXIT_USAGE;
    }
    bool is_good = is_telegraf(file) ? sl_import_telegraf(import, file, &text)
                                     : sl_import_gnmic(import, file, &text);
    size_t left_out = sl_import_left_out(import);
    print_notes(file, import);
    if (!is_good) {
        sl_tool_complain(&tool->common, "%s: nothing is written", file);
    } else if (tool->is_strict && left_out) {
        sl_tool_complain(&tool->common, "%s: nothing is written, for %zu things would be left out",
                         file, left_out);
    } else if (write_out(tool, &text)) {
        code = left_out ? SL_EXIT_FAILED : SL_EXIT_OK;
    }
    sl_buf_fini(&text);
    sl_import_free(import);
    return code;
}

static int import_file(const struct import_tool *tool, const char *file)
{
    struct sl_config *config = is_telegraf(file) ? sl_config_read_toml(file) : sl_config_read(file);
    struct sl_buf errors = {0};
    int code = SL_EXIT_USAGE;

    if (!config) {
        sl_tool_complain(&tool->common, "out of memory");
    } else if (sl_config_errors(config)) {
        sl_config_print_errors(config, &errors);
        fputs(sl_buf_text(&errors), stderr);
    } else if (sl_config_kind(sl_config_root(config)) != SL_CONFIG_MAP) {
        sl_tool_complain(&tool->common,
                         "%s: expected a map, a configuration of gnmic; Telegraf's are "
                         "called SOMETHING.conf",
                         file);
    } else {
        code = import_document(tool, file, config);
    }
    sl_buf_fini(&errors);
    sl_config_free(config);
    return code;
}

static int import(const struct import_tool *tool)
{
    if (tool->common.wants_help) {
        sl_tool_print_help(&sl_tool_import, stdout);
        return SL_EXIT_OK;
    }
    if (tool->common.words.count != 1) {
        sl_tool_complain(&tool->common, "expected one FILE");
        return SL_EXIT_USAGE;
    }
    return import_file(tool, tool->common.words.items[0]);
}

int sl_command_import(int argc, char **argv)
{
    struct import_tool tool = {0};
    int code = SL_EXIT_USAGE;

    if (sl_tool_parse(&sl_tool_import, argc, argv, &tool.common)) {
        code = import(&tool);
    }
    sl_tool_fini(&tool.common);
    return code;
}
