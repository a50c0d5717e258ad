#include "tool/completion.h"

#include <string.h>

#include "base/base.h"

static bool takes_value(const struct sl_flag *flag)
{
    return flag->type != SL_FLAG_SWITCH;
}

static bool takes_file(const struct sl_flag *flag)
{
    return flag->value && (strcmp(flag->value, "FILE") == 0 || strcmp(flag->value, "DIR") == 0);
}

/* Each flag of a tool: `for (struct walk walk = begin(tool); walk.flag; next(&walk))`. */
struct walk {
    const struct sl_flag_group *group;
    const struct sl_flag *flag; /* NULL: the end */
};

static void settle(struct walk *walk)
{
    while (walk->group && walk->group->title && !walk->flag->name) {
        walk->group++;
        walk->flag = walk->group->flags;
    }
    walk->flag = walk->group && walk->group->title ? walk->flag : NULL;
}

static struct walk begin(const struct sl_tool *tool)
{
    struct walk walk = {tool->groups, tool->groups ? tool->groups->flags : NULL};

    settle(&walk);
    return walk;
}

static void next(struct walk *walk)
{
    walk->flag++;
    settle(walk);
}

/* What stands behind a text in another one's quotes: `escaped` are the bytes that get `escape` in
 * front; lines become blanks. */
