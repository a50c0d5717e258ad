/* encode - what one update costs from the bytes of its message to the bytes of its record.
 *
 * usage: bench_encode [ROUNDS]
 *
 * No network and no Kafka: reading (gnmi/response.h) and encoding (normalise/encoder.h) alone, of
 * counters as devices send them, of strings and of JSON, in each format. The formats take turns, so
 * that whatever else the machine does meets all of them; the best turn of each is printed, in
 * nanoseconds for one update of the device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gnmi.pb-c.h"

#include "normalise/encoder.h"

enum {
    MESSAGES = 100, /* one for each interface, again and again */
    MAX_UPDATES = 20,
    TURN_UPDATES = 400000,
    FORMATS = 3,
    NAME_BYTES = 32,
    DEFAULT_ROUNDS = 5,
};

struct shape {
    const char *name;
    Gnmi__TypedValue__ValueCase arm;
    size_t updates;    /* in a message */
    size_t interfaces; /* of JSON: 0: the counters of one, else a list of so many */
};

static const struct shape shapes[] = {
    {"counters, 1 in a message", GNMI__TYPED_VALUE__VALUE_UINT_VAL, 1, 0},
    {"counters, 20 in a message", GNMI__TYPED_VALUE__VALUE_UINT_VAL, MAX_UPDATES, 0},
    {"strings, 20 in a message", GNMI__TYPED_VALUE__VALUE_STRING_VAL, MAX_UPDATES, 0},
    {"JSON of 15 leaves", GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL, 1, 0},
    {"JSON of 40 interfaces", GNMI__TYPED_VALUE__VALUE_JSON_IETF_VAL, 1, 40},
};

static char text[] = "LOWER_LAYER_DOWN";

/* As devices write a container: in the order of the model, 64-bit numbers as strings. */
static const char counters[] =
    "{\"in-octets\":\"18446744073709551615\",\"in-unicast-pkts\":\"4711\","
    "\"in-broadcast-pkts\":\"0\",\"in-multicast-pkts\":\"998877\",\"in-discards\":\"0\","
    "\"in-errors\":\"3\",\"out-octets\":\"123456789012\",\"out-unicast-pkts\":\"42\","
    "\"out-broadcast-pkts\":\"7\",\"out-multicast-pkts\":\"12345\",\"out-discards\":\"0\","
    "\"out-errors\":\"0\",\"carrier-transitions\":5,\"load\":0.25,"
    "\"last-clear\":\"2020-07-23T08:06:26Z\"}";

static struct sl_buf json; /* of the shape that is measured */

static void check(bool holds)
{
    if (!holds) {
        fputs("bench_encode: no memory, or no record\n", stderr);
        exit(1);
    }
}

/* ---- messages ---- */

static void fill_value(Gnmi__TypedValue *value, Gnmi__TypedValue__ValueCase arm, size_t number)
{
    gnmi__typed_value__init(value);
    value->value_case = arm;
    if (arm == GNMI__TYPED_VALUE__VALUE_UINT_VAL) {
        value->uint_val = number * UINT64_C(1000000007);
    } else if (arm == GNMI__TYPED_VALUE__VALUE_STRING_VAL) {
        value->string_val = text;
    } else {
        value->json_ietf_val = (ProtobufCBinaryData){json.len, (uint8_t *)json.data};
    }
}

static void make_json(size_t interfaces)
{
    sl_buf_reset(&json);
    if (!interfaces) {
        sl_buf_add_c(&json, counters);
        return;
    }
    sl_buf_add_c(&json, "{\"openconfig-interfaces:interface\":[");
    for (size_t i = 0; i < interfaces; i++) {
        sl_buf_printf(&json,
                      "%s{\"name\":\"ethernet-1/%zu\",\"config\":{\"name\":\"ethernet-1/%zu\","
                      "\"type\":\"iana-if-type:ethernetCsmacd\",\"enabled\":true},\"state\":"
                      "{\"oper-status\":\"UP\",\"ifindex\":%zu,\"counters\":%s}}",
                      i ? "," : "", i, i, i, counters);
    }
    sl_buf_add_c(&json, "]}");
    check(!json.failed);
}

struct update {
    Gnmi__Update update;
    Gnmi__Path path;
    Gnmi__PathElem elem;
    Gnmi__PathElem *elems[1];
    Gnmi__TypedValue value;
    char name[NAME_BYTES];
};

static void fill_update(struct update *update, const struct shape *shape, size_t number)
{
    snprintf(update->name, sizeof(update->name), "counter-%zu", number % MAX_UPDATES);
    gnmi__path_elem__init(&update->elem);
    update->elem.name = update->name;
    update->elems[0] = &update->elem;
    gnmi__path__init(&update->path);
    update->path.elem = update->elems;
    update->path.n_elem = 1;
    fill_value(&update->value, shape->arm, number);
    gnmi__update__init(&update->update);
    update->update.path = &update->path;
    update->update.val = &update->value;
}

/* /interfaces/interface[name=…]/state/counters */
struct prefix {
    Gnmi__Path path;
    Gnmi__PathElem elem[4];
    Gnmi__PathElem *elems[4];
    Gnmi__PathElem__KeyEntry key;
    Gnmi__PathElem__KeyEntry *keys[1];
    char interface[NAME_BYTES];
};

