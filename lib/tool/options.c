#include "tool/options.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/values.h"

#define AT(field) offsetof(struct sl_tool_options, field)

enum {
    FIRST_ID = 1000,    /* of getopt_long's values: behind all letters */
    SHORTS_BYTES = 256, /* two for each letter and colon */
    WORD_BYTES = 64,
    NAME_BYTES = 64,
};

/* ---- the rows that tools share ---- */

static const char *const encodings[] = {"json", "bytes", "proto", "ascii", "json_ietf", NULL};
static const char *const formats[] = {"auto",      "flat",      "event", "json",
                                      "protojson", "prototext", "table", NULL};
static const char *const stream_formats[] = {
    "auto",  "flat",        "event",          "json",          "protojson", "prototext", "table",
    "proto", "event-split", "sluice.v1-json", "telegraf-json", "influx",    NULL};
static const char *const auth_schemes[] = {"metadata", "basic", NULL};

const struct sl_flag sl_tool_connection_flags[] = {
    {.name = "address",
     .letter = 'a',
     .type = SL_FLAG_COMMAS,
     .offset = AT(addresses),
     .value = "ADDRESS",
     .env = "SLUICE_ADDRESS",
     .doc = "host:port, host (see --port) or unix:path; several with commas between them, or the "
            "flag again"},
    {.name = "port",
     .type = SL_FLAG_NUMBER,
     .offset = AT(port),
     .value = "PORT",
     .min = 1,
     .max = UINT16_MAX,
     .initial = "57400",
     .doc = "of addresses that have none"},
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(config),
     .value = "FILE",
     .doc = "the configuration of 'sluice run': its targets instead of addresses, with all that it "
            "says of them"},
    {.name = "target",
     .type = SL_FLAG_COMMAS,
     .offset = AT(targets),
     .value = "NAME",
     .doc = "with --config: which of its targets, by name or glob (leaf*), several likewise; "
            "without it: prefix.target of the request"},
    {.name = "prefix-target",
     .type = SL_FLAG_TEXT,
     .offset = AT(prefix_target),
     .value = "NAME",
     .doc = "prefix.target of the request, with --config too"},
    {.name = "insecure",
     .type = SL_FLAG_SWITCH,
     .offset = AT(insecure),
     .doc = "plaintext instead of TLS"},
    {.name = "skip-verify",
     .type = SL_FLAG_SWITCH,
     .offset = AT(skip_verify),
     .doc = "TLS, but whoever answers is taken for the device"},
    {.name = "tls-ca",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_ca),
     .value = "FILE",
     .doc = "whom to trust, PEM; without it the system's store"},
    {.name = "tls-cert",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_cert),
     .value = "FILE",
     .doc = "our certificate, PEM"},
    {.name = "tls-key",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_key),
     .value = "FILE",
     .doc = "its private key, PEM"},
    {.name = "tls-server-name",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_server_name),
     .value = "NAME",
     .doc = "whom the device's certificate must be for; without it the host of the address"},
    {.name = "tls-min-version",
     .type = SL_FLAG_TEXT,
     .offset = AT(tls_min_version),
     .value = "VERSION",
     .doc = "the lowest version of TLS: 1.2 or 1.3",
     .initial = "1.2"},
    {.name = "proxy",
     .type = SL_FLAG_SECRET,
     .offset = AT(proxy),
     .value = "URL",
     .env = "SLUICE_PROXY",
     .doc = "the way to the devices: http://[user:password@]host:port or socks5://..."},
    {.name = "timeout",
     .type = SL_FLAG_DURATION,
     .offset = AT(timeout_ns),
     .value = "DURATION",
     .initial = "10s",
     .doc = "until the connection stands, and again until the answer is there"},
    {.name = "gzip",
     .type = SL_FLAG_SWITCH,
     .offset = AT(gzip),
     .doc = "compress requests and ask for the same"},
    {.name = "max-msg-size",
     .type = SL_FLAG_NUMBER,
     .offset = AT(max_message_bytes),
     .value = "BYTES",
     .min = 1024,
     .max = 1024 * 1024 * 1024,
     .initial = "67108864",
     .doc = "an answer that is longer is an error"},
    {.name = NULL},
};

