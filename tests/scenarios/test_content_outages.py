"""The storage of large contexts does not answer: nothing fails, and nothing else is held up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_django import Settings

from tests.support.activities import calls
from tests.support.assertions import assert_completed
from tests.support.builder import activity, each, edit, end, wait_event, workflow
from workflows import contents
from workflows.models import NodeExecution
from workflows.store.contents import DatabaseStorage
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

BIG = "x" * 100_000
STORAGE = "workflows.store.contents.DatabaseStorage"


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch, what: str) -> Iterator[None]:
    """Let the storage answer with an error when it is to read (`_open`) or to keep (`_save`)."""

    def refuse(*_: Any) -> Any:
        raise TimeoutError

    contents.forget()
    with monkeypatch.context() as patched:
        patched.setattr(f"{STORAGE}.{what}", refuse)
        yield
    contents.forget()


def outlast(engine: Harness) -> None:
    """Let three leases pass, in which the sweeper sends again what waits."""
    for _ in range(3):
        engine.jump(seconds=20)


def test_a_context_that_cannot_be_read_uses_up_no_attempt(
    engine: Harness, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "LOST_WORK_ATTEMPTS": 1}
    steps = activity("once", "test.count", retry={"attempts": 1})
    engine.publish(workflow("one", wait_event("wait", "go"), steps, end()))
    run = engine.start("one", {"big": BIG})
    engine.drain()
    with away(monkeypatch, "_open"):
        engine.send("go")
        outlast(engine)
        assert engine.result(run).status == "running"
    engine.jump(minutes=1)
    assert_completed(run)
    assert not NodeExecution.objects.filter(run=run, status="lost").exists()
    assert sum(calls.values()) == 1


def test_parts_whose_context_cannot_be_read_wait_too(
    any_order: Harness, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "LOST_WORK_ATTEMPTS": 1}
    part = wait_event("part", "go", next="do")
    do = activity("do", "test.count", retry={"attempts": 1}, next=None)
    any_order.publish(workflow("map", each("m", "part", next="end"), part, do, end()))
    run = any_order.start("map", {"items": [1, 2, 3], "big": BIG})
    any_order.drain()
    from workflows.store.groups import load_group  # noqa: PLC0415

    load_group.cache_clear()
    with away(monkeypatch, "_open"):
        any_order.send("go", deliver="all")
        outlast(any_order)
        assert any_order.result(run).status == "running"
    any_order.jump(minutes=1)
    assert_completed(run)


def test_a_context_that_cannot_be_kept_holds_up_no_neighbour(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of parts that are settled together only the one with a large context is done again."""
    do = activity("do", "test.count", next="grow")
    grow = edit("grow", big="${item == 1 ? large : ''}", next="last")
    last = activity("last", "test.echo", next=None)
    nodes = [edit("set", large=BIG[:40_000]), each("m", "do", next="end"), do, grow, last, end()]
    engine.publish(workflow("map", *nodes))
    refusals = [TimeoutError(), TimeoutError()]
    keep = DatabaseStorage._save

    def refuse_twice(*args: Any) -> str:
        if refusals:
            raise refusals.pop()
        return keep(*args)

    monkeypatch.setattr(f"{STORAGE}._save", refuse_twice)
    run = engine.run("map", {"items": [0, 1, 2]})
    assert_completed(run)
    lost = NodeExecution.objects.filter(run=run, status="lost")
    assert len(set(lost.values_list("thread__idx", flat=True))) == 1
    assert sorted(calls.values())[:2] == [1, 1]
