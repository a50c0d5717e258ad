/* What to ask devices for: the options of each subscription, whether they mean anything together,
 * and the request that follows.
 *
 * What a subscription says itself without a meaning is an error; what comes to it from `defaults`,
 * or to one of its stream-subscriptions from it, is dropped. The rules are those of
 * gnmi-specification.md 3.5.1.5.2 and of mixed-schema.md. */
#include "daemon/settings_read.h"

static void check_path(struct sl_config *config, const struct sl_config_node *node,
                       const char *name, const char *text)
{
    struct sl_status status = sl_gnmi_path_check(sl_str_from(text));

    if (!sl_status_is_ok(&status)) {
        sl_config_error(config, node, "'%s': %s", name, status.text);
    }
}

/* Whether there is anything to ask for. A value that was refused is told already. */
static void check_paths(struct sl_config *config, const struct sl_config_node *node,
                        const struct sl_config_node *defaults, const struct sl_ask_options *ask)
{
    const struct sl_config_node *own = sl_config_get(node, "paths");
    const struct sl_config_node *paths = sl_settings_own_or(node, defaults, "paths");

    if (!ask->paths.count && !own) {
        sl_config_error(config, node, "the key 'paths' is missing");
    } else if (!ask->paths.count && own && sl_config_kind(own) == SL_CONFIG_LIST &&
               !sl_config_count(own)) {
        sl_config_error(config, own, "'paths': expected at least one path");
    }
    for (size_t i = 0; i < ask->paths.count; i++) {
        check_path(config, sl_config_item(paths, i), "paths", ask->paths.items[i]);
    }
}

static void check_meaning(struct sl_config *config, const struct sl_config_node *node,
                          struct sl_ask_options *ask)
{
    const struct sl_config_node *interval = sl_config_get(node, "sample-interval");
    const struct sl_config_node *suppress = sl_config_get(node, "suppress-redundant");
    const struct sl_config_node *heartbeat = sl_config_get(node, "heartbeat-interval");
    bool is_sampled = ask->stream_mode == SL_GNMI_SAMPLE;

    if (!is_sampled && ask->sample_interval_ns && interval) {
        sl_config_error(config, interval,
                        "'sample-interval' has a meaning only with 'stream-mode: sample'");
    }
    if (!is_sampled && ask->suppress_redundant && suppress) {
        sl_config_error(config, suppress,
                        "'suppress-redundant' has a meaning only with 'stream-mode: sample'");
    }
    if (is_sampled && !ask->suppress_redundant && ask->heartbeat_interval_ns && heartbeat) {
        sl_config_error(config, heartbeat,
                        "'heartbeat-interval' has a meaning with 'stream-mode: sample' only "
                        "where there is 'suppress-redundant: true'");
    }
    ask->sample_interval_ns = is_sampled ? ask->sample_interval_ns : 0;
    ask->suppress_redundant = is_sampled && ask->suppress_redundant;
    if (is_sampled && !ask->suppress_redundant) {
        ask->heartbeat_interval_ns = 0;
    }
}

/* ---- several ways of asking ---- */

/* The asks of an object are its own memory: they may be changed until they are read. */
static struct sl_ask_options *asks_of(struct sl_config *config, struct sluice_list *list)
{
    struct sl_ask_options *asks = sl_config_alloc(config, list->count, sizeof(*asks));

    for (size_t i = 0; asks && i < list->count; i++) {
        asks[i] = ((const struct sl_ask_options *)list->items)[i];
    }
    list->items = asks;
    return asks;
}

/* Either paths or stream-subscriptions; of one that is said and one of `defaults`, the former. */
static void choose(struct sl_config *config, const struct sl_config_node *node,
                   const struct sl_config_node *defaults, struct sl_subscription_options *options)
{
    bool says_paths = sl_config_get(node, "paths") != NULL;
    bool says_asks = sl_config_get(node, "stream-subscriptions") != NULL;

    if (!options->ask.paths.count || !options->asks.count) {
        return;
    }
    if (says_paths == says_asks) {
        sl_config_error(config, sl_settings_own_or(node, defaults, "stream-subscriptions"),
                        "'stream-subscriptions': expected these or 'paths', found both");
    }
    if (says_paths) {
        options->asks = (struct sluice_list){NULL, 0};
    } else {
        options->ask.paths.count = 0;
    }
}

