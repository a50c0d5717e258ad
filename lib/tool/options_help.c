#include <stdlib.h>
#include <string.h>

#include "tool/options.h"

enum { INDENT = 30, WIDTH = 96 };

/* "name VALUE", "name json|proto". Returns its length. */
static int print_head(const struct sl_flag *flag, FILE *out)
{
    int len = fprintf(out, flag->letter ? "  -%c, " : "      ", flag->letter);

    len += fprintf(out, "--%s%s%s", flag->name, flag->value ? " " : "",
                   flag->value ? flag->value : "");
    for (size_t i = 0; flag->words && flag->words[i]; i++) {
        len += fprintf(out, "%s%s", i ? "|" : " ", flag->words[i]);
    }
    return len;
}

/* Words from column `at` on, broken at WIDTH. Returns the column. */
static int print_words(const char *text, int at, FILE *out)
{
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (at + 1 + len > WIDTH) {
            at = fprintf(out, "\n%*s", INDENT - 1, "") - 1;
        }
        at += fprintf(out, " %.*s", len, text);
        text += len + (text[len] == ' ');
    }
    return at;
}

static void print_flag(const struct sl_flag *flag, FILE *out)
{
    int at = print_head(flag, out);

    at = at < INDENT - 1 ? at + fprintf(out, "%*s", INDENT - 1 - at, "")
                         : fprintf(out, "\n%*s", INDENT - 1, "") - 1;
    at = print_words(flag->doc, at, out);
    if (flag->initial) {
        at = print_words("(default", at, out);
        at += fprintf(out, " %s)", flag->initial);
    }
    if (flag->env) {
        at = print_words("(else", at, out);
        fprintf(out, " $%s)", flag->env);
    }
    fputc('\n', out);
}

const char sl_tool_exits[] =
    "0 all well; 1 failed; 2 wrong words or files; 3 no connection; 4 login\n"
    "refused; 5 the device said no; 6 no answer in time; 7 some of several targets failed.";

void sl_tool_print_help(const struct sl_tool *tool, FILE *out)
{
    fprintf(out, "usage: sluice %s [flags] %s\n\n%s\n", tool->name, tool->usage, tool->text);
    for (const struct sl_flag_group *group = tool->groups; group->title; group++) {
        fprintf(out, "\n%s:\n", group->title);
        for (const struct sl_flag *flag = group->flags; flag->name; flag++) {
            print_flag(flag, out);
        }
    }
    if (tool->examples) {
        fprintf(out, "\nExamples:\n%s\n", tool->examples);
    }
    fprintf(out, "\nExit codes: %s\n", tool->exits ? tool->exits : sl_tool_exits);
}
