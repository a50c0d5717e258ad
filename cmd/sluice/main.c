#include "commands.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/buf.h"
#include "daemon/settings.h"
#include "tool/completion.h"
#include "tool/options.h"

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("sluice " SLUICE_VERSION);
    return SL_EXIT_OK;
}

static int command_completion(int argc, char **argv);
static int command_help(int argc, char **argv);

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

static const struct sl_flag completion_flags[] = {
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = offsetof(struct sl_tool_options, wants_help),
     .doc = "this"},
    {.name = NULL},
};

static const struct sl_flag_group completion_groups[] = {{"Flags", completion_flags}, {NULL, NULL}};

static const struct sl_tool tool_completion = {
    .name = "completion",
    .doc = "print what a shell completes these words by",
    .usage = "bash|zsh|fish",
    .text = "Prints a script that makes the shell complete commands, flags and their values.",
    .examples = "  source <(sluice completion bash)\n"
                "  sluice completion zsh > ~/.zsh/functions/_sluice\n"
                "  sluice completion fish > ~/.config/fish/completions/sluice.fish",
    .exits = "0 it is printed; 2 wrong words.",
    .groups = completion_groups,
    .takes_words = true,
    .word_list = shells,
};

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
    const struct sl_tool *tool; /* its flags; NULL: it has no table of them */
} commands[] = {
    {"run", sl_command_run, "collect: dial the targets of a configuration, publish to its sinks",
     &sl_tool_run_command},
    {"check", sl_command_check, "read a configuration, say everything that is wrong with it",
     &sl_tool_check},
    {"plan", sl_command_plan, "say what another configuration would change, and what that costs",
     &sl_tool_plan},
    {"sim", sl_command_sim, "simulate gNMI devices, for trials, tests and capacity planning", NULL},
    {"broker", sl_command_broker, "a Kafka broker for trials, in memory", &sl_tool_broker},
    {"capabilities", sl_command_capabilities,
     "ask devices for their gNMI version, models and encodings", &sl_tool_capabilities},
    {"path", sl_command_path, "check paths and write them out in full; find what wildcards match",
     &sl_tool_path},
    {"get", sl_command_get, "get data of devices, once", &sl_tool_get},
    {"set", sl_command_set, "change the configuration of devices", &sl_tool_set},
    {"subscribe", sl_command_subscribe, "subscribe to data of devices and print what comes",
     &sl_tool_subscribe},
    {"capture", sl_command_capture, "keep what devices send in files, to be played again",
     &sl_tool_capture},
    {"rules", sl_command_rules, "show what a configuration's rules make of captured messages",
     &sl_tool_rules},
    {"ctl", sl_command_ctl, "ask a running sluice how it is, and tell it what to do", &sl_tool_ctl},
    {"reload", sl_command_reload,
     "let a running sluice read its configuration again, and say what became of it",
     &sl_tool_reload},
    {"top", sl_command_top,
     "watch a running sluice on a terminal: who flows, who is held, and by what", &sl_tool_top},
    {"import", sl_command_import, "make a configuration of gnmic's", &sl_tool_import},
    {"completion", command_completion, "print what a shell completes these words by",
     &tool_completion},
    {"help", command_help, "print what a command takes", NULL},
    {"version", command_version, "print the version", NULL},
};

static void print_usage(FILE *out)
{
    fputs("usage: sluice COMMAND [options]; 'sluice COMMAND --help' tells more\n\n", out);
    for (size_t i = 0; i < SL_ARRAY_LEN(commands); i++) {
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].doc);
    }
}

/* ---- the tables, for shells and the manual ---- */

enum { COMMANDS = SL_ARRAY_LEN(commands) };

struct tables {
    struct sl_tool bare[COMMANDS]; /* of commands without one */
    const struct sl_tool *tools[COMMANDS + 1];
};

static void fill_tables(struct tables *tables)
{
    *tables = (struct tables){0};
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *command = &commands[i];
        tables->bare[i] = (struct sl_tool){.name = command->name, .doc = command->doc};
        tables->tools[i] = command->run == sl_command_sim ? sl_tool_sim()
                           : command->tool                ? command->tool
                                                          : &tables->bare[i];
    }
}

static int command_completion(int argc, char **argv)
{
    struct sl_tool_options options = {0};
    struct tables tables;
    int code = SL_EXIT_USAGE;

    fill_tables(&tables);
    if (!sl_tool_parse(&tool_completion, argc, argv, &options)) {
        /* it is said */
    } else if (options.wants_help) {
        sl_tool_print_help(&tool_completion, stdout);
        code = SL_EXIT_OK;
    } else if (options.words.count != 1) {
        sl_tool_complain(&options, "expected bash, zsh or fish");
    } else if (sl_completion_print(options.words.items[0], tables.tools, stdout)) {
        code = SL_EXIT_OK;
    } else {
        sl_tool_complain(&options, "expected bash, zsh or fish, found '%.40s'",
                         options.words.items[0]);
    }
    sl_tool_fini(&options);
    return code;
}

