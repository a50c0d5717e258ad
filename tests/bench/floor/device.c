#include "device.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gnmi.pb-c.h"

enum {
    WINDOW_BYTES = 16 * 1024 * 1024,
    READ_BYTES = 64 * 1024,
    PREFIX_BYTES = 5, /* of a gRPC message: compressed or not, length */
    MAX_MESSAGE_BYTES = 16 * 1024 * 1024,
    REQUEST_BYTES = 256,
    MAX_NAME_BYTES = 256,
};

struct floor_device {
    int fd;
    nghttp2_session *session;
    floor_message_fn on_message;
    void *arg;
    uint8_t request[REQUEST_BYTES]; /* with its prefix */
    size_t request_len;
    size_t request_sent;
    uint8_t *partial; /* the front of a message that came in pieces, with its prefix */
    size_t partial_len;
    size_t partial_cap;
    bool is_over;
    uint8_t in[READ_BYTES];
};

static size_t message_len(const uint8_t *prefix)
{
    return (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
}

static bool keep(struct floor_device *device, const uint8_t *bytes, size_t len)
{
    if (device->partial_cap < device->partial_len + len) {
        size_t cap = (device->partial_len + len) * 2;
        uint8_t *grown = cap <= 2 * MAX_MESSAGE_BYTES ? realloc(device->partial, cap) : NULL;
        if (!grown) {
            fprintf(stderr, "floor: no room for a message of more than %zu bytes\n", cap / 2);
            return false;
        }
        device->partial = grown;
        device->partial_cap = cap;
    }
    memcpy(device->partial + device->partial_len, bytes, len);
    device->partial_len += len;
    return true;
}

/* Takes from `bytes` what the kept message still lacks, and hands it on once it is whole. */
static bool complete(struct floor_device *device, const uint8_t **bytes, size_t *len)
{
    while (device->partial_len > 0 && *len > 0) {
        size_t want = PREFIX_BYTES;
        if (device->partial_len >= PREFIX_BYTES) {
            want += message_len(device->partial);
        }
        size_t taken = want - device->partial_len < *len ? want - device->partial_len : *len;
        if (!keep(device, *bytes, taken)) {
            return false;
        }
        *bytes += taken;
        *len -= taken;
        if (device->partial_len >= PREFIX_BYTES &&
            device->partial_len == PREFIX_BYTES + message_len(device->partial)) {
            device->partial_len = 0;
            if (!device->on_message(device->partial + PREFIX_BYTES, message_len(device->partial),
                                    device->arg)) {
                return false;
            }
        }
    }
    return true;
}

static bool take(struct floor_device *device, const uint8_t *bytes, size_t len)
{
    if (!complete(device, &bytes, &len)) {
        return false;
    }
    while (len >= PREFIX_BYTES && len - PREFIX_BYTES >= message_len(bytes)) {
        size_t whole = PREFIX_BYTES + message_len(bytes);
        if (!device->on_message(bytes + PREFIX_BYTES, whole - PREFIX_BYTES, device->arg)) {
            return false;
        }
        bytes += whole;
        len -= whole;
    }
    return len == 0 || keep(device, bytes, len);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *arg)
{
    (void)session, (void)flags, (void)id;
    return take((struct floor_device *)arg, bytes, len) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *arg)
{
    (void)session, (void)frame, (void)flags, (void)arg;
    if (name_len > 5 && memcmp(name, "grpc-", 5) == 0) {
        fprintf(stderr, "floor: %.*s: %.*s\n", (int)name_len, (const char *)name, (int)value_len,
                (const char *)value);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *arg)
{
    (void)session, (void)id;
    fprintf(stderr, "floor: the stream was closed, HTTP/2 error %u\n", error);
    ((struct floor_device *)arg)->is_over = true;
    return 0;
}

static ssize_t on_request(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t len,
                          uint32_t *flags, nghttp2_data_source *source, void *arg)
{
    struct floor_device *device = (struct floor_device *)arg;
    size_t left = device->request_len - device->request_sent;

    (void)session, (void)id, (void)source;
    len = left < len ? left : len;
    memcpy(bytes, device->request + device->request_sent, len);
    device->request_sent += len;
    if (len == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)len;
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = send(fd, bytes, len, MSG_NOSIGNAL);
        if (written < 0 && errno != EINTR) {
            perror("floor: send");
            return false;
        }
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return true;
}

static bool write_output(struct floor_device *device)
{
    const uint8_t *bytes;
    ssize_t len;

    while ((len = nghttp2_session_mem_send(device->session, &bytes)) > 0) {
        if (!write_all(device->fd, bytes, (size_t)len)) {
            return false;
        }
    }
    return len == 0;
}

/* SubscribeRequest: STREAM, target-defined, encoding PROTO, the interfaces' counters. */
static void make_request(struct floor_device *device)
{
    char names[][12] = {"interfaces", "interface", "state", "counters"};
    Gnmi__PathElem elems[4];
    Gnmi__PathElem *path_elems[4];
    Gnmi__Path path;
    Gnmi__Subscription subscription;
    Gnmi__Subscription *subscriptions[] = {&subscription};
    Gnmi__SubscriptionList list;
    Gnmi__SubscribeRequest request;

    gnmi__path__init(&path);
    gnmi__subscription__init(&subscription);
    gnmi__subscription_list__init(&list);
    gnmi__subscribe_request__init(&request);
    for (size_t i = 0; i < 4; i++) {
        gnmi__path_elem__init(&elems[i]);
        elems[i].name = names[i];
        path_elems[i] = &elems[i];
    }
    path.n_elem = 4;
    path.elem = path_elems;
    subscription.path = &path;
    list.n_subscription = 1;
    list.subscription = subscriptions;
    list.encoding = GNMI__ENCODING__PROTO;
    request.request_case = GNMI__SUBSCRIBE_REQUEST__REQUEST_SUBSCRIBE;
    request.subscribe = &list;

    size_t len = gnmi__subscribe_request__pack(&request, device->request + PREFIX_BYTES);
    device->request[4] = (uint8_t)len; /* fewer than 256 */
    device->request_len = PREFIX_BYTES + len;
}

static nghttp2_nv field(char *name, char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value),
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

static bool subscribe(struct floor_device *device, const char *host)
{
    char method[] = ":method", scheme[] = ":scheme", path[] = ":path", authority[] = ":authority";
    char type[] = "content-type", te[] = "te";
    char post[] = "POST", http[] = "http", rpc[] = "/gnmi.gNMI/Subscribe";
    char grpc[] = "application/grpc", trailers[] = "trailers";
    char name[MAX_NAME_BYTES];
    nghttp2_settings_entry setting = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES};
    nghttp2_data_provider provider = {.read_callback = on_request};

    snprintf(name, sizeof(name), "%s", host);
    nghttp2_nv fields[] = {field(method, post),    field(scheme, http), field(path, rpc),
                           field(authority, name), field(type, grpc),   field(te, trailers)};
    make_request(device);
    return nghttp2_submit_settings(device->session, NGHTTP2_FLAG_NONE, &setting, 1) == 0 &&
           nghttp2_session_set_local_window_size(device->session, NGHTTP2_FLAG_NONE, 0,
                                                 WINDOW_BYTES) == 0 &&
           nghttp2_submit_request(device->session, NULL, fields, sizeof(fields) / sizeof(*fields),
                                  &provider, NULL) > 0 &&
           write_output(device);
}

static int dial(const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int fd = -1;
    int one = 1;

    if (getaddrinfo(host, port, &hints, &found) == 0) {
        fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
        freeaddrinfo(found);
    }
    if (fd < 0) {
        fprintf(stderr, "floor: cannot connect to %s:%s\n", host, port);
    } else {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return fd;
}

static bool start_session(struct floor_device *device)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return false;
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    int error = nghttp2_session_client_new(&device->session, callbacks, device);
    nghttp2_session_callbacks_del(callbacks);
    return error == 0;
}

struct floor_device *floor_device_open(const char *host, const char *port,
                                       floor_message_fn on_message, void *arg)
{
    struct floor_device *device = calloc(1, sizeof(*device));

    if (!device) {
        return NULL;
    }
    device->on_message = on_message;
    device->arg = arg;
    device->fd = dial(host, port);
    if (device->fd < 0 || !start_session(device) || !subscribe(device, host)) {
        floor_device_free(device);
        return NULL;
    }
    return device;
}

void floor_device_free(struct floor_device *device)
{
    if (!device) {
        return;
    }
    nghttp2_session_del(device->session);
    if (device->fd >= 0) {
        close(device->fd);
    }
    free(device->partial);
    free(device);
}

int floor_device_fd(const struct floor_device *device)
{
    return device->fd;
}

bool floor_device_read(struct floor_device *device)
{
    ssize_t len = recv(device->fd, device->in, sizeof(device->in), MSG_DONTWAIT);

    if (len < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    if (len == 0) {
        fprintf(stderr, "floor: the device closed the connection\n");
        return false;
    }
    return nghttp2_session_mem_recv(device->session, device->in, (size_t)len) == len &&
           !device->is_over && write_output(device);
}
