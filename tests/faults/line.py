"""A line between browser and server that can be cut and mended, as by a laptop that sleeps."""

from __future__ import annotations

import copy
import socket
import threading
from contextlib import suppress

from ..browser.lab import JupyterServer


class Line:
    """A forwarder of TCP connections to a server.

    Parameters
    ----------
    server : JupyterServer

    Attributes
    ----------
    server : JupyterServer
        The same server, as it is reached through this line.
    """

    def __init__(self, server: JupyterServer) -> None:
        self._target = ("127.0.0.1", int(server.url.rsplit(":", 1)[1].strip("/")))
        self._up = threading.Event()
        self._up.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.server = copy.copy(server)
        self.server.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()
        self._up.set()

    def cut(self) -> None:
        """End every connection; new ones wait until the line is mended."""
        self._up.clear()
        with self._lock:
            gone, self._open = self._open, set()
        for end in gone:
            _end(end)

    def mend(self) -> None:
        """Let connections through again."""
        self._up.set()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._up.wait()
        far = socket.create_connection(self._target)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {near, far}
        threading.Thread(target=self._carry, args=(far, near), daemon=True).start()
        self._carry(near, far)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with self._lock:
                self._open.discard(end)
            _end(end)


def _end(connection: socket.socket) -> None:
    # A close alone does not wake the thread that reads from it.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
