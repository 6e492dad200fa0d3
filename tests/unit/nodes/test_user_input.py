from datetime import timedelta
from typing import Any

import pytest

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError, NodeError
from workflows.nodes.outcomes import Continue, Fail, Suspend
from workflows.nodes.suspensions import PersonWait, Resolution

FORM = {"type": "object"}


def ask(**fields: Any) -> Node:
    return node("user_input", **{"prompt": "Which?", "next": "on", **fields})


def wait_of(outcome: Any) -> PersonWait:
    assert isinstance(outcome, Suspend)
    assert isinstance(outcome.wait, PersonWait)
    return outcome.wait


def test_it_asks_and_waits_in_the_queue() -> None:
    wait = wait_of(ask(prompt="Which ${thing}?", form=FORM, timeout="P2D").run(thing="colour"))
    data = {"form": FORM, "to": {"groups": [], "users": []}}
    assert wait == PersonWait(data, timedelta(days=2), is_exclusive=True, prompt="Which colour?")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["legal", "${team}", "legal"], ["legal", "ops"]),
        ("${team}", ["ops"]),
        ("${teams}", ["a", "b"]),
    ],
)
def test_names_are_rendered_each_once(groups: Any, expected: list[str]) -> None:
    wait = wait_of(ask(to={"groups": groups}).run(team="ops", teams=["a", "b"]))
    assert wait.data["to"] == {"groups": expected, "users": []}


@pytest.mark.parametrize("names", [1, None, {"a": 1}, [1], [""], ["x" * 151]])
def test_what_is_no_name_is_refused(names: Any) -> None:
    with pytest.raises(NodeError) as caught:
        ask(to={"users": "${names}"}).run(names=names)
    assert caught.value.failure == "question_invalid"


def test_a_prompt_that_renders_to_nothing_falls_back_to_the_title() -> None:
    assert wait_of(ask(prompt="${x}", title="Colour").run(x="")).prompt == "Colour"
    assert wait_of(ask(prompt="${x}").run(x=None)).prompt == "it"


def test_a_long_prompt_is_cut() -> None:
    assert len(wait_of(ask(prompt="${x}").run(x="y" * 9000)).prompt) == 2000


def test_what_is_absent_in_the_prompt_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        ask(prompt="Which ${thing.name}?").run(thing={})


def test_the_answer_lands_at_result() -> None:
    resolution = Resolution("answer", {"colour": "red"})
    assert ask().resume(resolution, x=1) == Continue({"x": 1, "output": {"colour": "red"}})
    assert ask(result="a.b").resume(resolution) == Continue({"a": {"b": {"colour": "red"}}})


def test_a_timeout_leaves_by_its_port_or_fails() -> None:
    late = ask(timeout="P1D", on_timeout="late").resume(Resolution("timer"), x=1)
    assert late == Continue({"x": 1}, port="on_timeout")
    failed = ask(timeout="P1D").resume(Resolution("timer"))
    assert isinstance(failed, Fail)
    assert failed.code == "timeout"


def test_on_timeout_needs_a_timeout() -> None:
    assert ask(on_timeout="late").problems[0][0] == "/on_timeout"
    assert ask(on_timeout="late", timeout="P1D").problems == []
