/* grpc.health.v1.Health as a probe sees it. */
#include "grpc/house.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/health.h"
#include "health.pb-c.h"
#include "health.services.h"

enum { CHECK = GRPC__HEALTH__V1__HEALTH__CHECK, WATCH = GRPC__HEALTH__V1__HEALTH__WATCH };

/* A call of a probe: the statuses that it heard, as digits. */
struct probe {
    struct sl_grpc_call *call;
    char heard[64];
    size_t count;
    bool is_over;
    struct sl_status status;
};

struct clinic {
    struct house house;
    struct sl_grpc_health *health;
    struct guest *guest;
    struct probe probes[4];
};

static enum sl_grpc_take on_message(struct sl_grpc_call *asked, const ProtobufCMessage *message,
                                    void *arg)
{
    const Grpc__Health__V1__HealthCheckResponse *response = (const void *)message;
    struct probe *probe = arg;

    (void)asked;
    assert_true(probe->count + 1 < sizeof(probe->heard));
    probe->heard[probe->count++] = (char)('0' + response->status);
    return SL_GRPC_TAKEN;
}

static void on_status(struct sl_grpc_call *asked, const struct sl_status *status, void *arg)
{
    struct probe *probe = arg;

    assert_ptr_equal(asked, probe->call);
    probe->call = NULL;
    probe->is_over = true;
    probe->status = *status;
}

static const struct sl_grpc_call_events probe_events = {.on_message = on_message,
                                                        .on_status = on_status};

static int open_clinic(void **state)
{
    struct clinic *clinic = calloc(1, sizeof(*clinic));

    assert_non_null(clinic);
    clinic->health = sl_grpc_health_new();
    assert_non_null(clinic->health);
    clinic->house.services[1] =
        (struct sl_grpc_service_entry){sl_grpc_health_handlers, clinic->health};
    open_house(&clinic->house);
    assert_non_null(clinic->house.server);
    clinic->guest = invite(&clinic->house);
    *state = clinic;
    return 0;
}

static int close_clinic(void **state)
{
    struct clinic *clinic = *state;

    close_house(&clinic->house);
    sl_grpc_health_free(clinic->health);
    free(clinic);
    return 0;
}

static struct probe *ask(struct clinic *clinic, int method, const char *service)
{
    const struct sl_grpc_request request = {.method = &grpc__health__v1__health__methods[method],
                                            .authority = "here",
                                            .user_agent = "test",
                                            .context = &clinic->house.context};
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct probe *probe = clinic->probes;
    char name[1024];

    while (probe->call || probe->is_over) {
        probe++;
    }
    strcpy(name, service);
    message.service = name;
    probe->call =
        sl_grpc_call_open(sl_h2_link_session(clinic->guest->link), &request, &probe_events, probe);
    assert_non_null(probe->call);
    assert_int_equal(sl_grpc_call_send(probe->call, &message.base), SL_GRPC_SENT);
    sl_grpc_call_half_close(probe->call);
    return probe;
}

static struct clinic *clinic_of(struct house *house)
{
    return SL_CONTAINER_OF(house, struct clinic, house);
}

static bool are_all_over(struct house *house)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(clinic_of(house)->probes); i++) {
        if (clinic_of(house)->probes[i].call) {
            return false;
        }
    }
    return true;
}

static bool has_first_heard(struct house *house)
{
    return clinic_of(house)->probes[0].count > 0;
}

static bool has_first_heard_two(struct house *house)
{
    return clinic_of(house)->probes[0].count > 1;
}

static bool has_first_heard_three(struct house *house)
{
    return clinic_of(house)->probes[0].count > 2;
}

static bool has_second_heard(struct house *house)
{
    return clinic_of(house)->probes[1].count > 0;
}

static bool is_first_over(struct house *house)
{
    return clinic_of(house)->probes[0].is_over;
}

static bool have_three_heard(struct house *house)
{
    const struct probe *probes = clinic_of(house)->probes;

    return probes[0].count > 0 && probes[1].count > 0 && probes[2].count > 0;
}

