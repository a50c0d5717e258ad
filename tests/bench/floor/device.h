/* device.h - one Subscribe stream on nghttp2 alone, with windows that nobody has to think of. */
#ifndef FLOOR_DEVICE_H
#define FLOOR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct floor_device;

/* One SubscribeResponse, borrowed until return. False ends the program. */
typedef bool (*floor_message_fn)(const uint8_t *message, size_t len, void *arg);

/* Connects, waits for it, and subscribes. NULL, and the reason on stderr. */
struct floor_device *floor_device_open(const char *host, const char *port,
                                       floor_message_fn on_message, void *arg);
void floor_device_free(struct floor_device *device);

int floor_device_fd(const struct floor_device *device);

/* Takes what has arrived, up to one buffer. False when the stream is over, with the reason on
 * stderr. */
bool floor_device_read(struct floor_device *device);

#endif
