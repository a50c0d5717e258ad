/* A server on loopback, with clients that are ours. */
#include "grpc/house.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGE_MS = 300 }; /* in which a slow machine, too, has begun a call */

static int open_plain(void **state)
{
    struct house *house = calloc(1, sizeof(*house));

    assert_non_null(house);
    *state = house;
    open_house(house);
    assert_non_null(house->server);
    return 0;
}

static int close_all(void **state)
{
    close_house(*state);
    free(*state);
    return 0;
}

/* For tests with options of their own: the house is opened in the test. */
static int make(void **state)
{
    *state = calloc(1, sizeof(struct house));
    return *state ? 0 : -1;
}

static uint64_t ended_for(const struct sl_tally *tally, const char *reason)
{
    for (size_t i = 0; sl_tally_row(tally, i).name; i++) {
        if (strcmp(sl_tally_row(tally, i).name, reason) == 0) {
            return sl_tally_row(tally, i).count;
        }
    }
    return 0;
}

static bool is_served(struct house *house)
{
    return house->served_count > 0;
}

static void finish(struct record *served)
{
    struct sl_status ok = sl_status_ok();

    assert_non_null(served->call);
    sl_grpc_call_finish(served->call, &ok);
}

static struct record asks[4];

static bool is_first_answered(struct house *house)
{
    (void)house;
    return !asks[0].call;
}

static bool is_second_answered(struct house *house)
{
    (void)house;
    return !asks[1].call;
}

static bool are_two_answered(struct house *house)
{
    (void)house;
    return !asks[0].call && !asks[1].call;
}

static void begin(struct record *records, size_t count)
{
    memset(records, 0, count * sizeof(*records));
}

static void end(struct record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        record_fini(&records[i]);
    }
}

/* ---- calls ---- */

static void a_call_reaches_its_handler_and_is_answered(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);

    begin(asks, 1);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    finish(&house->served[0]);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_OK);
    assert_int_equal(sl_grpc_server_stats(house->server)->calls, 1);
    assert_int_equal(sl_grpc_server_stats(house->server)->connections, 1);
    assert_true(house->sent > 0);
    see_off(guest);
    assert_int_equal(sl_grpc_server_stats(house->server)->connections, 0);
    assert_int_equal(sl_grpc_server_stats(house->server)->accepted, 1);
    end(asks, 1);
}

static void an_unknown_method_is_unimplemented_and_its_connection_stays(void **state)
{
    static const struct sl_grpc_method unknown = {.path = "/test.Service/Other"};
    struct house *house = *state;
    struct guest *guest = invite(house);

    begin(asks, 2);
    call(guest, &asks[0], &unknown);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_UNIMPLEMENTED);
    call(guest, &asks[1], &served_method);
    run_until(house, is_served);
    finish(&house->served[0]);
    run_until(house, are_two_answered);
    assert_int_equal(asks[1].status.code, SL_OK);
    end(asks, 2);
}

/* ---- draining ---- */

static void on_closed(void *arg)
{
    struct house *house = arg;

    house->server = NULL;
    house->is_server_closed = true;
}

static void must_not_come(void *arg)
{
    (void)arg;
    assert_true(false);
}

static bool has_goaway(struct house *house)
{
    return house->guests[0].goaways > 0;
}

static void a_drain_lets_calls_finish_and_takes_no_more(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);
    struct sl_h2_session *session = sl_h2_link_session(guest->link);
    const struct sl_grpc_request late = {
        .method = &served_method, .authority = "here", .user_agent = "test"};

    begin(asks, 1);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    sl_grpc_server_drain(house->server, 60 * 1000, on_closed, house);
    run_until(house, has_goaway);
    assert_false(house->is_server_closed);
    assert_null(sl_grpc_call_open(session, &late, &record_events, &asks[1]));
    assert_int_equal(sl_grpc_call_send_bytes(house->served[0].call, "last", 4), SL_GRPC_SENT);
    finish(&house->served[0]);
    run_until(house, is_server_closed);
    run_until(house, is_first_answered);
    expect_said(&asks[0], "open headers msg:last half-close status:OK ");
    end(asks, 1);
}

