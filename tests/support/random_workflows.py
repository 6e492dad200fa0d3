"""Small workflows drawn at random: everything that splits, joins, sleeps and decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.support.builder import (
    Node,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    switch,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
Step = Callable[[str | None, int], str]

_VALUES = st.sampled_from([1, "x", [1, 2], {"a": 1}, "${n}", "${[n]}", "${{'k': n}}", None])
_DEPTH = 3


@dataclass
class _Author:
    """Writes nodes; `follow` is where a block goes on when it is over, None for nowhere."""

    draw: Draw
    nodes: list[Node] = field(default_factory=list)
    others: tuple[str, ...] = ()  # workflows to call

    def name(self, kind: str) -> str:
        return f"{kind}{len(self.nodes)}"

    def add(self, node: Node) -> str:
        self.nodes.append(node)
        return str(node["id"])

    def block(self, follow: str | None, depth: int) -> str:
        """Write one to three steps, the last first; return the id of the first."""
        start = follow
        for _ in range(self.draw(st.integers(1, 3 if depth < 2 else 1))):
            start = self.step(start, depth)
        assert start is not None
        return start

    def step(self, follow: str | None, depth: int) -> str:
        kinds: list[Step] = [self.an_edit, self.an_edit, self.a_delay]
        if depth < _DEPTH:
            kinds += [self.a_fan_out, self.a_map, self.a_batch, self.a_switch]
        if self.others:
            kinds += [self.a_gosub] * 3
        return str(self.draw(st.sampled_from(kinds))(follow, depth))

    def an_edit(self, follow: str | None, _depth: int) -> str:
        if self.draw(st.booleans()):
            return self.add(edit(self.name("count"), n="${n + 1}", next=follow))
        return self.add(edit(self.name("set"), output=self.draw(_VALUES), next=follow))

    def a_delay(self, follow: str | None, _depth: int) -> str:
        seconds = self.draw(st.integers(1, 3))
        return self.add(delay(self.name("rest"), f"PT{seconds}S", next=follow))

    def a_gosub(self, follow: str | None, _depth: int) -> str:
        fields: dict[str, Any] = {"next": follow}
        if self.draw(st.booleans()):
            fields["input"] = {"n": "${n}", "items": "${items}"}
        output = self.draw(st.sampled_from([None, "n", "output", "items"]))
        if output is not None:
            fields["output"] = {output: f"${{child.output.{output}}}"}
        name = self.draw(st.sampled_from(self.others))
        return self.add(gosub(self.name("call"), name, **fields))

    def a_switch(self, follow: str | None, depth: int) -> str:
        yes, no = self.block(follow, depth + 1), self.block(follow, depth + 1)
        return self.add(switch(self.name("if"), no, **{yes: "n % 2 == 0"}))

    def a_fan_out(self, follow: str | None, depth: int) -> str:
        join = self.add(fan_in(self.name("join"), next=follow))
        count = self.draw(st.integers(1, 3))
        starts: dict[str, str | None] = {
            f"b{idx}": self.block(join, depth + 1) for idx in range(count)
        }
        if self.draw(st.booleans()):
            starts["dead"] = self.block(None, depth + 1)
        return self.add(fan_out(self.name("split"), **starts))

    def a_map(self, follow: str | None, depth: int) -> str:
        part, parallel = self.block(None, depth + 1), self.draw(st.integers(0, 2))
        return self.add(each(self.name("map"), part, parallel=parallel, next=follow))

    def a_batch(self, follow: str | None, depth: int) -> str:
        part, parallel = self.block(None, depth + 1), self.draw(st.integers(0, 2))
        size = self.draw(st.integers(0, 2))
        return self.add(batch(self.name("batch"), part, size=size, parallel=parallel, next=follow))


@st.composite
def definitions(draw: Draw) -> dict[str, Any]:
    """Draw a definition whose output depends on nothing but its input."""
    return _definition(draw, "random")


@st.composite
def families(draw: Draw) -> list[dict[str, Any]]:
    """Draw three such definitions; the second calls the first, the last calls both."""
    leaf = _definition(draw, "leaf", depth=2)
    branch = _definition(draw, "branch", "leaf", depth=2)
    return [leaf, branch, _definition(draw, "random", "leaf", "branch", depth=1)]


def _definition(draw: Draw, workflow: str, *others: str, depth: int = 0) -> dict[str, Any]:
    author = _Author(draw, others=others)
    last = author.add(end("end"))
    first = author.block(last, depth)
    if others and not any(node["type"] == "gosub" for node in author.nodes):
        first = author.a_gosub(first, depth)
    start = {"id": "start", "type": "start", "next": first}
    nodes = [start, *reversed(author.nodes)]
    return {"workflow": workflow, "nodes": [_without_none(node) for node in nodes]}


def inputs() -> st.SearchStrategy[dict[str, Any]]:
    """Draw an input for them."""
    items = st.lists(st.integers(0, 9), max_size=4)
    return st.fixed_dictionaries({"n": st.integers(0, 1), "items": items})


def _without_none(node: Node) -> Node:
    return {key: value for key, value in node.items() if not (key == "next" and value is None)}
