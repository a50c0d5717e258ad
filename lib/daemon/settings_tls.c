/* The TLS of targets: which keys go together, and the files, read as soon as the configuration is
 * checked and once for all targets that name the same ones. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "daemon/settings_read.h"

/* What one set of options gave, in memory of the document. */
struct loaded {
    struct sl_tls_options options;
    struct sl_tls *tls; /* NULL: `why` and `part` */
    uint64_t digest;    /* of the files */
    struct sl_status why;
    enum sl_tls_part part;
};

/* The places of one target's keys. */
struct places {
    const struct sl_config_node *own;
    const struct sl_config_node *defaults;
    const struct sl_config_node *own_tls;
    const struct sl_config_node *default_tls;
};

/* ---- what goes together ---- */

/* A target may say of itself what makes keys of the defaults idle, and nothing else may: NULL, or
 * the value of `key` that stands against `flag`. */
static const struct sl_config_node *clash(const struct places *places, const char *flag,
                                          const struct sl_config_node *own_value,
                                          const struct sl_config_node *default_value)
{
    return own_value || sl_config_get(places->own, flag) ? own_value : default_value;
}

static bool says_anything(const struct sl_target_options *options)
{
    return *options->tls.ca || *options->tls.cert || *options->tls.key ||
           *options->tls.server_name || *options->tls.min_version || *options->tls.ciphers ||
           *options->tls.ciphersuites;
}

static void check_insecure(struct sl_config *config, const struct places *places,
                           const struct sl_target_options *options)
{
    const struct sl_config_node *tls =
        clash(places, "insecure", places->own_tls, places->default_tls);
    const struct sl_config_node *skip =
        clash(places, "insecure", sl_config_get(places->own, "skip-verify"),
              sl_config_get(places->defaults, "skip-verify"));

    if (tls && says_anything(options)) {
        sl_config_error(config, tls, "'tls': with 'insecure: true' there is no TLS");
    }
    if (skip && options->skip_verify) {
        sl_config_error(config, skip, "'skip-verify': with 'insecure: true' there is no TLS");
    }
}

static void check_skip_verify(struct sl_config *config, const struct places *places,
                              const struct sl_target_options *options)
{
    const struct sl_config_node *ca =
        clash(places, "skip-verify", sl_config_get(places->own_tls, "ca"),
              sl_config_get(places->default_tls, "ca"));

    if (ca && *options->tls.ca) {
        sl_config_error(config, ca,
                        "'ca': with 'skip-verify: true' whoever answers is trusted, no CA needed");
    }
}

static bool check_pair(struct sl_config *config, const struct places *places,
                       const struct sl_target_options *options)
{
    bool has_cert = *options->tls.cert != '\0';

    if (has_cert == (*options->tls.key != '\0')) {
        return true;
    }
    sl_config_error(
        config, sl_settings_own_or(places->own_tls, places->default_tls, has_cert ? "cert" : "key"),
        has_cert ? "'cert': a certificate needs its 'key'" : "'key': a key needs its 'cert'");
    return false;
}

/* ---- files ---- */

static int compare_texts(const char *a, const char *b, int so_far)
{
    return so_far ? so_far : strcmp(a, b);
}

static int compare(const void *a, const void *b)
{
    const struct sl_tls_options *one = &((const struct loaded *)a)->options;
    const struct sl_tls_options *other = &((const struct loaded *)b)->options;
    int order = compare_texts(one->ca, other->ca, one->skip_verify - other->skip_verify);

    order = compare_texts(one->cert, other->cert, order);
    order = compare_texts(one->min_version, other->min_version, order);
    order = compare_texts(one->ciphers, other->ciphers, order);
    order = compare_texts(one->ciphersuites, other->ciphersuites, order);
    return compare_texts(one->key, other->key, order);
}

/* What stands in the file now, added to `digest`: it is only to be told from what stood there
 * before. */