static bool are_two_served(struct house *house)
{
    return house->served_count == 2;
}

/* It is on its way when the server begins to drain, and the client cannot know. */
static void a_call_that_crosses_the_drain_is_served(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);

    begin(asks, 2);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    sl_grpc_server_drain(house->server, 60 * 1000, on_closed, house);
    call(guest, &asks[1], &served_method);
    run_until(house, are_two_served);
    finish(&house->served[0]);
    finish(&house->served[1]);
    run_until(house, is_server_closed);
    run_until(house, are_two_answered);
    assert_int_equal(asks[0].status.code, SL_OK);
    assert_int_equal(asks[1].status.code, SL_OK);
    end(asks, 2);
}

static void a_new_connection_is_refused_during_a_drain(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);
    uint16_t port = sl_grpc_server_port(house->server);

    begin(asks, 1);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    sl_grpc_server_drain(house->server, 60 * 1000, on_closed, house);
    assert_int_equal(sl_grpc_server_port(house->server), port);
    guest = invite(house);
    assert_true(guest->is_closed);
    assert_string_equal(sl_status_reason(&guest->why), "connection-refused");
    finish(&house->served[0]);
    run_until(house, is_server_closed);
    run_until(house, is_first_answered);
    end(asks, 1);
}

static void what_goes_on_after_the_grace_is_cancelled(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);

    begin(asks, 1);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    sl_grpc_server_drain(house->server, 5, on_closed, house);
    run_until(house, is_server_closed);
    assert_null(house->served[0].call);
    assert_int_not_equal(house->served[0].status.code, SL_OK);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_UNAVAILABLE);
    end(asks, 1);
}

static void a_close_hurries_a_drain_on(void **state)
{
    struct house *house = *state;
    struct guest *guest = invite(house);

    begin(asks, 1);
    call(guest, &asks[0], &served_method);
    run_until(house, is_served);
    sl_grpc_server_drain(house->server, UINT64_MAX, on_closed, house);
    run_until(house, has_goaway);
    sl_grpc_server_drain(house->server, 60 * 1000, must_not_come, NULL);
    sl_grpc_server_close(house->server, must_not_come, NULL);
    assert_false(house->is_server_closed); /* not from within */
    run_until(house, is_server_closed);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_UNAVAILABLE);
    end(asks, 1);
}

static void a_server_without_guests_closes_from_the_loop(void **state)
{
    struct house *house = *state;

    sl_grpc_server_drain(house->server, 60 * 1000, on_closed, house);
    assert_false(house->is_server_closed);
    run_until(house, is_server_closed);
}

/* ---- limits ---- */

static bool is_third_gone(struct house *house)
{
    return house->guests[2].is_closed && house->refused == 1;
}

static bool has_room(struct house *house)
{
    return house->disconnected == 1;
}

static void one_connection_too_many_is_refused_and_room_is_used_again(void **state)
{
    struct house *house = *state;
    struct guest *first;
    struct guest *second;

    house->options.max_connections = 2;
    open_house(house);
    assert_non_null(house->server);
    first = invite(house);
    second = invite(house);
    invite(house);
    run_until(house, is_third_gone);
    assert_true(house->guests[2].is_closed);
    assert_int_equal(house->refused, 1);
    assert_string_equal(sl_status_reason(&house->refused_why), "too-many-connections");
    assert_int_equal(
        ended_for(&sl_grpc_server_stats(house->server)->refused, "too-many-connections"), 1);
    assert_true(second->link && first->link);
    sl_h2_link_close(first->link);
    run_until(house, has_room);
    assert_non_null(invite(house)->link);
    begin(asks, 1);
    call(second, &asks[0], &served_method);
    run_until(house, is_served);
    finish(&house->served[0]);
    run_until(house, is_first_answered);
    end(asks, 1);
}

