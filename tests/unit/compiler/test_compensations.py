"""What a `compensate` node names, and what undoes a step, is checked at publish."""

from collections.abc import Callable
from typing import Any

import pytest

from workflows.compiler.compile import Compiled
from workflows.errors import Problem

Problems = Callable[..., list[Problem]]

DO = "- {id: do, type: activity, activity: a, compensate: {activity: b}, next: undo}\n"
PLAIN = "- {id: plain, type: activity, activity: a, next: do}\n"
START = "- {id: start, type: start, next: plain}\n"
KNOWN: dict[str, Any] = {"activities": {"a", "b", "cancel"}}


def text(undo: str = "", do: str = DO, head: str = "") -> str:
    return f"workflow: w\n{head}nodes:\n{START}{PLAIN}{do}- {{id: undo, type: compensate{undo}}}\n"


@pytest.mark.parametrize("undo", ["", ", nodes: [do]", ", result: undone", ", retry: {}"])
def test_what_is_sound(undo: str, problems: Problems) -> None:
    assert problems(text(undo), **KNOWN) == []


@pytest.mark.parametrize(
    ("undo", "code", "message"),
    [
        (", nodes: [plan]", "unknown_node", "no node 'plan' (did you mean 'plain'?)"),
        (", nodes: [plain]", "not_compensable", "'plain' has no `compensate`"),
        (", nodes: []", "wrong_value", ""),
    ],
)
def test_nodes_that_cannot_be_undone_are_refused(
    undo: str, code: str, message: str, problems: Problems
) -> None:
    (problem,) = problems(text(undo), **KNOWN)
    assert (problem.code, problem.line) == (code, 6)
    assert message in problem.message
    assert problem.pointer.startswith("/nodes/3/nodes")


@pytest.mark.parametrize(
    ("compensate", "code", "where"),
    [
        ("{activity: cancle}", "unknown_activity", "/activity"),
        ("{activity: b, input: {x: '${1 +}'}}", "expression_invalid", "/input/x"),
        ("{input: {}}", "missing_field", ""),
        ("{activity: b, inputs: {}}", "unknown_field", "/inputs"),
    ],
)
def test_what_undoes_a_step_is_checked(
    compensate: str, code: str, where: str, problems: Problems
) -> None:
    (problem,) = problems(text(do=DO.replace("{activity: b}", compensate)), **KNOWN)
    assert (problem.code, problem.pointer) == (code, f"/nodes/2/compensate{where}")
    if code == "unknown_activity":
        assert "did you mean 'cancel'?" in problem.message


def test_names_in_it_are_known(compiled: Callable[..., Compiled]) -> None:
    head = "input: {type: object, properties: {city: {}}}\n"
    given = "{activity: b, input: {a: '${input}', b: '${output}', c: '${city}', d: '${citty}'}}"
    made = compiled(text(do=DO.replace("{activity: b}", given), head=head))
    assert [one.message for one in made.warnings] == [
        "node 'do': no node sets 'citty', and the input does not declare it (did you mean 'city'?)"
    ]


def test_a_node_with_nothing_to_undo_is_warned_of(compiled: Callable[..., Compiled]) -> None:
    made = compiled(text(do=DO.replace("compensate: {activity: b}, ", "")))
    assert [(one.code, one.pointer) for one in made.warnings] == [
        ("nothing_to_compensate", "/nodes/3")
    ]