/* gnmic's short names. */
static const char *full_name(const char *name)
{
    static const char *const shorts[][2] = {{"cap", "capabilities"}, {"sub", "subscribe"}};

    for (size_t i = 0; i < SL_ARRAY_LEN(shorts); i++) {
        if (strcmp(name, shorts[i][0]) == 0) {
            return shorts[i][1];
        }
    }
    return name;
}

static int run_command(const char *name, int argc, char **argv)
{
    name = full_name(name);
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run(argc, argv);
        }
    }
    fprintf(stderr, "sluice: unknown command '%s'\n\n", name);
    print_usage(stderr);
    return SL_EXIT_USAGE;
}

/* sluice help --man [COMMAND]: what the manual is made of in the build. */
static int print_manual(const char *name)
{
    struct tables tables;

    fill_tables(&tables);
    if (!name) {
        sl_manual(tables.tools, stdout);
        return SL_EXIT_OK;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, tables.tools[i]->name) == 0 && tables.tools[i]->groups) {
            sl_manual_of(tables.tools[i], stdout);
            return SL_EXIT_OK;
        }
    }
    return SL_EXIT_USAGE;
}

static bool write_file(const char *folder, const char *name, const char *shell,
                       const struct sl_tool *tool, const struct tables *tables)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (!file) {
        fprintf(stderr, "sluice help: %s: %s\n", path, strerror(errno));
        return false;
    }
    if (shell) {
        (void)sl_completion_print(shell, tables->tools, file);
    } else if (tool) {
        sl_manual_of(tool, file);
    } else {
        sl_manual(tables->tools, file);
    }
    bool is_good = !ferror(file);

    return fclose(file) == 0 && is_good;
}

/* The manual of the configuration. */
static bool write_file_manual(const char *folder)
{
    struct sl_buf text = {0};
    struct sl_plugins *plugins = sl_settings_plugins("", &text);
    char path[4096];
    bool is_good = false;

    snprintf(path, sizeof(path), "%s/man/man5/sluice.yaml.5", folder);
    FILE *file = plugins ? fopen(path, "we") : NULL;
    if (file) {
        sl_settings_reference(plugins, &text);
        sl_manual_of_file(sl_buf_text(&text), file);
        is_good = !ferror(file) && !text.failed;
        is_good = fclose(file) == 0 && is_good;
    } else {
        fprintf(stderr, "sluice help: %s: %s\n", path, strerror(errno));
    }
    sl_plugins_free(plugins);
    sl_buf_fini(&text);
    return is_good;
}

/* sluice help --write FOLDER: all of it, as it is installed below share/. The folders are there. */
static int write_all(const char *folder)
{
    struct tables tables;
    char name[128];

    fill_tables(&tables);
    bool is_good =
        write_file(folder, "bash-completion/completions/sluice", "bash", NULL, &tables) &&
        write_file(folder, "zsh/site-functions/_sluice", "zsh", NULL, &tables) &&
        write_file(folder, "fish/vendor_completions.d/sluice.fish", "fish", NULL, &tables) &&
        write_file(folder, "man/man1/sluice.1", NULL, NULL, &tables) && write_file_manual(folder);

    for (size_t i = 0; is_good && i < COMMANDS; i++) {
        if (tables.tools[i]->groups) {
            snprintf(name, sizeof(name), "man/man1/sluice-%s.1", tables.tools[i]->name);
            is_good = write_file(folder, name, NULL, tables.tools[i], &tables);
        }
    }
    return is_good ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int command_help(int argc, char **argv)
{
    char help[] = "--help";

    if (argc < 2) {
        print_usage(stdout);
        return SL_EXIT_OK;
    }
    if (strcmp(argv[1], "--man") == 0) {
        return print_manual(argc > 2 ? argv[2] : NULL);
    }
    if (strcmp(argv[1], "--write") == 0 && argc == 3) {
        return write_all(argv[2]);
    }
    if (argv[1][0] == '-' || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "version") == 0) {
        print_usage(stdout);
        return SL_EXIT_OK;
    }
    char *words[] = {argv[1], help, NULL};

    return run_command(argv[1], 2, words);
}

/* "sluice -a leaf1 get …" is "sluice get -a leaf1 …". */
static void bring_to_front(int at, char **argv)
{
    char *name = argv[at];

    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    argv[1] = name;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return SL_EXIT_USAGE;
    }
    if (argv[1][0] == '-' && sl_tool_find_command(argc, argv)) {
        bring_to_front(sl_tool_find_command(argc, argv), argv);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return SL_EXIT_OK;
    }
    return run_command(argv[1], argc - 1, argv + 1);
}