static bool is_second_gone(struct house *house)
{
    return house->guests[1].is_closed && house->refused == 1;
}

static void one_connection_too_many_of_a_peer_is_refused(void **state)
{
    struct house *house = *state;

    house->options.max_connections_per_peer = 1;
    open_house(house);
    assert_non_null(house->server);
    invite(house);
    invite(house);
    run_until(house, is_second_gone);
    assert_string_equal(sl_status_reason(&house->refused_why), "too-many-connections-of-peer");
    assert_non_null(house->guests[0].link);
}

static void a_message_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    struct house *house = *state;
    struct guest *guest;

    house->options.max_message_bytes = 10;
    open_house(house);
    assert_non_null(house->server);
    guest = invite(house);
    begin(asks, 2);
    call(guest, &asks[0], &served_method);
    call(guest, &asks[1], &served_method);
    assert_int_equal(sl_grpc_call_send_bytes(asks[0].call, "0123456789", 10), SL_GRPC_SENT);
    assert_int_equal(sl_grpc_call_send_bytes(asks[1].call, "0123456789+", 11), SL_GRPC_SENT);
    run_until(house, is_second_answered);
    assert_int_equal(asks[1].status.code, SL_RESOURCE_EXHAUSTED);
    assert_int_equal(house->served[1].messages, 0);
    assert_int_equal(house->served[0].messages, 1);
    finish(&house->served[0]);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_OK);
    end(asks, 2);
}

static void a_port_that_is_taken_is_said(void **state)
{
    struct house *house = *state;
    struct sl_grpc_server_options options = house->options;
    struct sl_status why;

    options.address.port = sl_grpc_server_port(house->server);
    assert_null(sl_grpc_server_open(&options, &why));
    assert_int_equal(why.code, SL_UNAVAILABLE);
    assert_non_null(strstr(why.text, "in use"));
}

static bool is_one_gone(struct house *house)
{
    return house->disconnected == 1 && are_guests_gone(house);
}

static void a_connection_of_age_is_drained_and_its_calls_finish(void **state)
{
    struct house *house = *state;

    house->options.max_age_ms = AGE_MS;
    open_house(house);
    assert_non_null(house->server);
    begin(asks, 1);
    call(invite(house), &asks[0], &served_method);
    run_until(house, is_served);
    run_until(house, has_goaway);
    assert_int_equal(house->disconnected, 0);
    finish(&house->served[0]);
    run_until(house, is_one_gone);
    assert_int_equal(asks[0].status.code, SL_OK);
    assert_int_equal(house->last_why.code, SL_CANCELLED);
    end(asks, 1);
}

static void a_connection_of_age_has_a_grace(void **state)
{
    struct house *house = *state;

    house->options.max_age_ms = AGE_MS;
    house->options.max_age_grace_ms = 5;
    open_house(house);
    assert_non_null(house->server);
    begin(asks, 1);
    call(invite(house), &asks[0], &served_method);
    run_until(house, is_one_gone);
    assert_int_equal(asks[0].status.code, SL_UNAVAILABLE);
    assert_true(house->guests[0].goaways > 0);
    invite(house); /* others are let in */
    assert_int_equal(sl_grpc_server_stats(house->server)->accepted, 2);
    end(asks, 1);
}

static void a_unix_socket_serves_as_well(void **state)
{
    struct house *house = *state;

    house->options.address.kind = SL_ADDRESS_ABSTRACT;
    snprintf(house->options.address.host, sizeof(house->options.address.host), "sluice-test-%d",
             (int)getpid());
    open_house(house);
    assert_non_null(house->server);
    assert_int_equal(sl_grpc_server_port(house->server), 0);
    begin(asks, 1);
    call(invite(house), &asks[0], &served_method);
    run_until(house, is_served);
    finish(&house->served[0]);
    run_until(house, is_first_answered);
    assert_int_equal(asks[0].status.code, SL_OK);
    end(asks, 1);
}

