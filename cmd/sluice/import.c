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
#include "import_diff.h"
#include "tool/options.h"

enum { HOST_BYTES = 256 };

struct import_tool {
    struct sl_tool_options common;
    const char *output; /* NULL: standard output */
    bool is_strict;
    bool keeps_secrets;
    struct import_diff diff;
    struct sl_tool_list ignored;
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

static const struct sl_flag diff_flags[] = {
    {.name = "diff",
     .type = SL_FLAG_TEXT,
     .offset = AT(diff.old),
     .value = "FILE",
     .doc = "write nothing, but compare what the new configuration makes of --replay with what the "
            "old collector made of it, in FILE; -: standard input"},
    {.name = "replay",
     .type = SL_FLAG_TEXT,
     .offset = AT(diff.options.replay),
     .value = "FILE",
     .doc = "the capture"},
    {.name = "target",
     .type = SL_FLAG_TEXT,
     .offset = AT(diff.options.target),
     .value = "NAME",
     .doc = "the target that it counts as of; without: the capture's, or the first"},
    {.name = "subscription",
     .type = SL_FLAG_TEXT,
     .offset = AT(diff.options.subscription),
     .value = "NAME",
     .doc = "the subscription that it counts as of, where the target has several"},
    {.name = "sink",
     .type = SL_FLAG_TEXT,
     .offset = AT(diff.options.output),
     .value = "NAME",
     .doc = "the sink whose records are meant, where there are several"},
    {.name = "ignore",
     .type = SL_FLAG_COMMAS,
     .offset = AT(ignored),
     .value = "MEMBER",
     .doc = "what does not count: timestamp, rounding (numbers that went through a double), or a "
            "member of records with all under it, as tags.source or tags"},
    {.name = "limit",
     .type = SL_FLAG_NUMBER,
     .offset = AT(diff.limit),
     .value = "COUNT",
     .min = 0,
     .max = INT32_MAX,
     .initial = "20",
     .doc = "print so many kinds of differences; 0: all"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {
    {"Flags", import_flags}, {"Comparison", diff_flags}, {NULL, NULL}};

const struct sl_tool sl_tool_import = {
    .name = "import",
    .doc = "make a configuration of gnmic's or Telegraf's",
    .usage = "FILE [-o FILE | --diff FILE --replay FILE]",
    .text =
        "Reads a configuration of gnmic (YAML) or Telegraf (TOML: FILE ends in .conf or .toml)\n"
        "and writes one of sluice that keeps payloads, keys, topics and partitions, so that\n"
        "consumers need not change. What cannot be carried over, and what is different from now\n"
        "on, is listed on standard error, a line each (FILE:LINE: what, and what to do), and at\n"
        "the head of the new configuration.\n"
        "\n"
        "References to the environment stay references. A secret in plain text becomes one;\n"
        "the list says which variable to set.\n"
        "\n"
        "With --diff a capture (sluice capture) goes through the new configuration, and what "
        "comes\n"
        "out is compared with what the old collector made of the same messages (which 'sluice sim\n"
        "--replay' sends to it as well): JSON objects, alone or in arrays, or lines of the line\n"
        "protocol. The order of records and of members, blanks and escapes do not count, every\n"
        "digit of a number and its type does.",
    .examples = "  sluice import gnmic.yaml -o sluice.yaml && sluice check -c sluice.yaml\n"
                "  sluice import telegraf.conf -o sluice.yaml\n"
                "  sluice import gnmic.yaml --diff old.json --replay leaf1.capture --target leaf1",
    .exits = "0 everything is carried over; 1 some things are left out, and listed; 2 nothing is\n"
             "written: wrong words, FILE cannot be read, it has nothing that sluice could run,\n"
             "or --strict and something would be left out. With --diff: 0 the records are the\n"
             "same; 1 some are not; 2 they cannot be compared.",
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

static int compare_document(const struct import_tool *tool, const char *file,
                            const struct sl_config *config, const char *host)
{
    struct import_diff diff = tool->diff;

    diff.common = &tool->common;
    diff.file = file;
    diff.config = config;
    diff.is_telegraf = is_telegraf(file);
    diff.options.host = host;
    diff.ignored = &tool->ignored;
    return import_diff(&diff);
}

static int import_document(const struct import_tool *tool, const char *file,
                           const struct sl_config *config, const char *host)
{
    const struct sl_import_options options = {.keeps_secrets = tool->keeps_secrets, .host = host};
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
    char name[HOST_BYTES] = "";
    const char *host = gethostname(name, sizeof(name) - 1) == 0 ? name : NULL;
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
    } else if (tool->diff.old) {
        code = compare_document(tool, file, config, host);
    } else {
        code = import_document(tool, file, config, host);
    }
    sl_buf_fini(&errors);
    sl_config_free(config);
    return code;
}

/* Whether the words of a comparison stand together, and without those of a file that is written. */
static bool are_words_good(const struct import_tool *tool)
{
    const struct import_diff *diff = &tool->diff;
    bool has_others = diff->options.replay || diff->options.target || diff->options.subscription ||
                      diff->options.output || tool->ignored.count;

    if (tool->common.words.count != 1) {
        return sl_tool_complain(&tool->common, "expected one FILE");
    }
    if (diff->old && !diff->options.replay) {
        return sl_tool_complain(&tool->common, "--diff: expected --replay FILE, a capture, too");
    }
    if (diff->old && (tool->output || tool->is_strict || tool->keeps_secrets)) {
        return sl_tool_complain(&tool->common, "--diff writes no configuration: without --output, "
                                               "--strict and --keep-secrets");
    }
    return diff->old || !has_others ||
           sl_tool_complain(&tool->common, "what is to be compared? --diff FILE");
}

static int import(struct sl_tool_options *common)
{
    const struct import_tool *tool = SL_CONTAINER_OF(common, struct import_tool, common);

    return are_words_good(tool) ? import_file(tool, tool->common.words.items[0]) : SL_EXIT_USAGE;
}

int sl_command_import(int argc, char **argv)
{
    struct import_tool tool = {0};

    return sl_tool_main(&sl_tool_import, argc, argv, &tool.common, import);
}
