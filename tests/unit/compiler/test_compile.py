"""From a document to a plan."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.compiling import compile_value
from workflows.compiler.compile import Compiled
from workflows.context.values import digest
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError
from workflows.nodes.registry import kinds

REFUND = """workflow: shop/refund
title: Refund an order
input: {type: object, required: [order], properties: {order: {type: object}}}
limits: {timeout: P7D, node_executions: 10000, depth: 16}
nodes:
  - {id: start, type: start, next: large}
  - id: large
    type: switch
    choices: [{name: big, when: order.total > 500.0, next: ask}, {when: "  "}]
    default: pay
  - {id: ask, type: wait_event, event: shop.decided, key: order.id, next: pay, on_timeout: no}
  - {id: pay, type: activity, activity: shop.refund, input: {order: "${order.id}"}, result: refund,
     queue: money, next: done}
  - {id: no, type: end, result: blocked, reason: "${event.comment}"}
  - {id: done, type: end, output: {refund: "${refund}"}}
"""

MISTAKES = """workflow: refund
titel: Refund an order
input: {type: objekt}
nodes:
  - {id: start, type: start, nxt: large}
  - id: large
    type: switch
    choices:
      - {name: big, when: "order.total > > 500", next: ask}
      - {name: odd, when: "order.odd", next: nowhere_at_all}
    default: pya
  - {id: ask, type: delay, for: PT5M, next: pay, on_error: [sorry]}
  - id: pay
    type: activity
    activity: shop.refnd
    result: ""
    next: done
  - {id: done, type: edn}
  - {id: done, type: end}
"""


def test_a_sound_document_becomes_a_plan(compiled: Callable[..., Compiled]) -> None:
    result = compiled(REFUND, activities={"shop.refund"}, queues={"money"})
    plan = result.plan
    assert result.warnings == ()
    assert plan.start == "start"
    assert plan.definition.workflow == "shop/refund"
    assert list(plan.nodes) == ["start", "large", "ask", "pay", "no", "done"]
    assert plan.nodes["large"].ports == {"big": "ask", "default": "pay"}
    assert plan.nodes["ask"].ports == {"next": "pay", "on_timeout": "no"}
    assert plan.nodes["done"].ports == {}
    assert plan.nodes["pay"].kind is kinds()["activity"]
    assert plan.digest == digest(read_document(REFUND).value)


def test_a_stored_definition_becomes_the_same_plan(compiled: Callable[..., Compiled]) -> None:
    value = read_document(REFUND).value
    assert compile_value(value, kinds=kinds()).plan == compiled(REFUND).plan


def test_the_digest_does_not_depend_on_how_it_is_written() -> None:
    value = read_document(REFUND).value
    backwards = dict(reversed(value.items()))
    plans = [compile_value(one, kinds=kinds()).plan for one in (value, backwards)]
    assert plans[0].digest == plans[1].digest


def test_eleven_mistakes_are_eleven_problems_each_at_its_place(
    problems: Callable[..., Any],
) -> None:
    found = problems(MISTAKES, activities={"shop.refund"})
    assert [(one.line, one.column, one.code) for one in found] == [
        (2, 1, "unknown_field"),
        (3, 15, "schema_invalid"),
        (5, 30, "unknown_field"),
        (9, 27, "expression_invalid"),
        (10, 46, "unknown_node"),
        (11, 14, "unknown_node"),
        (12, 60, "wrong_type"),
        (15, 15, "unknown_activity"),
        (16, 13, "path_invalid"),
        (18, 22, "unknown_kind"),
        (19, 10, "duplicate_id"),
    ]


def test_nearest_names_are_offered(problems: Callable[..., Any]) -> None:
    text = "\n".join(one.message for one in problems(MISTAKES, activities={"shop.refund"}))
    for name in ("title", "next", "pay", "shop.refund", "end"):
        assert f"did you mean {name!r}" in text


def test_the_message_names_the_source_and_the_first_problem(
    compiled: Callable[..., Compiled],
) -> None:
    with pytest.raises(DefinitionError, match=r"^w\.yaml: 11 problems, the first at line 2, col"):
        compiled(MISTAKES, activities={"shop.refund"})


def test_a_stored_definition_has_pointers_but_no_lines() -> None:
    value = read_document(MISTAKES).value
    with pytest.raises(DefinitionError) as caught:
        compile_value(value, kinds=kinds(), activities={"shop.refund"})
    assert {problem.line for problem in caught.value.problems} == {None}
    assert "/nodes/3/activity" in [problem.pointer for problem in caught.value.problems]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        5,
        "x",
        {},
        {"nodes": 5},
        {"nodes": [5, None]},
        {"title": float("nan")},
    ],
)
def test_what_is_no_definition_at_all_is_refused(value: Any) -> None:
    with pytest.raises(DefinitionError):
        compile_value(value, kinds=kinds())


def test_a_list_of_next_is_a_fan_out(compiled: Callable[..., Compiled]) -> None:
    plan = compiled(
        "- {id: start, type: start, next: [a, b]}\n"
        "- {id: a, type: edit, entries: [], next: join}\n"
        "- {id: b, type: edit, entries: [], next: join}\n"
        "- {id: join, type: fan_in}\n"
    ).plan
    split = plan.nodes["start.next"]
    assert plan.nodes["start"].ports == {"next": "start.next"}
    assert split.kind is kinds()["fan_out"]
    assert sorted(split.ports.values()) == ["a", "b"]
    assert (split.join, plan.nodes["join"].closes) == ("join", "start.next")
    assert split.config.id == "start.next"


def test_what_reading_passed_over_is_reported_once(problems: Callable[..., Any]) -> None:
    found = problems("- {id: start, type: start, type: start, title: *x, 5: x}\n")
    codes = [(one.code, one.column) for one in found]
    assert codes == [("duplicate_key", 28), ("anchor", 48), ("key_type", 52)]
