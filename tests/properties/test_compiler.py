"""Whatever is thrown at the compiler, it answers with a plan or with a DefinitionError."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.compiling import compile_value
from workflows.compiler.compile import compile_document
from workflows.definition.parse import read_document
from workflows.errors import DefinitionError, Problem
from workflows.nodes.registry import kinds

KINDS = kinds()

VALID: dict[str, Any] = {
    "workflow": "shop/refund",
    "input": {"type": "object", "properties": {"order": {"type": "object"}, "rows": {}}},
    "limits": {"timeout": "P7D", "depth": 4},
    "nodes": [
        {"id": "start", "type": "start", "next": ["large", "split"]},
        {
            "id": "large",
            "type": "switch",
            "choices": [{"name": "big", "when": "order.total > 5.0", "next": "wait"}, {"when": ""}],
            "default": "pay",
        },
        {"id": "wait", "type": "wait_event", "event": "x", "key": "order.id", "next": "large"},
        {
            "id": "pay",
            "type": "activity",
            "activity": "shop.pay",
            "input": {"id": "${order.id}"},
            "retry": {"attempts": 3, "backoff": "PT5S"},
            "next": "join",
        },
        {
            "id": "split",
            "type": "fan_out",
            "branches": [{"name": "a", "next": "each"}, {"name": "b", "next": "join"}],
        },
        {
            "id": "each",
            "type": "map",
            "items": "rows",
            "as": "row",
            "process": "set",
            "next": "nap",
        },
        {"id": "set", "type": "edit", "entries": [{"set": "output", "value": "${row.n}"}]},
        {"id": "nap", "type": "delay", "for": "PT5M", "next": "join"},
        {"id": "join", "type": "fan_in", "next": "done"},
        {"id": "done", "type": "end", "output": {"total": "${output}"}},
    ],
}

NAMES = ["id", "type", "next", "nodes", "branches", "choices", "when", "on_error", "entries", "as"]
IDS = [node["id"] for node in VALID["nodes"]]
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        [*IDS, *sorted(KINDS), "order.id", "a..b", "${x}", "${", "1 +", "PT5M", "P1Y"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


def answer(text: str) -> None:
    problems: list[Problem] = []
    try:
        compile_document(read_document(text), kinds=KINDS, activities={"shop.pay"}, queues=())
    except DefinitionError as error:
        problems = error.problems or [Problem("none", "")]
    assert all(problem.message for problem in problems)
    places = [(problem.line or 0, problem.column or 0) for problem in problems]
    assert places == sorted(places)
    assert all(line > 0 and column > 0 for line, column in places)


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        found += spots(child, (*path, key))
    return found


SPOTS = spots(VALID)


def test_the_definition_that_is_spoilt_below_is_sound() -> None:
    compile_value(VALID, kinds=KINDS, activities={"shop.pay"}, queues=())


@given(st.lists(st.tuples(st.sampled_from(SPOTS), st.sampled_from("drk"), values), max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_spoilt_definition_is_compiled_or_refused(
    changes: list[tuple[tuple[Any, ...], str, Any]],
) -> None:
    document = copy.deepcopy(VALID)
    for path, change, value in changes:
        holder: Any = document
        try:
            for step in path[:-1]:
                holder = holder[step]
            if change == "d":
                del holder[path[-1]]
            elif change == "r" or isinstance(holder, list):
                holder[path[-1]] = value
            else:
                holder[str(value)[:9]] = holder.pop(path[-1])
        except (KeyError, IndexError, TypeError, AttributeError):
            continue  # an earlier change took the place away
    answer(json.dumps(document))


@given(values)
@settings(max_examples=200, deadline=None)
def test_any_value_is_compiled_or_refused(value: Any) -> None:
    answer(json.dumps({"workflow": "w", "nodes": value}))
    answer(json.dumps(value))


TEXT = json.dumps(VALID, indent=1)
PIECES = st.sampled_from(["{", "}", "[", "]", ":", ",", '"', "'", "- ", "\n", " ", "#", "&a", "*a"])


@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 30),
    PIECES | st.text(max_size=6),
    st.sampled_from(["", "# yaml\n"]),
)
@settings(max_examples=300, deadline=None)
def test_a_spoilt_text_is_compiled_or_refused(at: int, length: int, piece: str, head: str) -> None:
    answer(head + TEXT[:at] + piece + TEXT[at + length :])


@given(st.lists(PIECES | st.sampled_from(["!!x ", "|\n", "? ", "%", "---\n", "a"]) | st.text()))
@settings(max_examples=200, deadline=None)
def test_any_text_is_compiled_or_refused(pieces: list[str]) -> None:
    answer("".join(pieces))


ids = st.sampled_from([f"n{index}" for index in range(8)])
node_lists = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["fan_out", "fan_in", "batch", "delay", "edit", "switch"])},
        optional={"next": ids | st.lists(ids, min_size=1, max_size=3, unique=True)},
    ).flatmap(lambda node: st.tuples(st.just(node), st.lists(ids, max_size=3, unique=True))),
    min_size=8,
    max_size=8,
)


@given(node_lists)
@settings(max_examples=400, deadline=None)
def test_any_graph_is_compiled_or_refused(drawn: list[tuple[dict[str, Any], list[str]]]) -> None:
    nodes: list[dict[str, Any]] = [{"id": "start", "type": "start", "next": "n0"}]
    for index, (node, targets) in enumerate(drawn):
        fields: dict[str, dict[str, Any]] = {
            "fan_out": {"branches": [{"name": one, "next": one} for one in targets]},
            "batch": {"items": "rows", "process": targets[0] if targets else None},
            "delay": {"for": "PT1S"},
            "edit": {"entries": []},
            "switch": {"choices": [{"when": "x", "next": one} for one in targets], "default": "n1"},
        }
        nodes.append({"id": f"n{index}", **node, **fields.get(node["type"], {})})
        if node["type"] == "switch":
            nodes[-1].pop("next", None)
    answer(json.dumps({"workflow": "w", "nodes": nodes}))


#: Every field of every kind, with something that it may take or may not.
_FIELDS = {
    name: sorted(kind.Config.model_json_schema()["properties"]) for name, kind in KINDS.items()
}
_SORTS: dict[str, st.SearchStrategy[Any]] = {
    "branches": st.lists(st.fixed_dictionaries({"name": st.text(max_size=3), "next": ids})),
    "choices": st.lists(st.fixed_dictionaries({"when": st.sampled_from(["x", "", "1 +"])})),
    "entries": st.lists(st.fixed_dictionaries({"set": st.sampled_from(["a", "", "a..b"])})),
    "tolerate": st.fixed_dictionaries({}, optional={"count": scalars, "percent": scalars}),
    "retry": st.fixed_dictionaries({"attempts": st.integers(-1, 5)}, optional={"jitter": scalars}),
    "wait_for": st.sampled_from(["all", "any", "group.live", "1 +"]) | st.integers(-1, 9),
    "rest": st.sampled_from(["cancel", "absorb", "x"]),
}
_ports = st.sampled_from(["next", "process", "body", "on_error", "on_limit", "default"])


@st.composite
def _any_node(draw: Callable[[st.SearchStrategy[Any]], Any], name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(KINDS)))
    node = {"id": name, "type": kind}
    for field in draw(st.sets(st.sampled_from(_FIELDS[kind]), max_size=6)) - {"id", "type"}:
        node[field] = draw(_SORTS.get(field, ids | values))
    if "items" in _FIELDS[kind]:
        node.setdefault("items", "rows")
    return node | {draw(_ports): draw(ids) for _ in range(draw(st.integers(0, 2)))}


@given(st.tuples(*(_any_node(f"n{index}") for index in range(8))))
@settings(max_examples=400, deadline=None)
def test_any_nodes_of_any_kinds_are_compiled_or_refused(nodes: tuple[dict[str, Any], ...]) -> None:
    start = {"id": "start", "type": "start", "next": "n0"}
    answer(json.dumps({"workflow": "w", "nodes": [start, *nodes]}))