static bool check_asks(struct sl_settings_reader *reader, const struct sl_config_node *node,
                       struct sl_subscription_options *options)
{
    const struct sl_config_node *defaults = reader->default_subscription;
    const struct sl_config_node *list = sl_settings_own_or(node, defaults, "stream-subscriptions");
    struct sl_ask_options *asks = NULL;

    choose(reader->config, node, defaults, options);
    if (!options->asks.count && list != node && !sl_config_get(node, "paths") &&
        !options->ask.paths.count) {
        if (sl_config_kind(list) == SL_CONFIG_LIST && !sl_config_count(list)) {
            sl_config_error(reader->config, list, "'stream-subscriptions': expected at least one");
        }
        return true;
    }
    if (!options->asks.count) {
        check_paths(reader->config, node, defaults, &options->ask);
        check_meaning(reader->config, node, &options->ask);
        return true;
    }
    asks = asks_of(reader->config, &options->asks);
    for (size_t i = 0; asks && i < options->asks.count; i++) {
        const struct sl_config_node *item = sl_config_item(list, i);
        if (sl_config_kind(item) == SL_CONFIG_MAP) { /* else it is told already */
            check_paths(reader->config, item, NULL, &asks[i]);
            check_meaning(reader->config, item, &asks[i]);
        }
    }
    return asks != NULL;
}

/* ---- origins ---- */

static bool has_elems(struct sl_str path, struct sl_str origin)
{
    size_t used = origin.len ? origin.len + 1 : 0;

    return path.len > used + 1 || (path.len == used + 1 && path.data[used] != '/');
}

/* mixed-schema.md: an origin is in the prefix or in the paths, and paths of different origins have
 * no elements in common. */
static void check_origins(struct sl_config *config, const struct sl_config_node *node,
                          const struct sl_gnmi_subscribe *request)
{
    struct sl_str prefix = sl_str_from(request->prefix);
    struct sl_str prefix_origin = sl_gnmi_path_origin(prefix);
    struct sl_str first = sl_gnmi_path_origin(sl_str_from(request->asked[0].paths[0]));

    for (size_t i = 0; i < request->asked_count; i++) {
        for (const char *const *path = request->asked[i].paths; *path; path++) {
            struct sl_str origin = sl_gnmi_path_origin(sl_str_from(*path));
            if (prefix_origin.len && origin.len) {
                sl_config_error(config, node, "'prefix': expected no origin, for '%.80s' has one",
                                *path);
            } else if (has_elems(prefix, prefix_origin) && !sl_str_eq(origin, first)) {
                sl_config_error(config, node,
                                "'prefix': expected no elements, for '%.80s' is of another origin "
                                "than '%.80s'",
                                *path, request->asked[0].paths[0]);
            }
        }
    }
}

/* ---- the rest ---- */

static void check_models(struct sl_settings_reader *reader, const struct sl_config_node *node,
                         const struct sl_subscription_options *options)
{
    const struct sl_gnmi_model *models = options->models.items;
    const struct sl_config_node *list =
        sl_settings_own_or(node, reader->default_subscription, "models");

    for (size_t i = 0; i < options->models.count; i++) {
        if (models[i].name && !*models[i].name) {
            sl_config_error(reader->config, sl_config_item(list, i),
                            "'models': expected a model with a name");
        }
    }
}

/* As `choose`. */
static void choose_target(struct sl_config *config, const struct sl_config_node *node,
                          struct sl_subscription_options *options)
{
    bool says_target = sl_config_get(node, "target") != NULL;
    bool says_set = sl_config_get(node, "set-target") != NULL;

