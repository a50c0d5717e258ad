#include "grpc/health.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/status.h"
#include "health.pb-c.h"
#include "health.services.h"

enum { SERVICE_UNKNOWN = 3, NOTHING_TOLD = -1 };

struct service {
    struct sl_list node;
    int status;
    char name[];
};

struct watch {
    struct sl_list node;
    struct sl_grpc_health *health;
    struct sl_grpc_call *call;
    int told; /* the last status that was sent */
    char name[];
};

struct sl_grpc_health {
    struct sl_list services;
    struct sl_list watches;
    bool is_down;
};

/* ---- statuses ---- */

static struct service *find_service(const struct sl_grpc_health *health, const char *name)
{
    SL_LIST_FOR_EACH(node, &health->services)
    {
        struct service *service = SL_CONTAINER_OF(node, struct service, node);

        if (strcmp(service->name, name) == 0) {
            return service;
        }
    }
    return NULL;
}

static int status_of(const struct sl_grpc_health *health, const char *name)
{
    const struct service *service = find_service(health, name);

    return service ? service->status : SERVICE_UNKNOWN;
}

static enum sl_grpc_send send_status(struct sl_grpc_call *call, int status)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return sl_grpc_call_send(call, &response.base);
}

static void end_call(struct sl_grpc_call *call, enum sl_code code, const char *text)
{
    struct sl_status status = code == SL_OK ? sl_status_ok() : sl_status_error(code, "%s", text);

    sl_grpc_call_finish(call, &status);
}

static uint32_t max_request_bytes(const struct sl_grpc_call *call, void *arg)
{
    (void)call;
    (void)arg;
    return SL_GRPC_HEALTH_MAX_REQUEST_BYTES;
}

/* ---- Watch ---- */

/* What it was told last is still on its way: then it hears the newest when that has left. */
static void tell(struct watch *watch)
{
    int status = status_of(watch->health, watch->name);

    if (status != watch->told && !sl_grpc_call_await_sent(watch->call) &&
        send_status(watch->call, status) == SL_GRPC_SENT) {
        watch->told = status;
    }
}

static void tell_all(struct sl_grpc_health *health, const char *name)
{
    SL_LIST_FOR_EACH(node, &health->watches)
    {
        struct watch *watch = SL_CONTAINER_OF(node, struct watch, node);

        if (strcmp(watch->name, name) == 0) {
            tell(watch);
        }
    }
}

/* Behind what is on its way, so that NOT_SERVING is never missed. */
static void dismiss(struct watch *watch)
{
    int status = status_of(watch->health, watch->name);

    if (status == watch->told || send_status(watch->call, status) == SL_GRPC_SENT) {
        end_call(watch->call, SL_UNAVAILABLE, "the server stops");
    }
}

static void on_watch_writable(struct sl_grpc_call *call, void *arg)
{
    (void)call;
    tell(arg);
}

static void on_watch_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct watch *watch = arg;

    (void)call;
    (void)status;
    sl_list_remove(&watch->node);
    free(watch);
}

static const struct sl_grpc_call_events watching_events = {
    .max_message_bytes = max_request_bytes,
    .on_writable = on_watch_writable,
    .on_status = on_watch_status,
};

