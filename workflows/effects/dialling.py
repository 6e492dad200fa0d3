"""Opens connections for `http` nodes: resolves a host, checks each address, dials that very one.

The check is where the connection is made, so a name that resolves to something else a moment later
(DNS rebinding), an odd spelling of an address or a redirect cannot go around it.
"""

import socket
import ssl
import threading
from collections.abc import Iterable
from time import monotonic
from typing import Any

import httpcore2

from workflows.activities import ActivityError, NonRetryableError
from workflows.effects.addresses import Address, may_dial, read_address

_Option = httpcore2.SOCKET_OPTION


class Deadline:
    """When one attempt has to be over, whatever it does until then."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left. Raises httpcore2.TimeoutException when there are none."""
        left = self._ends - monotonic()
        if left <= 0:
            raise httpcore2.TimeoutException
        return left


class GuardedBackend(httpcore2.NetworkBackend):
    """Dials checked addresses only, and lets nothing outlast the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[_Option] | None = None,
    ) -> httpcore2.NetworkStream:
        """Open a connection. Raises NonRetryableError `http_refused_address`."""
        failure: Exception = httpcore2.ConnectError()
        for address in _allowed(host, port, self._deadline):
            try:
                stream = self._plain.connect_tcp(
                    str(address), port, self._deadline.left(), local_address, socket_options or ()
                )
            except httpcore2.ConnectError as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure

    def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore2.NetworkStream:
        """Refuse: nothing that is called is on this machine's file system."""
        raise httpcore2.ConnectError


class _TimedStream(httpcore2.NetworkStream):
    """A stream on which each wait ends with the deadline: a server that drips cannot stretch it."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _allowed(host: str, port: int, deadline: Deadline) -> list[Address]:
    found = _resolve(host, port, deadline)
    allowed = [address for address in found if may_dial(host, port, address)]
    if not allowed:
        message = (
            "The host leads to an address that is not public. "
            "CELERIAC_HTTP_PRIVATE names those that may be called nevertheless."
        )
        raise NonRetryableError("http_refused_address", message)
    return allowed


def _resolve(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Return the addresses of a host, each once, in the order in which the system prefers them."""
    answer: list[Any] = []
    failed: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            answer.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    # The system's resolver knows no time limit, so it is left behind when the time is over.
    asking = threading.Thread(target=ask, daemon=True, name="resolver")
    asking.start()
    asking.join(deadline.left())
    deadline.left()
    if failed or not answer:
        raise ActivityError("http_unknown_host", "The name of the host cannot be resolved.")
    # A zone (`fe80::1%eth0`) belongs to link-local addresses, which its bare form is checked as.
    texts = [str(each[4][0]).partition("%")[0] for each in answer]
    return list(dict.fromkeys(map(read_address, texts)))
