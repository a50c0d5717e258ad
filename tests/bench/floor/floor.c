/* floor - the least that the way from a device to Kafka can cost.
 *
 * One loop over the libraries that sluice uses, with the records, headers and settings that sluice
 * sends, and without its layers: no credit, no routing, no state, nothing that could go wrong and
 * be carried on from. tests/bench/run.py divides sluice's updates per CPU-second by this program's.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "record.h"

enum {
    MAX_DEVICES = 256,
    MAX_PROPERTIES = 32,
    MAX_HEADER_BYTES = 512,
    DEFAULT_IN_FLIGHT_BYTES = 1024 * 1024,
    FLUSH_MS = 10000,
    NS_PER_MS = 1000000,
};

struct options {
    const char *brokers;
    const char *topic;
    const char *subscription;
    enum floor_format format;
    bool is_null;   /* records are thrown away, without Kafka */
    uint64_t count; /* messages; 0: until SIGTERM */
    uint64_t in_flight_bytes;
    char *devices[MAX_DEVICES]; /* NAME=HOST:PORT */
    size_t device_count;
    char *properties[MAX_PROPERTIES]; /* KEY=VALUE of librdkafka */
    size_t property_count;
};

struct totals {
    uint64_t messages; /* acknowledged, as all of these */
    uint64_t updates;
    uint64_t bytes;
    uint64_t failed;
    uint64_t in_flight_bytes;
};

struct source;

struct floor {
    const struct options *options;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    int reports_fd; /* readable when there are delivery reports */
    struct totals totals;
    struct source *sources;
};

struct source {
    struct floor *floor;
    char *target;
    struct floor_device *device;
    struct floor_writer *writer;
    uint64_t seq;
    uint64_t epoch;
};

static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    (void)number;
    is_stopped = 1;
}

/* ---- Kafka ---- */

/* The opaque is the number of updates: a record needs no memory of its own. */
static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *arg)
{
    struct totals *totals = &((struct floor *)arg)->totals;
    uint64_t updates = (uintptr_t)message->_private;

    (void)producer;
    totals->in_flight_bytes -= message->len;
    if (message->err) {
        totals->failed++;
    } else if (updates > 0) {
        totals->messages++;
        totals->updates += updates;
        totals->bytes += message->len;
    }
}

static size_t add_text(char *out, size_t at, const char *text)
{
    size_t len = strlen(text);

    if (at + len > MAX_HEADER_BYTES) {
        len = MAX_HEADER_BYTES - at;
    }
    memcpy(out + at, text, len);
    return at + len;
}

static size_t add_number(char *out, size_t at, uint64_t value)
{
    char digits[24];
    size_t first = sizeof(digits);

    digits[--first] = '\0';
    digits[--first] = ';';
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return add_text(out, at, digits + first);
}

/* epoch;seq;format;target;subscription;kind */
static size_t make_header(const struct source *source, char out[MAX_HEADER_BYTES])
{
    const struct options *options = source->floor->options;
    size_t len = add_number(out, 0, source->epoch);

    len = add_number(out, len, source->seq);
    len = add_text(out, len, options->format == FLOOR_EVENT ? "event;" : "proto;");
    len = add_text(out, len, source->target);
    len = add_text(out, len, ";");
    len = add_text(out, len, options->subscription);
    return add_text(out, len, ";change");
}

static bool produce(struct source *source, const struct floor_record *record)
{
    struct floor *floor = source->floor;
    char header[MAX_HEADER_BYTES];

    source->seq++;
    size_t header_len = make_header(source, header);
    rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = floor->topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_FREE},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {record->payload, record->len}},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {source->target, strlen(source->target)}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ns / NS_PER_MS},
        {.vtype = RD_KAFKA_VTYPE_HEADER, .u.header = {"sluice", header, (ssize_t)header_len}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)record->updates},
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(floor->producer, fields, sizeof(fields) / sizeof(*fields));
    if (error) {
        fprintf(stderr, "floor: produce: %s\n", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        free(record->payload);
        return false;
    }
    floor->totals.in_flight_bytes += record->len;
    return true;
}

static bool set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char error[256];

    if (rd_kafka_conf_set(conf, key, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "floor: %s\n", error);
        return false;
    }
    return true;
}

