#include "device/dress.h"

#include <string.h>

enum { LENGTH_BYTES = 4, QUEUE_KEPT_BYTES = 64 * 1024 };

void sl_device_dress_fini(struct sl_device_dress *dress)
{
    sl_buf_fini(&dress->queue);
}

static void add_length(struct sl_buf *queue, size_t size)
{
    uint32_t length = (uint32_t)size;

    sl_buf_add(queue, &length, LENGTH_BYTES);
}

void sl_device_dress_emit(struct sl_device_dress *dress, const Gnmi__SubscribeResponse *response)
{
    size_t size = gnmi__subscribe_response__get_packed_size(response);
    struct sl_buf *queue = &dress->queue;

    add_length(queue, size);
    if (sl_buf_reserve(queue, size)) {
        queue->len += gnmi__subscribe_response__pack(response, (uint8_t *)queue->data + queue->len);
    }
}

static bool dress_it(struct sl_device_dress *dress, struct sl_str message)
{
    Gnmi__SubscribeResponse *response =
        gnmi__subscribe_response__unpack(NULL, message.len, (const uint8_t *)message.data);

    if (!response) {
        return false;
    }
    if (response->response_case == GNMI__SUBSCRIBE_RESPONSE__RESPONSE_UPDATE) {
        dress->dialect->dress(dress, response);
        dress->dressed++;
    } else {
        sl_device_dress_emit(dress, response);
    }
    gnmi__subscribe_response__free_unpacked(response, NULL);
    return !dress->queue.failed;
}

bool sl_device_dress_add(struct sl_device_dress *dress, struct sl_str message)
{
    if (dress->at == dress->queue.len) {
        sl_buf_trim(&dress->queue, QUEUE_KEPT_BYTES);
        dress->at = 0;
    }
    if (dress->dialect && dress->dialect->dress) {
        return dress_it(dress, message);
    }
    add_length(&dress->queue, message.len);
    sl_buf_add_str(&dress->queue, message);
    return !dress->queue.failed;
}

bool sl_device_dress_next(const struct sl_device_dress *dress, struct sl_str *message)
{
    uint32_t length;

    if (dress->at == dress->queue.len) {
        return false;
    }
    memcpy(&length, dress->queue.data + dress->at, LENGTH_BYTES);
    *message = (struct sl_str){dress->queue.data + dress->at + LENGTH_BYTES, length};
    return true;
}

void sl_device_dress_pop(struct sl_device_dress *dress)
{
    struct sl_str message;

    if (sl_device_dress_next(dress, &message)) {
        dress->at += LENGTH_BYTES + message.len;
    }
}
