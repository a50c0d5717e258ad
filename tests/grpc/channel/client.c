/* channel-client - asks a server for its health, again and again, over one channel.
 *
 *     channel-client PORT AT-A-TIME [patient]
 *
 * AT-A-TIME calls are under way at every moment, each with a deadline of CALL_S; "patient" ones
 * wait for ready. Every call is counted, the first of each kind of failure is printed, and the
 * states of the channel are. SIGUSR1 pauses, and says so when no call is left; again, it goes on.
 * SIGTERM ends it: what is under way is waited for, the channel closes, and the last line has the
 * counts. Exits with 0 whatever the calls came to.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/channel.h"
#include "health.pb-c.h"
#include "health.services.h"

enum {
    EXIT_USAGE = 2,
    CALL_S = 20,
    MAX_AT_A_TIME = 1000,
    BACKOFF_MIN_MS = 20,
    BACKOFF_MAX_MS = 200
};

struct client {
    struct sl_loop *loop;
    struct sl_grpc_channel *channel;
    uint64_t ended[SL_CODES];
    unsigned at_a_time;
    unsigned under_way;
    bool is_patient;
    bool is_paused;
    bool is_ending;
};

static const struct sl_grpc_method *const check =
    &grpc__health__v1__health__methods[GRPC__HEALTH__V1__HEALTH__CHECK];

static void fill(struct client *client);

static void print_end(struct client *client)
{
    struct sl_grpc_channel_view view;

    sl_grpc_channel_view(client->channel, &view);
    printf("end ok=%llu", (unsigned long long)client->ended[SL_OK]);
    for (int code = SL_OK + 1; code < SL_CODES; code++) {
        if (client->ended[code]) {
            printf(" %s=%llu", sl_code_name((enum sl_code)code),
                   (unsigned long long)client->ended[code]);
        }
    }
    printf(" connects=%llu retries=%llu\n", (unsigned long long)view.connects,
           (unsigned long long)view.retries);
}

static void on_closed(void *arg)
{
    sl_loop_stop(arg);
}

static void on_status(struct sl_grpc_call *call, const struct sl_status *status, void *arg)
{
    struct client *client = arg;

    (void)call;
    client->under_way--;
    if (++client->ended[status->code] == 1 && status->code != SL_OK) {
        printf("failed %s %s: %s\n", sl_code_name(status->code), sl_status_reason(status),
               status->text);
    }
    if (!client->is_ending && !client->is_paused) {
        fill(client);
    } else if (client->under_way == 0 && client->is_ending) {
        print_end(client);
        sl_grpc_channel_close(client->channel, on_closed, client->loop);
    } else if (client->under_way == 0) {
        printf("paused ok=%llu\n", (unsigned long long)client->ended[SL_OK]);
    }
}

static const struct sl_grpc_call_events events = {.on_status = on_status};

static void start_call(struct client *client)
{
    const struct sl_grpc_request request = {.method = check,
                                            .timeout_ns = CALL_S * (uint64_t)SL_NS_PER_S,
                                            .wait_for_ready = client->is_patient};
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct sl_grpc_call *call = sl_grpc_channel_call(client->channel, &request, &events, client);

    if (!call || sl_grpc_call_send(call, &message.base) != SL_GRPC_SENT) {
        fprintf(stderr, "channel-client: no call\n");
        exit(EXIT_FAILURE);
    }
    sl_grpc_call_half_close(call);
    client->under_way++;
}

static void fill(struct client *client)
{
    while (client->under_way < client->at_a_time) {
        start_call(client);
    }
}

static void on_state(struct sl_grpc_channel *channel, enum sl_grpc_channel_state state, void *arg)
{
    (void)channel;
    (void)arg;
    printf("state %s\n", sl_grpc_channel_state_name(state));
}

static void on_pause(void *arg)
{
    struct client *client = arg;

    client->is_paused = !client->is_paused;
    if (!client->is_paused) {
        fill(client);
    }
}

static void on_end(void *arg)
{
    struct client *client = arg;

    client->is_ending = true;
    if (client->under_way == 0) {
        print_end(client);
        sl_grpc_channel_close(client->channel, on_closed, client->loop);
    }
}

static bool open_client(struct client *client, uint16_t port)
{
    struct sl_grpc_channel_options options = {
        .dial.address = {.host = "127.0.0.1", .port = port},
        .backoff_min_ms = BACKOFF_MIN_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .on_state = on_state,
    };

    client->loop = sl_loop_new();
    if (!client->loop) {
        return false;
    }
    options.loop = client->loop;
    client->channel = sl_grpc_channel_open(&options);
    return client->channel != NULL;
}

static int run(struct client *client)
{
    struct sl_signal *pause = sl_signal_new(client->loop, SIGUSR1, on_pause, client);
    struct sl_signal *end = sl_signal_new(client->loop, SIGTERM, on_end, client);

    if (!pause || !end) {
        return EXIT_FAILURE;
    }
    fill(client);
    sl_loop_run(client->loop);
    sl_signal_free(pause);
    sl_signal_free(end);
    sl_loop_free(client->loop);
    return EXIT_SUCCESS;
}

static bool read_number(const char *text, uint64_t max, uint64_t *number)
{
    return sl_str_to_u64(sl_str_from(text), number) && *number > 0 && *number <= max;
}

int main(int argc, char **argv)
{
    struct client client = {.is_patient = argc > 3 && strcmp(argv[3], "patient") == 0};
    uint64_t port;
    uint64_t at_a_time;

    if (argc < 3 || argc > 4 || (argc == 4 && !client.is_patient) ||
        !read_number(argv[1], UINT16_MAX, &port) ||
        !read_number(argv[2], MAX_AT_A_TIME, &at_a_time)) {
        fprintf(stderr, "usage: channel-client PORT AT-A-TIME [patient]\n");
        return EXIT_USAGE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    client.at_a_time = (unsigned)at_a_time;
    if (!open_client(&client, (uint16_t)port)) {
        fprintf(stderr, "channel-client: out of memory\n");
        return EXIT_FAILURE;
    }
    return run(&client);
}
