#include "commands.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "tool/options.h"

static int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("sluice " SLUICE_VERSION);
    return SL_EXIT_OK;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *doc;
    const struct sl_tool *tool; /* its flags; NULL: it has no table of them */
} commands[] = {
    {"run", sl_command_run, "collect: dial the targets of a configuration, publish to its sinks",
     NULL},
    {"check", sl_command_check, "read a configuration, say everything that is wrong with it", NULL},
    {"sim", sl_command_sim, "simulate gNMI devices, for trials, tests and capacity planning", NULL},
    {"broker", sl_command_broker, "a Kafka broker for trials, in memory", NULL},
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
    {"version", command_version, "print the version", NULL},
};

static void print_usage(FILE *out)
{
    fputs("usage: sluice COMMAND [options]; 'sluice COMMAND --help' tells more\n\n", out);
    for (size_t i = 0; i < SL_ARRAY_LEN(commands); i++) {
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].doc);
    }
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
    for (size_t i = 0; i < SL_ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return SL_EXIT_OK;
    }
    fprintf(stderr, "sluice: unknown command '%s'\n\n", argv[1]);
    print_usage(stderr);
    return SL_EXIT_USAGE;
}