static void fill_prefix(struct prefix *prefix, size_t number)
{
    static char names[4][NAME_BYTES] = {"interfaces", "interface", "state", "counters"};
    static char key[] = "name";

    gnmi__path__init(&prefix->path);
    prefix->path.elem = prefix->elems;
    prefix->path.n_elem = SL_ARRAY_LEN(prefix->elem);
    for (size_t i = 0; i < SL_ARRAY_LEN(prefix->elem); i++) {
        gnmi__path_elem__init(&prefix->elem[i]);
        prefix->elem[i].name = names[i];
        prefix->elems[i] = &prefix->elem[i];
    }
    snprintf(prefix->interface, sizeof(prefix->interface), "ethernet-1/%zu", number);
    gnmi__path_elem__key_entry__init(&prefix->key);
    prefix->key.key = key;
    prefix->key.value = prefix->interface;
    prefix->keys[0] = &prefix->key;
    prefix->elem[1].key = prefix->keys;
    prefix->elem[1].n_key = 1;
}

static void make_message(const struct shape *shape, size_t number, struct sl_buf *out)
{
    struct prefix prefix;
    struct update updates[MAX_UPDATES];
    Gnmi__Update *list[MAX_UPDATES];
    Gnmi__Notification notification = GNMI__NOTIFICATION__INIT;
    Gnmi__SubscribeResponse response = GNMI__SUBSCRIBE_RESPONSE__INIT;

    fill_prefix(&prefix, number);
    for (size_t i = 0; i < shape->updates; i++) {
        fill_update(&updates[i], shape, number * shape->updates + i);
        list[i] = &updates[i].update;
    }
    notification.timestamp = INT64_C(1595491586073072000) + (int64_t)number;
    notification.prefix = &prefix.path;
    notification.update = list;
    notification.n_update = shape->updates;
    response.response_case = GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE;
    response.update = &notification;
    check(sl_buf_reserve(out, gnmi__subscribe_response__get_packed_size(&response)));
    out->len = gnmi__subscribe_response__pack(&response, (uint8_t *)out->data);
}

/* ---- turns ---- */

struct turn {
    double best_ns; /* of an update */
    size_t record_bytes;
};

static double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void encode_one(struct sl_encoder *encoder, struct sl_str message, size_t *typical)
{
    struct sl_encoder_context context = {.epoch = UINT64_C(1700000000000000000), .seq = 100000};
    struct sl_gnmi_response response;
    struct sl_encoded encoded;
    struct sl_buf scratch = {0};
    struct sl_buf out = {0};
    struct sl_status status = sl_gnmi_response_read(message, &scratch, &response);

    check(sl_status_is_ok(&status) && sl_buf_reserve(&out, *typical + 512));
    check(sl_encoder_encode(encoder, &response, &context, &out, &encoded) && encoded.published);
    *typical = out.len;
    sl_buf_fini(&out);
}

static void take_turn(enum sl_format format, const struct shape *shape,
                      const struct sl_buf *messages, struct turn *turn)
{
    struct sl_encoder_memory memory = {.limit_bytes = 16 * SL_MIB};
    struct sl_encoder_config config = {.format = format,
                                       .target = SL_STR("leaf1"),
                                       .subscription = SL_STR("counters"),
                                       .memory = &memory};
    struct sl_encoder *encoder = sl_encoder_new(&config);
    size_t count = TURN_UPDATES / shape->updates / (shape->updates == 1 ? 4 : 1) /
                   (shape->interfaces ? shape->interfaces : 1);

    check(encoder != NULL);
    for (size_t i = 0; i < MESSAGES; i++) {
        encode_one(encoder, sl_buf_str(&messages[i]), &turn->record_bytes);
    }
    double start = now_ns();

    for (size_t i = 0; i < count; i++) {
        encode_one(encoder, sl_buf_str(&messages[i % MESSAGES]), &turn->record_bytes);
    }
    double ns = (now_ns() - start) / (double)(count * shape->updates);

    turn->best_ns = turn->best_ns == 0 || ns < turn->best_ns ? ns : turn->best_ns;
    sl_encoder_free(encoder);
}

static void measure(const struct shape *shape, unsigned long rounds)
{
    struct sl_buf messages[MESSAGES] = {{0}};
    struct turn turns[FORMATS] = {{0}};

    make_json(shape->interfaces);
    for (size_t i = 0; i < MESSAGES; i++) {
        make_message(shape, i, &messages[i]);
    }
    for (unsigned long round = 0; round < rounds; round++) {
        for (int format = 0; format < FORMATS; format++) {
            take_turn((enum sl_format)format, shape, messages, &turns[format]);
        }
    }
    for (int format = 0; format < FORMATS; format++) {
        printf("%-26s %-10s %7.0f ns %6.0f MB/s, a message of %zu bytes becomes a record of %zu\n",
               shape->name, sl_format_name((enum sl_format)format), turns[format].best_ns,
               (double)messages[MESSAGES - 1].len / (double)shape->updates / turns[format].best_ns *
                   1e3,
               messages[MESSAGES - 1].len, turns[format].record_bytes);
    }
    for (size_t i = 0; i < MESSAGES; i++) {
        sl_buf_fini(&messages[i]);
    }
    sl_buf_fini(&json);
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_ROUNDS;

    for (size_t i = 0; i < SL_ARRAY_LEN(shapes); i++) {
        measure(&shapes[i], rounds ? rounds : 1);
    }
    return 0;
}
