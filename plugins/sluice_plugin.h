/* sluice_plugin.h - what sinks and processors are to sluice.
 *
 * A sink is one struct sluice_sink_plugin. The host opens one instance of it per configured sink
 * and worker thread, gives it records, and is told once for each record what became of it. Device
 * credit hangs on that report: the bytes of a message go back to the device when the last of its
 * records is acknowledged. So a sink must neither forget a record nor acknowledge it early. A
 * processor is one struct sluice_processor_plugin: it sees records on their way to a sink.
 *
 * A shared object has any number of both, and exports one symbol, `sluice_plugin`, at the end of
 * this file. plugins/README.md builds one.
 *
 * Every function of the plugin and of the host is for the instance's loop thread, but for
 * `post` and `log`, which any thread may call while the instance is open. Nothing here may block.
 * Includes nothing of lib/.
 *
 * Versions. SLUICE_ABI changes when what is here changes its meaning or place. Structs grow at
 * their ends alone (into no padding: their size tells), and what is new and zero means what was
 * before. So a plugin runs with every sluice of its ABI that is not older than its header.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include "sluice_option.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI 1u

/* The host's name for one record in flight: a number in a pointer's clothes, good for one report.
 * There is nothing behind it to look at. */
struct sluice_token;

struct sluice_record {
    char *payload; /* from malloc. TAKEN: the sink's, which frees it with free() */
    size_t payload_len;
    struct sluice_str destination; /* `destination` template, filled in: Kafka's topic */
    struct sluice_str key;         /* `key` template, filled in; {NULL, 0}: none */
    int64_t timestamp_ns;          /* the notification's, as the device sent it; 0: none */
    int64_t received_ns;           /* wall clock at its receipt */
    uint64_t epoch;                /* of the stream, nanoseconds */
    uint64_t seq;                  /* of the stream at this sink, from 1 in each epoch */
    uint32_t lines;                /* in the payload: that many numbers, from `seq` on */
    struct sluice_str format;      /* "event" */
    struct sluice_str target;
    struct sluice_str subscription;
    struct sluice_str kind; /* "baseline": of the device's first state; "change": came after it;
                               "marker": says something of the stream */
    struct sluice_str partition; /* `partition` template, filled in; {NULL, 0}: none */
};
/* Strings are borrowed until accept or process returns. */

enum sluice_accept {
    SLUICE_TAKEN, /* the payload is the plugin's and the token will be acknowledged, exactly once */
    SLUICE_FULL,  /* nothing was taken; call host->ready when there is room again */
};

enum sluice_result {
    SLUICE_DELIVERED,
    SLUICE_FAILED, /* lost for good; the update is counted as dropped, reason "sink" */
    /* Lost for good, for it is larger than its destination takes: dropped, "too-large". */
    SLUICE_TOO_LARGE,
    /* Not at its destination, but kept elsewhere, with the reason: dropped, "dead-letter". */
    SLUICE_DEAD_LETTER,
    /* Lost, or perhaps not, as the sink had to start anew: dropped, "sink-restart". What came after
     * it in its epoch can have no place any more, so the host ends the epoch: it gives the sink no
     * other record of it, and subscribes the stream anew. In the turn of the loop in which it says
     * so, accept answers FULL. */
    SLUICE_RESTARTED,
};

enum sluice_level { SLUICE_DEBUG, SLUICE_INFO, SLUICE_WARN, SLUICE_ERROR };

struct sluice_watch;
struct sluice_timer;
struct sluice_host;

