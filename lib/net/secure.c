/* TLS of a connection: between conn.c's socket and a session of tls_session.c. */
#include "net/internal.h"

/* "TLS 127.0.0.1:57400: ..." */
static struct sl_status tls_error(const struct sl_conn *conn, const char *reason, const char *text)
{
    return sl_status_because(reason,
                             sl_status_error(SL_UNAVAILABLE, "TLS %s: %s", conn->peer, text));
}

static struct sl_status session_error(const struct sl_conn *conn)
{
    const struct sl_status *why = sl_tls_session_why(conn->tls);

    return tls_error(conn, why->reason, why->text);
}

struct sl_status sl_conn_handshake_timeout(const struct sl_conn *conn)
{
    return tls_error(conn, "tls-handshake-timeout",
                     sl_tls_session_has_heard(conn->tls)
                         ? "the handshake did not end in time"
                         : "the handshake did not end in time: the peer never said a word");
}

struct sl_status sl_conn_handshake_cut(const struct sl_conn *conn)
{
    return tls_error(conn, "tls-handshake-cut",
                     sl_tls_session_has_heard(conn->tls)
                         ? "closed by peer during the handshake"
                         : "closed by peer without a word: is it plaintext ('insecure: true')?");
}

/* False when the handle is on its way out: this attempt is over. */
static bool is_alive(const struct sl_conn *conn)
{
    return !uv_is_closing(&conn->socket.handle);
}

/* Gives what the session has to send to the socket. False when some of it waits in memory. */
static bool flush(struct sl_conn *conn)
{
    struct sl_tls_output *output = &sl_conn_secure_buffers(conn)->output;
    size_t len = output->len;

    output->len = 0;
    return sl_conn_send(conn, output->bytes, len);
}

/* The session ended or failed: its last words leave, and so does the connection. */
static void finish(struct sl_conn *conn, enum sl_tls_step step)
{
    struct sl_status why = sl_net_closed();

    if (step != SL_TLS_ENDED) {
        why = session_error(conn);
    } else if (conn->is_shaking) {
        why = sl_conn_handshake_cut(conn);
    }
    flush(conn);
    if (is_alive(conn)) {
        sl_conn_broken(conn, &why);
    }
}

/* True when the handshake is done and the connection is its user's. */
static bool shake(struct sl_conn *conn)
{
    enum sl_tls_step step;

    do {
        step = sl_tls_session_handshake(conn->tls);
        flush(conn);
    } while (step == SL_TLS_WANTS_OUTPUT && is_alive(conn));
    if (!is_alive(conn)) {
        return false;
    }
    if (step == SL_TLS_DONE) {
        sl_conn_ready(conn);
        return is_alive(conn);
    }
    if (step != SL_TLS_WANTS_INPUT) {
        finish(conn, step);
    }
    return false;
}

/* Decrypts what was fed and gives it to the user, in one piece unless it is more than a read. */
static void read_plain(struct sl_conn *conn)
{
    uint8_t *plain = sl_conn_secure_buffers(conn)->plain;
    enum sl_tls_step step;

    do {
        size_t len;

        step = sl_tls_session_read(conn->tls, plain, SL_NET_READ_BYTES, &len);
        flush(conn);
        if (len > 0 && conn->events && conn->events->on_read && is_alive(conn)) {
            conn->events->on_read(conn, plain, len, conn->arg);
        }
    } while ((step == SL_TLS_DONE || step == SL_TLS_WANTS_OUTPUT) && is_alive(conn));
    if (step != SL_TLS_WANTS_INPUT && is_alive(conn)) {
        finish(conn, step);
    }
}

void sl_conn_secure_read(struct sl_conn *conn, const uint8_t *bytes, size_t len)
{
    sl_tls_session_feed(conn->tls, bytes, len,
                        (int64_t)uv_now(conn->socket.handle.loop) * SL_NS_PER_MS);
    if (!conn->is_shaking || shake(conn)) {
        read_plain(conn);
    }
}

bool sl_conn_secure_write(struct sl_conn *conn, const void *bytes, size_t len)
{
    const uint8_t *next = bytes;
    bool took_all = true;
    enum sl_tls_step step;

    do {
        size_t taken;

        step = sl_tls_session_write(conn->tls, next, len, &taken);
        next += taken;
        len -= taken;
        took_all = flush(conn) && took_all;
    } while (step == SL_TLS_WANTS_OUTPUT && is_alive(conn));
    if (step != SL_TLS_DONE && is_alive(conn)) {
        finish(conn, SL_TLS_FAILED);
        return true;
    }
    return took_all;
}

void sl_conn_secure_goodbye(struct sl_conn *conn)
{
    struct sl_tls_output *output = &sl_conn_secure_buffers(conn)->output;

    sl_tls_session_end(conn->tls);
    sl_conn_send_last(conn, output->bytes, output->len);
    output->len = 0;
    sl_tls_session_free(conn->tls); /* with what it took for the last record */
    conn->tls = NULL;
}

void sl_conn_secure(struct sl_conn *conn, struct sl_tls *tls, const char *name, const char *place)
{
    struct sl_secure_buffers *buffers = sl_conn_secure_buffers(conn);

    conn->tls = buffers ? sl_tls_session_new(tls, name, &buffers->output) : NULL;
    if (!conn->tls) {
        struct sl_status why =
            sl_status_error(SL_RESOURCE_EXHAUSTED, "TLS %s: out of memory", conn->peer);
        sl_conn_broken(conn, &why);
        return;
    }
    if (place) {
        sl_tls_session_resume(conn->tls, place);
    }
    conn->is_shaking = true;
    if (shake(conn)) {
        return;
    }
    if (is_alive(conn)) {
        sl_conn_update_reading(conn);
    }
}
