#include "commands.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "capture/source.h"
#include "daemon/settings.h"
#include "normalise/rule_text.h"
#include "normalise/rules.h"
#include "tool/options.h"

enum { INTERN_BYTES = 64 * 1024 * 1024, SCRATCH_KEPT_BYTES = 1024 * 1024 };

struct rules_tool {
    struct sl_tool_options common;
    const char *replay;
    const char *target;
    const char *subscription;
    const char *sink;
    bool only_changed;
    int64_t max_messages;
};

#define AT(field) offsetof(struct rules_tool, field)

static const struct sl_flag rules_flags[] = {
    {.name = "config",
     .letter = 'c',
     .type = SL_FLAG_TEXT,
     .offset = AT(common.config),
     .value = "FILE",
     .doc = "the configuration with the rules"},
    {.name = "replay",
     .type = SL_FLAG_TEXT,
     .offset = AT(replay),
     .value = "FILE",
     .doc = "a capture, whose messages go through the rules"},
    {.name = "target",
     .type = SL_FLAG_TEXT,
     .offset = AT(target),
     .value = "NAME",
     .doc = "the target that they count as of; without: the capture's, or the only one"},
    {.name = "subscription",
     .type = SL_FLAG_TEXT,
     .offset = AT(subscription),
     .value = "NAME",
     .doc = "the rules of this subscription alone"},
    {.name = "sink",
     .type = SL_FLAG_TEXT,
     .offset = AT(sink),
     .value = "NAME",
     .doc = "the rules of this sink alone"},
    {.name = "changed",
     .type = SL_FLAG_SWITCH,
     .offset = AT(only_changed),
     .doc = "leave out what no rule touches"},
    {.name = "messages",
     .type = SL_FLAG_NUMBER,
     .offset = AT(max_messages),
     .value = "COUNT",
     .min = 0,
     .max = INT64_MAX,
     .doc = "stop after so many messages; 0: all"},
    {.name = "help",
     .letter = 'h',
     .type = SL_FLAG_SWITCH,
     .offset = AT(common.wants_help),
     .doc = "this, and what kinds of rules there are"},
    {.name = NULL},
};

static const struct sl_flag_group groups[] = {{"Rules", rules_flags}, {NULL, NULL}};

const struct sl_tool sl_tool_rules = {
    .name = "rules",
    .doc = "show what a configuration's rules make of captured messages",
    .usage = "-c FILE --replay FILE [--target NAME] [--sink NAME]",
    .text =
        "Takes the messages of a capture through the rules of a configuration, as 'sluice run'\n"
        "would, and prints each update: what went in, what comes out, and which rule did it.\n"
        "\n"
        "  = unchanged   < before   > after   x taken out   ! cannot be carried",
    .examples = "  sluice rules -c sluice.yaml --replay leaf1.capture --changed\n"
                "  sluice rules -c sluice.yaml --replay leaf1.capture --sink kafka",
    .groups = groups,
};

/* What is printed of the rules of one subscription and one sink. */
struct show {
    const struct rules_tool *tool;
    const struct sl_rules *rules;
    bool has_colours;
    bool has_head; /* of the message under way */
    uint64_t messages;
    int64_t first_ns;
    int64_t received_ns;
    uint64_t unchanged;
    uint64_t changed;
    uint64_t filtered;
    uint64_t dropped;
    uint64_t broken;
    uint64_t by[SL_RULES_MAX]; /* updates and deletes in which each rule had a part */
    struct sl_buf line;
};

/* ---- kinds ---- */

static void print_kinds(void)
{
    puts("\nKinds of rules; all have path: GLOB or [GLOB, ...] and label: {NAME: GLOB}");
    for (size_t i = 0; sl_rule_kinds[i]; i++) {
        const struct sl_rule_kind *kind = sl_rule_kinds[i];
        printf("\n  %s\n      %s%s\n      - %s\n", kind->name, kind->purpose,
               kind->takes_value ? " By value: value, above, below." : "", kind->example);
    }
    puts("\nTheir keys are in the reference: sluice check --reference");
}

/* ---- lines ---- */

static const char *colour_of(char mark)
{
    switch (mark) {
    case '>':
        return "\033[32m";
    case 'x':
    case '!':
        return "\033[31m";
    case '<':
        return "\033[2m";
    default:
        return "";
    }
}

static void add_by(struct show *show, const struct sl_rules_step *step)
{
    sl_buf_add_c(&show->line, "   ");
    for (size_t i = 0; i < step->by_count; i++) {
        const struct sl_rule_config *rule = sl_rule_config(step->by[i]);
        sl_buf_printf(&show->line, "%s%s %u (%s)", i ? ", " : "[", rule->list, rule->number,
                      rule->kind->name);
    }
    sl_buf_add_c(&show->line, step->by_count ? "]" : "[beyond the limits of rules]");
}

