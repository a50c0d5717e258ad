/* mdoc(7): a line that begins with '.' is a macro; '\' begins an escape. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "tool/completion.h"

enum { MAX_TOOLS = 64, MAX_LINE_BYTES = 2048 };

/* A sentence ends at `text`, and another one follows. */
static bool ends_sentence(const char *text)
{
    return text[0] == '.' && text[1] == ' ' && isupper((unsigned char)text[2]);
}

/* Text of any kind as text alone. A line does not begin with a macro's mark. */
static void put_any(const char *text, bool is_prose, FILE *out)
{
    bool is_start = true;

    for (; *text; text++) {
        if (is_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", out);
        }
        is_start = *text == '\n';
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (is_prose && ends_sentence(text)) {
            fputs(".\n", out);
            text++;
            is_start = true;
        } else if (*text == '-') {
            fputs("\\-", out);
        } else {
            fputc(*text, out);
        }
    }
}

static void put_text(const char *text, FILE *out)
{
    put_any(text, false, out);
}

/* Paragraphs: an empty line becomes .Pp; what is left of a line's end is a blank. */
static void put_paragraphs(const char *text, FILE *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        char line[512];
        snprintf(line, sizeof(line), "%.*s", (int)sl_min_size(len, sizeof(line) - 1), text);
        if (len == 0) {
            fputs(".Pp\n", out);
        } else {
            put_any(line + strspn(line, " "), true, out);
            fputc('\n', out);
        }
        text += len + (text[len] == '\n');
    }
}

/* As it stands, in a fixed width. */
static void put_display(const char *text, FILE *out)
{
    fputs(".Bd -literal\n", out);
    put_text(text, out);
    fputs("\n.Ed\n", out);
}

