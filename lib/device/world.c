#include "device/world.h"

#include <stdlib.h>

#include "device/dialect.h"
#include "device/tree_json.h"

/* What a device has that was given no data. */
static const char default_data[] =
    "{\"interfaces\":{\"interface\":["
    "{\"name\":\"eth0\",\"config\":{\"name\":\"eth0\",\"enabled\":true,\"mtu\":9000,"
    "\"description\":\"uplink\"},\"state\":{\"name\":\"eth0\",\"enabled\":true,\"mtu\":9000,"
    "\"admin-status\":\"UP\",\"oper-status\":\"UP\",\"counters\":{\"in-octets\":9007199254740993,"
    "\"out-octets\":4096}}},"
    "{\"name\":\"eth1\",\"config\":{\"name\":\"eth1\",\"enabled\":false,\"mtu\":1500},"
    "\"state\":{\"name\":\"eth1\",\"enabled\":false,\"mtu\":1500,\"admin-status\":\"DOWN\","
    "\"oper-status\":\"DOWN\",\"counters\":{\"in-octets\":0,\"out-octets\":0}}}]},"
    "\"components\":{\"component\":[{\"name\":\"cpu0\",\"state\":{\"name\":\"cpu0\","
    "\"temperature\":{\"instant\":41.5,\"alarm-status\":false}}}]},"
    "\"system\":{\"config\":{\"hostname\":\"sim\",\"domain-name\":\"example.net\"},"
    "\"state\":{\"hostname\":\"sim\",\"domain-name\":\"example.net\"},"
    "\"dns\":{\"config\":{\"search\":[\"example.net\",\"example.com\"]}}}}";

bool sl_device_world_init(struct sl_device_world *world)
{
    struct sl_status why;

    world->opened_ns = sl_loop_now_ns(world->loop);
    world->opened_wall_ns = sl_loop_wall_ns();
    world->stores = calloc(world->options.devices, sizeof(struct sl_device_store *));
    if (world->options.data) {
        world->tree = sl_device_tree_hold(world->options.data);
    } else {
        const char *data = world->options.dialect ? world->options.dialect->data : default_data;
        world->tree = sl_device_json_read(sl_str_from(data), world->opened_wall_ns, &why);
    }
    return world->stores && world->tree;
}

void sl_device_world_fini(struct sl_device_world *world)
{
    sl_ring_fini(&world->times);
    for (uint32_t i = 0; world->stores && i < world->options.devices; i++) {
        sl_device_store_free(world->stores[i]);
    }
    free(world->stores);
    sl_device_tree_release(world->tree);
    world->stores = NULL;
    world->tree = NULL;
}

bool sl_device_world_resolve(const struct sl_device_world *world, uint32_t device,
                             const char *target, uint32_t *found)
{
    struct sl_str prefix = SL_STR("sim");
    struct sl_str name = sl_str_from(target);
    uint64_t number;

    *found = device;
    if (device != SL_DEVICE_BY_TARGET) {
        return true;
    }
    if (!sl_str_starts_with(name, prefix)) {
        return false;
    }
    name.data += prefix.len;
    name.len -= prefix.len;
    if (!sl_str_to_u64(name, &number) || number == 0 || name.data[0] == '0' ||
        number > world->options.devices) {
        return false;
    }
    *found = (uint32_t)number - 1;
    return true;
}

struct sl_status sl_device_world_no_device(const struct sl_device_world *world)
{
    return sl_status_error(SL_NOT_FOUND, "prefix.target names no device: sim1 to sim%u do",
                           world->options.devices);
}

struct sl_device_store *sl_device_world_store(struct sl_device_world *world, uint32_t device)
{
    SL_ASSERT(device < world->options.devices);
    if (!world->stores[device]) {
        world->stores[device] =
            sl_device_store_new(world->loop, world->tree, world->opened_wall_ns);
    }
    return world->stores[device];
}
