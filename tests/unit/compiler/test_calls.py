"""The workflows that a workflow calls: refused when unknown, and listed in the plan."""

from collections.abc import Callable

import pytest

from workflows.compiler.compile import Compiled
from workflows.errors import Problem

Compile = Callable[..., Compiled]
Problems = Callable[..., list[Problem]]

START = "- {id: start, type: start, next: a}\n"
KNOWN = {"refund": 3, "shop/pay": 1}


def call(fields: str) -> str:
    return START + f"- {{id: a, type: gosub, {fields}}}\n"


def told(problems: list[Problem]) -> list[tuple[int | None, int | None, str]]:
    return [(one.line, one.column, one.message) for one in problems]


def test_an_unknown_workflow_is_refused_with_the_nearest_name(problems: Problems) -> None:
    found = problems(call("workflow: refunt"), workflows=KNOWN)
    expected = "node 'a': unknown workflow 'refunt' (did you mean 'refund'?)"
    assert told(found) == [(4, 34, expected)]
    assert [(one.code, one.pointer) for one in found] == [("unknown_workflow", "/nodes/1/workflow")]


def test_without_a_near_name_it_says_what_to_do(problems: Problems) -> None:
    (found,) = problems(call("workflow: zzz"), workflows=KNOWN)
    assert found.message.endswith("; publish it first, or both together")


@pytest.mark.parametrize("fields", ["workflow: refund", "workflow: shop/pay, version: 1"])
def test_a_known_workflow_is_let_through(fields: str, problems: Problems) -> None:
    assert problems(call(fields), workflows=KNOWN) == []


def test_a_version_that_nobody_has_published_is_refused(problems: Problems) -> None:
    (found,) = problems(call("workflow: refund, version: 4"), workflows=KNOWN)
    assert found.message == "node 'a': workflow 'refund' has no version 4; the newest is 3"


def test_a_workflow_may_call_itself(problems: Problems) -> None:
    assert problems(call("workflow: w"), workflows={}) == []


def test_unchecked_when_nothing_is_known(problems: Problems) -> None:
    assert problems(call("workflow: anything")) == []


def test_the_plan_lists_what_is_called_each_once(compiled: Compile) -> None:
    text = (
        START
        + "- {id: a, type: gosub, workflow: refund, next: b}\n"
        + "- {id: b, type: gosub, workflow: refund, version: 2, next: c}\n"
        + "- {id: c, type: gosub, workflow: refund, next: d}\n"
        + "- {id: d, type: gosub, workflow: w}\n"
    )
    assert compiled(text).plan.calls == (("refund", None), ("refund", 2), ("w", None))


@pytest.mark.parametrize(
    ("node", "clear"),
    [
        ("type: gosub, workflow: w", "type: gosub, workflow: w, output: {y: '${child.output.y}'}"),
        ("type: code, source: \"context['brought'] = 1\"", 'type: code, source: " "'),
    ],
)
def test_names_that_a_child_or_source_may_bring_are_not_warned_of(
    compiled: Compile, node: str, clear: str
) -> None:
    text = START.replace("next: a", "init: [], next: a") + (
        f"- {{id: a, {node}, next: b}}\n- {{id: b, type: end, output: {{x: '${{brought}}'}}}}\n"
    )
    assert compiled(text).warnings == ()
    assert [one.code for one in compiled(text.replace(node, clear)).warnings] == ["unknown_name"]