const struct sl_flag sl_tool_login_flags[] = {
    {.name = "username",
     .letter = 'u',
     .type = SL_FLAG_TEXT,
     .offset = AT(username),
     .value = "NAME",
     .env = "SLUICE_USERNAME",
     .doc = "goes out as metadata with every request"},
    {.name = "password",
     .letter = 'p',
     .type = SL_FLAG_SECRET,
     .offset = AT(password),
     .value = "WORD",
     .env = "SLUICE_PASSWORD",
     .doc = "likewise; where a user name is given and no password, it is asked for on a terminal"},
    {.name = "token",
     .type = SL_FLAG_SECRET,
     .offset = AT(token),
     .value = "TOKEN",
     .env = "SLUICE_TOKEN",
     .doc = "goes out as 'authorization: Bearer TOKEN'"},
    {.name = "auth-scheme",
     .type = SL_FLAG_WORD,
     .offset = AT(auth_scheme),
     .words = auth_schemes,
     .initial = "metadata",
     .doc = "name and password as metadata of their own, or as 'authorization: Basic ...'"},
    {.name = "metadata",
     .letter = 'H',
     .type = SL_FLAG_SECRETS,
     .offset = AT(metadata),
     .value = "NAME=VALUE",
     .doc = "more metadata, with every request; several with commas between them, or the flag "
            "again"},
    {.name = NULL},
};

const struct sl_flag sl_tool_request_flags[] = {
    {.name = "encoding",
     .letter = 'e',
     .type = SL_FLAG_WORD,
     .offset = AT(encoding),
     .words = encodings,
     .initial = "json",
     .doc = "how the device is to write values"},
    {.name = NULL},
};

const struct sl_flag sl_tool_extension_flags[] = {
    {.name = "registered-extension",
     .type = SL_FLAG_LIST,
     .offset = AT(extensions),
     .value = "ID:TEXT",
     .doc = "a registered extension of the request; TEXT as it stands, or hex:0a1b..."},
    {.name = NULL},
};

/* Rows that two tables have. */
#define FORMAT_ROW(list)                                                                           \
    .name = "format", .type = SL_FLAG_WORD, .offset = AT(format), .words = (list),                 \
    .initial = "auto", .doc = "auto: a table on a terminal, else json"
#define NO_PREFIX_ROW                                                                              \
    .name = "no-prefix", .type = SL_FLAG_SWITCH, .offset = AT(no_prefix),                          \
    .doc = "no '[target] ' before each line where several targets answer"
#define DEBUG_ROW                                                                                  \
    .name = "debug", .letter = 'd', .type = SL_FLAG_SWITCH, .offset = AT(debug),                   \
    .doc = "what happens to connections and calls, on standard error"
#define REQUEST_ROW                                                                                \
    .name = "print-request", .type = SL_FLAG_SWITCH, .offset = AT(print_request),                  \
    .doc = "print each request on standard error before it is sent"
#define HELP_ROW                                                                                   \
    .name = "help", .letter = 'h', .type = SL_FLAG_SWITCH, .offset = AT(wants_help), .doc = "this"

static const char *const paces[] = {"device", "fast", NULL};

const struct sl_flag sl_tool_replay_flags[] = {
    {.name = "replay",
     .type = SL_FLAG_TEXT,
     .offset = AT(replay),
     .value = "FILE",
     .doc = "no device, but the messages of this capture (sluice capture), whatever is asked"},
    {.name = "replay-pace",
     .type = SL_FLAG_WORD,
     .offset = AT(replay_pace),
     .words = paces,
     .initial = "fast",
     .doc = "as fast as they are taken, or as long between two messages as when they came"},
    {.name = NULL},
};

const struct sl_flag sl_tool_output_flags[] = {
    {FORMAT_ROW(formats)}, {NO_PREFIX_ROW}, {REQUEST_ROW}, {DEBUG_ROW}, {HELP_ROW}, {.name = NULL},
};

const struct sl_flag sl_tool_stream_flags[] = {
    {FORMAT_ROW(stream_formats)},
    {NO_PREFIX_ROW},
    {REQUEST_ROW},
    {DEBUG_ROW},
    {HELP_ROW},
    {.name = NULL},
};

/* ---- fields ---- */

static void *field_of(struct sl_tool_options *options, const struct sl_flag *flag)
{
    return (char *)options + flag->offset;
}