static uint64_t add_file(uint64_t digest, const char *path)
{
    FILE *file = *path ? fopen(path, "re") : NULL;
    char bytes[4096];
    size_t len;

    while (file && (len = fread(bytes, 1, sizeof(bytes), file)) > 0) {
        digest = XXH3_64bits_withSeed(bytes, len, digest);
    }
    if (file) {
        fclose(file);
    }
    return digest;
}

static uint64_t digest_of(const struct sl_tls_options *options)
{
    uint64_t digest = add_file(1, options->ca);

    digest = add_file(digest + 1, options->cert);
    return add_file(digest + 1, options->key);
}

/* NULL when memory is out. */
static const struct loaded *load(struct sl_settings_reader *reader,
                                 const struct sl_target_options *options)
{
    struct loaded *loaded = sl_config_alloc(reader->config, 1, sizeof(*loaded));

    if (!loaded) {
        return NULL;
    }
    loaded->options = (struct sl_tls_options){.ca = options->tls.ca,
                                              .cert = options->tls.cert,
                                              .key = options->tls.key,
                                              .min_version = options->tls.min_version,
                                              .ciphers = options->tls.ciphers,
                                              .ciphersuites = options->tls.ciphersuites,
                                              .skip_verify = options->skip_verify};
    struct loaded **found = tsearch(loaded, &reader->settings->tls, compare);
    if (!found || *found != loaded) {
        return found ? *found : NULL;
    }
    loaded->digest = digest_of(&loaded->options);
    loaded->tls = sl_tls_new(SL_TLS_CLIENT, &loaded->options, &loaded->why, &loaded->part);
    return loaded;
}

static void report(struct sl_config *config, const struct places *places,
                   const struct loaded *loaded)
{
    static const char *const keys[] = {
        [SL_TLS_CA] = "ca",           [SL_TLS_CERT] = "cert",
        [SL_TLS_KEY] = "key",         [SL_TLS_MIN_VERSION] = "min-version",
        [SL_TLS_CIPHERS] = "ciphers", [SL_TLS_CIPHERSUITES] = "ciphersuites"};
    const char *key = keys[loaded->part];

    if (key) {
        sl_config_error(config, sl_settings_own_or(places->own_tls, places->default_tls, key),
                        "'%s': %s", key, loaded->why.text);
    } else {
        sl_config_error(config, places->own, "TLS: %s", loaded->why.text);
    }
}

/* What the defaults say and this target has no use for is not in force. */
static void idle(struct sl_target_options *options)
{
    options->skip_verify = false;
    options->tls.ca = options->tls.cert = options->tls.key = options->tls.server_name = "";
    options->tls.min_version = options->tls.ciphers = options->tls.ciphersuites = "";
}

bool sl_settings_read_tls(struct sl_settings_reader *reader, const struct sl_config_node *node,
                          struct sl_target_settings *target)
{
    struct sl_target_options *options = &target->options;
    const struct places places = {.own = node,
                                  .defaults = reader->default_target,
                                  .own_tls = sl_config_get(node, "tls"),
                                  .default_tls = sl_config_get(reader->default_target, "tls")};

    if (*options->tls.server_name && !sl_host_is_valid(options->tls.server_name)) {
        sl_config_error(reader->config,
                        sl_settings_own_or(places.own_tls, places.default_tls, "server-name"),
                        "'server-name': expected a host name or an IP address, found '%.80s'",
                        options->tls.server_name);
    }
    if (options->insecure) {
        check_insecure(reader->config, &places, options);
        idle(options);
        return true;
    }
    if (options->skip_verify) {
        check_skip_verify(reader->config, &places, options);
        options->tls.ca = "";
    }
    if (!check_pair(reader->config, &places, options)) {
        return true;
    }
    const struct loaded *loaded = load(reader, options);
    if (!loaded) {
        return false;
    }
    target->tls = loaded->tls;
    target->tls_digest = loaded->digest;
    if (!loaded->tls) {
        report(reader->config, &places, loaded);
    }
    return true;
}

static void release(void *arg)
{
    const struct loaded *loaded = arg;

    sl_tls_release(loaded->tls);
}

void sl_settings_free_tls(struct sl_settings *settings)
{
    tdestroy(settings->tls, release);
}
