"""Each check by itself: what it refuses, where, and what it lets through."""

from collections.abc import Callable, Collection
from time import perf_counter
from typing import Any

import pytest

from workflows.compiler.compile import Compiled, compile_document
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError, Problem
from workflows.nodes.registry import kinds

Problems = Callable[..., list[Problem]]

START = "- {id: start, type: start, next: a}\n"
END = "- {id: end, type: end}\n"
JOINED = (
    "- {{id: start, type: start, next: a}}\n"
    "- {{id: a, type: fan_out, branches: [{{name: x, next: j}}, {{name: y, next: j}}, "
    "{{name: z}}]}}\n"
    "- {{id: j, type: fan_in, {}}}\n"
)


def found(all_of_them: Collection[Problem]) -> list[tuple[int | None, int | None, str]]:
    return [(one.line, one.column, one.code) for one in all_of_them]


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ("- {id: a, type: end}\n", [(3, 1, "start_missing")]),
        ("- {id: a, type: start}\n- {id: b, type: start}\n", [(4, 3, "start_repeated")]),
        (START + "- {id: a, type: ende}\n", [(4, 17, "unknown_kind")]),
        (START + "- {id: a, type: end}\n- {id: a, type: end}\n", [(5, 8, "duplicate_id")]),
        (START + "- {id: a, type: edit, entries: [], next: c}\n", [(4, 42, "unknown_node")]),
        (START + "- {id: a, type: end}\n- {id: b, type: end}\n", [(5, 3, "unreachable")]),
        (START + "- {id: a, type: edit, entries: [], next: a}\n", [(4, 3, "unbounded_cycle")]),
        (START + "- {id: a, type: delay}\n", [(4, 3, "config_invalid")]),
        (START + "- {id: a, type: activity, activity: x}\n", [(4, 37, "unknown_activity")]),
        (
            START + "- {id: a, type: activity, activity: shop.pay, queue: x}\n",
            [(4, 54, "unknown_queue")],
        ),
        (START + "- {id: a, type: map, items: ' '}\n", [(4, 29, "path_invalid")]),
        (START + "- {id: a, type: edit}\n", [(4, 3, "missing_field")]),
        (START + "- {id: a, type: edit, entries: [], next: []}\n", [(4, 42, "empty_list")]),
        (
            START + "- {id: a, type: edit, entries: [], next: [end, end]}\n" + END,
            [(4, 48, "repeated_node")],
        ),
        (START + "- {type: end}\n", [(3, 34, "unknown_node"), (4, 3, "missing_field")]),
        (START + "- {id: a, type: end, output: {x: '${1 +}'}}\n", [(4, 34, "expression_invalid")]),
        (JOINED.format("wait_for: 3"), [(5, 35, "join_unsatisfiable")]),
        (JOINED.format("wait_for: 0"), [(5, 35, "wrong_value")]),
        (JOINED.format("wait_for: 2.5"), [(5, 35, "wrong_value")]),
        (JOINED.format("wait_for: '2'"), [(5, 35, "wrong_value")]),
        (JOINED.format("wait_for: 50%"), [(5, 35, "wrong_value")]),
        (JOINED.format("wait_for: ' '"), [(5, 35, "expression_invalid")]),
        (JOINED.format("wait_for: group.arrived >"), [(5, 35, "expression_invalid")]),
        (JOINED.format("wait_for: all, rest: absorb"), [(5, 46, "config_invalid")]),
        (JOINED.format("wait_for: any, rest: drop"), [(5, 46, "wrong_value")]),
    ],
)
def test_what_is_wrong_is_told_once_at_its_place(
    nodes: str, expected: list[tuple[int, int, str]], problems: Problems
) -> None:
    assert found(problems(nodes, activities={"shop.pay"}, queues={"money"})) == expected


def test_a_mistake_does_not_make_its_neighbours_look_wrong(problems: Problems) -> None:
    text = (
        "- {id: start, type: start, nxt: a}\n"
        "- {id: a, type: swich, choices: [{when: x, next: b}], default: c}\n"
        "- {id: b, type: edit, entries: [{set: x, vale: 1}], next: d}\n"
        "- {id: c, type: fan_out, branches: [{name: p, next: e}, {nam: q, next: f}]}\n"
        "- {id: d, type: delay, for: 5, next: endd}\n"
        "- {id: e, type: edit, next: join}\n"
        "- {id: f, type: edit, entries: [], next: join}\n"
        "- {id: join, type: fan_in, next: end}\n" + END
    )
    assert [one.code for one in problems(text)] == [
        "unknown_field",
        "unknown_kind",
        "unknown_field",
        "unknown_field",
        "wrong_type",
        "unknown_node",
        "missing_field",
    ]


def test_the_rest_of_a_broken_node_is_checked_too(problems: Problems) -> None:
    text = START + (
        "- id: a\n  type: switch\n  choices:\n"
        "  - {when: 5, next: end}\n"
        "  - {when: '1 +', next: end}\n"
        "  - {when: x, nxt: end}\n"
        "  - {when: '2 +', next: nd}\n" + END
    )
    assert found(problems(text)) == [
        (4, 3, "missing_field"),
        (7, 12, "wrong_type"),
        (8, 12, "expression_invalid"),
        (9, 15, "unknown_field"),
        (10, 12, "expression_invalid"),
        (10, 25, "unknown_node"),
    ]


def test_a_cycle_names_its_nodes(problems: Problems) -> None:
    text = (
        "- {id: start, type: start, next: a}\n"
        "- {id: a, type: edit, entries: [], next: [b, c]}\n"
        "- {id: b, type: edit, entries: [], next: a}\n"
        "- {id: c, type: end}\n"
    )
    (problem,) = problems(text)
    assert problem.message.endswith("could run for ever: a -> b -> a")