bool sl_tool_complain(const struct sl_tool_options *options, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "sluice %s: ", options->tool->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

static bool no_memory(const struct sl_tool_options *options)
{
    return sl_tool_complain(options, "out of memory");
}

static bool refuse(const struct sl_tool_options *options, const struct sl_flag *flag,
                   const char *value, const char *expected)
{
    return sl_tool_complain(options, "--%s: expected %s, found '%.80s'", flag->name, expected,
                            value);
}

/* Room for one item and what ends the list: twice as much each time it is a power of two. */
static void *grow(void *items, size_t count, size_t item_bytes)
{
    bool is_full = (count & (count - 1)) == 0;

    if (count >= SL_TOOL_MAX_ITEMS) {
        return NULL;
    }
    return is_full ? realloc(items, (count ? count * 2 : 2) * 2 * item_bytes) : items;
}

static bool add_item(struct sl_tool_list *list, struct sl_str text)
{
    char **items = grow(list->items, list->count, sizeof(*items));
    char *item = sl_str_dup(text);

    list->items = items ? items : list->items;
    if (!items || !item) {
        free(item);
        return false;
    }
    items[list->count++] = item;
    items[list->count] = NULL;
    return true;
}

/* Empty items are none. */
static bool add_items(struct sl_tool_list *list, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, ",");
        if (len && !add_item(list, (struct sl_str){text, len})) {
            return false;
        }
        text += len + (text[len] == ',');
    }
    return true;
}

static bool add_word(struct sl_tool_words *words, const struct sl_flag *flag, const char *value)
{
    struct sl_tool_word *items = grow(words->items, words->count, sizeof(*items));

    if (!items) {
        return false;
    }
    words->items = items;
    items[words->count++] = (struct sl_tool_word){flag, value};
    return true;
}

static void wipe(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
    }
}

static bool set_secret(char **field, const char *value)
{
    wipe(*field);
    free(*field);
    *field = strdup(value);
    return *field != NULL;
}

/* ---- values ---- */

static bool set_switch(const struct sl_tool_options *options, const struct sl_flag *flag,
                       const char *value, bool *field)
{
    *field = !value || strcmp(value, "true") == 0;
    return *field || strcmp(value, "false") == 0 || refuse(options, flag, value, "true or false");
}

static bool set_number(const struct sl_tool_options *options, const struct sl_flag *flag,
                       const char *value, int64_t *field)
{
    int64_t max = flag->min || flag->max ? flag->max : INT64_MAX;
    char expected[WORD_BYTES];

    if (sl_config_to_int(sl_str_from(value), field) && *field >= flag->min && *field <= max) {
        return true;
    }
    snprintf(expected, sizeof(expected), "a number from %" PRId64 " to %" PRId64, flag->min, max);
    return refuse(options, flag, value, expected);
}

static bool set_duration(const struct sl_tool_options *options, const struct sl_flag *flag,
                         const char *value, int64_t *field)
{
    return sl_config_to_duration(sl_str_from(value), field) ||
           refuse(options, flag, value, "a duration such as 10s, 1m30s or 500ms");
}

/* '_' and '-' are one, and so are large and small letters. */
static bool is_word(const char *word, const char *value)
{
    for (; *word && *value; word++, value++) {
        int letter = *value >= 'A' && *value <= 'Z' ? *value - 'A' + 'a' : *value;
        if ((letter == '_' ? '-' : letter) != (*word == '_' ? '-' : *word)) {
            return false;
        }
    }
    return *word == *value;
}

static bool set_word(const struct sl_tool_options *options, const struct sl_flag *flag,
                     const char *value, int *field)
{
    for (int i = 0; flag->words[i]; i++) {
        if (is_word(flag->words[i], value)) {
            *field = i;
            return true;
        }
    }
    const char *nearest = sl_str_nearest(value, flag->words);
    sl_tool_complain(options, "--%s: unknown word '%.80s'%s%s", flag->name, value,
                     nearest ? "; is it " : "; expected one of:", nearest ? nearest : "");
    for (int i = 0; !nearest && flag->words[i]; i++) {
        fprintf(stderr, "  %s\n", flag->words[i]);
    }
    return false;
}

