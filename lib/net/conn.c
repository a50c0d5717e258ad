#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/internal.h"

/* One for all connections of a loop, at the libuv loop's `data`. */
struct sl_read_buffer {
    size_t conns;
    struct sl_secure_buffers *secure; /* NULL before the first connection with TLS */
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
        buffer->secure = NULL;
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
        free(buffer->secure);
        free(buffer);
    }
}

struct sl_secure_buffers *sl_conn_secure_buffers(struct sl_conn *conn)
{
    struct sl_read_buffer *buffer = conn->buffer;

    if (!buffer->secure) {
        buffer->secure = malloc(sizeof(*buffer->secure));
        if (buffer->secure) {
            buffer->secure->output.len = 0;
        }
    }
    return buffer->secure;
}

static void init_socket(struct sl_conn *conn, uv_loop_t *uv)
{
    int error = conn->is_unix ? uv_pipe_init(uv, &conn->socket.pipe, 0)
                              : uv_tcp_init(uv, &conn->socket.tcp);

    SL_ASSERT(error == 0);
}

struct sl_conn *sl_conn_new(struct sl_loop *loop, bool is_unix)
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
    conn->is_unix = is_unix;
    init_socket(conn, uv);
    return conn;
}

static void tell_end(struct sl_conn *conn)
{
    const struct sl_status why = conn->why          ? *conn->why
                                 : conn->has_failed ? sl_status_out_of_memory()
                                                    : sl_status_ok();

    if (conn->shake) {
        sl_shake_closed(conn->shake, &why);
    } else if (conn->events && conn->events->on_close) {
        conn->events->on_close(conn, &why, conn->arg);
    }
}

static void end(struct sl_conn *conn)
{
    tell_end(conn);
    free(conn->why);
    sl_tls_session_free(conn->tls);
    sl_guest_leave(conn->guest);
    release_buffer(conn->socket.handle.loop, conn->buffer);
    free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sl_conn *conn = SL_CONTAINER_OF(handle, struct sl_conn, socket);

    if (conn->is_closing) {
        end(conn);
        return;
    }
    sl_tls_session_free(conn->tls);
    conn->tls = NULL;
    init_socket(conn, handle->loop);
    sl_dial_next(conn->dial);
}

void sl_conn_renew(struct sl_conn *conn)
{
    conn->is_asking = false;
    conn->is_shaking = false;
    conn->is_reading = false;
    conn->write_error = 0;
    uv_close(&conn->socket.handle, on_handle_closed);
}

void sl_conn_fail(struct sl_conn *conn, const struct sl_status *why)
{
    if (conn->is_closing) {
        return;
    }
    conn->is_closing = true;
    conn->has_failed = !sl_status_is_ok(why);
    conn->why = conn->has_failed ? malloc(sizeof(*conn->why)) : NULL;
    if (conn->why) {
        *conn->why = *why;
    }
    sl_dial_free(conn->dial);
    conn->dial = NULL;
    if (!uv_is_closing(&conn->socket.handle)) {
        uv_close(&conn->socket.handle, on_handle_closed);
    }
}

void sl_conn_broken(struct sl_conn *conn, const struct sl_status *why)
{
    if (conn->dial && !conn->is_closing) {
        sl_dial_failed(conn->dial, why);
    } else {
        sl_conn_fail(conn, why);
    }
}

static void break_with(struct sl_conn *conn, const char *verb, int error)
{
    struct sl_status why = sl_net_error(verb, conn->peer, error);

    sl_conn_broken(conn, &why);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct sl_conn *conn = SL_CONTAINER_OF(handle, struct sl_conn, socket);

    (void)suggested;
    buf->base = conn->buffer->bytes;
    buf->len = sizeof(conn->buffer->bytes);
    if (conn->tls) {
        buf->len -=
            SL_TLS_RECORD_ROOM; /* so that what it gives, with a record begun earlier, fits */
    }
}

static void on_eof(struct sl_conn *conn)
{
    struct sl_status why = sl_net_closed();

    if (conn->is_asking) {
        why = sl_dial_cut(conn->dial);
    } else if (conn->is_shaking) {
        why = sl_conn_handshake_cut(conn);
    } else if (conn->write_error) {
        why = sl_net_error("write", conn->peer, conn->write_error);
    }
    sl_conn_broken(conn, &why);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct sl_conn *conn = SL_CONTAINER_OF(stream, struct sl_conn, socket);

    if (len == UV_EOF) {
        on_eof(conn);
    } else if (len < 0) {
        break_with(conn, "read", (int)len);
    } else if (len > 0 && conn->is_asking) {
        sl_dial_heard(conn->dial, (const uint8_t *)buf->base, (size_t)len);
    } else if (len > 0 && conn->tls) {
        sl_conn_secure_read(conn, (const uint8_t *)buf->base, (size_t)len);
    } else if (len > 0 && conn->events && conn->events->on_read) {
        conn->events->on_read(conn, (const uint8_t *)buf->base, (size_t)len, conn->arg);
    }
}

