/* A server with TLS: who is there, who is not let in, and certificates that change. */
#include "grpc/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/certificates.h"

struct secured {
    struct house house;
    struct record asks[4];
};

static struct sl_tls *make_tls(enum sl_tls_role role, const char *ca, const char *name)
{
    char cert[64];
    char key[64];
    enum sl_tls_part part;
    struct sl_status why;

    snprintf(cert, sizeof(cert), "%s.pem", name ? name : "");
    snprintf(key, sizeof(key), "%s.key", name ? name : "");
    const struct sl_tls_options options = {
        .ca = ca, .cert = name ? cert : NULL, .key = name ? key : NULL};
    struct sl_tls *tls = sl_tls_new(role, &options, &why, &part);
    assert_non_null(tls);
    return tls;
}

/* The client of the dials to come trusts this authority and shows this certificate. */
static void dress(struct house *house, const char *ca, const char *name)
{
    sl_tls_release(house->client_tls);
    house->client_tls = make_tls(SL_TLS_CLIENT, ca, name);
}

static int open_with(void **state, const char *client_ca)
{
    struct secured *secured = calloc(1, sizeof(*secured));
    struct sl_tls *tls = make_tls(SL_TLS_SERVER, client_ca, "leaf");

    assert_non_null(secured);
    secured->house.options.tls = tls;
    open_house(&secured->house);
    sl_tls_release(tls); /* the server holds it */
    assert_non_null(secured->house.server);
    *state = secured;
    return 0;
}

static int open_for_anybody(void **state)
{
    return open_with(state, NULL);
}

static int open_for_the_known(void **state)
{
    return open_with(state, "ca.pem");
}

static int close_all(void **state)
{
    struct secured *secured = *state;

    close_house(&secured->house);
    sl_tls_release(secured->house.client_tls);
    for (size_t i = 0; i < SL_ARRAY_LEN(secured->asks); i++) {
        record_fini(&secured->asks[i]);
    }
    free(secured);
    return 0;
}

static struct secured *secured_of(struct house *house)
{
    return SL_CONTAINER_OF(house, struct secured, house);
}

static size_t wanted_calls;

static bool are_served(struct house *house)
{
    return house->served_count == wanted_calls;
}

static bool are_answered(struct house *house)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(secured_of(house)->asks); i++) {
        if (secured_of(house)->asks[i].call) {
            return false;
        }
    }
    return true;
}

static void finish(struct record *served)
{
    struct sl_status ok = sl_status_ok();

    sl_grpc_call_finish(served->call, &ok);
}

/* One call, answered at once; the identity that its handler saw. */
static const char *identity_of(struct secured *secured, struct guest *guest)
{
    struct house *house = &secured->house;
    size_t index = house->served_count;

    call(guest, &secured->asks[index], &served_method);
    wanted_calls = index + 1;
    run_until(house, are_served);
    finish(&house->served[index]);
    run_until(house, are_answered);
    assert_int_equal(secured->asks[index].status.code, SL_OK);
    return house->identities[index];
}

static void a_handler_sees_whom_the_certificate_is_for(void **state)
{
    struct secured *secured = *state;

    dress(&secured->house, "ca.pem", "client");
    assert_string_equal(identity_of(secured, invite(&secured->house)), "client");
    dress(&secured->house, "ca.pem", "service");
    assert_string_equal(identity_of(secured, invite(&secured->house)),
                        "spiffe://example/collector");
}

static void without_a_demand_a_certificate_is_nobodys(void **state)
{
    struct secured *secured = *state;

    dress(&secured->house, "ca.pem", NULL);
    assert_string_equal(identity_of(secured, invite(&secured->house)), "");
}

static bool is_refused(struct house *house)
{
    return house->refused == 1 && house->guests[0].is_closed;
}

static void who_shows_nothing_is_refused_and_counted(void **state)
{
    struct secured *secured = *state;
    struct house *house = &secured->house;
    const struct sl_grpc_server_stats *stats = sl_grpc_server_stats(house->server);

    dress(house, "ca.pem", NULL);
    invite(house);
    run_until(house, is_refused);
    assert_string_equal(stats->refused.rows[0].name, sl_status_reason(&house->refused_why));
    assert_int_equal(stats->refused.rows[0].count, 1);
    assert_int_equal(stats->accepted, 0);
}

/* The old certificate goes with the connections that stand; the new one is by another authority. */
static void a_new_certificate_is_for_connections_to_come(void **state)
{
    struct secured *secured = *state;
    struct house *house = &secured->house;
    struct sl_tls *renewed = make_tls(SL_TLS_SERVER, NULL, "foreign");

    dress(house, "ca.pem", NULL);
    call(invite(house), &secured->asks[0], &served_method);
    wanted_calls = 1;
    run_until(house, are_served);
    sl_grpc_server_set_tls(house->server, renewed);
    sl_tls_release(renewed);
    assert_true(invite(house)->is_closed); /* who trusts the old authority alone */
    dress(house, "other-ca.pem", NULL);
    call(invite(house), &secured->asks[1], &served_method);
    wanted_calls = 2;
    run_until(house, are_served);
    assert_int_equal(sl_grpc_call_send_bytes(house->served[0].call, "still", 5), SL_GRPC_SENT);
    finish(&house->served[0]);
    finish(&house->served[1]);
    run_until(house, are_answered);
    expect_said(&secured->asks[0], "open headers msg:still half-close status:OK ");
    assert_int_equal(secured->asks[1].status.code, SL_OK);
}

#define ANYBODY(name)   cmocka_unit_test_setup_teardown(name, open_for_anybody, close_all)
#define THE_KNOWN(name) cmocka_unit_test_setup_teardown(name, open_for_the_known, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THE_KNOWN(a_handler_sees_whom_the_certificate_is_for),
        ANYBODY(without_a_demand_a_certificate_is_nobodys),
        THE_KNOWN(who_shows_nothing_is_refused_and_counted),
        ANYBODY(a_new_certificate_is_for_connections_to_come),
    };

    return cmocka_run_group_tests_name("server tls", tests, make_certificates, remove_certificates);
}