static enum sl_grpc_take on_watch_message(struct sl_grpc_call *call,
                                          const ProtobufCMessage *message, void *arg)
{
    struct sl_grpc_health *health = arg;
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    size_t len = strlen(request->service);
    struct watch *watch;

    if (len > SL_GRPC_HEALTH_MAX_NAME_BYTES) {
        end_call(call, SL_INVALID_ARGUMENT, "no service has so long a name");
        return SL_GRPC_TAKEN;
    }
    watch = calloc(1, sizeof(*watch) + len + 1);
    if (!watch) {
        end_call(call, SL_RESOURCE_EXHAUSTED, "out of memory");
        return SL_GRPC_TAKEN;
    }
    memcpy(watch->name, request->service, len);
    watch->health = health;
    watch->call = call;
    watch->told = NOTHING_TOLD;
    sl_list_init(&watch->node);
    sl_list_append(&health->watches, &watch->node);
    sl_grpc_call_set_events(call, &watching_events, watch);
    if (health->is_down) {
        dismiss(watch);
    } else {
        tell(watch);
    }
    return SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events watch_events = {
    .max_message_bytes = max_request_bytes,
    .on_message = on_watch_message,
};

static void on_watch(struct sl_grpc_call *call, void *arg)
{
    sl_grpc_call_set_events(call, &watch_events, arg);
}

/* ---- Check ---- */

static enum sl_grpc_take on_check_message(struct sl_grpc_call *call,
                                          const ProtobufCMessage *message, void *arg)
{
    const Grpc__Health__V1__HealthCheckRequest *request = (const void *)message;
    const struct service *service = find_service(arg, request->service);

    if (!service) {
        end_call(call, SL_NOT_FOUND, "no such service is known here");
    } else if (send_status(call, service->status) == SL_GRPC_SENT) {
        end_call(call, SL_OK, NULL);
    }
    return SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events check_events = {
    .max_message_bytes = max_request_bytes,
    .on_message = on_check_message,
};

static void on_check(struct sl_grpc_call *call, void *arg)
{
    sl_grpc_call_set_events(call, &check_events, arg);
}

/* ---- List ---- */

static size_t count_services(const struct sl_grpc_health *health)
{
    size_t count = 0;

    SL_LIST_FOR_EACH(node, &health->services)
    {
        count++;
    }
    return count;
}

/* One entry of the answer; it borrows the service's name. */
struct row {
    Grpc__Health__V1__HealthListResponse__StatusesEntry entry;
    Grpc__Health__V1__HealthCheckResponse response;
};

static void fill_row(struct row *row, struct service *service)
{
    grpc__health__v1__health_list_response__statuses_entry__init(&row->entry);
    grpc__health__v1__health_check_response__init(&row->response);
    row->response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)service->status;
    row->entry.key = service->name;
    row->entry.value = &row->response;
}

static bool send_list(struct sl_grpc_call *call, const struct sl_grpc_health *health)
{
    size_t count = count_services(health);
    struct row *rows = calloc(count + 1, sizeof(*rows));
    Grpc__Health__V1__HealthListResponse__StatusesEntry **entries =
        calloc(count + 1, sizeof(*entries));
    Grpc__Health__V1__HealthListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;
    bool is_sent = false;

    if (rows && entries) {
        SL_LIST_FOR_EACH(node, &health->services)
        {
            struct row *row = &rows[response.n_statuses];

            fill_row(row, SL_CONTAINER_OF(node, struct service, node));
            entries[response.n_statuses++] = &row->entry;
        }
        response.statuses = entries;
        is_sent = sl_grpc_call_send(call, &response.base) == SL_GRPC_SENT;
    }
    free(entries);
    free(rows);
    return is_sent;
}

static enum sl_grpc_take on_list_message(struct sl_grpc_call *call, const ProtobufCMessage *message,
                                         void *arg)
{
    (void)message;
    if (send_list(call, arg)) {
        end_call(call, SL_OK, NULL);
    } else {
        end_call(call, SL_RESOURCE_EXHAUSTED, "out of memory");
    }
    return SL_GRPC_TAKEN;
}

static const struct sl_grpc_call_events list_events = {
    .max_message_bytes = max_request_bytes,
    .on_message = on_list_message,
};

static void on_list(struct sl_grpc_call *call, void *arg)
{
    sl_grpc_call_set_events(call, &list_events, arg);
}

/* ---- public ---- */

const struct sl_grpc_handler sl_grpc_health_handlers[] = {
    {&grpc__health__v1__health__methods[GRPC__HEALTH__V1__HEALTH__CHECK], on_check},
    {&grpc__health__v1__health__methods[GRPC__HEALTH__V1__HEALTH__LIST], on_list},
    {&grpc__health__v1__health__methods[GRPC__HEALTH__V1__HEALTH__WATCH], on_watch},
    {NULL, NULL},
};

struct sl_grpc_health *sl_grpc_health_new(void)
{
    struct sl_grpc_health *health = calloc(1, sizeof(*health));

    if (!health) {
        return NULL;
    }
    sl_list_init(&health->services);
    sl_list_init(&health->watches);
    if (!sl_grpc_health_set(health, "", SL_GRPC_HEALTH_SERVING)) {
        free(health);
        return NULL;
    }
    return health;
}

void sl_grpc_health_free(struct sl_grpc_health *health)
{
    struct sl_list *node;

    if (!health) {
        return;
    }
    SL_ASSERT(sl_list_is_empty(&health->watches));
    while ((node = sl_list_pop(&health->services)) != NULL) {
        free(SL_CONTAINER_OF(node, struct service, node));
    }
    free(health);
}

static struct service *add_service(struct sl_grpc_health *health, const char *name)
{
    size_t size = strlen(name) + 1;
    struct service *service = calloc(1, sizeof(*service) + size);

    SL_ASSERT(size <= SL_GRPC_HEALTH_MAX_NAME_BYTES + 1);
    if (service) {
        memcpy(service->name, name, size);
        sl_list_init(&service->node);
        sl_list_append(&health->services, &service->node);
    }
    return service;
}

bool sl_grpc_health_set(struct sl_grpc_health *health, const char *service,
                        enum sl_grpc_health_status status)
{
    struct service *known;

    if (health->is_down) {
        return true;
    }
    known = find_service(health, service);
    known = known ? known : add_service(health, service);
    if (!known) {
        return false;
    }
    known->status = (int)status;
    tell_all(health, service);
    return true;
}

void sl_grpc_health_remove(struct sl_grpc_health *health, const char *service)
{
    struct service *known = health->is_down ? NULL : find_service(health, service);

    if (known) {
        sl_list_remove(&known->node);
        tell_all(health, known->name);
        free(known);
    }
}

void sl_grpc_health_shut_down(struct sl_grpc_health *health)
{
    if (health->is_down) {
        return;
    }
    health->is_down = true;
    SL_LIST_FOR_EACH(node, &health->services)
    {
        SL_CONTAINER_OF(node, struct service, node)->status = SL_GRPC_HEALTH_NOT_SERVING;
    }
    SL_LIST_FOR_EACH(node, &health->watches)
    {
        dismiss(SL_CONTAINER_OF(node, struct watch, node));
    }
}