static void put_head(const char *name, int section, const char *doc, FILE *out)
{
    fputs(".Dd $Mdocdate$\n.Dt ", out);
    for (const char *at = name; *at; at++) {
        fputc(toupper((unsigned char)*at), out);
    }
    fprintf(out, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", section, name);
    put_text(doc, out);
    fputc('\n', out);
}

/* ---- one tool ---- */

static void put_flag(const struct sl_flag *flag, FILE *out)
{
    fputs(".It ", out);
    if (flag->letter) {
        fprintf(out, "Fl %c , ", flag->letter);
    }
    fprintf(out, "Fl \\-%s", flag->name);
    if (flag->words) {
        fputs(" Cm ", out);
        for (size_t i = 0; flag->words[i]; i++) {
            fprintf(out, "%s%s", i ? "|" : "", flag->words[i]);
        }
    } else if (flag->value) {
        fputs(" Ar ", out);
        put_text(flag->value, out);
    }
    fputc('\n', out);
    put_any(flag->doc, true, out);
    fputs(".\n", out);
    if (flag->initial) {
        fputs("The default is\n.Ql ", out);
        put_text(flag->initial, out);
        fputs(" .\n", out);
    }
    if (flag->env) {
        fprintf(out, "Without it\n.Ev %s\ncounts, where it is set.\n", flag->env);
    }
}

static void put_flags(const struct sl_tool *tool, FILE *out)
{
    for (const struct sl_flag_group *group = tool->groups; group && group->title; group++) {
        fputs(".Ss ", out);
        put_text(group->title, out);
        fputs("\n.Bl -tag -width Ds\n", out);
        for (const struct sl_flag *flag = group->flags; flag->name; flag++) {
            put_flag(flag, out);
        }
        fputs(".El\n", out);
    }
}

static void put_usage(const struct sl_tool *tool, FILE *out)
{
    fprintf(out, ".Sh SYNOPSIS\n.Nm sluice\n.Cm %s\n.Op Ar flags\n", tool->name);
    if (tool->usage && *tool->usage) {
        put_text(tool->usage, out);
        fputc('\n', out);
    }
}

void sl_manual_of(const struct sl_tool *tool, FILE *out)
{
    char name[64];

    snprintf(name, sizeof(name), "sluice-%s", tool->name);
    put_head(name, 1, tool->doc, out);
    put_usage(tool, out);
    fputs(".Sh DESCRIPTION\n", out);
    put_paragraphs(tool->text ? tool->text : tool->doc, out);
    put_flags(tool, out);
    fputs(".Sh EXIT STATUS\n", out);
    put_paragraphs(tool->exits ? tool->exits : sl_tool_exits, out);
    if (tool->examples) {
        fputs(".Sh EXAMPLES\n", out);
        put_display(tool->examples, out);
    }
    fputs(".Sh SEE ALSO\n.Xr sluice 1\n", out);
}

/* ---- the configuration ---- */

/* Where in the lists of keys, and whether within lines that stand as they are. */
struct nest {
    size_t depth;
    bool is_display;
};

static void reach(struct nest *nest, size_t depth, bool is_display, FILE *out)
{
    if (nest->is_display && (!is_display || nest->depth != depth)) {
        fputs(".Ed\n", out);
        nest->is_display = false;
    }
    for (; nest->depth > depth; nest->depth--) {
        fputs(".El\n", out);
    }
    for (; nest->depth < depth; nest->depth++) {
        fputs(".Bl -tag -width Ds -compact\n", out);
    }
    if (is_display && !nest->is_display) {
        fputs(".Bd -literal -compact\n", out);
        nest->is_display = true;
    }
}

/* "key: text" as an item, two blanks in front for each list that it is in; "# text" as it stands.
 */
static void put_reference_line(char *line, struct nest *nest, FILE *out)
{
    size_t depth = strspn(line, " ") / 2;
    char *key = line + strspn(line, " ");
    char *colon = strchr(key, ':');

    if (key[0] == '#') {
        reach(nest, depth, true, out);
        put_text(key + 1 + (key[1] == ' '), out);
        fputc('\n', out);
    } else if (colon) {
        *colon = '\0';
        reach(nest, depth + 1, false, out);
        fputs(".It Ic ", out);
        put_text(key, out);
        fputc('\n', out);
        const char *text = colon + 1 + strspn(colon + 1, " ");
        if (*text) {
            put_any(text, true, out);
            fputc('\n', out);
        }
    }
}

static void put_reference(const char *reference, FILE *out)
{
    struct nest nest = {.depth = 0};
    char line[MAX_LINE_BYTES];

    while (*reference) {
        size_t len = strcspn(reference, "\n");
        snprintf(line, sizeof(line), "%.*s", (int)sl_min_size(len, sizeof(line) - 1), reference);
        put_reference_line(line, &nest, out);
        reference += len + (reference[len] == '\n');
    }
    reach(&nest, 0, false, out);
}

void sl_manual_of_file(const char *reference, FILE *out)
{
    put_head("sluice.yaml", 5, "the configuration of sluice run", out);
    fputs(".Sh DESCRIPTION\n", out);
    put_paragraphs("Every key, with its type, bounds and default, as 'sluice check --reference' "
                   "prints it. Sinks and processors have further keys, by their type; those of "
                   "shared objects are printed by 'sluice check --reference --plugins DIR'.",
                   out);
    put_reference(reference, out);
    fputs(".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/sluice/sluice.yaml\n"
          "What the service runs with, see\n.Xr sluice 8 .\n.El\n"
          ".Sh SEE ALSO\n.Xr sluice 1 ,\n.Xr sluice\\-check 1 ,\n.Xr sluice 8\n",
          out);
}

/* ---- all of them ---- */

static int compare_names(const void *left, const void *right)
{
    const struct sl_tool *const *a = left;
    const struct sl_tool *const *b = right;

    return strcmp((*a)->name, (*b)->name);
}

static void put_references(const struct sl_tool *const *tools, FILE *out)
{
    const struct sl_tool *sorted[MAX_TOOLS];
    size_t count = 0;

    for (size_t i = 0; tools[i] && count < MAX_TOOLS; i++) {
        if (tools[i]->groups) {
            sorted[count++] = tools[i];
        }
    }
    qsort(sorted, count, sizeof(sorted[0]), compare_names);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, ".Xr sluice\\-%s 1%s\n", sorted[i]->name, i + 1 < count ? " ," : "");
    }
}

void sl_manual(const struct sl_tool *const *tools, FILE *out)
{
    put_head("sluice", 1, "gNMI telemetry collector, and tools for gNMI devices", out);
    fputs(".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar flags\n"
          ".Sh DESCRIPTION\n"
          ".Nm\n"
          "dials network devices, subscribes to what they measure and publishes it, with credit\n"
          "for each stream: a device may send as much as the sinks have acknowledged.\n"
          "Beside that it asks devices once, simulates them, and checks what they are asked.\n"
          ".Pp\n"
          "The commands are:\n"
          ".Bl -tag -width capabilities\n",
          out);
    for (size_t i = 0; tools[i]; i++) {
        fprintf(out, ".It Cm %s\n", tools[i]->name);
        put_text(tools[i]->doc, out);
        fputs(".\n", out);
        if (tools[i]->groups) {
            fprintf(out, "See\n.Xr sluice\\-%s 1 .\n", tools[i]->name);
        }
    }
    fputs(".El\n"
          ".Pp\n"
          "Each tells more with\n"
          ".Fl \\-help .\n"
          "The configuration of\n"
          ".Cm run\n"
          "is told key by key by\n"
          ".Ic sluice check \\-\\-reference .\n"
          ".Sh SEE ALSO\n",
          out);
    put_references(tools, out);
}
