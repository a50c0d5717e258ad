/* options.h - the words of a tool's command line, as tables.
 *
 * A tool (struct sl_tool) has tables of flags, each row with the names that gnmic's users know.
 * From them come the parsing (getopt_long: "--name value", "--name=value", "-n value", flags and
 * other words in any order), --help, shell completion and the man page. All rows of a tool fill one
 * struct of that tool's, which begins with struct sl_tool_options; `offset` counts from there, so
 * that tables can be shared.
 *
 * A flag that takes a list may be given often, and keeps the order of the command line. A secret is
 * copied and its place in argv is overwritten, so that it does not stand in the process list any
 * longer than it took to read it; where it does not have to be on the command line at all, use the
 * environment (SLUICE_PASSWORD) or the prompt.
 */
#ifndef SLUICE_TOOL_OPTIONS_H
#define SLUICE_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/base.h"
#include "base/status.h"

enum { SL_TOOL_MAX_FLAGS = 96, SL_TOOL_MAX_ITEMS = 100 * 1000 /* of a list */ };

enum sl_flag_type {
    SL_FLAG_SWITCH = 1, /* bool; "--name" or "--name=true|false" */
    SL_FLAG_TEXT,       /* const char *, borrowed from argv or the environment; NULL: not given */
    SL_FLAG_SECRET,     /* char *, on the heap; NULL: not given */
    SL_FLAG_LIST,       /* struct sl_tool_list; one item each time */
    SL_FLAG_COMMAS,     /* the same; each time one item, or several with commas between them */
    SL_FLAG_SECRETS,    /* the same as COMMAS; argv is overwritten */
    SL_FLAG_NUMBER,     /* int64_t, within min..max */
    SL_FLAG_DURATION,   /* int64_t, nanoseconds: "10s", "1m30s" (config/values.h) */
    SL_FLAG_WORD,       /* int: the place of the word in `words`; case and - _ do not matter */
    SL_FLAG_ORDERED,    /* struct sl_tool_words: kept with its flag, in one order over several */
};

/* Items are on the heap. */
struct sl_tool_list {
    char **items; /* ends with NULL where there is any; NULL: none */
    size_t count;
};

struct sl_flag;

/* What several flags said, in the order of the command line. */
struct sl_tool_word {
    const struct sl_flag *flag;
    const char *value; /* borrowed from argv */
};

struct sl_tool_words {
    struct sl_tool_word *items;
    size_t count;
};

struct sl_flag {
    const char *name; /* "address"; NULL ends a table */
    char letter;      /* 'a' for "-a"; 0: none */
    enum sl_flag_type type;
    size_t offset;            /* of its field */
    const char *value;        /* what stands for its value in texts: "ADDRESS"; "FILE" and "DIR" are
                               * completed with names of files. NULL: SWITCH, or WORD's words */
    const char *const *words; /* WORD: ends with NULL */
    int64_t min, max;         /* NUMBER; both 0: 0 to INT64_MAX */
    const char *env;          /* a variable that stands for it where it is not given, or NULL */
    const char *initial; /* what holds where nobody says anything, as the user would write it */
    const char *doc;     /* begins small, no full stop; lines break by themselves */
};

/* A heading in the help, and its flags. */
struct sl_flag_group {
    const char *title; /* "Connection" */
    const struct sl_flag *flags;
};

struct sl_tool {
    const char *name;                   /* "get": argv[0] */
    const char *doc;                    /* one line, as in the list of commands */
    const char *usage;                  /* "--path PATH ..."; what stands behind the name */
    const char *text;                   /* paragraphs; each line as it stands */
    const char *examples;               /* lines as they stand; NULL: none */
    const char *exits;                  /* the exit codes, as text; NULL: sl_tool_exits */
    const struct sl_flag_group *groups; /* ends with a NULL title */
    bool takes_words;                   /* words that are no flags: options.words */
    const char *const *word_list;       /* what they may be; NULL: anything */
};

