#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { US_PER_MS = 1000, US_PER_S = 1000 * 1000, NS_PER_US = 1000 };

/* $NOTIFY_SOCKET as an address: a path, or '@' and a name that is in no file system. Its length; 0:
 * there is none that could be reached. */
static socklen_t manager(struct sockaddr_un *address)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t len = name ? strlen(name) : 0;

    if (len < 2 || len >= sizeof(address->sun_path) || (name[0] != '/' && name[0] != '@')) {
        return 0;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, len);
    if (name[0] == '@') {
        address->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

bool sl_notify_is_heard(void)
{
    struct sockaddr_un address;

    return manager(&address) > 0;
}

static void send_text(const char *text, size_t len)
{
    const struct timeval patience = {.tv_sec = 1};
    struct sockaddr_un address;
    socklen_t address_len = manager(&address);
    int fd = address_len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ssize_t sent;
    do {
        sent = sendto(fd, text, len, MSG_NOSIGNAL, (struct sockaddr *)&address, address_len);
    } while (sent < 0 && errno == EINTR);
    close(fd);
}

void sl_notify(const char *format, ...)
{
    char text[SL_NOTIFY_BYTES];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0) {
        send_text(text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
    }
}

void sl_notify_ready(void)
{
    sl_notify("READY=1");
}

void sl_notify_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sl_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
              (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / NS_PER_US);
}

void sl_notify_stopping(uint64_t at_most_ms)
{
    sl_notify("STOPPING=1\nSTATUS=draining: no more credit, waiting for what is held\n"
              "EXTEND_TIMEOUT_USEC=%" PRIu64,
              at_most_ms * US_PER_MS);
}

/* A whole number; 0: it is none. */
static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;

    if (!text || text[0] < '0' || text[0] > '9') {
        return 0;
    }
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);

    return *end == '\0' && errno == 0 ? number : 0;
}

uint64_t sl_notify_watchdog_ms(void)
{
    uint64_t us = sl_notify_is_heard() ? number_of("WATCHDOG_USEC") : 0;
    bool is_ours = !getenv("WATCHDOG_PID") || number_of("WATCHDOG_PID") == (uint64_t)getpid();

    return is_ours && us > 0 ? sl_max_u64(us / US_PER_MS, 1) : 0;
}