/* What plugins/kafka sets, then what the command line says. */
static bool configure(rd_kafka_conf_t *conf, const struct options *options)
{
    static const char *const settings[][2] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"message.timeout.ms", "0"},
        {"queue.buffering.max.messages", "0"},
        {"queue.buffering.max.kbytes", "2147483647"},
        {"linger.ms", "5"},
        {"socket.nagle.disable", "true"},
    };
    bool is_set = set(conf, "bootstrap.servers", options->brokers);

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        is_set = is_set && set(conf, settings[i][0], settings[i][1]);
    }
    for (size_t i = 0; i < options->property_count && is_set; i++) {
        char *value = strchr(options->properties[i], '=');
        *value = '\0'; /* there: looked for when the option was read */
        is_set = set(conf, options->properties[i], value + 1);
        *value = '=';
    }
    return is_set;
}

static bool open_producer(struct floor *floor)
{
    char error[256] = "";
    uint64_t one = 1;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_opaque(conf, floor);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    if (!configure(conf, floor->options)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    floor->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    if (!floor->producer) {
        fprintf(stderr, "floor: %s\n", error);
        rd_kafka_conf_destroy(conf);
        return false;
    }
    floor->topic = rd_kafka_topic_new(floor->producer, floor->options->topic, NULL);
    floor->reports_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!floor->topic || floor->reports_fd < 0) {
        return false;
    }
    rd_kafka_queue_t *reports = rd_kafka_queue_get_main(floor->producer);
    rd_kafka_queue_io_event_enable(reports, floor->reports_fd, &one, sizeof(one));
    rd_kafka_queue_destroy(reports);
    return true;
}

static void close_producer(struct floor *floor)
{
    if (floor->topic) {
        rd_kafka_topic_destroy(floor->topic);
    }
    if (floor->producer) {
        rd_kafka_destroy(floor->producer);
    }
    if (floor->reports_fd >= 0) {
        close(floor->reports_fd);
    }
}

/* ---- Devices ---- */

static void forget(struct totals *totals, struct floor_record *record)
{
    totals->messages++;
    totals->updates += record->updates;
    totals->bytes += record->len;
    free(record->payload);
}

static bool on_message(const uint8_t *message, size_t len, void *arg)
{
    struct source *source = (struct source *)arg;
    struct floor_record record;

    if (!floor_writer_write(source->writer, message, len, &record)) {
        fprintf(stderr, "floor: a message of %s that is not of a simulated device's kind\n",
                source->target);
        return false;
    }
    if (record.payload && source->floor->options->is_null) {
        forget(&source->floor->totals, &record);
        return true;
    }
    return !record.payload || produce(source, &record);
}