/* `by`: with the rules that had a part in it, or NULL. */
static void print_line(struct show *show, char mark, bool is_delete, struct sl_str prefix,
                       struct sl_str path, const struct sl_gnmi_value *value,
                       const struct sl_rules_step *by)
{
    const char *colour = show->has_colours ? colour_of(mark) : "";

    sl_buf_reset(&show->line);
    sl_buf_printf(&show->line, "  %s%c %s", colour, mark, is_delete ? "delete " : "");
    sl_rule_text_add_path(&show->line, prefix, path);
    if (!is_delete) {
        sl_buf_add_byte(&show->line, ' ');
        sl_rule_text_add_value(&show->line, value);
    }
    sl_buf_add_c(&show->line, *colour ? "\033[0m" : "");
    if (by) {
        add_by(show, by);
    }
    puts(sl_buf_text(&show->line));
}

static void print_head(struct show *show)
{
    if (!show->has_head) {
        show->has_head = true;
        printf("message %llu, +%.3fs\n", (unsigned long long)show->messages,
               (double)(show->received_ns - show->first_ns) / 1e9);
    }
}

static void count_rules(struct show *show, const struct sl_rules_step *step)
{
    for (size_t i = 0; i < step->by_count; i++) {
        for (size_t j = 0; j < show->rules->count; j++) {
            show->by[j] += show->rules->items[j] == step->by[i];
        }
    }
}

static void on_step(void *arg, const struct sl_rules_step *step)
{
    struct show *show = arg;
    bool is_out = step->verdict != SL_RULE_PASS;
    bool is_touched = is_out || step->by_count > 0;

    count_rules(show, step);
    show->unchanged += !is_touched;
    show->changed += is_touched && !is_out;
    show->filtered += step->verdict == SL_RULE_FILTER;
    show->dropped += step->verdict == SL_RULE_DROP;
    if (!is_touched && show->tool->only_changed) {
        return;
    }
    print_head(show);
    char mark = !is_touched ? '=' : !is_out ? '<' : step->verdict == SL_RULE_DROP ? '!' : 'x';
    print_line(show, mark, step->is_delete, step->prefix_before, step->path_before,
               step->value_before, is_out ? step : NULL);
    if (mark == '<') {
        print_line(show, '>', step->is_delete, step->prefix_after, step->path_after,
                   step->value_after, step);
    }
}

/* ---- messages ---- */

static void show_response(struct show *show, struct sl_rules_state *state,
                          const struct sl_gnmi_response *response)
{
    const struct sl_encoder_context context = {.epoch = 1, .received_ns = show->received_ns};
    struct sl_rules_result result;
    struct sl_gnmi_response out;

    if (!sl_rules_apply(state, response, &context, &out, &result)) {
        puts("  ! no memory, or more than a record can hold");
        show->broken++;
    } else if (out.timestamp_ns != response->timestamp_ns) {
        print_head(show);
        printf("  time %lld is now %lld\n", (long long)response->timestamp_ns,
               (long long)out.timestamp_ns);
    }
}

static void show_message(struct show *show, struct sl_rules_state *state, struct sl_buf *scratch,
                         const struct sl_gnmi_capture_entry *entry)
{
    struct sl_gnmi_response response;

    show->first_ns = show->messages++ ? show->first_ns : entry->received_ns;
    show->received_ns = entry->received_ns;
    show->has_head = false;
    sl_buf_trim(scratch, SCRATCH_KEPT_BYTES);
    struct sl_status status = sl_gnmi_response_read(entry->response, scratch, &response);

    if (!sl_status_is_ok(&status)) {
        show->broken++;
        print_head(show);
        printf("  ! %s\n", status.text);
    } else if (response.kind == SL_GNMI_UPDATE) {
        show_response(show, state, &response);
    }
}

static void print_sum(const struct show *show)
{
    printf("%llu messages: %llu updates and deletes unchanged, %llu changed, %llu filtered, "
           "%llu dropped; %llu messages broken\n",
           (unsigned long long)show->messages, (unsigned long long)show->unchanged,
           (unsigned long long)show->changed, (unsigned long long)show->filtered,
           (unsigned long long)show->dropped, (unsigned long long)show->broken);
    for (size_t i = 0; i < show->rules->count; i++) {
        const struct sl_rule_config *rule = sl_rule_config(show->rules->items[i]);
        printf("  %s %u (%s): %llu\n", rule->list, rule->number, rule->kind->name,
               (unsigned long long)show->by[i]);
    }
}

