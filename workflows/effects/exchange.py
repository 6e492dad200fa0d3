"""One HTTP exchange: a request on a guarded connection, its answer read up to a limit."""

import logging
import ssl
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache

import httpcore2
import httpx2

from workflows import conf
from workflows.activities import ActivityError, NonRetryableError
from workflows.effects.addresses import may_name
from workflows.effects.dialling import Deadline, GuardedBackend

_LAST_PORT = 65535
#: What a body in gzip begins with.
_GZIP = b"\x1f"

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it is sent."""

    method: str
    url: httpx2.URL
    headers: Headers
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; `body` is decompressed and whole."""

    status: int
    headers: Headers  # names in lower case
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of this name, or nothing."""
        return next((value for each, value in self.headers if each == name), "")


def read_url(text: str) -> httpx2.URL:
    """Return a URL that may be called. Raises NonRetryableError `http_url` or `http_refused_host`.

    No message repeats the URL: it may hold data.
    """
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        raise NonRetryableError("http_url", "The text is no URL.") from None
    is_port = url.port is None or 0 < url.port <= _LAST_PORT
    if url.scheme not in ("http", "https") or not url.host or not is_port:
        raise NonRetryableError("http_url", "A URL begins with http:// or https:// and a host.")
    if url.userinfo:
        message = "A URL holds no name and password: send a header with a secret."
        raise NonRetryableError("http_url", message)
    if not may_name(url.host, port_of(url)):
        message = "CELERIAC_HTTP_HOSTS does not name this host."
        raise NonRetryableError("http_refused_host", message)
    return url


def port_of(url: httpx2.URL) -> int:
    """Return the port that a URL means."""
    return url.port or (443 if url.scheme == "https" else 80)


def exchange(outgoing: Outgoing, deadline: Deadline) -> Answer:
    """Send a request and read its answer.

    Raises:
        ActivityError: `http_timeout`, `http_connect`, `http_unknown_host` or `http_broken`, which
            another attempt may help; `http_refused_address`, `http_tls`, `http_request`,
            `http_too_large` or `http_encoding`, which none does.
    """
    url = outgoing.url
    request = httpcore2.Request(
        outgoing.method,
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=_encoded(outgoing.headers),
        content=outgoing.body,
    )
    with _in_silence(), _telling_errors(deadline), _pool(deadline) as pool:
        response = pool.handle_request(request)
        try:
            headers = [(_decoded(name).lower(), _decoded(text)) for name, text in response.headers]
            answer = Answer(response.status, headers, b"")
            body = _read(response.iter_stream(), answer.header("content-encoding"))
        finally:
            response.close()
    return replace(answer, body=body)


def _decoded(text: bytes) -> str:
    return text.decode("latin-1")


@contextmanager
def _in_silence() -> Iterator[None]:
    """Let the library log nothing of this exchange: it writes down headers, secrets among them."""
    token = _is_silent.set(True)
    try:
        yield
    finally:
        _is_silent.reset(token)


def _is_loud(_record: logging.LogRecord) -> bool:
    return not _is_silent.get()


_is_silent: ContextVar[bool] = ContextVar("is_silent", default=False)
for _name in ("connection", "http11", "http2", "proxy", "socks"):
    logging.getLogger(f"httpcore2.{_name}").addFilter(_is_loud)


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    made = []
    for name, value in headers:
        if not value.isprintable() or not value.isascii():
            message = f"The value of the header {name!r} has characters that no header can have."
            raise NonRetryableError("http_request", message)
        made.append((name.encode(), value.encode()))
    return made


@contextmanager
def _pool(deadline: Deadline) -> Iterator[httpcore2.ConnectionPool]:
    """Connections of this attempt only: none is shared with another run or its secrets."""
    context = _tls(conf.settings().http_ca_file)
    with httpcore2.ConnectionPool(context, network_backend=GuardedBackend(deadline)) as pool:
        yield pool


@lru_cache(maxsize=4)
def _tls(ca_file: str) -> ssl.SSLContext:
    if ca_file:
        return ssl.create_default_context(cafile=ca_file)
    return httpx2.create_ssl_context(trust_env=False)


@contextmanager
def _telling_errors(deadline: Deadline) -> Iterator[None]:
    """Turn the library's errors into ours: its texts may quote what was sent."""
    try:
        yield
    except httpcore2.TimeoutException:
        message = f"There was no whole answer within {deadline.seconds:g} s."
        raise ActivityError("http_timeout", message) from None
    except httpcore2.ConnectError as error:
        raise _not_connected(error) from None
    except (httpcore2.LocalProtocolError, httpcore2.UnsupportedProtocol):
        raise NonRetryableError("http_request", "This is no request that can be sent.") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        message = "The connection broke before the answer was whole."
        raise ActivityError("http_broken", message) from None


def _not_connected(error: Exception) -> ActivityError:
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            message = f"The certificate of the server is not trusted: {reason.verify_message}."
            return NonRetryableError("http_tls", message)
        reason = reason.__cause__ or reason.__context__
    return ActivityError("http_connect", "The server cannot be reached.")


def _read(chunks: Iterable[bytes], encoding: str) -> bytes:
    """Return the body, decompressed; never more than the limit is held, however it was packed."""
    most = conf.settings().captured_bytes
    packed = _Packed() if _is_packed(encoding) else None
    body = bytearray()
    for chunk in chunks:
        body += chunk if packed is None else packed.unpacked(chunk, most + 1 - len(body))
        if len(body) > most:
            message = f"The answer is larger than {most:,} bytes (CAPTURED_BYTES)."
            raise NonRetryableError("http_too_large", message)
    if packed is not None and not packed.is_whole:
        raise ActivityError("http_broken", "The packed answer ends before its end.")
    return bytes(body)


def _is_packed(encoding: str) -> bool:
    match encoding.strip().lower():
        case "" | "identity":
            return False
        case "gzip" | "x-gzip" | "deflate":
            return True
        case _:
            message = "The answer is packed in a way that is not known."
            raise NonRetryableError("http_encoding", message)


class _Packed:
    """A packed body, which may be several that stand one behind the other."""

    def __init__(self) -> None:
        self._member: zlib._Decompress | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing; of no body at all nothing is."""
        return self._member is None or self._member.eof

    def unpacked(self, chunk: bytes, room: int) -> bytes:
        """Return what a chunk holds, `room` bytes at most."""
        body = bytearray()
        while chunk and len(body) < room:
            if self._member is None or (self._member.eof and chunk.startswith(_GZIP)):
                self._member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header
            elif self._member.eof:
                break  # what pads it out to whole blocks
            try:
                body += self._member.decompress(chunk, room - len(body))
            except zlib.error:
                message = "The packed answer cannot be unpacked."
                raise ActivityError("http_broken", message) from None
            chunk = self._member.unused_data
        return bytes(body)