/* Splits `text` at its signs. */
static bool open_source(struct floor *floor, struct source *source, char *text)
{
    struct timespec now;
    char *host = strchr(text, '=') + 1; /* there: looked for when the option was read */
    char *port = strrchr(host, ':');

    if (!port) {
        fprintf(stderr, "floor: expected NAME=HOST:PORT: %s\n", text);
        return false;
    }
    host[-1] = '\0';
    *port++ = '\0';
    clock_gettime(CLOCK_REALTIME, &now);
    source->floor = floor;
    source->target = text;
    source->epoch = (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
    source->writer = floor_writer_new(floor->options->format, text, floor->options->subscription);
    if (source->writer) {
        source->device = floor_device_open(host, port, on_message, source);
    }
    return source->device;
}

static void close_sources(struct floor *floor)
{
    for (size_t i = 0; floor->sources && i < floor->options->device_count; i++) {
        floor_device_free(floor->sources[i].device);
        floor_writer_free(floor->sources[i].writer);
    }
    free(floor->sources);
}

static bool open_sources(struct floor *floor)
{
    bool is_open = true;

    floor->sources = calloc(floor->options->device_count, sizeof(*floor->sources));
    for (size_t i = 0; i < floor->options->device_count && is_open; i++) {
        is_open =
            floor->sources && open_source(floor, &floor->sources[i], floor->options->devices[i]);
    }
    return is_open;
}

/* ---- The loop ---- */

static bool is_done(const struct floor *floor)
{
    const struct options *options = floor->options;
    return is_stopped || (options->count > 0 && floor->totals.messages >= options->count);
}

static void take_reports(struct floor *floor, bool is_readable)
{
    uint64_t wakeups;

    if (is_readable && read(floor->reports_fd, &wakeups, sizeof(wakeups)) < 0 && errno != EAGAIN) {
        perror("floor: eventfd");
    }
    rd_kafka_poll(floor->producer, 0);
}

static bool turn(struct floor *floor, struct pollfd *fds)
{
    size_t count = floor->options->device_count;
    bool has_room = floor->totals.in_flight_bytes < floor->options->in_flight_bytes;

    if (poll(fds, has_room ? count + 1 : 1, -1) < 0) {
        return errno == EINTR;
    }
    if (floor->producer) {
        take_reports(floor, fds[0].revents != 0);
    }
    for (size_t i = 0; i < count && has_room; i++) {
        if (fds[i + 1].revents && !floor_device_read(floor->sources[i].device)) {
            return false;
        }
    }
    return true;
}

static bool loop(struct floor *floor)
{
    struct pollfd fds[MAX_DEVICES + 1] = {{.fd = floor->reports_fd, .events = POLLIN}};
    bool is_fine = true;

    for (size_t i = 0; i < floor->options->device_count; i++) {
        fds[i + 1].fd = floor_device_fd(floor->sources[i].device);
        fds[i + 1].events = POLLIN;
    }
    while (is_fine && !is_done(floor)) {
        is_fine = turn(floor, fds);
    }
    return is_fine && floor->totals.failed == 0 &&
           (!floor->producer ||
            rd_kafka_flush(floor->producer, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* ---- What it took ---- */

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_result(const struct totals *totals, double wall_s)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    double cpu_s = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    printf("messages=%" PRIu64 " updates=%" PRIu64 " bytes=%" PRIu64
           " cpu-s=%.3f wall-s=%.3f updates-per-cpu-s=%.0f\n",
           totals->messages, totals->updates, totals->bytes, cpu_s, wall_s,
           (double)totals->updates / cpu_s);
}

static bool run(const struct options *options)
{
    struct floor floor = {.options = options, .reports_fd = -1};
    double began = wall_seconds();
    bool is_fine =
        (options->is_null || open_producer(&floor)) && open_sources(&floor) && loop(&floor);

    print_result(&floor.totals, wall_seconds() - began);
    close_sources(&floor);
    close_producer(&floor);
    return is_fine;
}

/* ---- The command line ---- */

static const char usage[] =
    "usage: floor --device NAME=HOST:PORT [--device ...] --brokers B --topic T | --null\n"
    "             [--format event|proto] [--subscription S] [--count N] [--in-flight BYTES]\n"
    "             [--property KEY=VALUE ...]\n\n"
    "Publishes what the devices stream until N messages (default 0: until SIGTERM) were\n"
    "acknowledged. Reads no more while BYTES of records (1 MiB) are under way.\n";

static bool add_pair(char *pairs[], size_t *count, size_t limit, char *text)
{
    if (*count == limit || !strchr(text, '=')) {
        return false;
    }
    pairs[(*count)++] = text;
    return true;
}

static bool set_format(struct options *options, const char *name)
{
    options->format = strcmp(name, "event") == 0 ? FLOOR_EVENT : FLOOR_PROTO;
    return options->format == FLOOR_EVENT || strcmp(name, "proto") == 0;
}

static bool set_number(uint64_t *number, const char *text)
{
    char *end;

    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool take_option(struct options *options, int option, char *value)
{
    switch (option) {
    case 'd':
        return add_pair(options->devices, &options->device_count, MAX_DEVICES, value);
    case 'p':
        return add_pair(options->properties, &options->property_count, MAX_PROPERTIES, value);
    case 'b':
        options->brokers = value;
        return true;
    case 't':
        options->topic = value;
        return true;
    case 's':
        options->subscription = value;
        return true;
    case 'f':
        return set_format(options, value);
    case '0':
        options->is_null = true;
        return true;
    case 'n':
        return set_number(&options->count, value);
    case 'i':
        return set_number(&options->in_flight_bytes, value);
    default:
        return false;
    }
}

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"device", required_argument, NULL, 'd'},
        {"property", required_argument, NULL, 'p'},
        {"brokers", required_argument, NULL, 'b'},
        {"topic", required_argument, NULL, 't'},
        {"subscription", required_argument, NULL, 's'},
        {"format", required_argument, NULL, 'f'},
        {"count", required_argument, NULL, 'n'},
        {"in-flight", required_argument, NULL, 'i'},
        {"null", no_argument, NULL, '0'},
        {NULL, 0, NULL, 0},
    };

    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (!take_option(options, option, optarg)) {
            return false;
        }
    }
    return optind == argc && options->device_count > 0 &&
           (options->is_null || (options->brokers && options->topic));
}

int main(int argc, char **argv)
{
    static struct options options = {.subscription = "counters",
                                     .in_flight_bytes = DEFAULT_IN_FLIGHT_BYTES};
    struct sigaction stop = {.sa_handler = on_signal};

    if (!parse(argc, argv, &options)) {
        fputs(usage, stderr);
        return 2;
    }
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    return run(&options) ? 0 : 1;
}
