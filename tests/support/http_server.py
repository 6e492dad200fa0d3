"""A real HTTP server on loopback: answers by a script, and keeps what it was sent."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    #: Called with the connection instead of answering as HTTP does.
    instead: Callable[[socket.socket, threading.Event], None] | None = None


@dataclass
class Server:
    """`replies` by path: the n-th call takes the n-th, the last repeats; others answer 404."""

    port: int
    host: str = "127.0.0.1"
    scheme: str = "http"
    replies: dict[str, list[Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    def on(self, path: str, *replies: Reply) -> str:
        """Let a path answer so, and return its URL."""
        self.replies[path] = list(replies)
        return self.url(path)

    def reply_to(self, request: Request) -> Reply:
        self.requests.append(request)
        path = request.path.partition("?")[0]
        replies = self.replies.get(path, [Reply(404)])
        count = sum(each.path.partition("?")[0] == path for each in self.requests)
        return replies[min(count, len(replies)) - 1]


@contextmanager
def http_server(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve on a free port of loopback inside the block, with TLS if a context is given."""
    listening = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    listening.daemon_threads = True
    if context is not None:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    server = Server(listening.server_port, scheme="https" if context else "http")
    listening.RequestHandlerClass = _handler(server)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        listening.shutdown()
        listening.server_close()
        thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.rfile.read(length))
            reply = server.reply_to(request)
            self.close_connection = True
            if reply.instead is not None:
                reply.instead(self.connection, server.stopped)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler


def json_reply(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": "application/json", **(headers or {})})


def silence(_connection: socket.socket, stopped: threading.Event) -> None:
    """Never answer."""
    stopped.wait(30)


def dripping(connection: socket.socket, stopped: threading.Event) -> None:
    """Answer one byte at a time, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not stopped.wait(0.02):
        try:
            connection.sendall(b"x")
        except OSError:
            return


def hanging_up(connection: socket.socket, _stopped: threading.Event) -> None:
    """End in the middle of an answer."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.shutdown(socket.SHUT_RDWR)
