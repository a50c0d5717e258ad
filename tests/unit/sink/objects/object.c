/* object.c - a shared object with a sink and a processor, right or, by CASE, wrong in one thing. */
#include <stdlib.h>

#include "sluice_plugin.h"

enum {
    GOOD,
    NO_SYMBOL,
    FUNCTION,
    OTHER_ABI,
    LATER_RECORD,
    SMALL_DESCRIPTOR,
    NO_HEAD,
    NO_NAME,
    NOTHING_IN_IT,
    NO_ACCEPT,
    NO_PROCESS,
    NO_DOC,
    BAD_TYPE,
    TYPE_BUILT_IN,
    OPTION_TWICE,
    OPTION_OURS,
    OPTION_BEYOND,
    OPTION_CROOKED,
    OPTION_BAD_NAME,
    OPTION_BAD_TYPE,
    OPTION_BAD_DEFAULT,
    OPTION_NO_WORDS,
    OPTION_NO_TABLE,
    OPTION_IN_ITSELF,
    OPTION_BOUNDS,
    OPTION_NO_DOC,
    OPTION_ENDLESS,
    KEY_NO_TEMPLATE,
    PROCESSOR_TEMPLATE,
    UNDEFINED_SYMBOL,
    OLDER, /* right: built with smaller structs */
};

static const char *const words[] = {"a", "b", NULL};
static const char *const no_words[] = {NULL};

struct options {
    const char *topic;
    int64_t number;
    int word;
    struct {
        bool is_deep;
    } inner;
};

static const struct sluice_option inner_table[] = {
    {.name = "deep", .type = SLUICE_BOOL, .default_text = "true", .doc = "Deep."},
    {.name = NULL},
};

static const struct sluice_option in_itself[] = {
    {.name = "again", .type = SLUICE_OBJECT, .table = in_itself, .doc = "Again."},
    {.name = NULL},
};

#ifdef CASE_OPTION_ENDLESS
#define ROW   {.name = "more", .type = SLUICE_BOOL, .doc = "More."},
#define ROWS  ROW ROW ROW ROW ROW ROW ROW ROW
#define TABLE ROWS ROWS ROWS ROWS ROWS ROWS ROWS ROWS
#endif

static const struct sluice_option table[] = {
    {.name = CASE == OPTION_OURS ? "format" : "topic",
     .type = SLUICE_TEMPLATE,
     .offset = offsetof(struct options, topic),
     .default_text = "t",
     .doc = "Where to."},
    {.name = CASE == OPTION_TWICE      ? "topic"
             : CASE == OPTION_BAD_NAME ? "Num ber"
                                       : "number",
     .type = CASE == OPTION_BAD_TYPE ? (enum sluice_option_type)99 : SLUICE_INT,
     .offset = CASE == OPTION_BEYOND    ? sizeof(struct options)
               : CASE == OPTION_CROOKED ? offsetof(struct options, number) + 1
                                        : offsetof(struct options, number),
     .default_text = CASE == OPTION_BAD_DEFAULT ? "eleven" : "7",
     .min = CASE == OPTION_BOUNDS ? 12 : 1,
     .max = 11,
     .doc = CASE == OPTION_NO_DOC ? NULL : "How many."},
    {.name = "word",
     .type = SLUICE_ENUM,
     .offset = offsetof(struct options, word),
     .default_text = CASE == OPTION_NO_WORDS ? NULL : "b",
     .names = CASE == OPTION_NO_WORDS ? no_words : words,
     .doc = "Which."},
    {.name = "inner",
     .type = SLUICE_OBJECT,
     .offset = offsetof(struct options, inner),
     .table = CASE == OPTION_NO_TABLE    ? NULL
              : CASE == OPTION_IN_ITSELF ? in_itself
                                         : inner_table,
     .doc = "More."},
#ifdef CASE_OPTION_ENDLESS
    TABLE TABLE TABLE TABLE TABLE
#endif
    {.name = NULL},
};

static size_t cost(const void *options)
{
    (void)options;
    return 0;
}