void sl_conn_update_reading(struct sl_conn *conn)
{
    bool should_read = !conn->is_closing &&
                       (conn->is_asking || conn->is_shaking || (conn->is_open && !conn->is_paused));
    int error;

    if (should_read == conn->is_reading || conn->is_closing) {
        return;
    }
    conn->is_reading = should_read;
    if (!should_read) {
        uv_read_stop(&conn->socket.stream);
        if (conn->write_error) {
            break_with(conn, "write", conn->write_error);
        }
        return;
    }
    error = uv_read_start(&conn->socket.stream, on_alloc, on_read);
    if (error) {
        break_with(conn, "read", error);
    }
}

bool sl_conn_take(struct sl_conn *conn, int fd, const char *peer)
{
    int error =
        conn->is_unix ? uv_pipe_open(&conn->socket.pipe, fd) : uv_tcp_open(&conn->socket.tcp, fd);

    if (error) {
        return false;
    }
    if (!conn->is_unix) {
        uv_tcp_nodelay(&conn->socket.tcp, 1);
    }
    snprintf(conn->peer, sizeof(conn->peer), "%s", peer);
    return true;
}

void sl_conn_ready(struct sl_conn *conn)
{
    struct sl_shake *shake = conn->shake;

    conn->is_shaking = false;
    conn->is_open = true;
    if (shake) {
        conn->shake = NULL;
        sl_shake_done(shake);
    } else {
        sl_dial_free(conn->dial);
        conn->dial = NULL;
        if (conn->events && conn->events->on_open) {
            conn->events->on_open(conn, conn->arg);
        }
    }
    sl_conn_update_reading(conn);
}

/* What the peer sent last (an alert, a GOAWAY) may still lie in the socket and say why: a reader
 * will come to it, and to the end behind it. */
static void write_failed(struct sl_conn *conn, int error)
{
    if (conn->is_reading && (error == UV_EPIPE || error == UV_ECONNRESET)) {
        conn->write_error = error;
    } else {
        break_with(conn, "write", error);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct write *write = SL_CONTAINER_OF(req, struct write, req);
    struct sl_conn *conn = write->conn;

    free(write);
    conn->pending_writes--;
    if (uv_is_closing(&conn->socket.handle) || conn->write_error) {
        return;
    }
    if (status < 0) {
        write_failed(conn, status);
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
        break_with(conn, "write", UV_ENOMEM);
        return false;
    }
    write->conn = conn;
    memcpy(write->bytes, bytes, len);
    buf.base = write->bytes;
    buf.len = len;
    int error = uv_write(&write->req, &conn->socket.stream, &buf, 1, on_written);
    if (error) {
        free(write);
        write_failed(conn, error);
        return false;
    }
    conn->pending_writes++;
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
    sent = uv_try_write(&conn->socket.stream, &buf, 1);
    return sent == UV_EAGAIN ? 0 : sent;
}

bool sl_conn_send(struct sl_conn *conn, const void *bytes, size_t len)
{
    ssize_t sent;

    if (conn->is_closing || conn->write_error || len == 0) {
        return true;
    }
    sent = write_now(conn, bytes, len);
    if (sent < 0) {
        write_failed(conn, (int)sent);
        return true;
    }
    if ((size_t)sent == len) {
        return true;
    }
    return !write_later(conn, (const char *)bytes + sent, len - (size_t)sent);
}

void sl_conn_send_last(struct sl_conn *conn, const void *bytes, size_t len)
{
    if (!conn->write_error && len > 0) {
        ssize_t sent = write_now(conn, bytes, len);
        (void)sent;
    }
}

bool sl_conn_write(struct sl_conn *conn, const void *bytes, size_t len)
{
    bool took_all;

    if (conn->is_closing || conn->write_error || len == 0) {
        return true;
    }
    SL_ASSERT(conn->is_open);
    took_all = conn->tls ? sl_conn_secure_write(conn, bytes, len) : sl_conn_send(conn, bytes, len);
    conn->wants_drain = conn->wants_drain || !took_all;
    return took_all;
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

/* Ends our side and throws away what came and was not read: closed with it, a TCP socket resets the
 * connection, and a peer that hears that first may never read our last words (RFC 9112
 * section 9.6).
 */
static void part(struct sl_conn *conn)
{
    uv_os_fd_t fd;

    if (!conn->is_unix && uv_fileno(&conn->socket.handle, &fd) == 0) {
        shutdown(fd, SHUT_WR);
        /* Leaves the buffer alone, see tcp(7); but checkers want one. */
        (void)!recv(fd, conn->buffer->bytes, sizeof(conn->buffer->bytes), MSG_TRUNC | MSG_DONTWAIT);
    }
}

void sl_conn_close(struct sl_conn *conn)
{
    struct sl_status why = sl_status_error(SL_CANCELLED, "closed here");

    if (conn->tls && conn->is_open && !conn->is_closing) {
        sl_conn_secure_goodbye(conn);
    }
    if (conn->is_open && !conn->is_closing) {
        part(conn);
    }
    sl_conn_fail(conn, &why);
}

bool sl_conn_is_secure(const struct sl_conn *conn)
{
    return conn->tls != NULL;
}

const char *sl_conn_identity(struct sl_conn *conn)
{
    return conn->tls && conn->is_open ? sl_tls_session_identity(conn->tls) : NULL;
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