static void put_escaped(const char *text, const char *escaped, const char *escape, FILE *out)
{
    for (; *text; text++) {
        if (strchr(escaped, *text)) {
            fputs(escape, out);
        }
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void put_words(const char *const *words, FILE *out)
{
    for (size_t i = 0; words[i]; i++) {
        fprintf(out, "%s%s", i ? " " : "", words[i]);
    }
}

/* ---- bash ---- */

static void put_pattern(const struct sl_flag *flag, FILE *out)
{
    fprintf(out, "--%s", flag->name);
    if (flag->letter) {
        fprintf(out, "|-%c", flag->letter);
    }
}

static void bash_value(const struct sl_flag *flag, FILE *out)
{
    fputs("                ", out);
    put_pattern(flag, out);
    if (flag->words) {
        fputs(") words=\"", out);
        put_words(flag->words, out);
        fputs("\" ;;\n", out);
    } else {
        fprintf(out, ") words=%s ;;\n", takes_file(flag) ? "FILES" : "");
    }
}

static void bash_tool(const struct sl_tool *tool, FILE *out)
{
    fprintf(out, "        %s)\n            flags=\"", tool->name);
    for (struct walk walk = begin(tool); walk.flag; next(&walk)) {
        fprintf(out, "--%s ", walk.flag->name);
    }
    fputs(tool->groups ? "\"\n" : "--help\"\n", out);
    fputs("            case $prev in\n", out);
    for (struct walk walk = begin(tool); walk.flag; next(&walk)) {
        if (takes_value(walk.flag)) {
            bash_value(walk.flag, out);
        }
    }
    fputs("                *) ", out);
    if (tool->word_list) {
        fputs("[[ $current == -* ]] || words=\"", out);
        put_words(tool->word_list, out);
        fputs("\" ;;\n            esac ;;\n", out);
    } else {
        fputs(";;\n            esac ;;\n", out);
    }
}

static void print_bash(const struct sl_tool *const *tools, FILE *out)
{
    fputs("# bash completion of sluice, made by 'sluice completion bash'\n"
          "_sluice() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command='' commands='' flags='' words=NONE i\n"
          "    COMPREPLY=()\n"
          "    if [[ $current == = ]]; then current=''\n"
          "    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    commands=\"",
          out);
    for (size_t i = 0; tools[i]; i++) {
        fprintf(out, "%s ", tools[i]->name);
    }
    fputs("\"\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        if [[ \" $commands \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
          "            command=${COMP_WORDS[i]}; break\n"
          "        fi\n"
          "    done\n"
          "    case $command in\n"
          "        '') flags=$commands; words=COMMANDS ;;\n",
          out);
    for (size_t i = 0; tools[i]; i++) {
        bash_tool(tools[i], out);
    }
    fputs("    esac\n"
          "    case $words in\n"
          "        COMMANDS) COMPREPLY=($(compgen -W \"$flags\" -- \"$current\")) ;;\n"
          "        NONE) if [[ $current == -* ]]; then\n"
          "                  COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
          "              fi ;;\n"
          "        FILES) compopt -o filenames 2>/dev/null\n"
          "               COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
          "        *) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _sluice sluice\n",
          out);
}

/* ---- zsh ---- */

/* In single quotes, in brackets. */
static void zsh_doc(const char *doc, FILE *out)
{
    for (; *doc; doc++) {
        if (*doc == '\'') {
            fputs("'\\''", out);
        } else {
            put_escaped((char[]){*doc, '\0'}, "[]:\\", "\\", out);
        }
    }
}

static void zsh_flag(const struct sl_flag *flag, FILE *out)
{
    bool is_list = flag->type != SL_FLAG_SWITCH && flag->type != SL_FLAG_WORD;

    fputs("            ", out);
    if (flag->letter) {
        fprintf(out, "%s{-%c,--%s}'", is_list ? "'*'" : "", flag->letter, flag->name);
    } else {
        fprintf(out, "'%s--%s", is_list ? "*" : "", flag->name);
    }
    fputs(takes_value(flag) ? "=[" : "[", out);
    zsh_doc(flag->doc, out);
    fputc(']', out);
    if (flag->words) {
        fputs(":word:(", out);
        put_words(flag->words, out);
        fputc(')', out);
    } else if (takes_value(flag)) {
        fprintf(out, ":%s:%s", flag->value ? flag->value : "", takes_file(flag) ? "_files" : " ");
    }
    fputs("' \\\n", out);
}

static void print_zsh(const struct sl_tool *const *tools, FILE *out)
{
    fputs("#compdef sluice\n"
          "# zsh completion of sluice, made by 'sluice completion zsh'\n"
          "_sluice() {\n"
          "    local -a commands\n"
          "    commands=(\n",
          out);
    for (size_t i = 0; tools[i]; i++) {
        fprintf(out, "        '%s:", tools[i]->name);
        zsh_doc(tools[i]->doc, out);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    local command=$words[2]\n"
          "    shift words\n"
          "    ((CURRENT--))\n"
          "    case $command in\n",
          out);
    for (size_t i = 0; tools[i]; i++) {
        fprintf(out, "        %s)\n            _arguments -s \\\n", tools[i]->name);
        for (struct walk walk = begin(tools[i]); walk.flag; next(&walk)) {
            zsh_flag(walk.flag, out);
        }
        fputs("            '*: :", out);
        if (tools[i]->word_list) {
            fputc('(', out);
            put_words(tools[i]->word_list, out);
            fputc(')', out);
        } else {
            fputc(' ', out);
        }
        fputs("' ;;\n", out);
    }
    fputs(
        "    esac\n"
        "}\n"
        "if [[ $funcstack[1] == _sluice ]]; then _sluice \"$@\"; else compdef _sluice sluice; fi\n",
        out);
}

/* ---- fish ---- */

static void fish_quoted(const char *text, FILE *out)
{
    fputc('\'', out);
    put_escaped(text, "'\\", "\\", out);
    fputc('\'', out);
}

static void fish_flag(const struct sl_tool *tool, const struct sl_flag *flag, FILE *out)
{
    fprintf(out, "complete -c sluice -n '__fish_seen_subcommand_from %s' -l %s", tool->name,
            flag->name);
    if (flag->letter) {
        fprintf(out, " -s %c", flag->letter);
    }
    if (flag->words) {
        fputs(" -x -a '", out);
        put_words(flag->words, out);
        fputc('\'', out);
    } else if (takes_value(flag)) {
        fputs(takes_file(flag) ? " -r -F" : " -x", out);
    }
    fputs(" -d ", out);
    fish_quoted(flag->doc, out);
    fputc('\n', out);
}

static void print_fish(const struct sl_tool *const *tools, FILE *out)
{
    fputs("# fish completion of sluice, made by 'sluice completion fish'\n"
          "complete -c sluice -f\n",
          out);
    for (size_t i = 0; tools[i]; i++) {
        fprintf(out, "complete -c sluice -n __fish_use_subcommand -a %s -d ", tools[i]->name);
        fish_quoted(tools[i]->doc, out);
        fputc('\n', out);
    }
    for (size_t i = 0; tools[i]; i++) {
        for (struct walk walk = begin(tools[i]); walk.flag; next(&walk)) {
            fish_flag(tools[i], walk.flag, out);
        }
        if (tools[i]->word_list) {
            fprintf(out, "complete -c sluice -n '__fish_seen_subcommand_from %s' -a '",
                    tools[i]->name);
            put_words(tools[i]->word_list, out);
            fputs("'\n", out);
        }
    }
}

bool sl_completion_print(const char *shell, const struct sl_tool *const *tools, FILE *out)
{
    static const struct {
        const char *name;
        void (*print)(const struct sl_tool *const *tools, FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

    for (size_t i = 0; i < SL_ARRAY_LEN(shells); i++) {
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].print(tools, out);
            return true;
        }
    }
    return false;
}
