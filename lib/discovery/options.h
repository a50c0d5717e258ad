/* options.h - where targets are found, as the configuration says. */
#ifndef SLUICE_DISCOVERY_OPTIONS_H
#define SLUICE_DISCOVERY_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/status.h"
#include "sluice_option.h"

enum { SL_DISCOVERY_MAX_SOURCES = 32 };

enum sl_source_type { SL_SOURCE_FILES, SL_SOURCE_HTTP, SL_SOURCE_KAFKA, SL_SOURCE_TYPES };

/* What its type does not have is zero. */
struct sl_source_options {
    int type; /* enum sl_source_type */
    struct sluice_strings paths;
    const char *url;
    int64_t interval_ns;
    int64_t timeout_ns;
    uint64_t max_bytes; /* of a document */
    struct sluice_map headers;
    const char *token; /* NULL or "": none */
    struct sluice_strings brokers;
    const char *topic;
    struct sluice_map properties; /* librdkafka's */
    struct {
        const char *ca; /* PEM files; "": the system's, none */
        const char *cert;
        const char *key;
    } tls;
};

struct sl_source_spec {
    const char *name;
    struct sl_source_options options;
};

/* The words of `type`; ends with NULL. */
extern const char *const sl_source_type_names[];

/* The keys of a source of a type; ends with a NULL name. */
const struct sluice_option *sl_source_table(int type);

/* Whether both are one: by name, type and every key. */
bool sl_source_is_same(const struct sl_source_spec *a, const struct sl_source_spec *b);

/* What no table says. False: `why`, without any value. */
bool sl_source_check(const struct sl_source_spec *spec, struct sl_status *why) SL_MUST_CHECK;

#endif
