#include "test.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/crowd.h"

static struct sl_peer_key key_of(const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sl_peer_key key;

    if (strchr(address, ':')) {
        assert_int_equal(inet_pton(AF_INET6, address, &v6.sin6_addr), 1);
        sl_peer_key((struct sockaddr *)&v6, &key);
    } else {
        assert_int_equal(inet_pton(AF_INET, address, &v4.sin_addr), 1);
        sl_peer_key((struct sockaddr *)&v4, &key);
    }
    return key;
}

struct pair {
    const char *one, *other;
    bool is_same;
};

static const struct pair pairs[] = {
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1", "::ffff:192.0.2.1", true},
    {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
    {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
    {"fe80::1", "fe80::2", false},
    {"::1", "127.0.0.1", false},
};

static void a_peer_is_what_one_owner_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(pairs); i++) {
        struct sl_peer_key one = key_of(pairs[i].one), other = key_of(pairs[i].other);

        if ((memcmp(&one, &other, sizeof(one)) == 0) != pairs[i].is_same) {
            fail_msg("%s and %s", pairs[i].one, pairs[i].other);
        }
    }
}

static void guests_of_many_peers_are_counted_apart(void **state)
{
    enum { PEERS = 200, EACH = 3 };
    static struct sl_guest *guests[PEERS][EACH];
    struct sl_crowd *crowd = sl_crowd_new(0, EACH);
    struct sl_status why;

    (void)state;
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        struct sl_peer_key key = {.bytes = {AF_INET, (uint8_t)(peer * 7), (uint8_t)peer}};
        for (size_t i = 0; i < EACH; i++) {
            guests[peer][i] = sl_crowd_enter(crowd, &key, &why);
            assert_non_null(guests[peer][i]);
        }
        assert_null(sl_crowd_enter(crowd, &key, &why));
        assert_string_equal(why.text, "this peer has 3 connections, and can have no more");
    }
    for (uint32_t peer = 0; peer < PEERS; peer += 2) { /* half of them go, and one comes back */
        for (size_t i = 0; i < EACH; i++) {
            sl_guest_leave(guests[peer][i]);
        }
        struct sl_peer_key key = {.bytes = {AF_INET, (uint8_t)(peer * 7), (uint8_t)peer}};
        guests[peer][0] = sl_crowd_enter(crowd, &key, &why);
        assert_non_null(guests[peer][0]);
    }
    sl_crowd_release(crowd);
    for (uint32_t peer = 0; peer < PEERS; peer++) {
        for (size_t i = 0; i < (peer % 2 ? EACH : 1); i++) {
            sl_guest_leave(guests[peer][i]);
        }
    }
}

static void the_limit_of_all_comes_first(void **state)
{
    struct sl_peer_key one = key_of("192.0.2.1"), other = key_of("192.0.2.2");
    struct sl_crowd *crowd = sl_crowd_new(2, 1);
    struct sl_status why;

    (void)state;
    struct sl_guest *first = sl_crowd_enter(crowd, &one, &why);
    assert_null(sl_crowd_enter(crowd, &one, &why));
    assert_string_equal(sl_status_reason(&why), "too-many-connections-of-peer");
    struct sl_guest *second = sl_crowd_enter(crowd, &other, &why);
    assert_null(sl_crowd_enter(crowd, &one, &why));
    assert_string_equal(sl_status_reason(&why), "too-many-connections");
    assert_string_equal(why.text, "there are 2 connections, and can be no more");
    sl_guest_leave(first);
    sl_guest_leave(second);
    sl_crowd_release(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_is_what_one_owner_has),
        cmocka_unit_test(guests_of_many_peers_are_counted_apart),
        cmocka_unit_test(the_limit_of_all_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