def test_a_cycle_through_a_wait_is_allowed(problems: Problems) -> None:
    text = (
        START + "- {id: a, type: wait_event, event: tick, next: b}\n"
        "- {id: b, type: switch, choices: [{when: 'true', next: a}], default: end}\n" + END
    )
    assert problems(text) == []


@pytest.mark.parametrize("known", [None, {"shop.pay"}])
def test_activities_are_checked_only_when_they_are_known(
    known: Collection[str] | None, problems: Problems
) -> None:
    text = START + "- {id: a, type: activity, activity: shop.pya}\n"
    expected = ["unknown_activity"] if known else []
    assert [one.code for one in problems(text, activities=known)] == expected


def warnings(compiled: Callable[..., Compiled], text: str) -> list[tuple[str, str]]:
    return [(one.pointer, one.message) for one in compiled(text).warnings]


NAMES = """workflow: w
input: {properties: {order: {type: object}}}
nodes:
  - {id: start, type: start, next: a}
  - {id: a, type: edit, entries: [{set: total.net, value: "${order.net}"}], next: b}
  - {id: b, type: map, items: order.rows, as: row, process: c, next: d}
  - {id: c, type: edit, entries: [{set: output, value: "${row.price * index}"}]}
  - {id: d, type: wait_event, event: x, key: total.net, filter: event.x == run.id, next: e}
  - {id: e, type: switch, choices: [{when: "ordr.x"}, {when: error.code}], default: f}
  - {id: f, type: end, output: {a: "${output}", b: "${nothing}"}}
"""


def test_names_that_nothing_sets_are_warned_of(compiled: Callable[..., Compiled]) -> None:
    assert warnings(compiled, NAMES) == [
        (
            "/nodes/5/choices/0/when",
            (
                "node 'e': no node sets 'ordr', and the input does not declare it"
                " (did you mean 'order'?)"
            ),
        ),
        (
            "/nodes/6/output",
            "node 'f': no node sets 'nothing', and the input does not declare it",
        ),
    ]


def test_nothing_is_warned_of_when_the_input_is_not_declared(
    compiled: Callable[..., Compiled],
) -> None:
    text = NAMES.replace("input: {properties: {order: {type: object}}}\n", "")
    assert warnings(compiled, text) == []


def test_a_repeated_condition_is_warned_of(compiled: Callable[..., Compiled]) -> None:
    text = START + (
        "- {id: a, type: switch, choices: [{when: x > 1, next: end}, {when: ''}, {when: ''},"
        " {when: ' x > 1 ', next: end}], default: end}\n" + END
    )
    ((pointer, message),) = warnings(compiled, text)
    assert pointer == "/nodes/1/choices/3/when"
    assert "/choices/0/when" in message


def chain(count: int) -> str:
    steps = "".join(
        f"- {{id: n{at}, type: edit, entries: [{{set: a.b, value: '${{a.c + {at}}}'}}],"
        f" next: n{at + 1}}}\n"
        for at in range(count)
    )
    return f"- {{id: start, type: start, next: n0}}\n{steps}- {{id: n{count}, type: end}}\n"


def nested(depth: int) -> str:
    opened = "".join(
        f"- {{id: n{at}, type: fan_out, branches: [{{name: a, next: n{at + 1}}},"
        f" {{name: b, next: j{at}}}]}}\n- {{id: j{at}, type: fan_in, next: j{at - 1}}}\n"
        for at in range(1, depth)
    )
    last = f"- {{id: n{depth}, type: edit, entries: [], next: j{depth - 1}}}\n"
    return f"- {{id: start, type: start, next: n1}}\n{opened}{last}- {{id: j0, type: end}}\n"


@pytest.mark.parametrize("nodes", [chain(1990), nested(990)])
def test_a_long_or_deep_workflow_is_no_trouble(
    nodes: str, compiled: Callable[..., Compiled]
) -> None:
    assert len(compiled(nodes).plan.nodes) > 1900


@pytest.mark.parametrize("nodes", [chain(500), nested(250)])
def test_five_hundred_nodes_compile_within_a_second(nodes: str) -> None:
    document = read_document(f"workflow: w\nnodes:\n{nodes}")
    times = []
    for _ in range(3):  # the best of three: other work on the machine is not what is measured
        started = perf_counter()
        compile_document(document, kinds=kinds())
        times.append(perf_counter() - started)
    assert min(times) < 1


def test_too_many_nodes_are_refused() -> None:
    value: Any = {"workflow": "w", "nodes": [{"id": "a", "type": "end"}] * 2001}
    document = read_document(str(value).replace("'", '"'))
    with pytest.raises(DefinitionError, match="2000 items"):
        compile_document(document, kinds=kinds())


@pytest.mark.parametrize(
    ("wait_for", "told"),
    [
        ("group.arived >= 1", "'group' has no 'arived' (did you mean 'arrived'?)"),
        ("group.live < 1 || run.dept > 2", "'run' has no 'dept' (did you mean 'depth'?)"),
    ],
)
def test_a_member_that_there_never_is_is_warned_of(
    compiled: Callable[..., Compiled], wait_for: str, told: str
) -> None:
    warnings = compiled(JOINED.format(f"wait_for: '{wait_for}'")).warnings
    assert [(one.code, one.message) for one in warnings] == [("unknown_name", f"node 'j': {told}")]


def test_members_of_what_a_context_or_a_macro_names_are_nobodys_business(
    compiled: Callable[..., Compiled],
) -> None:
    text = START + (
        "- {id: a, type: transform, value: 'group.x + [1].map(run, run.y)[0]', next: c}\n"
        "- {id: c, type: end, output: {x: '${run.parent.z}', y: '${now}'}}\n"
    )
    assert compiled(text).warnings == ()
