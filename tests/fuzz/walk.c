/* walk.c - the in-place walk of a SubscribeResponse against protobuf-c: the same verdict, the same
 * updates, paths and values, and the same record whether a message comes as it is or as protobuf-c
 * writes it. */
#include "fuzz.h"
#include "roads.h"

static void check(enum sl_format format, struct sl_str message)
{
    struct sl_encoder_memory memory = {.limit_bytes = 256 * SL_KIB};
    struct sl_encoder_config config = {
        .format = format,
        .target = SL_STR("leaf1"),
        .subscription = SL_STR("sub1"),
        .memory = &memory,
    };
    struct sl_encoder *encoder = sl_encoder_new(&config);

    SL_ASSERT(encoder);
    (void)roads_meet(encoder, format, message);
    sl_encoder_free(encoder);
    SL_ASSERT(memory.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sl_str message = {(const char *)data, size};

    check(SL_FORMAT_EVENT, message);
    check(SL_FORMAT_EVENT_SPLIT, message);
    check(SL_FORMAT_SLUICE_V1, message);
    check(SL_FORMAT_GNMIC_JSON, message);
    check(SL_FORMAT_PROTOJSON, message);
    check(SL_FORMAT_SLUICE_V1_JSON, message);
    check(SL_FORMAT_TELEGRAF_JSON, message);
    check(SL_FORMAT_INFLUX, message);
    return 0;
}