/* ---- what is no call ---- */

struct answer {
    char status[8];
    size_t bytes;
    bool is_over;
};

static struct answer answer;

static void on_answer_field(struct sl_h2_stream *stream, struct sl_str name, struct sl_str value,
                            void *arg)
{
    (void)stream;
    (void)arg;
    if (sl_str_eq_c(name, ":status")) {
        snprintf(answer.status, sizeof(answer.status), "%.*s", SL_STR_ARG(value));
    }
}

static bool on_answer_data(struct sl_h2_stream *stream, const uint8_t *bytes, size_t len, void *arg)
{
    (void)stream;
    (void)bytes;
    (void)arg;
    answer.bytes += len;
    return true;
}

static void on_answer_close(struct sl_h2_stream *stream, uint32_t error, bool by_peer, void *arg)
{
    (void)stream;
    (void)arg;
    (void)by_peer;
    assert_int_equal(error, SL_H2_NO_ERROR);
    answer.is_over = true;
}

static bool is_get_over(struct house *house)
{
    (void)house;
    return answer.is_over;
}

static void a_plain_get_has_an_answer_of_http(void **state)
{
    static const struct sl_h2_stream_events get_events = {
        .on_field = on_answer_field, .on_data = on_answer_data, .on_close = on_answer_close};
    const struct sl_h2_field fields[] = {
        {SL_STR(":method"), SL_STR("GET"), false},
        {SL_STR(":scheme"), SL_STR("http"), false},
        {SL_STR(":path"), SL_STR("/"), false},
        {SL_STR(":authority"), SL_STR("here"), false},
    };
    struct house *house = *state;
    struct guest *guest = invite(house);

    assert_non_null(sl_h2_session_request(sl_h2_link_session(guest->link), fields,
                                          SL_ARRAY_LEN(fields), false, &get_events, NULL));
    run_until(house, is_get_over);
    assert_string_equal(answer.status, "415");
    assert_true(answer.bytes > 0);
    assert_non_null(guest->link);
}

static bool is_ended(struct house *house)
{
    return house->disconnected == 1;
}

static void a_peer_that_speaks_something_else_is_ended_with_its_reason(void **state)
{
    static const char words[] = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    struct house *house = *state;
    struct guest *guest = invite_raw(house);

    sl_conn_write(guest->conn, words, sizeof(words) - 1);
    run_until(house, is_ended);
    assert_string_equal(sl_status_reason(&house->last_why), "not-http2");
    assert_int_equal(ended_for(&sl_grpc_server_stats(house->server)->ended, "not-http2"), 1);
}

#define PLAIN(name) cmocka_unit_test_setup_teardown(name, open_plain, close_all)
#define OWN(name)   cmocka_unit_test_setup_teardown(name, make, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(a_call_reaches_its_handler_and_is_answered),
        PLAIN(an_unknown_method_is_unimplemented_and_its_connection_stays),
        PLAIN(a_drain_lets_calls_finish_and_takes_no_more),
        PLAIN(a_call_that_crosses_the_drain_is_served),
        PLAIN(a_new_connection_is_refused_during_a_drain),
        PLAIN(what_goes_on_after_the_grace_is_cancelled),
        PLAIN(a_close_hurries_a_drain_on),
        PLAIN(a_server_without_guests_closes_from_the_loop),
        OWN(one_connection_too_many_is_refused_and_room_is_used_again),
        OWN(one_connection_too_many_of_a_peer_is_refused),
        OWN(a_message_may_be_as_long_as_the_limit_and_no_longer),
        OWN(a_connection_of_age_is_drained_and_its_calls_finish),
        OWN(a_connection_of_age_has_a_grace),
        OWN(a_unix_socket_serves_as_well),
        PLAIN(a_plain_get_has_an_answer_of_http),
        PLAIN(a_port_that_is_taken_is_said),
        PLAIN(a_peer_that_speaks_something_else_is_ended_with_its_reason),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
