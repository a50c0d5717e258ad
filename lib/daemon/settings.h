/* settings.h - a whole configuration file, read, checked and resolved.
 *
 * Everything a running collector needs to know, with every name resolved to an object: what a
 * target subscribes to, and where each of its streams is published. Constant once read; freed as a
 * whole.
 *
 * A collector that reads its file anew has several at a time, its generations: whoever borrows
 * from one holds it.
 */
#ifndef SLUICE_DAEMON_SETTINGS_H
#define SLUICE_DAEMON_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "config/config.h"
#include "credit/budget.h"
#include "device/device.h"
#include "discovery/options.h"
#include "daemon/settings_rules.h"
#include "gnmi/request.h"
#include "net/net.h"
#include "sink/plugins.h"
#include "sink/processor.h"
#include "sink/sink.h"
#include "stream/member.h"
#include "stream/options.h"
#include "target/connect.h"
#include "target/options.h"

enum {
    SL_SETTINGS_MAX_WORKERS = 256,
    SL_SETTINGS_MAX_SINKS = 64,
    SL_SETTINGS_MAX_SUBSCRIPTIONS = 1024,
    SL_SETTINGS_MAX_RULE_LISTS = 1024,
    SL_SETTINGS_MAX_PROCESSORS = 64,
    SL_SETTINGS_MAX_TARGETS = 100 * 1000,
    SL_SETTINGS_MAX_SHARDS = 1000,
    SL_SETTINGS_MAX_STREAMS = 1000 * 1000,
    SL_SETTINGS_MAX_NAME_BYTES = 200, /* of a target, subscription, sink, label, collector */
    SL_SETTINGS_DEFAULT_ADMIN_PORT = 9804,
    SL_SETTINGS_MIN_TOKEN_BYTES = 16, /* of the admin listener */
};

struct sl_collector_options {
    const char *name;    /* default: the host's name */
    const char *workers; /* "auto" or a number, as text; see sl_settings.workers */
    uint64_t memory_bytes;
    int64_t shutdown_timeout_ns;
    const char *plugins; /* directory of shared objects; "": none */
    bool core_dumps;
    const char *state_dir; /* what outlives the process is kept there; "": nothing is */
    struct {
        const char *listen; /* "" : no admin listener */
        const char *token;  /* "" : none */
        struct sluice_strings hosts;
        struct {
            const char *cert;
            const char *key;
            const char *client_ca;
        } tls;
    } admin;
    struct sl_connect_options connect;
    bool watch; /* the file, for changes */
    struct {
        int64_t index;
        int64_t count;
    } shard; /* of the targets: those whose name's XXH64, modulo count, is index */
    struct {
        int level;  /* enum sl_log_level */
        int format; /* enum sl_log_format */
    } log;
};

/* The words of collector.log, in the order of their enums; each ends with NULL. */
extern const char *const sl_settings_log_levels[];
extern const char *const sl_settings_log_formats[];

/* One sink: what lib/sink wants, and the templates as text. */
struct sl_sink_settings {
    struct sl_sink_spec spec;
    struct sl_template *destination; /* NULL where the plugin has none */
    struct sl_template *key;         /* NULL where the plugin has none or it is empty */
    struct sl_template *partition;   /* likewise */
    struct sluice_map match;         /* labels, and what they must be: with * and ? */
    struct sluice_strings rules;     /* names of lists */
    bool strips_modules;             /* before these */
};

struct sl_subscription_settings {
    const char *name;
    struct sl_subscription_options options;
    struct sl_gnmi_subscribe request; /* what follows from them; `target` without set-target */
    struct sl_stream_member member;   /* the same for streams: names and paths */
    struct sl_rules *rules;           /* for each sink: its own, then the sink's */
};

/* One stream to be, an RPC: the subscriptions of a target that share it, and their sinks (at least
 * one). */
struct sl_stream_settings {
    const char *name; /* the members' names, with ';' between; cut off where it is too long */
    const struct sl_subscription_settings **members;
    const struct sl_stream_member *asks; /* theirs, in the same order */
    size_t member_count;
    const struct sl_subscription_settings *subscription; /* the first: what it says of the RPC, all
                                                            members say */
    const struct sl_sink_settings **sinks;
    size_t sink_count;
};

struct sl_target_settings {
    const char *name;
    const char *source; /* of discovery, that named it; NULL: the configuration itself */
    struct sl_target_options options;
    struct sl_address address;
    struct sl_device_replay replay; /* without a file: there is a device */
    const struct sl_proxy *proxy;   /* the settings'; NULL: none */
    struct sl_tls *tls;             /* the settings'; NULL: plaintext */
    uint64_t tls_digest;            /* of the files that it was made of */
    struct sl_stream_settings *streams;
    size_t stream_count;
    unsigned worker; /* the one with the fewest streams so far, in the order of the file */
};

