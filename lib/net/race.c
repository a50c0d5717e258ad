#include "net/race.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that is being connected. */
struct attempt {
    uv_poll_t poll;
    struct sl_list node;
    struct sl_race *race;
    unsigned index;
    int fd;
};

static void on_attempt_closed(uv_handle_t *handle)
{
    free(SL_CONTAINER_OF(handle, struct attempt, poll));
}

/* The descriptor, which nobody watches any more. */
static int end(struct attempt *attempt)
{
    int fd = attempt->fd;

    sl_list_remove(&attempt->node);
    uv_close((uv_handle_t *)&attempt->poll, on_attempt_closed);
    return fd;
}

/* Those under way are closed, and count as not tried. */
static void rest(struct sl_race *race)
{
    if (race->timer) {
        sl_timer_stop(race->timer);
    }
    SL_LIST_FOR_EACH(node, &race->attempts)
    {
        struct attempt *attempt = SL_CONTAINER_OF(node, struct attempt, node);
        race->is_tried[attempt->index] = false;
        close(end(attempt));
    }
}

static void name_of(const struct sl_race *race, unsigned index, char name[SL_NET_NAME_BYTES])
{
    if (race->path) {
        char text[SL_ADDRESS_TEXT_BYTES];
        sl_address_print(race->path, text);
        snprintf(name, SL_NET_NAME_BYTES, "%.*s", SL_NET_NAME_BYTES - 1, text);
    } else {
        sl_net_name(race->order[index]->ai_addr, race->order[index]->ai_addrlen, name);
    }
}

static void won(struct sl_race *race, unsigned index, int fd)
{
    char name[SL_NET_NAME_BYTES];

    rest(race);
    name_of(race, index, name);
    race->events->on_won(race->arg, fd, name);
}

static void failed(struct sl_race *race, unsigned index, int error)
{
    char name[SL_NET_NAME_BYTES];

    name_of(race, index, name);
    race->events->on_failed(race->arg, name, error);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct attempt *attempt = SL_CONTAINER_OF(poll, struct attempt, poll);
    struct sl_race *race = attempt->race;
    unsigned index = attempt->index;
    int fd = end(attempt);
    int error = 0;
    socklen_t len = sizeof(error);

    (void)status;
    (void)events;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    if (error == 0) {
        won(race, index, fd);
        return;
    }
    close(fd);
    failed(race, index, -error);
    sl_race_run(race);
}

/* 0, or an error below 0: then `fd` is still the caller's. */
static int watch(struct sl_race *race, unsigned index, int fd)
{
    struct attempt *attempt = malloc(sizeof(*attempt));
    int error;

    if (!attempt) {
        return UV_ENOMEM;
    }
    attempt->race = race;
    attempt->index = index;
    attempt->fd = fd;
    sl_list_init(&attempt->node);
    error = uv_poll_init(sl_loop_handle(race->loop), &attempt->poll, fd);
    if (error) {
        free(attempt);
        return error;
    }
    sl_list_append(&race->attempts, &attempt->node);
    error = uv_poll_start(&attempt->poll, UV_WRITABLE, on_writable);
    if (error) {
        end(attempt);
    }
    return error;
}

enum outcome { WON, UNDER_WAY, FAILED };

static enum outcome connect_to(struct sl_race *race, unsigned index, int *fd, int *error)
{
    const struct addrinfo *address = race->order[index];

    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0) {
        *error = -errno;
        return FAILED;
    }
    if (connect(*fd, address->ai_addr, address->ai_addrlen) == 0) {
        return WON;
    }
    *error = errno == EINPROGRESS ? watch(race, index, *fd) : -errno;
    if (*error == 0) {
        return UNDER_WAY;
    }
    close(*fd);
    return FAILED;
}

static enum outcome connect_unix(struct sl_race *race, int *fd, int *error)
{
    *fd = sl_unix_connect(race->path);
    if (*fd >= 0) {
        return WON;
    }
    *error = *fd;
    if (*error == -EAGAIN) {
        race->is_tried[0] = false; /* and again when the timer fires */
        return UNDER_WAY;
    }
    return FAILED;
}

/* The first that was not tried; false: there is none. */
static bool next(const struct sl_race *race, unsigned *index)
{
    for (*index = 0; *index < race->count; (*index)++) {
        if (!race->is_tried[*index]) {
            return true;
        }
    }
    return false;
}

static void on_due(void *arg)
{
    sl_race_run(arg);
}

/* The attempt after this one. False when memory is out. */
static bool pace(struct sl_race *race)
{
    unsigned ignored;

    if (!next(race, &ignored)) {
        return true;
    }
    if (!race->timer) {
        race->timer = sl_timer_new(race->loop, on_due, race);
    }
    if (race->timer) {
        sl_timer_start(race->timer, race->path ? SL_RACE_UNIX_RETRY_MS : SL_RACE_DELAY_MS);
    }
    return race->timer != NULL;
}

void sl_race_run(struct sl_race *race)
{
    unsigned index;

    while (next(race, &index)) {
        int fd;
        int error = UV_ENOMEM;

        race->is_tried[index] = true;
        name_of(race, index, race->name);
        enum outcome outcome =
            race->path ? connect_unix(race, &fd, &error) : connect_to(race, index, &fd, &error);
        if (outcome == WON) {
            won(race, index, fd);
            return;
        }
        if (outcome == UNDER_WAY && pace(race)) {
            return;
        }
        if (outcome == FAILED || race->path) {
            race->is_tried[index] = true;
            failed(race, index, error);
        }
    }
    if (sl_list_is_empty(&race->attempts)) {
        race->events->on_lost(race->arg);
    }
}

unsigned sl_race_left(const struct sl_race *race)
{
    unsigned left = 0;

    for (unsigned i = 0; i < race->count; i++) {
        left += !race->is_tried[i];
    }
    SL_LIST_FOR_EACH(node, &race->attempts)
    {
        left++;
    }
    return left;
}

/* ---- whom ---- */

/* The next of one family, or of the others, behind `after`. */
static const struct addrinfo *of_family(const struct addrinfo *address, int family, bool is_same)
{
    while (address && (address->ai_family == family) != is_same) {
        address = address->ai_next;
    }
    return address;
}

/* Section 4: the families in turn, the resolver's order within each. */
void sl_race_set(struct sl_race *race, const struct addrinfo *addresses)
{
    int family = addresses->ai_family;
    const struct addrinfo *heads[2] = {addresses, of_family(addresses, family, false)};
    bool is_other = false;

    race->count = 0;
    while ((heads[0] || heads[1]) && race->count < SL_RACE_MAX_ADDRESSES) {
        if (heads[is_other]) {
            race->order[race->count++] = heads[is_other];
            heads[is_other] = of_family(heads[is_other]->ai_next, family, !is_other);
        }
        is_other = !is_other;
    }
}

void sl_race_set_unix(struct sl_race *race, const struct sl_address *path)
{
    race->path = path;
    race->count = 1;
}

void sl_race_init(struct sl_race *race, struct sl_loop *loop, const struct sl_race_events *events,
                  void *arg)
{
    race->loop = loop;
    race->events = events;
    race->arg = arg;
    sl_list_init(&race->attempts);
}

void sl_race_fini(struct sl_race *race)
{
    rest(race);
    sl_timer_free(race->timer);
    race->timer = NULL;
}