/* False: it is said. */
static bool set(struct sl_tool_options *options, const struct sl_flag *flag, const char *value)
{
    void *field = field_of(options, flag);

    switch (flag->type) {
    case SL_FLAG_SWITCH:
        return set_switch(options, flag, value, field);
    case SL_FLAG_TEXT:
        *(const char **)field = value;
        return true;
    case SL_FLAG_SECRET:
        return set_secret(field, value) || no_memory(options);
    case SL_FLAG_LIST:
        return add_item(field, sl_str_from(value)) || no_memory(options);
    case SL_FLAG_COMMAS:
    case SL_FLAG_SECRETS:
        return add_items(field, value) || no_memory(options);
    case SL_FLAG_NUMBER:
        return set_number(options, flag, value, field);
    case SL_FLAG_DURATION:
        return set_duration(options, flag, value, field);
    case SL_FLAG_WORD:
        return set_word(options, flag, value, field);
    case SL_FLAG_ORDERED:
        return add_word(field, flag, value) || no_memory(options);
    }
    return false;
}

/* ---- over all flags of a tool ---- */

/* The flag by its place over all groups, NULL behind the last. */
static const struct sl_flag *flag_at(const struct sl_tool *tool, size_t place)
{
    for (const struct sl_flag_group *group = tool->groups; group->title; group++) {
        for (const struct sl_flag *flag = group->flags; flag->name; flag++) {
            if (place-- == 0) {
                return flag;
            }
        }
    }
    return NULL;
}

static bool is_secret(const struct sl_flag *flag)
{
    return flag->type == SL_FLAG_SECRET || flag->type == SL_FLAG_SECRETS;
}

static bool set_initial(struct sl_tool_options *options)
{
    const struct sl_flag *flag;

    for (size_t i = 0; (flag = flag_at(options->tool, i)); i++) {
        if (flag->initial && flag->type != SL_FLAG_TEXT && !set(options, flag, flag->initial)) {
            return false;
        }
    }
    return true;
}

static bool set_from_environment(struct sl_tool_options *options)
{
    const struct sl_flag *flag;

    for (size_t i = 0; (flag = flag_at(options->tool, i)); i++) {
        const char *value = flag->env && !options->given[i] ? getenv(flag->env) : NULL;
        if (value && *value) {
            options->given[i] = 1;
            if (!set(options, flag, value)) {
                return false;
            }
        }
    }
    return true;
}

bool sl_tool_is_given(const struct sl_tool_options *options, const char *name)
{
    const struct sl_flag *flag;

    for (size_t i = 0; (flag = flag_at(options->tool, i)); i++) {
        if (strcmp(flag->name, name) == 0) {
            return options->given[i];
        }
    }
    return false;
}

const char *sl_tool_prefix_target(const struct sl_tool_options *options)
{
    if (options->prefix_target) {
        return options->prefix_target;
    }
    return options->config || !options->targets.count ? NULL : options->targets.items[0];
}

/* ---- getopt ---- */

/* Tables for getopt_long. */
struct grammar {
    struct option words[SL_TOOL_MAX_FLAGS + 1];
    char letters[SHORTS_BYTES];
    size_t count;
};

static void add_letter(struct grammar *grammar, size_t *len, const struct sl_flag *flag)
{
    grammar->letters[(*len)++] = flag->letter;
    if (flag->type != SL_FLAG_SWITCH) {
        grammar->letters[(*len)++] = ':';
    }
}

static void make_grammar(const struct sl_tool *tool, struct grammar *grammar)
{
    const struct sl_flag *flag;
    size_t len = 0;

    *grammar = (struct grammar){.count = 0};
    for (; (flag = flag_at(tool, grammar->count)); grammar->count++) {
        SL_ASSERT(grammar->count < SL_TOOL_MAX_FLAGS);
        grammar->words[grammar->count] = (struct option){
            flag->name,
            flag->type == SL_FLAG_SWITCH ? optional_argument : required_argument,
            NULL,
            FIRST_ID + (int)grammar->count,
        };
        if (flag->letter) {
            add_letter(grammar, &len, flag);
        }
    }
    SL_ASSERT(len < SHORTS_BYTES);
}

/* -1: none. */
static int place_of(const struct sl_tool *tool, int found)
{
    const struct sl_flag *flag;

    if (found >= FIRST_ID) {
        return found - FIRST_ID;
    }
    for (int i = 0; (flag = flag_at(tool, (size_t)i)); i++) {
        if (flag->letter && flag->letter == found) {
            return i;
        }
    }
    return -1;
}

