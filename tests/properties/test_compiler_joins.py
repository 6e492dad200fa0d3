"""Workflows built out of sound blocks: the compiler finds the joins that they were built with."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.compiling import compile_value
from workflows.nodes.registry import kinds

KINDS = kinds()
BLOCKS = ("step", "choose", "split", "open_split", "short", "each", "cycle", "row")


@dataclass
class Builder:
    """Makes nodes from the end to the beginning; a block is told where it goes on."""

    data: st.DataObject
    nodes: list[dict[str, Any]] = field(default_factory=list)
    closes: dict[str, str] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, **fields: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append({"id": name, "type": kind, **fields})
        return name

    def block(self, behind: str | None, depth: int, *, join: str | None = None) -> str:
        """Add a block that goes on at `behind`; `join` is that node when it is a join."""
        name = self.data.draw(st.sampled_from(BLOCKS if depth else ("step",)))
        return str(getattr(self, name)(behind, depth, join))

    def step(self, behind: str | None, *_: Any) -> str:
        return self.add("edit", entries=[], next=behind)

    def row(self, behind: str | None, depth: int, join: str | None) -> str:
        return self.block(self.block(behind, depth - 1, join=join), depth - 1)

    def choose(self, behind: str | None, depth: int, join: str | None) -> str:
        one = self.block(behind, depth - 1, join=join)
        way = self.add("end") if self.data.draw(st.booleans()) else behind
        return self.add("switch", choices=[{"when": "x == 1", "next": way}], default=one)

    def split(self, behind: str | None, depth: int, *_: Any) -> str:
        own = self.add("fan_in", next=behind)
        split = self.add("fan_out", branches=self.branches(own, depth))
        self.closes[own], self.joins[split] = split, own
        return split

    def open_split(self, behind: str | None, depth: int, join: str | None) -> str:
        """A split inside of a branch whose branches go to the join of the split around it."""
        if join is None:
            return self.split(behind, depth, join)
        split = self.add("fan_out", branches=self.branches(join, depth))
        self.joins[split] = join
        return split

    def short(self, behind: str | None, depth: int, *_: Any) -> str:
        own = self.add("fan_in", next=behind)
        starts = [branch["next"] for branch in self.branches(own, depth)]
        step = self.add("edit", entries=[], next=starts)
        self.closes[own], self.joins[f"{step}.next"] = f"{step}.next", own
        return step

    def branches(self, join: str, depth: int) -> list[dict[str, str]]:
        count = self.data.draw(st.integers(2, 3))
        starts = [self.block(join, depth - 1, join=join) for _ in range(count)]
        return [{"name": f"b{index}", "next": start} for index, start in enumerate(starts)]

    def each(self, behind: str | None, depth: int, *_: Any) -> str:
        process = self.block(None, depth - 1)
        return self.add("map", items="rows", process=process, next=behind)

    def cycle(self, behind: str | None, depth: int, *_: Any) -> str:
        again = self.add("delay", **{"for": "PT1S"})
        out = self.add("edit", entries=[], next=behind)
        test = self.add("switch", choices=[{"when": "again", "next": again}], default=out)
        start = self.block(test, depth - 1)
        next(node for node in self.nodes if node["id"] == again)["next"] = start
        return start


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_the_joins_are_found(data: st.DataObject) -> None:
    builder = Builder(data)
    end = builder.add("end")
    start = builder.add("start", next=builder.block(end, 3))
    value = {"workflow": "w", "nodes": data.draw(st.permutations(builder.nodes))}
    plan = compile_value(value, kinds=KINDS).plan
    assert plan.start == start
    assert {one.id: one.closes for one in plan.nodes.values() if one.closes} == builder.closes
    assert {one.id: one.join for one in plan.nodes.values() if one.join} == builder.joins