struct sluice_host_calls {
    /* What became of a record. Never from within accept. Each token exactly once. `reason` is for
     * the log where the result is FAILED, else NULL. */
    void (*ack)(const struct sluice_host *host, struct sluice_token *token,
                enum sluice_result result, const char *reason);
    /* There is room again after FULL. */
    void (*ready)(const struct sluice_host *host);
    /* Whether the sink can deliver now; a new instance counts as not available until it says so.
     * Streams are opened only while it is. `reason` is for the log and the metrics. */
    void (*available)(const struct sluice_host *host, bool is_available, const char *reason);
    /* Calls fn(arg) whenever `fd` is readable. NULL: no descriptors or memory left. */
    struct sluice_watch *(*watch)(const struct sluice_host *host, int fd, void (*fn)(void *arg),
                                  void *arg);
    void (*unwatch)(struct sluice_watch *watch);
    /* Calls fn(arg) once, `delay_ms` from now, each time it is armed. */
    struct sluice_timer *(*timer_new)(const struct sluice_host *host, void (*fn)(void *arg),
                                      void *arg);
    void (*timer_start)(struct sluice_timer *timer, uint64_t delay_ms);
    void (*timer_free)(struct sluice_timer *timer);
    /* Any thread: runs fn(arg) on the loop thread, unless the instance is closed before. False: no
     * memory. See sluice_post. */
    bool (*post)(const struct sluice_host *host, void (*fn)(void *arg), void *arg);
    /* Any thread: one line; never a secret. */
    void (*log)(const struct sluice_host *host, enum sluice_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
    /* The sink can deliver nothing ever again, whatever happens. Where it is required, the
     * collector ends as after SIGTERM, with an error. The sink goes on to take records, and reports
     * each of them FAILED. */
    void (*over)(const struct sluice_host *host, const char *reason);
    /* Any thread: as `log`, about what has such a word (struct sluice_trouble's); `hint` is what a
     * person may try, NULL or "": none. */
    void (*log_reason)(const struct sluice_host *host, enum sluice_level level, const char *reason,
                       const char *hint, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
};

struct sluice_host {
    const struct sluice_host_calls *calls;
    const char *collector; /* collector.name */
    const char *sink;      /* the sink's name in the configuration */
    unsigned worker;       /* from 0 */
    const char *processor; /* its name in the configuration; NULL: this is the sink itself */
};

/* From any thread to the loop thread: there `fn` may call the others. */
static inline bool sluice_post(const struct sluice_host *host, void (*fn)(void *arg), void *arg)
{
    return host->calls->post(host, fn, arg);
}

enum { SLUICE_MAX_TROUBLES = 24 };

struct sluice_trouble {
    const char *reason; /* one of few, kebab-case, a literal: "not-enough-replicas" */
    uint64_t count;     /* how often it was met */
    bool is_now;        /* something waits for its end */
};

struct sluice_stats {
    uint64_t queued_records;    /* taken and not yet acknowledged, as the sink sees it */
    uint64_t queued_bytes;      /* their payloads */
    int64_t report_latency_ns;  /* taken to acknowledged, smoothed; 0: not known yet */
    uint64_t skewed_timestamps; /* device timestamps replaced by the receive time */
    uint64_t retries;           /* of deliveries, where the sink can tell */
    uint64_t restarts;          /* that made it say SLUICE_RESTARTED, or would have */
    int64_t backoff_ns;         /* the longest wait that something is in now; 0: none */
    struct sluice_trouble troubles[SLUICE_MAX_TROUBLES]; /* that it has had */
    uint32_t trouble_count;
};

enum { SLUICE_MAX_PARTITIONS = 256 };

/* A part of a destination, as the sink sees it. This struct stays as it is: what is new gets a
 * function of its own. */
struct sluice_partition {
    struct sluice_str destination; /* borrowed until the sink's next call */
    int32_t number;                /* -1: its records have none yet */
    int32_t leader;                /* the broker that has it; -1: none is known */
    uint64_t queued_records;       /* taken, and not sent yet */
    uint64_t queued_bytes;
    uint64_t sent_records;     /* sent, and not acknowledged */
    int64_t report_latency_ns; /* of records there, of late; 0: not known */
};

struct sluice_sink_plugin {
    const char *type; /* "kafka" */
    const char *doc;
    const struct sluice_option *options; /* of the struct that `open` gets; NULL: none */
    size_t options_size;                 /* sizeof that struct */
    const char *destination_option;      /* the TEMPLATE option that `destination` comes from */
    const char *destination_word;        /* its name in metrics: "topic" */
    const char *key_option; /* the TEMPLATE option for `key`; NULL: records have none */

    /* More than tables can say (before anything starts, any thread). False: `error`. */
    bool (*check)(const void *options, char *error, size_t error_size);
    /* Memory that one record holds beyond its payload until it is acknowledged, in bytes. */
    size_t (*record_cost)(const void *options);
    /* `options` and `host` outlive the instance. NULL: `error`. */
    void *(*open)(const struct sluice_host *host, const void *options, char *error,
                  size_t error_size);
    enum sluice_accept (*accept)(void *sink, const struct sluice_record *record,
                                 struct sluice_token *token);
    /* No records will follow soon: whatever waits for company leaves now. */
    void (*flush)(void *sink);
    void (*stats)(void *sink, struct sluice_stats *stats);
    /* Gives up: acknowledges every token it still has as FAILED before it returns, frees all. */
    void (*close)(void *sink);

    const char *partition_option; /* the TEMPLATE option for `partition`; NULL: there is none */
    /* How large the payload of such a record may be, as far as is known now; `payload` is not
     * looked at. Larger ones are split where they can be, and else given all the same. NULL: any
     * size will do. */
    size_t (*most_bytes)(void *sink, const struct sluice_record *record);
    /* What it knows of its partitions, those with records first, at most `most`; returns how many.
     * Called while somebody looks, about once a second. NULL: it has none that it could tell of. */
    size_t (*partitions)(void *sink, struct sluice_partition *partitions, size_t most);
};

/* ---- processors ---- */

enum sluice_verdict {
    SLUICE_KEPT,     /* the record goes on, as it now is */
    SLUICE_FILTERED, /* it goes nowhere, by intention; counted as filtered */
    SLUICE_BROKEN, /* it could not be processed: `error`; counted as dropped, reason "processor" */
};

/* Of a processor there is one instance per sink that names it and worker. It sees each record of
 * the sink once, after encoding, behind the processors that stand before it in the sink's list.
 * Its host's `ack`, `ready` and `available` are not for it. */
struct sluice_processor_plugin {
    const char *type;
    const char *doc;
    const struct sluice_option *options; /* of the struct that `open` gets; NULL: none */
    size_t options_size;                 /* sizeof that struct */

    /* As a sink's; NULL: the table says it all. */
    bool (*check)(const void *options, char *error, size_t error_size);
    /* `options` and `host` outlive the instance. NULL: `error`. */
    void *(*open)(const struct sluice_host *host, const void *options, char *error,
                  size_t error_size);
    /* May write to the payload, or free() it and put another one of malloc() in its place; may
     * point destination, key and partition at memory of its own, which stays as it is until the
     * next call.
     * Whatever else it writes into the record is not looked at. A record whose `lines` are several
     * is a batch. Markers (`kind`) are records too; they have their numbers already, so one that is
     * filtered goes on all the same. The payload is the host's again afterwards, whatever the
     * verdict. */
    enum sluice_verdict (*process)(void *processor, struct sluice_record *record, char *error,
                                   size_t error_size);
    void (*close)(void *processor);
};

/* ---- what a shared object exports ---- */

/* What the plugin was built with, so that the host knows how far it can read, and refuses one that
 * expects more than it has. */
struct sluice_sizes {
    uint32_t plugin, option, record, host, host_calls, stats, sink, processor;
};

struct sluice_plugin {
    uint32_t abi; /* SLUICE_ABI */
    struct sluice_sizes sizes;
    const char *name;
    const char *version;
    const struct sluice_sink_plugin *const *sinks;           /* ends with NULL; NULL: none */
    const struct sluice_processor_plugin *const *processors; /* likewise */
};

#define SLUICE_SIZE_OF(name) .name = (uint32_t)sizeof(struct sluice_##name)

/* The first members of the initialiser. */
#define SLUICE_PLUGIN_HEAD .abi = SLUICE_ABI, .sizes = SLUICE_SIZES
#define SLUICE_SIZES                                                                               \
    {                                                                                              \
        SLUICE_SIZE_OF(plugin),                                                                    \
        SLUICE_SIZE_OF(option),                                                                    \
        SLUICE_SIZE_OF(record),                                                                    \
        SLUICE_SIZE_OF(host),                                                                      \
        SLUICE_SIZE_OF(host_calls),                                                                \
        SLUICE_SIZE_OF(stats),                                                                     \
        .sink = (uint32_t)sizeof(struct sluice_sink_plugin),                                       \
        .processor = (uint32_t)sizeof(struct sluice_processor_plugin),                             \
    }

/* Defined by the shared object. */
extern const struct sluice_plugin sluice_plugin __attribute__((visibility("default")));

/* The built-in ones; each stands at the end of its one file. */
extern const struct sluice_sink_plugin sluice_kafka_plugin;
extern const struct sluice_sink_plugin sluice_file_plugin;
extern const struct sluice_sink_plugin sluice_null_plugin;
extern const struct sluice_sink_plugin sluice_stdout_plugin;

#ifdef __cplusplus
}
#endif

#endif
