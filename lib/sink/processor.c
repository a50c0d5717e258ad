#include "sink/processor.h"

#include <stdlib.h>
#include <string.h>

#include "sink/internal.h"

struct instance {
    struct sl_host host;
    const struct sl_processor_spec *spec;
    void *self; /* the plugin's */
};

struct sl_processors {
    struct sl_sink *sink;
    size_t count; /* open */
    struct instance instances[];
};

static bool open_one(struct sl_processors *processors, const struct sl_processor_spec *spec,
                     struct sl_status *why)
{
    struct sl_sink *sink = processors->sink;
    const struct sluice_host *host = &sink->host.host;
    struct instance *one = &processors->instances[processors->count];
    char error[SL_STATUS_TEXT_BYTES] = "";

    one->spec = spec;
    sl_host_init(&one->host, sink, host->collector, host->worker, spec->name);
    one->self = spec->plugin->open(&one->host.host, spec->options, error, sizeof(error));
    if (!one->self) {
        sl_host_fini(&one->host);
        *why = sl_status_error(SL_UNAVAILABLE, "sink %s, processor %s: %s", sink->spec->name,
                               spec->name, error);
        return false;
    }
    processors->count++;
    return true;
}

struct sl_processors *sl_processors_open(struct sl_sink *sink, struct sl_status *why)
{
    const struct sl_sink_spec *spec = sink->spec;
    struct sl_processors *processors =
        calloc(1, sizeof(*processors) + spec->processor_count * sizeof(processors->instances[0]));

    if (!processors) {
        *why = sl_status_out_of_memory();
        return NULL;
    }
    processors->sink = sink;
    for (size_t i = 0; i < spec->processor_count; i++) {
        if (!open_one(processors, spec->processors[i], why)) {
            sl_processors_close(processors);
            return NULL;
        }
    }
    return processors;
}

void sl_processors_close(struct sl_processors *processors)
{
    while (processors && processors->count > 0) {
        struct instance *last = &processors->instances[--processors->count];
        last->spec->plugin->close(last->self);
        sl_host_fini(&last->host);
    }
    free(processors);
}

static void tell_broken(struct sl_sink *sink, const char *name, const char *why)
{
    sl_log(SL_LOG_WARN, &sink->subject, "record lost", sl_log_text("reason", "processor"),
           sl_log_text("processor", name), sl_log_text("why", why[0] ? why : "no reason given"));
}

static bool is_marker(const struct sluice_record *record)
{
    static const char kind[] = "marker";

    return record->kind.len == sizeof(kind) - 1 &&
           memcmp(record->kind.data, kind, sizeof(kind) - 1) == 0;
}

/* What one has made of the record: `shown` is the copy that it had. */
static enum sluice_verdict settle(struct sl_sink *sink, const char *name,
                                  enum sluice_verdict verdict, const struct sluice_record *shown,
                                  struct sluice_record *record, const char *error)
{
    bool has_payload = shown->payload && shown->payload_len <= UINT32_MAX;

    record->payload = shown->payload;
    record->payload_len = has_payload ? shown->payload_len : 0;
    record->destination = shown->destination;
    record->key = shown->key;
    record->partition = shown->partition;
    if (verdict == SLUICE_FILTERED) {
        return is_marker(record) && has_payload ? SLUICE_KEPT : verdict;
    }
    if (verdict == SLUICE_KEPT && has_payload) {
        return verdict;
    }
    if (verdict == SLUICE_KEPT) {
        sl_sink_note_bug(sink, SL_BUG_PAYLOAD, name);
    } else if (verdict != SLUICE_BROKEN) {
        sl_sink_note_bug(sink, SL_BUG_VERDICT, name);
    }
    tell_broken(sink, name, error);
    return SLUICE_BROKEN;
}

enum sluice_verdict sl_processors_run(struct sl_processors *processors,
                                      struct sluice_record *record)
{
    enum sluice_verdict verdict = SLUICE_KEPT;

    for (size_t i = 0; i < processors->count && verdict == SLUICE_KEPT; i++) {
        struct instance *one = &processors->instances[i];
        struct sluice_record shown = *record;
        char error[SL_STATUS_TEXT_BYTES];

        error[0] = '\0';
        verdict = one->spec->plugin->process(one->self, &shown, error, sizeof(error));
        verdict = settle(processors->sink, one->spec->name, verdict, &shown, record, error);
    }
    return verdict;
}