    if (!*options->target || !options->set_target) {
        return;
    }
    if (says_target == says_set) {
        sl_config_error(config, says_set ? sl_config_get(node, "set-target") : node,
                        "'set-target': expected this or 'target', found both");
    }
    if (says_set) {
        options->target = "";
    } else {
        options->set_target = false;
    }
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static struct sl_gnmi_asked asked_from(const struct sl_ask_options *ask)
{
    return (struct sl_gnmi_asked){
        .paths = ask->paths.items,
        .mode = (enum sl_gnmi_stream_mode)ask->stream_mode,
        .sample_interval_ns = (uint64_t)ask->sample_interval_ns,
        .heartbeat_interval_ns = (uint64_t)ask->heartbeat_interval_ns,
        .suppress_redundant = ask->suppress_redundant,
    };
}

static bool make_request(struct sl_config *config, struct sl_subscription_settings *subscription)
{
    const struct sl_subscription_options *options = &subscription->options;
    const struct sl_ask_options *asks = options->asks.count ? options->asks.items : &options->ask;
    size_t count = options->asks.count ? options->asks.count : 1;
    struct sl_gnmi_asked *asked = sl_config_alloc(config, count, sizeof(*asked));

    for (size_t i = 0; asked && i < count; i++) {
        asked[i] = asked_from(&asks[i]);
    }
    subscription->request = (struct sl_gnmi_subscribe){
        .asked = asked,
        .asked_count = count,
        .prefix = or_null(options->prefix),
        .target = or_null(options->target),
        .encoding = (enum sl_gnmi_encoding)options->encoding,
        .updates_only = options->updates_only,
        .has_qos = options->qos >= 0,
        .qos = options->qos >= 0 ? (uint32_t)options->qos : 0,
        .models = options->models.items,
        .model_count = options->models.count,
    };
    subscription->member = (struct sl_stream_member){
        .subscription = subscription->name, .asked = asked, .asked_count = count};
    return asked != NULL;
}

static bool read_subscription(struct sl_settings_reader *reader, const struct sl_config_node *node,
                              const struct sl_subscription_options *base,
                              struct sl_subscription_settings *subscription)
{
    const struct sl_config_node *defaults = reader->default_subscription;
    struct sl_subscription_options *options = &subscription->options;
    struct sl_config *config = reader->config;
    size_t errors = sl_config_errors(config);

    sl_config_fill(config, node, sl_subscription_table, options, base, NULL);
    if (!check_asks(reader, node, options)) {
        return false;
    }
    if (*options->prefix) {
        check_path(config, sl_settings_own_or(node, defaults, "prefix"), "prefix", options->prefix);
    }
    check_models(reader, node, options);
    choose_target(config, node, options);
    if (!make_request(config, subscription) ||
        !sl_settings_make_extensions(reader, node, options, &subscription->request)) {
        return false;
    }
    if (sl_config_errors(config) == errors) {
        check_origins(config, sl_settings_own_or(node, defaults, "prefix"), &subscription->request);
    }
    return true;
}

bool sl_settings_read_subscriptions(struct sl_settings_reader *reader)
{
    struct sl_settings *settings = reader->settings;
    const struct sl_config_node *map = reader->subscriptions;
    size_t count = map ? sl_config_count(map) : 0;
    struct sl_subscription_options base;

    sl_config_fill_base(reader->config, reader->default_subscription, sl_subscription_table, &base);
    settings->subscriptions =
        sl_config_alloc(reader->config, count, sizeof(*settings->subscriptions));
    if (!settings->subscriptions) {
        return false;
    }
    settings->subscription_count = count;
    for (size_t i = 0; i < count; i++) {
        settings->subscriptions[i].name = sl_config_key(map, i);
        if (!read_subscription(reader, sl_config_at(map, i), &base, &settings->subscriptions[i])) {
            return false;
        }
    }
    return true;
}
