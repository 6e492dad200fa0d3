"""All expressions of one call of a node share a budget, and so does its walk over its config."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.nodes.bench import Node, node
from workflows import expressions
from workflows.context import paths
from workflows.errors import ExpressionLimitError
from workflows.expressions.limits import MAX_SECONDS
from workflows.nodes.outcomes import Continue, Finish

#: About a third of a budget, over a context that has `xs`.
THIRD = "xs.all(x, xs.all(y, true))"
XS = list(range(258))


def refused(it: Node, **context: Any) -> str:
    with pytest.raises(ExpressionLimitError) as caught:
        it.run(**context)
    return caught.value.message


def edits(count: int) -> Node:
    return node("edit", entries=[{"set": f"a{n}", "value": f"${{{THIRD}}}"} for n in range(count)])


def test_the_entries_of_an_edit_share_one() -> None:
    assert isinstance(edits(2).run(xs=XS), Continue)
    assert "the expressions of the node together" in refused(edits(3), xs=XS)


def test_of_400_entries_only_those_are_evaluated_that_there_is_budget_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def render(*args: Any) -> Any:
        asked.append(args)
        return expressions.render(*args)

    monkeypatch.setattr(
        "workflows.nodes.base.expressions",
        SimpleNamespace(render=render, check_budget=expressions.check_budget),
    )
    refused(edits(400), xs=XS)
    assert len(asked) == 3


def test_the_choices_of_a_switch_share_one() -> None:
    never = f"!({THIRD})"
    choices = [{"when": never, "next": "b"}] * 2
    assert isinstance(node("switch", choices=choices, default="c").run(xs=XS), Continue)
    refused(node("switch", choices=choices * 2, default="c"), xs=XS)


def test_the_outputs_and_the_reason_of_an_end_share_one() -> None:
    output = {"a": f"${{{THIRD}}}", "b": f"${{{THIRD}}}"}
    assert isinstance(node("end", output=output).run(xs=XS), Finish)
    refused(node("end", output=output, reason=f"${{{THIRD}}}"), xs=XS)


def test_the_entries_of_a_start_share_one() -> None:
    init = [{"path": f"a{n}", "value": f"${{{THIRD}}}"} for n in range(3)]
    assert isinstance(node("start", init=init[:2]).run(xs=XS), Continue)
    refused(node("start", init=init), xs=XS)


@pytest.mark.parametrize(
    "it",
    [
        node("edit", entries=[{"copy": "a", "to": f"b{n}"} for n in range(400)]),
        node("edit", entries=[{"set": f"b{n}", "value": n} for n in range(400)]),
        node("start", init=[{"path": "a"}] * 400),
        node("end", output={f"b{n}": n for n in range(400)}),
    ],
    ids=["copies", "constants", "start", "end"],
)
def test_long_work_on_a_large_context_comes_to_an_end(
    it: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry copies the context's keys; here that takes a tenth of what there is."""
    now, copies = [0.0], [0]
    monkeypatch.setattr(time, "thread_time", lambda: now[0])
    assign = paths.assign

    def slow_assign(*args: Any) -> Any:
        now[0] += MAX_SECONDS / 10
        copies[0] += 1
        return assign(*args)

    monkeypatch.setattr(f"{type(it.kind).__module__}.assign", slow_assign)
    assert " s were not enough" in refused(it, a=1)
    assert copies[0] in {10, 11}


def test_each_call_has_a_budget_of_its_own() -> None:
    it = edits(2)
    for _ in range(3):
        assert isinstance(it.run(xs=XS), Continue)
