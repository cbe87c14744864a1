"""A TLS server in front of an OMS that fails in the ways in which one that restarts or breaks down does."""

import contextlib
import socket
import ssl
import struct
import threading

_ALERT_INTERNAL_ERROR = b"\x15\x03\x03\x00\x02\x02\x50"
_BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

#: What it sends instead of its part of the handshake, so that the request isn't sent.
BEFORE = {
    "a plain 502": _BAD_GATEWAY,
    "an alert": _ALERT_INTERNAL_ERROR,
    "a damaged record": b"\x16\x03\x03\x00\x10" + bytes(range(16)),
    "no record": bytes(range(64)),
    "nothing": b"",
}
#: What it does with an answer, after OMS has carried the request out.
AFTER = ("a damaged record", "an alert", "a plain 502", "half an answer", "nothing", "a reset")


class TlsFront:
    """Accepts TLS connections, and forwards them to an OMS without TLS.

    :param context: its certificate
    :param port: where OMS is
    :param before: the bytes to send instead of each handshake; None for a valid handshake
    :param after: what it does with answers, one of ``AFTER``; None to forward them
    :param action: only answers to requests with these bytes in their head are changed
    """

    def __init__(self, context, port, *, before=None, after=None, action=b""):
        self.context, self.oms, self.before, self.after, self.action = context, port, before, after, action
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(60)

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError, ssl.SSLError):
                    connection.settimeout(60)
                    self._carry(connection)

    def _carry(self, connection):
        if self.before is not None:
            connection.recv(65536)
            connection.sendall(self.before)
            return
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_side=True)

        def wait_for(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    received = connection.recv(65536)
                    incoming.write(received) if received else incoming.write_eof()
                finally:
                    sent = outgoing.read()
                    if sent:
                        connection.sendall(sent)

        wait_for(tls.do_handshake)
        while request := self._request(lambda: wait_for(lambda: tls.read(65536))):
            answer = self._ask(request)
            if self.after is None or self.action not in request.partition(b"\r\n")[0]:
                tls.write(answer)
                connection.sendall(outgoing.read())
                continue
            tls.write(answer if self.after != "half an answer" else answer[: len(answer) // 2])
            self._harm(connection, outgoing.read())
            return

    @staticmethod
    def _request(read):
        received = b""
        while b"\r\n\r\n" not in received:
            part = read()
            if not part:
                return b""
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        while len(body) < length:
            body += read()
        return head + b"\r\n\r\n" + body

    def _ask(self, request):
        with socket.create_connection(("127.0.0.1", self.oms), timeout=60) as upstream:
            head, _, body = request.partition(b"\r\n\r\n")
            upstream.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: upstream.recv(65536), b""))

    def _harm(self, connection, record):
        if self.after == "a damaged record":
            connection.sendall(record[:-1] + bytes([record[-1] ^ 1]))
        elif self.after == "an alert":
            connection.sendall(_ALERT_INTERNAL_ERROR)
        elif self.after == "a plain 502":
            connection.sendall(_BAD_GATEWAY)
        elif self.after == "half an answer":
            connection.sendall(record)
        elif self.after == "a reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
