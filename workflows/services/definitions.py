"""Publishing versions of workflows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from workflows import conf
from workflows.activities import nameable
from workflows.compiler.compile import Compiled, compile_document
from workflows.compiler.compile import calls_in as compiler_calls_in
from workflows.compiler.plan import Plan
from workflows.context.values import digest
from workflows.definition.parse import Document, read_document
from workflows.dispatch.publish import task_names
from workflows.effects import allowed
from workflows.engine.plans import keep_plan
from workflows.errors import DefinitionError, Problem, ValueRefusedError, suggest
from workflows.models import WorkflowVersion
from workflows.nodes.registry import kinds
from workflows.selectors.secrets import missing_of, named_in
from workflows.services import access
from workflows.store import definitions

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Published:
    """A version, whether it is new, and what the compiler warned of."""

    version: WorkflowVersion
    is_new: bool
    warnings: list[Problem]


class _Callable(Mapping[str, int]):
    """The workflows that a document may call; the database is asked only about others."""

    def __init__(self, beside: Mapping[str, str]) -> None:
        self._beside = beside

    @cached_property
    def _numbers(self) -> dict[str, int]:
        known = definitions.newest_numbers()
        standing = definitions.standing(self._beside)
        new = self._beside.keys() - standing
        return known | {name: known.get(name, 0) + 1 for name in new}

    def __contains__(self, name: object) -> bool:
        return name in self._beside or name in self._numbers

    def __getitem__(self, name: str) -> int:
        return self._numbers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class _Tasks(Collection[str]):
    """The registered Celery tasks; their modules are imported when a document names one."""

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(task_names())

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def validate(text: str, *, source: str = "<string>", beside: Mapping[str, str] = _NONE) -> Compiled:
    """Compile a definition without publishing it. Raises DefinitionError with every problem.

    Args:
        text: the document.
        source: what to call it in messages.
        beside: the workflows that are about to be published with it, so that it may call them, as
            `contents_of` gives them.
    """
    return _compile(read_document(text, source=source), beside)


def _compile(document: Document, beside: Mapping[str, str]) -> Compiled:
    queues = {*conf.settings().queues, conf.settings().default_queue}
    return compile_document(
        document,
        kinds=kinds(),
        activities=nameable(),
        queues=queues,
        workflows=_Callable(beside),
        tasks=_Tasks(),
        refused=allowed.refused,
    )


def name_in(text: str, *, source: str = "<string>") -> str | None:
    """Return the name of the workflow that a document defines; None when it has none."""
    try:
        return _name_of(read_document(text, source=source))
    except DefinitionError:
        return None


def contents_of(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the workflows that these (source, text) define: the digest of each, by its name."""
    found: dict[str, str] = {}
    for source, text in texts:
        try:
            document = read_document(text, source=source)
        except DefinitionError:
            continue
        name = _name_of(document)
        if name is not None:
            found[name] = _digest(document)
    return found


def _name_of(document: Document) -> str | None:
    name = document.value.get("workflow") if isinstance(document.value, dict) else None
    return name if isinstance(name, str) else None


def _digest(document: Document) -> str:
    try:
        return digest(document.value)
    except ValueRefusedError:
        return ""  # no version has this content


def calls_in(text: str, source: str = "<string>") -> list[str]:
    """Return the names of the workflows that a document calls; none if it cannot be read."""
    try:
        return compiler_calls_in(read_document(text, source=source), kinds=kinds())
    except DefinitionError:
        return []


def publish(
    text: str,
    *,
    source: str = "<string>",
    by: AbstractBaseUser | None = None,
    beside: Mapping[str, str] = _NONE,
) -> Published:
    """Store a definition as an immutable version; the same content again is a no-op.

    Args:
        text: the document, YAML or JSON.
        source: what to call it in messages.
        by: who publishes it.
        beside: the workflows that are published in the same transaction, in any order, as
            `contents_of` gives them.

    Raises:
        DefinitionError: with every problem of the document.
        PermissionRefusedError: `by` may not publish code that runs inside of the workers.
    """
    document = read_document(text, source=source)
    compiled = _compile(document, beside)
    definition = keep_plan(compiled.plan).definition
    is_trusted = any(allowed.needs_trust(node.config) for node in compiled.plan.nodes.values())
    if by is not None and is_trusted:
        access.require(by, "publish_trusted_code")
    with transaction.atomic():
        version, is_new = definitions.insert_version(
            definition.workflow,
            title=definition.title,
            digest=compiled.plan.digest,
            document=document.value,
            user_id=by.pk if by is not None else None,
        )
    return Published(
        version, is_new, [*compiled.warnings, *_missing_secrets(compiled.plan, document.value)]
    )


def _missing_secrets(plan: Plan, document: Any) -> Iterator[Problem]:
    """Warn of secrets that are not kept: the nodes that name them fail until they are."""
    missing, known = missing_of(named_in(plan))
    places = {node["id"]: index for index, node in enumerate(document["nodes"])}
    for each in missing:
        hint = suggest(each.secret, known)
        message = (
            f"there is no secret {each.secret!r}{hint}, so node {each.node!r} fails; "
            "`manage.py workflow secret set` keeps one"
        )
        pointer = f"/nodes/{places[each.node]}{each.pointer}"
        yield Problem("unknown_secret", message, pointer, severity="warning")