static bool take(struct sl_tool_options *options, int place)
{
    const struct sl_flag *flag = flag_at(options->tool, (size_t)place);

    options->given[place] = 1;
    if (!set(options, flag, optarg)) {
        return false;
    }
    if (is_secret(flag)) {
        memset(optarg, '*', strlen(optarg));
    }
    return true;
}

static bool take_words(struct sl_tool_options *options, int argc, char **argv)
{
    if (optind < argc && !options->tool->takes_words) {
        return sl_tool_complain(options, "unexpected word '%.80s'; see 'sluice %s --help'",
                                argv[optind], options->tool->name);
    }
    for (; optind < argc; optind++) {
        if (!add_item(&options->words, sl_str_from(argv[optind]))) {
            return no_memory(options);
        }
    }
    return true;
}

static bool take_flags(struct sl_tool_options *options, int argc, char **argv)
{
    struct grammar grammar;
    char name[NAME_BYTES]; /* what getopt calls itself */
    char *given = argv[0];
    bool is_good = true;

    make_grammar(options->tool, &grammar);
    snprintf(name, sizeof(name), "sluice %s", options->tool->name);
    argv[0] = name;
    optind = 0; /* glibc: everything anew */
    while (is_good) {
        int found = getopt_long(argc, argv, grammar.letters, grammar.words, NULL);
        if (found == -1) {
            break;
        }
        int place = place_of(options->tool, found);
        is_good = place >= 0 && take(options, place); /* else it is said */
    }
    argv[0] = given;
    return is_good;
}

bool sl_tool_parse(const struct sl_tool *tool, int argc, char **argv,
                   struct sl_tool_options *options)
{
    options->tool = tool;
    return set_initial(options) && take_flags(options, argc, argv) &&
           take_words(options, argc, argv) && set_from_environment(options);
}

/* ---- the end ---- */

static void free_list(struct sl_tool_list *list, bool is_wiped)
{
    for (size_t i = 0; i < list->count; i++) {
        if (is_wiped) {
            wipe(list->items[i]);
        }
        free(list->items[i]);
    }
    free(list->items);
    *list = (struct sl_tool_list){0};
}

static void free_field(const struct sl_flag *flag, void *field)
{
    if (flag->type == SL_FLAG_SECRET) {
        wipe(*(char **)field);
        free(*(char **)field);
        *(char **)field = NULL;
    } else if (flag->type == SL_FLAG_LIST || flag->type == SL_FLAG_COMMAS ||
               flag->type == SL_FLAG_SECRETS) {
        free_list(field, is_secret(flag));
    } else if (flag->type == SL_FLAG_ORDERED) {
        struct sl_tool_words *words = field;
        free(words->items);
        *words = (struct sl_tool_words){0};
    }
}

void sl_tool_fini(struct sl_tool_options *options)
{
    const struct sl_flag *flag;

    for (size_t i = 0; options->tool && (flag = flag_at(options->tool, i)); i++) {
        free_field(flag, field_of(options, flag));
    }
    free_list(&options->words, false);
}

/* ---- the name of the command behind flags ---- */

static const struct sl_flag_group common_groups[] = {
    {"Connection", sl_tool_connection_flags}, {"Login", sl_tool_login_flags},
    {"Request", sl_tool_request_flags},       {"Extensions", sl_tool_extension_flags},
    {"Output", sl_tool_output_flags},         {NULL, NULL},
};

/* Whether the word that follows `word` is the value of the flag that `word` is. */
static bool wants_next(const struct sl_tool *tool, const char *word)
{
    const struct sl_flag *flag;
    bool is_long = word[1] == '-';

    for (size_t i = 0; (flag = flag_at(tool, i)); i++) {
        bool is_it = is_long ? strcmp(word + 2, flag->name) == 0
                             : flag->letter && word[1] == flag->letter && !word[2];
        if (is_it) {
            return flag->type != SL_FLAG_SWITCH;
        }
    }
    return false;
}

int sl_tool_find_command(int argc, char **argv)
{
    static const struct sl_tool common = {.name = "", .groups = common_groups};

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            return i;
        }
        i += wants_next(&common, argv[i]);
    }
    return 0;
}