static void a_check_answers_with_the_status_of_the_moment(void **state)
{
    struct clinic *clinic = *state;

    assert_true(sl_grpc_health_set(clinic->health, "a.B", SL_GRPC_HEALTH_NOT_SERVING));
    ask(clinic, CHECK, "");
    ask(clinic, CHECK, "a.B");
    ask(clinic, CHECK, "nobody");
    run_until(&clinic->house, are_all_over);
    assert_string_equal(clinic->probes[0].heard, "1");
    assert_int_equal(clinic->probes[0].status.code, SL_OK);
    assert_string_equal(clinic->probes[1].heard, "2");
    assert_int_equal(clinic->probes[2].status.code, SL_NOT_FOUND);
}

static void a_watch_hears_each_change_and_nothing_twice(void **state)
{
    struct clinic *clinic = *state;
    struct probe *probe = ask(clinic, WATCH, "a.B");

    run_until(&clinic->house, has_first_heard);
    assert_string_equal(probe->heard, "3");
    for (size_t i = 0; i < 2; i++) { /* the second time nothing changes */
        assert_true(sl_grpc_health_set(clinic->health, "a.B", SL_GRPC_HEALTH_SERVING));
        assert_true(sl_grpc_health_set(clinic->health, "other", SL_GRPC_HEALTH_NOT_SERVING));
        run_until(&clinic->house, has_first_heard_two);
    }
    sl_grpc_health_remove(clinic->health, "a.B");
    sl_grpc_health_remove(clinic->health, "a.B");
    sl_grpc_health_shut_down(clinic->health);
    run_until(&clinic->house, are_all_over);
    assert_string_equal(probe->heard, "313");
    assert_int_equal(probe->status.code, SL_UNAVAILABLE);
}

/* Changes of one turn of the loop: nothing has left in between. */
static void a_slow_watcher_hears_the_newest_alone(void **state)
{
    struct clinic *clinic = *state;
    struct probe *probe = ask(clinic, WATCH, "");

    run_until(&clinic->house, has_first_heard);
    for (unsigned i = 0; i < 1001; i++) {
        assert_true(sl_grpc_health_set(
            clinic->health, "", i % 2 ? SL_GRPC_HEALTH_SERVING : SL_GRPC_HEALTH_NOT_SERVING));
    }
    run_until(&clinic->house, has_first_heard_two);
    assert_string_equal(probe->heard, "12");
    sl_grpc_call_cancel(probe->call);
    run_until(&clinic->house, are_all_over);
}

static void what_a_watcher_missed_it_hears_when_it_reads_again(void **state)
{
    struct clinic *clinic = *state;
    struct probe *probe = ask(clinic, WATCH, "");

    run_until(&clinic->house, has_first_heard);
    assert_true(sl_grpc_health_set(clinic->health, "", SL_GRPC_HEALTH_NOT_SERVING)); /* leaves */
    assert_true(sl_grpc_health_set(clinic->health, "", SL_GRPC_HEALTH_UNKNOWN));
    assert_true(sl_grpc_health_set(clinic->health, "", SL_GRPC_HEALTH_SERVING));
    run_until(&clinic->house, has_first_heard_three);
    assert_string_equal(probe->heard, "121");
    sl_grpc_call_cancel(probe->call);
    run_until(&clinic->house, are_all_over);
}

static void the_shutdown_is_not_serving_for_everybody_and_for_good(void **state)
{
    struct clinic *clinic = *state;

    assert_true(sl_grpc_health_set(clinic->health, "a.B", SL_GRPC_HEALTH_NOT_SERVING));
    ask(clinic, WATCH, "");
    ask(clinic, WATCH, "a.B");
    ask(clinic, WATCH, "nobody");
    run_until(&clinic->house, have_three_heard);
    sl_grpc_health_shut_down(clinic->health);
    sl_grpc_health_shut_down(clinic->health);
    assert_true(sl_grpc_health_set(clinic->health, "", SL_GRPC_HEALTH_SERVING));
    run_until(&clinic->house, are_all_over);
    assert_string_equal(clinic->probes[0].heard, "12");
    assert_string_equal(clinic->probes[1].heard, "2");
    assert_string_equal(clinic->probes[2].heard, "3");
    ask(clinic, WATCH, "");
    run_until(&clinic->house, are_all_over);
    assert_string_equal(clinic->probes[3].heard, "2");
    assert_int_equal(clinic->probes[3].status.code, SL_UNAVAILABLE);
}

