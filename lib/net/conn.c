#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/internal.h"

/* One for all connections of a loop, at the libuv loop's `data`. */
struct sl_read_buffer {
    size_t conns;
    char bytes[SL_NET_READ_BYTES];
};

/* What the socket did not take. */
struct write {
    uv_write_t req;
    struct sl_conn *conn;
    char bytes[];
};

/* libuv writes without MSG_NOSIGNAL. */
static void ignore_sigpipe(void)
{
    struct sigaction action;

    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &action, NULL);
    }
}

static struct sl_read_buffer *hold_buffer(uv_loop_t *uv)
{
    struct sl_read_buffer *buffer = uv->data;

    if (!buffer) {
        buffer = malloc(sizeof(*buffer));
        if (!buffer) {
            return NULL;
        }
        buffer->conns = 0;
        uv->data = buffer;
        ignore_sigpipe();
    }
    buffer->conns++;
    return buffer;
}

static void release_buffer(uv_loop_t *uv, struct sl_read_buffer *buffer)
{
    SL_ASSERT(buffer->conns > 0 && uv->data == buffer);
    if (--buffer->conns == 0) {
        uv->data = NULL;
        free(buffer);
    }
}

struct sl_conn *sl_conn_new(struct sl_loop *loop)
{
    struct sl_conn *conn = calloc(1, sizeof(*conn));
    uv_loop_t *uv = sl_loop_handle(loop);

    if (!conn) {
        return NULL;
    }
    conn->buffer = hold_buffer(uv);
    if (!conn->buffer) {
        free(conn);
        return NULL;
    }
    SL_ASSERT(uv_tcp_init(uv, &conn->tcp) == 0);
    conn->why = sl_status_ok();
    return conn;
}

static void end(struct sl_conn *conn)
{
    if (conn->events && conn->events->on_close) {
        conn->events->on_close(conn, &conn->why, conn->arg);
    }
    release_buffer(conn->tcp.loop, conn->buffer);
    free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sl_conn *conn = SL_CONTAINER_OF(handle, struct sl_conn, tcp);

    if (conn->is_closing) {
        end(conn);
        return;
    }
    SL_ASSERT(uv_tcp_init(handle->loop, &conn->tcp) == 0);
    sl_dial_next(conn->dial);
}

void sl_conn_renew(struct sl_conn *conn)
{
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
}

void sl_conn_fail(struct sl_conn *conn, const struct sl_status *why)
{
    if (conn->is_closing) {
        return;
    }
    conn->is_closing = true;
    conn->why = *why;
    sl_dial_free(conn->dial);
    conn->dial = NULL;
    if (!uv_is_closing((uv_handle_t *)&conn->tcp)) {
        uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
    }
}

static void fail_with(struct sl_conn *conn, const char *verb, int error)
{
    struct sl_status why = sl_net_error(verb, conn->peer, error);

    sl_conn_fail(conn, &why);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct sl_conn *conn = SL_CONTAINER_OF(handle, struct sl_conn, tcp);

    (void)suggested;
    buf->base = conn->buffer->bytes;
    buf->len = sizeof(conn->buffer->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct sl_conn *conn = SL_CONTAINER_OF(stream, struct sl_conn, tcp);

    if (len == UV_EOF) {
        struct sl_status why = sl_status_error(SL_UNAVAILABLE, "closed by peer");

        sl_conn_fail(conn, &why);
    } else if (len < 0) {
        fail_with(conn, "read", (int)len);
    } else if (len > 0 && conn->events && conn->events->on_read) {
        conn->events->on_read(conn, (const uint8_t *)buf->base, (size_t)len, conn->arg);
    }
}

void sl_conn_update_reading(struct sl_conn *conn)
{
    bool should_read = conn->is_open && !conn->is_closing && !conn->is_paused;
    int error;

    if (should_read == conn->is_reading || conn->is_closing) {
        return;
    }
    conn->is_reading = should_read;
    if (!should_read) {
        uv_read_stop((uv_stream_t *)&conn->tcp);
        return;
    }
    error = uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
    if (error) {
        fail_with(conn, "read", error);
    }
}

void sl_conn_stands(struct sl_conn *conn)
{
    struct sockaddr_storage peer;
    int len = sizeof(peer);

    uv_tcp_nodelay(&conn->tcp, 1);
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&peer, &len) == 0) {
        sl_net_name((const struct sockaddr *)&peer, (socklen_t)len, conn->peer);
    }
    conn->is_open = true;
}

static void on_written(uv_write_t *req, int status)
{
    struct write *write = SL_CONTAINER_OF(req, struct write, req);
    struct sl_conn *conn = write->conn;

    free(write);
    conn->pending_writes--;
    if (conn->is_closing) {
        return;
    }
    if (status < 0) {
        fail_with(conn, "write", status);
    } else if (conn->pending_writes == 0 && conn->wants_drain) {
        conn->wants_drain = false;
        if (conn->events && conn->events->on_drain) {
            conn->events->on_drain(conn, conn->arg);
        }
    }
}

/* False when memory is out or the socket is broken. */
static bool write_later(struct sl_conn *conn, const char *bytes, size_t len)
{
    struct write *write = malloc(sizeof(*write) + len);
    uv_buf_t buf;

    if (!write) {
        fail_with(conn, "write", UV_ENOMEM);
        return false;
    }
    write->conn = conn;
    memcpy(write->bytes, bytes, len);
    buf.base = write->bytes;
    buf.len = len;
    int error = uv_write(&write->req, (uv_stream_t *)&conn->tcp, &buf, 1, on_written);
    if (error) {
        free(write);
        fail_with(conn, "write", error);
        return false;
    }
    conn->pending_writes++;
    conn->wants_drain = true;
    return true;
}

/* How many bytes the socket took; below 0 it is broken. */
static ssize_t write_now(struct sl_conn *conn, const void *bytes, size_t len)
{
    uv_buf_t buf;
    int sent;

    if (conn->pending_writes > 0) {
        return 0;
    }
    buf.base = (char *)(uintptr_t)bytes; /* libuv reads it only */
    buf.len = len;
    sent = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    return sent == UV_EAGAIN ? 0 : sent;
}

bool sl_conn_write(struct sl_conn *conn, const void *bytes, size_t len)
{
    ssize_t sent;

    if (conn->is_closing || len == 0) {
        return true;
    }
    SL_ASSERT(conn->is_open);
    sent = write_now(conn, bytes, len);
    if (sent < 0) {
        fail_with(conn, "write", (int)sent);
        return true;
    }
    if ((size_t)sent == len) {
        return true;
    }
    return !write_later(conn, (const char *)bytes + sent, len - (size_t)sent);
}

void sl_conn_pause(struct sl_conn *conn)
{
    conn->is_paused = true;
    sl_conn_update_reading(conn);
}

void sl_conn_resume(struct sl_conn *conn)
{
    conn->is_paused = false;
    sl_conn_update_reading(conn);
}

void sl_conn_close(struct sl_conn *conn)
{
    struct sl_status why = sl_status_error(SL_CANCELLED, "closed here");

    sl_conn_fail(conn, &why);
}

const char *sl_conn_peer(const struct sl_conn *conn)
{
    return conn->peer;
}

void sl_conn_set_events(struct sl_conn *conn, const struct sl_conn_events *events, void *arg)
{
    conn->events = events;
    conn->arg = arg;
}
