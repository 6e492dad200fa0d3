"""change-group."""

import pytest
from django.contrib.auth.models import Permission, User

from tests.integration.cli.calling import call, called_badly
from tests.support.assertions import live_parts
from tests.support.builder import each, end, wait_event, workflow
from workflows.models import Run, ThreadGroup
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asleep(engine: Harness) -> Run:
    nodes = (each("m", "ask", parallel=1, next="end"), wait_event("ask", "go", next=None), end())
    engine.publish(workflow("m", *nodes))
    run = engine.start("m", {"items": [1, 2, 3]})
    engine.drain()
    return run


def test_a_window_and_a_tolerance_are_changed(engine: Harness, asleep: Run) -> None:
    said = call("change-group", str(asleep.pk), "m", "--parallel", "2", "--tolerate", "10%")
    assert (said.code, said.err) == (0, "")
    assert "0 of 3" in said.out
    group = ThreadGroup.objects.get()
    assert (group.parallel, group.tolerate) == (2, {"percent": 10.0})
    engine.drain()
    assert live_parts(asleep) == 2
    words = ("change-group", str(asleep.pk), "m", "--group", str(group.pk))
    said = call(*words, "--tolerate", "1", "--json")
    (shown,) = said.json["groups"]
    assert (shown["parallel"], shown["tolerate"]) == (2, {"count": 1})
    assert call(*words, "--tolerate", "none").code == 0
    assert ThreadGroup.objects.get().tolerate is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tolerate", "some"), "give a number of parts (3), a share (5%), or none"),
        (("--tolerate", "101%"), "less than or equal to 100"),
        (("--parallel", "-1"), "0 or more"),
        ((), "Give `parallel`, `tolerate`, or both"),
        (("--group", "x", "--parallel", "2"), "No group of node 'm'"),
    ],
)
def test_what_makes_no_sense_is_refused(asleep: Run, words: tuple[str, ...], told: str) -> None:
    said = call("change-group", str(asleep.pk), "m", *words)
    assert said.code == 2
    assert told in said.err


def test_a_number_is_a_number(asleep: Run) -> None:
    assert "invalid int value" in called_badly(
        "change-group", str(asleep.pk), "m", "--parallel", "x"
    )


def test_it_takes_a_permission(asleep: Run, people: dict[str, User]) -> None:
    words = ("change-group", str(asleep.pk), "m", "--parallel", "2", "--as", "alice")
    refused = call(*words)
    assert refused.code == 2
    assert "workflows.change_threadgroup" in refused.err
    people["alice"].user_permissions.add(Permission.objects.get(codename="change_threadgroup"))
    assert call(*words).code == 0
