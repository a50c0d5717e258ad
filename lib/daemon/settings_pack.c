/* Which subscriptions of a target share an RPC.
 *
 * An RPC is one window and one request. So those share it that have all in common what stands in
 * the request once, or belongs to the window: every key of a subscription but its paths, its way of
 * asking for them and its sinks; of these the stream modes must be the same, for not every device
 * takes two in one RPC, and the sinks, with the places there: where a destination depends on
 * ${subscription}, one that is stalled must not hold back the others. And no path may be asked for
 * by two of them: some devices refuse that, and whose it were would be unclear. */
#include <stdlib.h>
#include <string.h>

#include "daemon/settings_read.h"
#include "gnmi/pattern.h"

enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO };

struct subscription {
    char *common; /* the keys that must be the same, as text */
    unsigned stream_modes;
    struct sl_gnmi_pattern **patterns;
    size_t pattern_count;
};

struct sl_settings_packer {
    const struct sl_settings *settings;
    uint8_t *answers; /* enum answer for each pair */
    size_t count;
    struct subscription subscriptions[];
};

/* The keys that members may have of their own: what they ask for, and what is per route. */
static const char *const own_keys[] = {"paths",
                                       "stream-mode",
                                       "sample-interval",
                                       "heartbeat-interval",
                                       "suppress-redundant",
                                       "stream-subscriptions",
                                       "sinks",
                                       "module-prefixes",
                                       "measurement",
                                       "rules",
                                       NULL};

static bool is_own_key(const char *name)
{
    for (size_t i = 0; own_keys[i]; i++) {
        if (strcmp(own_keys[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The table without those keys; NULL when memory is out. */
static struct sluice_option *common_table(struct sl_config *config)
{
    size_t rows = 0;
    size_t kept = 0;

    while (sl_subscription_table[rows].name) {
        rows++;
    }
    struct sluice_option *table = sl_config_alloc(config, rows + 1, sizeof(*table));
    for (size_t i = 0; table && i < rows; i++) {
        if (!is_own_key(sl_subscription_table[i].name)) {
            table[kept++] = sl_subscription_table[i];
        }
    }
    return table;
}

static size_t count_paths(const struct sl_gnmi_subscribe *request)
{
    size_t count = 0;

    for (size_t i = 0; i < request->asked_count; i++) {
        for (const char *const *path = request->asked[i].paths; *path; path++) {
            count++;
        }
    }
    return count;
}

const struct sl_gnmi_vendor *sl_settings_vendor(const struct sl_target_settings *target)
{
    const struct sl_gnmi_vendor *vendor = sl_target_vendor(&target->options);

    return vendor ? vendor : sl_gnmi_vendor_generic();
}

size_t sl_subscription_paths(const struct sl_subscription_settings *subscription)
{
    return count_paths(&subscription->request);
}

static bool read_patterns(struct subscription *subscription,
                          const struct sl_gnmi_subscribe *request)
{
    struct sl_status why;

    subscription->patterns = calloc(count_paths(request) + 1, sizeof(struct sl_gnmi_pattern *));
    for (size_t i = 0; subscription->patterns && i < request->asked_count; i++) {
        for (const char *const *path = request->asked[i].paths; *path; path++) {
            struct sl_gnmi_pattern *pattern = sl_gnmi_pattern_new(request->prefix, *path, &why);
            if (!pattern) {
                return false; /* the text was checked */
            }
            subscription->patterns[subscription->pattern_count++] = pattern;
            subscription->stream_modes |= 1U << request->asked[i].mode;
        }
    }
    return subscription->patterns != NULL;
}

static bool read_common(struct subscription *subscription, const struct sluice_option *table,
                        const struct sl_subscription_options *options)
{
    struct sl_buf text = {0};
    size_t len;

    sl_config_print(table, options, 0, &text);
    sl_buf_add_byte(&text, '\0');
    subscription->common = sl_buf_take(&text, &len);
    sl_buf_fini(&text);
    return subscription->common != NULL;
}

struct sl_settings_packer *sl_settings_packer_new(const struct sl_settings *settings)
{
    size_t count = settings->subscription_count;
    const struct sluice_option *table = common_table(settings->config);
    struct sl_settings_packer *packer =
        calloc(1, sizeof(*packer) + count * sizeof(packer->subscriptions[0]));

    if (!packer || !table) {
        free(packer);
        return NULL;
    }
    packer->settings = settings;
    packer->count = count;
    packer->answers = calloc(count * count + 1, 1);
    for (size_t i = 0; i < count; i++) {
        const struct sl_subscription_settings *from = &settings->subscriptions[i];
        if (!packer->answers || !read_common(&packer->subscriptions[i], table, &from->options) ||
            !read_patterns(&packer->subscriptions[i], &from->request)) {
            sl_settings_packer_free(packer);
            return NULL;
        }
    }
    return packer;
}

void sl_settings_packer_free(struct sl_settings_packer *packer)
{
    for (size_t i = 0; packer && i < packer->count; i++) {
        struct subscription *subscription = &packer->subscriptions[i];
        for (size_t j = 0; j < subscription->pattern_count; j++) {
            sl_gnmi_pattern_free(subscription->patterns[j]);
        }
        free(subscription->patterns);
        free(subscription->common);
    }
    if (packer) {
        free(packer->answers);
        free(packer);
    }
}

static bool overlap(const struct subscription *a, const struct subscription *b)
{
    for (size_t i = 0; i < a->pattern_count; i++) {
        for (size_t j = 0; j < b->pattern_count; j++) {
            if (sl_gnmi_patterns_overlap(a->patterns[i], b->patterns[j])) {
                return true;
            }
        }
    }
    return false;
}

/* Worked out once for each pair. */
static bool can_share(struct sl_settings_packer *packer, size_t a, size_t b)
{
    uint8_t *answer = &packer->answers[a * packer->count + b];
    const struct subscription *one = &packer->subscriptions[a];
    const struct subscription *other = &packer->subscriptions[b];

    if (*answer == ANSWER_NONE) {
        bool is_yes = strcmp(one->common, other->common) == 0 &&
                      one->stream_modes == other->stream_modes && !overlap(one, other);
        *answer = is_yes ? ANSWER_YES : ANSWER_NO;
    }
    return *answer == ANSWER_YES;
}

static bool has_same_places(const struct sl_stream_settings *a, const struct sl_stream_settings *b)
{
    if (a->sink_count != b->sink_count) {
        return false;
    }
    for (size_t i = 0; i < a->sink_count; i++) {
        const struct sl_template *destination = a->sinks[i]->destination;
        if (a->sinks[i] != b->sinks[i] ||
            (destination && sl_template_uses_subscription(destination))) {
            return false;
        }
    }
    return true;
}

static size_t paths_of(const struct sl_stream_settings *stream)
{
    size_t count = 0;

    for (size_t i = 0; i < stream->member_count; i++) {
        count += sl_subscription_paths(stream->members[i]);
    }
    return count;
}

bool sl_settings_fits(struct sl_settings_packer *packer, const struct sl_stream_settings *stream,
                      const struct sl_stream_settings *more, size_t max_paths)
{
    const struct sl_subscription_settings *all = packer->settings->subscriptions;

    if (stream->member_count + more->member_count > SL_STREAM_MAX_MEMBERS ||
        paths_of(stream) + paths_of(more) > max_paths || !has_same_places(stream, more)) {
        return false;
    }
    for (size_t i = 0; i < stream->member_count; i++) {
        if (!can_share(packer, (size_t)(stream->members[i] - all),
                       (size_t)(more->members[0] - all))) {
            return false;
        }
    }
    return true;
}