static void a_name_has_a_limit(void **state)
{
    struct clinic *clinic = *state;
    char name[SL_GRPC_HEALTH_MAX_NAME_BYTES + 2];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ask(clinic, WATCH, name);
    ask(clinic, WATCH, name + 1);
    run_until(&clinic->house, has_second_heard);
    run_until(&clinic->house, is_first_over);
    assert_int_equal(clinic->probes[0].status.code, SL_INVALID_ARGUMENT);
    assert_string_equal(clinic->probes[1].heard, "3");
}

/* ---- List ---- */

struct listing {
    struct clinic *clinic;
    size_t rows;
    bool is_right;
    bool is_over;
};

static enum sl_grpc_take on_list(struct sl_grpc_call *asked, const ProtobufCMessage *message,
                                 void *arg)
{
    const Grpc__Health__V1__HealthListResponse *response = (const void *)message;
    struct listing *listing = arg;

    (void)asked;
    listing->rows = response->n_statuses;
    listing->is_right = true;
    for (size_t i = 0; i < response->n_statuses; i++) {
        bool is_whole = response->statuses[i]->key[0] == '\0';
        listing->is_right =
            listing->is_right && (int)response->statuses[i]->value->status == (is_whole ? 1 : 2);
    }
    return SL_GRPC_TAKEN;
}

static void on_list_status(struct sl_grpc_call *asked, const struct sl_status *status, void *arg)
{
    struct listing *listing = arg;

    (void)asked;
    assert_int_equal(status->code, SL_OK);
    listing->is_over = true;
}

static struct listing listing;

static bool is_listed(struct house *house)
{
    (void)house;
    return listing.is_over;
}

static void a_list_has_every_service(void **state)
{
    static const struct sl_grpc_call_events events = {.on_message = on_list,
                                                      .on_status = on_list_status};
    struct clinic *clinic = *state;
    const struct sl_grpc_request request = {
        .method = &grpc__health__v1__health__methods[GRPC__HEALTH__V1__HEALTH__LIST],
        .authority = "here",
        .user_agent = "test",
        .context = &clinic->house.context};
    Grpc__Health__V1__HealthListRequest message = GRPC__HEALTH__V1__HEALTH_LIST_REQUEST__INIT;
    struct sl_grpc_call *asked;

    assert_true(sl_grpc_health_set(clinic->health, "a.B", SL_GRPC_HEALTH_NOT_SERVING));
    assert_true(sl_grpc_health_set(clinic->health, "a.C", SL_GRPC_HEALTH_NOT_SERVING));
    asked = sl_grpc_call_open(sl_h2_link_session(clinic->guest->link), &request, &events, &listing);
    assert_non_null(asked);
    assert_int_equal(sl_grpc_call_send(asked, &message.base), SL_GRPC_SENT);
    sl_grpc_call_half_close(asked);
    run_until(&clinic->house, is_listed);
    assert_int_equal(listing.rows, 3);
    assert_true(listing.is_right);
}

#define CLINIC(name) cmocka_unit_test_setup_teardown(name, open_clinic, close_clinic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLINIC(a_check_answers_with_the_status_of_the_moment),
        CLINIC(a_watch_hears_each_change_and_nothing_twice),
        CLINIC(a_slow_watcher_hears_the_newest_alone),
        CLINIC(what_a_watcher_missed_it_hears_when_it_reads_again),
        CLINIC(the_shutdown_is_not_serving_for_everybody_and_for_good),
        CLINIC(a_name_has_a_limit),
        CLINIC(a_list_has_every_service),
    };

    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