/* The whole capture through the rules of one subscription and one sink. */
static bool show_capture(const struct rules_tool *tool, const struct sl_target_settings *target,
                         const struct sl_rules *rules)
{
    struct sl_encoder_memory memory = {.limit_bytes = INTERN_BYTES};
    struct show show = {.tool = tool, .rules = rules, .has_colours = isatty(STDOUT_FILENO)};
    const struct sl_rules_config config = {.rules = *rules,
                                           .memory = &memory,
                                           .labels = &target->options.labels,
                                           .on_step = on_step,
                                           .arg = &show};
    struct sl_gnmi_capture_entry entry;
    struct sl_buf scratch = {0};
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(tool->replay, &why);
    struct sl_rules_state *state = source ? sl_rules_state_new(&config) : NULL;

    if (source && !state) {
        why = sl_status_out_of_memory();
    }
    while (state && (!tool->max_messages || show.messages < (uint64_t)tool->max_messages) &&
           sl_capture_source_next(source, &entry, &why)) {
        if (entry.kind == SL_GNMI_CAPTURE_RESPONSE) {
            show_message(&show, state, &scratch, &entry);
        }
    }
    if (state) {
        print_sum(&show);
    }
    sl_rules_state_free(state);
    sl_capture_source_close(source);
    sl_buf_fini(&scratch);
    sl_buf_fini(&show.line);
    return sl_status_is_ok(&why) ||
           sl_tool_complain(&tool->common, "%s: %s", tool->replay, why.text);
}

/* ---- whose rules ---- */

/* The capture's own name for its target; "" when it does not say, or cannot be read. */
static const struct sl_target_settings *target_of_capture(const struct rules_tool *tool,
                                                          const struct sl_settings *settings)
{
    const struct sl_target_settings *found =
        settings->target_count == 1 ? &settings->targets[0] : NULL;
    struct sl_status why;
    struct sl_capture_source *source = sl_capture_source_open(tool->replay, &why);

    for (size_t i = 0; source && i < settings->target_count; i++) {
        if (sl_str_eq_c(sl_capture_source_header(source)->target, settings->targets[i].name)) {
            found = &settings->targets[i];
        }
    }
    sl_capture_source_close(source);
    return found;
}

static const struct sl_target_settings *find_target(const struct rules_tool *tool,
                                                    const struct sl_settings *settings)
{
    if (!tool->target) {
        return target_of_capture(tool, settings);
    }
    for (size_t i = 0; i < settings->target_count; i++) {
        if (strcmp(settings->targets[i].name, tool->target) == 0) {
            return &settings->targets[i];
        }
    }
    return NULL;
}

static bool is_wanted(const char *wanted, const char *name)
{
    return !wanted || strcmp(wanted, name) == 0;
}

/* Every subscription of the target at every sink that it goes to. */
static int show_target(const struct rules_tool *tool, const struct sl_settings *settings,
                       const struct sl_target_settings *target)
{
    size_t count = 0;
    bool is_ok = true;

    for (size_t i = 0; i < target->stream_count; i++) {
        const struct sl_stream_settings *stream = &target->streams[i];
        for (size_t j = 0; j < stream->member_count * stream->sink_count && is_ok; j++) {
            const struct sl_subscription_settings *subscription =
                stream->members[j / stream->sink_count];
            const struct sl_sink_settings *sink = stream->sinks[j % stream->sink_count];
            const struct sl_rules *rules = &subscription->rules[sink - settings->sinks];
            if (is_wanted(tool->subscription, subscription->name) &&
                is_wanted(tool->sink, sink->spec.name)) {
                printf("%s# target %s, subscription %s, sink %s: %zu rules\n", count++ ? "\n" : "",
                       target->name, subscription->name, sink->spec.name, rules->count);
                is_ok = show_capture(tool, target, rules);
            }
        }
    }
    if (!count) {
        (void)sl_tool_complain(&tool->common,
                               "target %s has no such subscription, or not at such a sink",
                               target->name);
    }
    return count && is_ok ? SL_EXIT_OK : SL_EXIT_FAILED;
}

static int show_rules(const struct rules_tool *tool)
{
    struct sl_buf errors = {0};
    struct sl_settings *settings = sl_settings_read(tool->common.config, &errors);
    const struct sl_target_settings *target = settings ? find_target(tool, settings) : NULL;
    int code = SL_EXIT_FAILED;

    if (!settings) {
        fputs(sl_buf_text(&errors), stderr);
    } else if (!target) {
        (void)sl_tool_complain(&tool->common,
                               tool->target ? "there is no target '%s'"
                                            : "which target? --target NAME%s",
                               tool->target ? tool->target : "");
    } else {
        code = show_target(tool, settings, target);
    }
    sl_buf_fini(&errors);
    sl_settings_free(settings);
    return code;
}

int sl_command_rules(int argc, char **argv)
{
    struct rules_tool tool = {.common = {.tool = NULL}};
    int code = SL_EXIT_USAGE;

    if (sl_tool_parse(&sl_tool_rules, argc, argv, &tool.common)) {
        if (tool.common.wants_help) {
            sl_tool_print_help(&sl_tool_rules, stdout);
            print_kinds();
            code = SL_EXIT_OK;
        } else if (!tool.common.config || !tool.replay) {
            (void)sl_tool_complain(&tool.common, "--config FILE and --replay FILE are missing");
        } else {
            code = show_rules(&tool);
        }
    }
    sl_tool_fini(&tool.common);
    return code;
}