static void *open_it(const struct sluice_host *host, const void *options, char *error,
                     size_t error_size)
{
    (void)options;
    (void)error;
    (void)error_size;
    return (void *)(uintptr_t)host; /* something */
}

static enum sluice_accept accept_it(void *sink, const struct sluice_record *record,
                                    struct sluice_token *token)
{
    (void)sink;
    (void)record;
    (void)token;
    return SLUICE_FULL;
}

static enum sluice_verdict process_it(void *processor, struct sluice_record *record, char *error,
                                      size_t error_size)
{
    (void)processor;
    (void)record;
    (void)error;
    (void)error_size;
    return SLUICE_KEPT;
}

static void nothing(void *instance)
{
    (void)instance;
}

static void stats(void *sink, struct sluice_stats *stats)
{
    (void)sink;
    stats->queued_records = 3;
}

#ifdef CASE_UNDEFINED_SYMBOL
extern int nobody_has_this(void);

int call_it(void);

int call_it(void)
{
    return nobody_has_this();
}
#endif

static const struct sluice_sink_plugin sink = {
    .type = CASE == BAD_TYPE        ? "Bad Type"
            : CASE == TYPE_BUILT_IN ? "kafka"
                                    : "good",
    .doc = CASE == NO_DOC ? NULL : "takes nothing",
    .options = table,
    .options_size = sizeof(struct options),
    .destination_option = CASE == OPTION_OURS ? NULL : "topic",
    .destination_word = "topic",
    .key_option = CASE == KEY_NO_TEMPLATE ? "number" : NULL,
    .record_cost = cost,
    .open = open_it,
    .accept = CASE == NO_ACCEPT ? NULL : accept_it,
    .flush = nothing,
    .stats = stats,
    .close = nothing,
    .partition_option = CASE == OLDER ? "not looked at" : NULL,
};

static const struct sluice_processor_plugin processor = {
    .type = "good",
    .doc = "keeps everything",
    .options = CASE == PROCESSOR_TEMPLATE ? table : NULL,
    .options_size = CASE == PROCESSOR_TEMPLATE ? sizeof(struct options) : 0,
    .open = open_it,
    .process = CASE == NO_PROCESS ? NULL : process_it,
    .close = nothing,
};

static const struct sluice_sink_plugin *const sinks[] = {
    CASE == NOTHING_IN_IT ? NULL : &sink,
    NULL,
};

static const struct sluice_processor_plugin *const processors[] = {
    CASE == NOTHING_IN_IT ? NULL : &processor,
    NULL,
};

#if defined CASE_FUNCTION
void sluice_plugin_(void) __asm__("sluice_plugin") __attribute__((visibility("default")));

void sluice_plugin_(void)
{
}
#elif defined CASE_SMALL_DESCRIPTOR
const int small __asm__("sluice_plugin") __attribute__((visibility("default"))) = SLUICE_ABI;
#elif defined CASE_NO_SYMBOL
const struct sluice_plugin other __attribute__((visibility("default"))) = {
#else
const struct sluice_plugin sluice_plugin = {
#endif
#if !defined CASE_FUNCTION && !defined CASE_SMALL_DESCRIPTOR
.abi = CASE == OTHER_ABI ? SLUICE_ABI + 1 : SLUICE_ABI,
    .sizes =
        {
            .plugin = sizeof(struct sluice_plugin),
            .option = sizeof(struct sluice_option),
            .record = sizeof(struct sluice_record) + (CASE == LATER_RECORD ? 8 : 0),
            .host = sizeof(struct sluice_host),
            .host_calls = CASE == NO_HEAD ? 0 : sizeof(struct sluice_host_calls),
            .stats = sizeof(struct sluice_stats),
            .sink = CASE == OLDER ? offsetof(struct sluice_sink_plugin, partition_option)
                                  : sizeof(struct sluice_sink_plugin),
            .processor = sizeof(struct sluice_processor_plugin),
},
    .name = CASE == NO_NAME ? NULL : "object", .version = "1.2.3", .sinks = sinks,
    .processors = processors,
}
;
#endif
