"""Known names are suggested for unknown ones, but not for thousands of them."""

from typing import Any

import pytest

from tests.support.compiling import compile_value
from workflows.compiler import nearest
from workflows.compiler.nearest import MOST_COMPARED, Nearest
from workflows.errors import DefinitionError, Problem
from workflows.nodes.registry import kinds


def test_the_nearest_name_is_suggested() -> None:
    known = ["approve", "reject"]
    assert Nearest().suggest("node", "aprove", known) == " (did you mean 'approve'?)"
    assert Nearest().suggest("node", "zzz", known) == ""
    assert Nearest().find("node", "rejekt", known) == "reject"


def test_a_document_gets_so_many_comparisons_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def close_matches(_name: str, known: list[str], n: int) -> list[str]:
        compared.append(len(known))
        return known[:n]

    monkeypatch.setattr(nearest, "get_close_matches", close_matches)
    known = [f"name{number}" for number in range(MOST_COMPARED // 50)]
    suggestions = Nearest()
    hints = [suggestions.suggest("node", f"nam{number}", known) for number in range(200)]
    assert sum(compared) == MOST_COMPARED
    assert (hints[49], hints[50], hints[-1]) == (" (did you mean 'name0'?)", "", "")
    assert suggestions.find("node", "nam7", known) == "name0"  # it is remembered


def test_what_is_no_name_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(nearest, "get_close_matches")
    assert Nearest().find("node", "x" * 101, ["x" * 100]) is None


def refused(nodes: list[dict[str, Any]]) -> list[Problem]:
    start = {"id": "start", "type": "start", "next": "n0"}
    with pytest.raises(DefinitionError) as caught:
        compile_value(
            {"workflow": "w", "nodes": [start, *nodes, {"id": "end", "type": "end"}]}, kinds=kinds()
        )
    return caught.value.problems


def test_every_unknown_node_is_reported_with_a_suggestion_or_without() -> None:
    nodes = [
        {"id": f"n{n}", "type": "edit", "entries": [], "next": f"n{n + 1}z"} for n in range(1000)
    ]
    unknown = [one for one in refused(nodes) if one.code == "unknown_node"]
    assert len(unknown) == 1000
    hinted = [one for one in unknown if "did you mean" in one.message]
    assert 0 < len(hinted) < 1000


def test_each_repetition_in_a_list_is_reported_once() -> None:
    node = {"id": "n0", "type": "edit", "entries": [], "next": ["end", "n0", "end", "end"]}
    repeated = [one.pointer for one in refused([node]) if one.code == "repeated_node"]
    assert repeated == ["/nodes/1/next/2", "/nodes/1/next/3"]
