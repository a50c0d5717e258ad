#include "target/connect.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "target/pace.h"

struct sl_connect_site {
    char *value;
    size_t targets;
    struct sl_pace pace;
};

struct sl_connect {
    pthread_mutex_t lock; /* of all that follows */
    size_t holders;
    struct sl_pace all;
    int64_t site_rate;
    int64_t site_burst;
    void *sites; /* a tree, by their values */
};

#define AT(field) offsetof(struct sl_connect_options, field)

static const struct sluice_option per_label_table[] = {
    {.name = "label",
     .type = SLUICE_STRING,
     .offset = AT(per_label.label),
     .default_text = "",
     .doc = "The name of a label, such as site; \"\" for none."},
    {.name = "rate",
     .type = SLUICE_INT,
     .offset = AT(per_label.rate),
     .default_text = "5",
     .min = 1,
     .max = SL_CONNECT_MAX_RATE,
     .doc = "Connections a second to targets with the same value of the label."},
    {.name = "burst",
     .type = SLUICE_INT,
     .offset = AT(per_label.burst),
     .default_text = "5",
     .min = 1,
     .max = SL_CONNECT_MAX_BURST,
     .doc = "So many of them at once."},
    {.name = NULL},
};

const struct sluice_option sl_connect_table[] = {
    {.name = "rate",
     .type = SLUICE_INT,
     .offset = AT(rate),
     .default_text = "200",
     .min = 0,
     .max = SL_CONNECT_MAX_RATE,
     .doc = "Connections a second that are begun, first ones and further ones; 0: no limit."},
    {.name = "burst",
     .type = SLUICE_INT,
     .offset = AT(burst),
     .default_text = "100",
     .min = 1,
     .max = SL_CONNECT_MAX_BURST,
     .doc = "So many of them at once, after a time with fewer."},
    {.name = "per-label",
     .type = SLUICE_OBJECT,
     .table = per_label_table,
     .doc = "A rate of its own for each value of a label."},
    {.name = NULL},
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct sl_connect_site *)a)->value,
                  ((const struct sl_connect_site *)b)->value);
}

struct sl_connect *sl_connect_new(const struct sl_connect_options *options)
{
    struct sl_connect *connect = calloc(1, sizeof(*connect));

    if (connect && pthread_mutex_init(&connect->lock, NULL) != 0) {
        free(connect);
        connect = NULL;
    }
    if (connect) {
        connect->holders = 1;
        sl_connect_set(connect, options);
    }
    return connect;
}

struct sl_connect *sl_connect_hold(struct sl_connect *connect)
{
    pthread_mutex_lock(&connect->lock);
    connect->holders++;
    pthread_mutex_unlock(&connect->lock);
    return connect;
}

void sl_connect_release(struct sl_connect *connect)
{
    if (!connect) {
        return;
    }
    pthread_mutex_lock(&connect->lock);
    SL_ASSERT(connect->holders > 0);
    bool is_last = --connect->holders == 0;
    pthread_mutex_unlock(&connect->lock);
    if (is_last) {
        SL_ASSERT(!connect->sites);
        pthread_mutex_destroy(&connect->lock);
        free(connect);
    }
}

/* twalk_r's; the node is a pointer to the pointer. */
static void set_site(const void *node, VISIT visit, void *arg)
{
    const struct sl_connect *connect = arg;
    struct sl_connect_site *site = *(struct sl_connect_site *const *)node;

    if (visit == postorder || visit == leaf) {
        sl_pace_set(&site->pace, connect->site_rate, connect->site_burst);
    }
}

void sl_connect_set(struct sl_connect *connect, const struct sl_connect_options *options)
{
    pthread_mutex_lock(&connect->lock);
    sl_pace_set(&connect->all, options->rate, options->burst);
    connect->site_rate = options->per_label.label[0] ? options->per_label.rate : 0;
    connect->site_burst = options->per_label.burst;
    twalk_r(connect->sites, set_site, connect);
    pthread_mutex_unlock(&connect->lock);
}

static struct sl_connect_site *site_new(const struct sl_connect *connect, const char *value)
{
    struct sl_connect_site *site = calloc(1, sizeof(*site));

    if (site) {
        site->value = sl_str_dup(sl_str_from(value));
    }
    if (!site || !site->value) {
        free(site);
        return NULL;
    }
    sl_pace_set(&site->pace, connect->site_rate, connect->site_burst);
    return site;
}

static void site_free(struct sl_connect_site *site)
{
    free(site->value);
    free(site);
}

static struct sl_connect_site *find_or_make(struct sl_connect *connect, const char *value)
{
    struct sl_connect_site *made = site_new(connect, value);
    struct sl_connect_site **found = made ? tsearch(made, &connect->sites, compare) : NULL;

    if (made && (!found || *found != made)) {
        site_free(made);
    }
    if (!found) {
        return NULL;
    }
    (*found)->targets++;
    return *found;
}

const char *sl_connect_value(const struct sl_connect_options *options,
                             const struct sluice_map *labels)
{
    for (size_t i = 0; *options->per_label.label && i < labels->count; i++) {
        if (strcmp(labels->pairs[i].name, options->per_label.label) == 0) {
            return labels->pairs[i].value;
        }
    }
    return NULL;
}

struct sl_connect_site *sl_connect_join(struct sl_connect *connect, const char *value)
{
    if (!value) {
        return NULL;
    }
    pthread_mutex_lock(&connect->lock);
    struct sl_connect_site *site = find_or_make(connect, value);
    pthread_mutex_unlock(&connect->lock);
    return site;
}

void sl_connect_leave(struct sl_connect *connect, struct sl_connect_site *site)
{
    if (!site) {
        return;
    }
    pthread_mutex_lock(&connect->lock);
    SL_ASSERT(site->targets > 0);
    if (--site->targets == 0) {
        tdelete(site, &connect->sites, compare);
        site_free(site);
    }
    pthread_mutex_unlock(&connect->lock);
}

int64_t sl_connect_site_turn(struct sl_connect *connect, struct sl_connect_site *site,
                             int64_t now_ns)
{
    if (!site) {
        return now_ns;
    }
    pthread_mutex_lock(&connect->lock);
    int64_t turn_ns = sl_pace_take(&site->pace, now_ns);
    pthread_mutex_unlock(&connect->lock);
    return turn_ns;
}

int64_t sl_connect_turn(struct sl_connect *connect, int64_t now_ns)
{
    pthread_mutex_lock(&connect->lock);
    int64_t turn_ns = sl_pace_take(&connect->all, now_ns);
    pthread_mutex_unlock(&connect->lock);
    return turn_ns;
}