/* What all tools have. */
struct sl_tool_options {
    bool wants_help;
    struct sl_tool_list addresses;
    const char *config;          /* FILE of `sluice run` */
    struct sl_tool_list targets; /* --target: of the file, as names or globs; without a file one,
                                  * prefix.target: see sl_tool_prefix_target */
    const char *prefix_target;
    const char *username;
    char *password;
    char *token;
    int auth_scheme;              /* enum sl_tool_auth */
    struct sl_tool_list metadata; /* "name=value" */
    bool insecure;
    bool skip_verify;
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    const char *tls_server_name;
    const char *tls_min_version;
    char *proxy;
    const char *admin;      /* where a running sluice listens (admin_client.h) */
    const char *token_file; /* who asks there */
    const char *replay;     /* a capture that stands for the one target; NULL: none */
    int replay_pace;        /* enum sl_target_pace */
    bool gzip;
    bool print_request;
    int64_t port;   /* of addresses without one */
    bool no_prefix; /* of lines, where several targets answer */
    bool debug;
    int64_t timeout_ns;
    int64_t max_message_bytes;        /* of an answer */
    int encoding;                     /* enum sl_gnmi_encoding */
    int format;                       /* enum sl_tool_format (print.h) */
    struct sl_tool_list extensions;   /* registered ones: "ID:BYTES" */
    struct sl_tool_list words;        /* that are no flags */
    uint8_t given[SL_TOOL_MAX_FLAGS]; /* by the flag's place over all groups; sl_tool_is_given */
    const struct sl_tool *tool;
};

enum sl_tool_auth { SL_TOOL_AUTH_METADATA, SL_TOOL_AUTH_BASIC };

/* Rows that tools share; each ends with a NULL name. */
extern const struct sl_flag sl_tool_connection_flags[]; /* whom to ask, and how to get there */
extern const struct sl_flag sl_tool_login_flags[];
extern const struct sl_flag sl_tool_replay_flags[];    /* of tools that show what devices send */
extern const struct sl_flag sl_tool_output_flags[];    /* --format, --no-prefix, --help */
extern const struct sl_flag sl_tool_stream_flags[];    /* the same with the formats of streams */
extern const struct sl_flag sl_tool_request_flags[];   /* --encoding */
extern const struct sl_flag sl_tool_extension_flags[]; /* --registered-extension */

/* Parses into `options`, which begins a zeroed struct of the tool's. What is wrong is printed on
 * standard error: false, and the exit code is SL_TOOL_EXIT_USAGE. --help is for the caller to look
 * at. fini is due in either case. */
bool sl_tool_parse(const struct sl_tool *tool, int argc, char **argv,
                   struct sl_tool_options *options) SL_MUST_CHECK;

/* Frees what the flags hold; secrets are wiped. */
void sl_tool_fini(struct sl_tool_options *options);

/* A command from its line to its exit code: parses, prints the help where it is asked for, else
 * calls `run`, and ends with fini. `options` begins a zeroed struct of the tool's. */
int sl_tool_main(const struct sl_tool *tool, int argc, char **argv, struct sl_tool_options *options,
                 int (*run)(struct sl_tool_options *options));

/* Whether the command line or the environment gave it. */
bool sl_tool_is_given(const struct sl_tool_options *options, const char *name);

/* prefix.target of requests: --prefix-target, else --target where that names no target of a file;
 * NULL: none. */
const char *sl_tool_prefix_target(const struct sl_tool_options *options);

/* The exit codes of tools that ask devices (dial.h), as text. */
extern const char sl_tool_exits[];

void sl_tool_print_help(const struct sl_tool *tool, FILE *out);

/* "sluice get: " and the words on standard error; returns false. */
bool sl_tool_complain(const struct sl_tool_options *options, const char *format, ...)
    SL_PRINTF(2, 3);

/* Where the name of the subcommand stands in argv, behind flags that all tools have (gnmic's
 * "gnmic -a leaf1 get …"); 0: nowhere. */
int sl_tool_find_command(int argc, char **argv);

#endif
