"""Crashes at chosen moments: a worker that is gone before a commit, with all that was in it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Q, QuerySet

from workflows.compiler.draft import COMPENSATE
from workflows.errors import suggest
from workflows.models import Lease, NodeExecution, Suspension, ThreadGroup, WorkflowVersion
from workflows.testing.surrounded import Commits, surrounded

_LEASES = Lease._meta.db_table  # noqa: SLF001 - Django's name


class WorkerCrash(KeyboardInterrupt):
    """Ends a worker in the middle of its work, as SIGKILL does: nothing is meant to catch it.

    Of what an activity can raise, only an interrupt is let through.
    """


@dataclass(slots=True)
class Crash:
    """A crash that is planned: at the next `times` commits at which `is_now` says so."""

    words: str
    is_now: Callable[[], bool]
    times: int


@dataclass(slots=True)
class Crashes:
    """The crashes that are planned for one harness, and how many have happened."""

    planned: list[Crash] = field(default_factory=list)
    happened: int = 0
    _commits: Commits | None = None
    _is_at_work: bool = False
    _is_sweeping: bool = False
    _has_written: bool = True

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the engine work as usual inside the transaction of a TestCase, if there is one."""
        with ExitStack() as stack:
            if connections[DEFAULT_DB_ALIAS].in_atomic_block:
                self._commits = stack.enter_context(surrounded(self._look))
            yield
        self._commits = None

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Do what one worker does with one message; a crash ends it silently."""
        if not self.unhappened():
            yield
        elif self._commits is not None:
            with self._mortal(self._commits):
                yield
        else:
            # All in one transaction, in which the engine's own are savepoints: so a commit can be
            # dropped on every database, also where one statement would be a commit by itself.
            with _in_one_transaction(), surrounded(self._look) as commits, self._mortal(commits):
                yield

    @contextmanager
    def sweeper(self) -> Iterator[None]:
        """Do what a sweeper does; it looks at much more than it writes, and only that counts."""
        with self.worker(), connections[DEFAULT_DB_ALIAS].execute_wrapper(self._note):
            self._is_sweeping, self._has_written = True, False
            try:
                yield
            finally:
                self._is_sweeping, self._has_written = False, True

    def _note(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Note whether a statement has written anything but the sweeper's own lease."""
        result = execute(sql, *rest)
        is_write = sql.startswith(("INSERT", "UPDATE", "DELETE")) and _LEASES not in sql
        if is_write and rest[-1]["cursor"].rowcount > 0:
            self._has_written = True
        return result

    def unhappened(self) -> list[str]:
        """Return what was planned and has not happened."""
        return [crash.words for crash in self.planned if crash.times]

    @contextmanager
    def _mortal(self, commits: Commits) -> Iterator[None]:
        self._is_at_work = True
        try:
            yield
        except WorkerCrash:
            commits.bury()
        finally:
            self._is_at_work = False

    def _look(self) -> None:
        """Crash if one is planned for the commit that is about to be."""
        if not self._is_at_work or not self._has_written:
            return
        self._has_written = not self._is_sweeping
        due = [crash for crash in self.planned if crash.times and crash.is_now()]
        for crash in due:
            crash.times -= 1
        if due:
            self.happened += 1
            raise WorkerCrash


@contextmanager
def _in_one_transaction() -> Iterator[None]:
    """Commit what the block has written, however it ends."""
    surrounding: Any = transaction.atomic()
    surrounding._from_testcase = True  # noqa: SLF001 - activities may use durable transactions
    raised: BaseException | None = None
    with surrounding:
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised = error
    if raised is not None:
        raise raised


def at_commit(number: int, times: int) -> Crash:
    """Plan a crash before the commit with this number, counted from now."""
    passed = 0

    def is_now() -> bool:
        nonlocal passed
        passed += 1
        return passed >= number

    return Crash(f"commit={number}", is_now, times)


def at_step(node: str, times: int) -> Crash:
    """Plan a crash before the commit of a step at a node.

    Raises:
        LookupError: no published workflow has such a node.
    """
    known = {name for names in _nodes().values() for name in names}
    if node not in known:
        message = f"No published workflow has a node {node!r}{suggest(node, known)}."
        raise LookupError(message)
    return _at_rows(repr(node), lambda: _count(Q(node=node)), times)


def at_activity(name: str, times: int) -> Crash:
    """Plan a crash between a call of an activity and the commit of its answer.

    Raises:
        LookupError: no published workflow calls this activity.
    """
    called, undoing = _calls()
    if name not in {*called, *undoing}:
        known = {*called, *undoing}
        message = f"No published workflow calls activity {name!r}{suggest(name, known)}."
        raise LookupError(message)
    here = called.get(name, Q(pk__in=[]))
    undo = Q(kind=COMPENSATE, run__version__in=undoing.get(name, []))

    def count() -> int:
        asked = _attempts(undo).values_list("input", flat=True) if name in undoing else ()
        undone = [each for each in asked if each is not None and each["activity"] == name]
        return _count(here) + len(undone)

    return _at_rows(f"activity={name!r}", count, times)


def _calls() -> tuple[dict[str, Q], dict[str, list[int]]]:
    """Return where each activity is called: at nodes of its own, and to undo in versions."""
    called: dict[str, Q] = {}
    undoing: dict[str, list[int]] = {}
    for version, nodes in _nodes().items():
        for node, raw in nodes.items():
            if activity := raw.get("activity"):
                here = Q(node=node, run__version=version)
                called[activity] = called.get(activity, Q(pk__in=[])) | here
            undo = raw.get("compensate")
            if isinstance(undo, dict) and "activity" in undo:
                undoing.setdefault(undo["activity"], []).append(version)
    return called, undoing


def _nodes() -> dict[int, dict[str, dict[str, Any]]]:
    """Return for each published version its nodes as they were written."""
    rows = WorkflowVersion.objects.values_list("pk", "document")
    return {pk: {node["id"]: node for node in document["nodes"]} for pk, document in rows}


def _at_rows(words: str, count: Callable[[], int], times: int) -> Crash:
    """Plan a crash before a commit that brings rows of a step: done, failed, asleep or split."""
    before = count()
    return Crash(words, lambda: count() > before, times)


def _count(where: Q) -> int:
    asleep, split = Suspension.objects.filter(where), ThreadGroup.objects.filter(where)
    return _attempts(where).count() + asleep.count() + split.count()


def _attempts(where: Q) -> QuerySet[NodeExecution]:
    return NodeExecution.objects.filter(where).exclude(status="lost")
