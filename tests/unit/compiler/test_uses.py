"""A document's expressions are read once each, and no more of them than is bounded."""

from itertools import pairwise
from typing import Any

import pytest

from tests.support.compiling import compile_value
from workflows import expressions
from workflows.errors import DefinitionError, Problem
from workflows.expressions.limits import MAX_DEFINITION_TOKENS, MAX_NODE_TOKENS
from workflows.nodes.registry import kinds

#: What `long` gives has so many words and signs.
TOKENS = 101


def long(number: int) -> str:
    """Return an expression that is another one for each number."""
    return f"[{number}" + ", n" * ((TOKENS - 3) // 2) + "]"


def document(*nodes: dict[str, Any]) -> Any:
    """Return a workflow of these nodes, one after the other."""
    chain = [{"id": "start", "type": "start"}, *nodes, {"id": "end", "type": "end"}]
    linked = [{**one, "next": after["id"]} for one, after in pairwise(chain)]
    return {"workflow": "w", "nodes": [*linked, chain[-1]]}


def problems(value: Any) -> list[Problem]:
    """Return what is wrong with a definition."""
    try:
        compile_value(value, kinds=kinds())
    except DefinitionError as error:
        return error.problems
    return []


def edit(name: str, *sources: str) -> dict[str, Any]:
    """Return a node that evaluates these expressions."""
    entries = [{"set": f"a{n}", "value": f"${{{source}}}"} for n, source in enumerate(sources)]
    return {"id": name, "type": "edit", "entries": entries}


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Note the texts that would be compiled: that takes the time, and the test has none."""
    seen: list[str | None] = []

    def check_text(text: str | None) -> expressions.ExpressionInfo:
        seen.append(text)
        return expressions.ExpressionInfo(frozenset(), frozenset())

    monkeypatch.setattr(expressions, "check_text", check_text)
    return seen


def test_a_node_may_have_so_many_tokens_and_no_more(looked_at: list[str | None]) -> None:
    just = [long(number) for number in range(MAX_NODE_TOKENS // TOKENS)]
    assert problems(document(edit("a", *just))) == []
    looked_at.clear()
    (problem,) = problems(document(edit("a", *just, long(-1), long(-2)), edit("b", "1 +")))[:1]
    assert problem.code == "expression_invalid"
    assert problem.pointer == f"/nodes/1/entries/{len(just)}/value"
    assert "node 'a'" in problem.message
    assert f"more than {MAX_NODE_TOKENS} words and signs" in problem.message
    assert len(looked_at) == len(just) + 1  # and the one of b


def test_what_follows_a_full_node_is_looked_at_all_the_same() -> None:
    full = edit("a", *[long(number) for number in range(MAX_NODE_TOKENS // TOKENS + 5)])
    found = problems(document(full, edit("b", "1 +"), edit("c", "2 +")))
    assert [one.pointer.split("/")[2] for one in found] == ["1", "2", "3"]


def test_a_definition_may_have_so_many_tokens_and_no_more(looked_at: list[str | None]) -> None:
    each = 10
    count = MAX_DEFINITION_TOKENS // TOKENS // each
    just = [edit(f"n{n}", *[long(each * n + m) for m in range(each)]) for n in range(count)]
    assert problems(document(*just)) == []
    looked_at.clear()
    more = [edit(f"m{n}", *[long(-each * n - m - 1) for m in range(each)]) for n in range(500)]
    (problem,) = problems(document(*just, *more))
    assert f"of this workflow have more than {MAX_DEFINITION_TOKENS} words" in problem.message
    assert problem.message.startswith("node 'm0'")
    assert len(looked_at) == MAX_DEFINITION_TOKENS // TOKENS


def test_what_is_written_again_is_not_looked_at_again(looked_at: list[str | None]) -> None:
    assert problems(document(*[edit(f"n{n}", long(0), long(1), long(0)) for n in range(300)])) == []
    assert len(looked_at) == 2


def test_each_mistake_that_is_written_again_is_reported_where_it_is() -> None:
    found = problems(document(edit("a", "1 +", "n", "1 +"), edit("b", "1 +")))
    assert [one.pointer for one in found] == [
        "/nodes/1/entries/0/value",
        "/nodes/1/entries/2/value",
        "/nodes/2/entries/0/value",
    ]


def test_plain_paths_hardly_count() -> None:
    paths = [f"order.items.price.of.this.one{n}" for n in range(MAX_NODE_TOKENS - 1)]
    assert problems(document(edit("a", *paths))) == []


def test_the_whole_of_a_node_counts_whatever_its_fields_are() -> None:
    count = MAX_NODE_TOKENS // TOKENS + 1
    choices = [{"when": f"{long(n)} == n", "next": "end"} for n in range(count)]
    nodes = [
        {"id": "start", "type": "start", "next": "s"},
        {"id": "s", "type": "switch", "choices": choices, "default": "end"},
        {"id": "end", "type": "end"},
    ]
    (problem,) = problems({"workflow": "w", "nodes": nodes})
    assert problem.pointer.startswith("/nodes/1/choices/")
    assert "node 's'" in problem.message


def test_texts_that_do_not_end_count_as_what_was_looked_at(looked_at: list[str | None]) -> None:
    broken = [edit(f"n{n}", f"{n} + 'abc") for n in range(200)]
    assert len(problems(document(*broken))) < 60
    assert len(looked_at) < 60


def test_refusals_come_to_an_end_too() -> None:
    """Each costs more to explain than its few tokens say."""
    broken = [edit(f"n{n}", *[f"f{n}_{m}(a)" for m in range(50)]) for n in range(200)]
    found = problems(document(*broken))
    assert 1000 < len(found) < 5000
    assert any("of this workflow" in one.message for one in found)
