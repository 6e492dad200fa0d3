"""Contexts that are too large for a row: kept once, by the hash of their text, and shared.

A column holds a context of up to 64 KB itself, and of a larger one a reference: `{KEY: digest}`.
The text is in the storage `STORAGES["celeriac"]`, by default a table; that it is there, and when it
was last known to be in use, is a row of `Content`, which is locked by whoever keeps or removes it.
A user's context that looks like a reference is kept outside whatever its size: so what looks like
one in a column always is one.
"""

import json
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from threading import Lock
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import Error, transaction
from django.utils.module_loading import import_string

from workflows import clock, conf
from workflows.context.values import dumps
from workflows.errors import ContentLostError, ContentUnreachableError

#: The name of the storage in Django's STORAGES, and what is used when it is not there.
ALIAS = "celeriac"
DEFAULT = "workflows.store.contents.DatabaseStorage"
#: The largest context that a row holds: compact JSON text, in bytes of UTF-8.
LIMIT = 65_536
KEY = "celeriac:content"
_DIGEST = re.compile(r"[0-9a-f]{64}")
#: What a process keeps of what it has read and written last, in bytes.
_CACHE_BYTES = 32_000_000
_KNOWN_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Reference:
    """What a column holds instead of a large context."""

    digest: str


class _Texts:
    """The texts used last, up to a number of bytes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def add(self, digest: str, data: bytes) -> None:
        with self._lock:
            if digest in self._kept or len(data) > _CACHE_BYTES:
                return
            self._kept[digest] = data
            self._size += len(data)
            while self._size > _CACHE_BYTES:
                self._size -= len(self._kept.popitem(last=False)[1])

    def find(self, digest: str) -> bytes | None:
        with self._lock:
            if digest in self._kept:
                self._kept.move_to_end(digest)
            return self._kept.get(digest)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._size = 0


_texts = _Texts()
#: Until when a digest need not be kept again; only what is committed is in here.
_known: OrderedDict[str, datetime] = OrderedDict()


def forget() -> None:
    """Forget what this process knows of contents, for another database."""
    _texts.clear()
    _known.clear()


def packed(value: Any) -> Any:
    """Return what the column holds of a context: itself, or the reference to where it is now kept.

    Raises:
        ContentUnreachableError: it could not be kept.
    """
    looks_alike = _looks_alike(value)
    # The text with escapes is never shorter than the compact one: most are seen to be small by it.
    if value is None or (not looks_alike and len(json.dumps(value)) <= LIMIT):
        return value
    data = dumps(value).encode()
    if len(data) <= LIMIT and not looks_alike:
        return value
    return {KEY: _keep(data)}


def as_text(value: Any) -> str | None:
    """Return what the column holds of a context as JSON text, and None as it is."""
    if value is None:
        return None
    text = json.dumps(value)
    if is_small(text, value):
        return text
    kept = packed(value)
    return text if kept is value else json.dumps(kept)


def is_small(text: str, value: Any) -> bool:
    """Tell whether a context goes into its row as it is, by a JSON text that it is part of."""
    return len(text) <= LIMIT and not _looks_alike(value)


def read(column: Any) -> Any:
    """Return what stands in a column: a context, or the `Reference` to one."""
    return Reference(column[KEY]) if _looks_alike(column) else column


def value_of(kept: Any) -> Any:
    """Return the context that `read` has found or referred to.

    Raises:
        ContentLostError: it is not where it was kept, or is not what was kept.
        ContentUnreachableError: the storage does not answer.
    """
    if not isinstance(kept, Reference):
        return kept
    data = _texts.find(kept.digest)
    if data is None:
        data = _load(kept.digest)
        _texts.add(kept.digest, data)
    return json.loads(data)


def storage() -> Storage:
    """Return where large contexts are kept."""
    return storages[ALIAS] if ALIAS in settings.STORAGES else _default()


def name_of(digest: str) -> str:
    """Return the name of a content in its storage."""
    return f"{digest[:2]}/{digest}.json"


def grace() -> timedelta:
    """Return how long a content is kept at least after it was last known to be in use."""
    return timedelta(seconds=conf.settings().content_grace_seconds)


@cache
def _default() -> Storage:
    made: Storage = import_string(DEFAULT)()
    return made


def _looks_alike(value: Any) -> bool:
    if type(value) is not dict or len(value) != 1:
        return False
    digest = value.get(KEY)
    return isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None


def _keep(data: bytes) -> str:
    """Keep a text, once; it stays for half of the grace at least, even if nothing refers to it.

    So a transaction that takes longer than that before its row refers to the text may lose it.
    """
    digest = sha256(data).hexdigest()
    now, trust = clock.now(), grace() / 2
    if _known.get(digest, now) > now:
        return digest
    rows = apps.get_model("workflows", "Content").objects
    used_at = rows.filter(pk=digest).values_list("used_at", flat=True).first()
    if used_at is None or used_at + trust <= now:
        # Together, or a row could say that a text is kept which is not. The row is locked until
        # the commit: whoever removes contents passes it over; or has it, and is waited for here.
        with transaction.atomic():
            rows.bulk_create(
                [rows.model(digest=digest, size=len(data), used_at=now)],
                update_conflicts=True,
                unique_fields=["digest"],
                update_fields=["used_at"],
            )
            _save(digest, data)
        used_at = now
    _texts.add(digest, data)
    # What is rolled back was not kept.
    transaction.on_commit(partial(_note, digest, used_at + trust))
    return digest


def _note(digest: str, until: datetime) -> None:
    _known[digest] = until
    while len(_known) > _KNOWN_KEPT:
        _known.popitem(last=False)


def _save(digest: str, data: bytes) -> None:
    name, place = name_of(digest), storage()
    try:
        if place.exists(name):
            if place.size(name) == len(data):
                return
            place.delete(name)  # whoever wrote it did not come to the end
        saved = place.save(name, ContentFile(data))
        if saved != name:
            place.delete(saved)  # somebody else was first with the same text
    except Error:
        raise
    except Exception as error:
        raise _unreachable(error, "kept") from error


def _load(digest: str) -> bytes:
    try:
        with storage().open(name_of(digest)) as file:
            data: bytes = file.read()
    except FileNotFoundError:
        message = f"The context with the digest {digest} is not in the storage any more."
        raise ContentLostError(f"{message} {_HOW}", digest=digest) from None
    except Error:
        raise
    except Exception as error:
        raise _unreachable(error, "read") from error
    if sha256(data).hexdigest() != digest:
        message = f"The context with the digest {digest} was changed in the storage."
        raise ContentLostError(f"{message} {_HOW}", digest=digest)
    return data


_HOW = f"Bring the file back from a backup of STORAGES[{ALIAS!r}], and start the run again."


def _unreachable(error: Exception, what: str) -> ContentUnreachableError:
    # By its class only: the message of a storage may repeat addresses and keys.
    message = (
        f"A large context could not be {what}: the storage STORAGES[{ALIAS!r}] answered with "
        f"{type(error).__name__}. Is it reachable, with these rights?"
    )
    return ContentUnreachableError(message)
