"""listener - peers that are no gNMI devices: Python's ssl, or a bare socket, on loopback."""
import contextlib
import socket
import ssl
import threading


class Peer:
    """A listener; each connection is handed to `serve` on a thread of its own, and closed behind it."""

    def __init__(self, lab, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.open = []
        lab.on_end(self.end)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            self.serve(connection)

    def end(self):
        self.listener.close()
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.close()


def tls_context(pair, alpn=("h2",), versions=None, client_cas=()):
    """A server's; with authorities it demands a certificate of theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, pair))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if versions:
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        context.minimum_version, context.maximum_version = versions
    for authority in client_cas:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(authority))
    return context


def tls_server(pair, alpn=("h2",), versions=None, client_ca=None):
    """Shakes hands, and then says nothing until the other side goes."""
    context = tls_context(pair, alpn, versions, [client_ca] if client_ca else [])

    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            while secure.recv(4096):
                pass
    return serve


def plaintext(connection):
    """An HTTP/2 server that has no TLS: its SETTINGS, and then it hangs up."""
    connection.sendall(b"\0\0\0\4\0\0\0\0\0")
    connection.recv(4096)


def silent(connection):
    while connection.recv(4096):
        pass


def hang_up(connection):
    connection.recv(4096)