struct sl_settings {
    atomic_uint holders;
    uint64_t generation;      /* from 1, in the order in which a collector has taken them */
    struct sl_config *config; /* owns all of the memory below, and has the errors */
    struct sl_collector_options collector;
    unsigned workers;
    struct sl_budget_plan plan; /* of every worker, made for the one with the most streams, of what
                                   sinks that are not required leave of the memory */
    struct sl_address admin;    /* host "" : none */
    struct sl_tls *admin_tls;   /* NULL: plaintext */
    struct sl_plugins *plugins; /* the types of sinks and processors */
    struct sl_processor_spec *processors;
    size_t processor_count;
    struct sl_rule_list *rules;
    struct sl_rule *strip_modules; /* what `module-prefixes: strip` is */
    size_t rule_list_count;
    struct sl_sink_settings *sinks;
    size_t sink_count;
    struct sl_subscription_settings *subscriptions;
    size_t subscription_count;
    struct sl_target_settings *targets;
    size_t target_count;
    size_t elsewhere_count;         /* targets of other shards, which are not among them */
    struct sl_connect *connect;     /* held; a reload's new settings take over those before them */
    bool is_finite;                 /* all of them replay a capture, once */
    struct sl_source_spec *sources; /* where further targets are found */
    size_t source_count;
    struct sl_config **documents; /* that targets were found in; they own memory too */
    size_t document_count;
    void *tls; /* of settings_tls.c: one sl_tls for all targets with the same files */
};

/* Reads `file`. NULL when anything is wrong with it, with all errors in `errors`, a line each. */
struct sl_settings *sl_settings_read(const char *file, struct sl_buf *errors) SL_MUST_CHECK;

/* Targets that were found elsewhere: a map of names and targets, or a list of targets, each with
 * its `name`, as YAML or JSON. */
struct sl_settings_document {
    const char *source; /* the name under `discovery` */
    const char *place;  /* file, URL or topic: for errors */
    struct sl_str text;
    bool is_foreign; /* it may not read files and environment of this machine */
    /* Filled: */
    size_t targets;      /* that are taken */
    size_t wrong;        /* left out: not as a target is to be */
    size_t conflicts;    /* left out: the name is somewhere else already */
    size_t elsewhere;    /* of other shards */
    struct sl_buf notes; /* why, a line each with its place; to be freed by the caller */
};

/* The same with targets from documents beside those of the file. Of targets with the same name the
 * file's own goes before all, then the earlier document's. What is wrong with a document's target
 * leaves that target out and is no error. The sources' names outlive the settings. */
struct sl_settings *sl_settings_read_with(const char *file, struct sl_settings_document *documents,
                                          size_t count, struct sl_buf *errors) SL_MUST_CHECK;

/* Who read them holds them. Any thread; the last one to release frees. NULL is nothing. */
void sl_settings_hold(struct sl_settings *settings);
void sl_settings_release(struct sl_settings *settings);
void sl_settings_free(struct sl_settings *settings); /* the same, where there was but one holder */

/* `settings` come in the place of those `before`, in the same process: what goes on from one to the
 * other, as the turns in which targets connect. */
void sl_settings_inherit(struct sl_settings *settings, const struct sl_settings *before);

/* They stay in force, although others have inherited already. */
void sl_settings_keep(const struct sl_settings *settings);

/* Whose device it is, as far as the file says: generic where the device is to be asked. */
const struct sl_gnmi_vendor *sl_settings_vendor(const struct sl_target_settings *target);

/* How many paths it asks for. */
size_t sl_subscription_paths(const struct sl_subscription_settings *subscription);

size_t sl_settings_streams(const struct sl_settings *settings); /* of all targets */

/* What is in force, as a file that can be read again: every key with its value, `defaults` worked
 * in, secrets masked, and in comments what was worked out. */
void sl_settings_print(const struct sl_settings *settings, struct sl_buf *out);

/* The reference of every key of the file, with those of the plugins. */
void sl_settings_reference(const struct sl_plugins *plugins, struct sl_buf *out);

/* The built-in plugins and those of the shared objects in `directory` ("": none), as a file that
 * names it would have them. NULL: `errors` says why, a line each. */
struct sl_plugins *sl_settings_plugins(const char *directory, struct sl_buf *errors) SL_MUST_CHECK;

#endif
