"""Small workflows drawn at random: all that splits, joins, races, fails, loops, sleeps, decides.

What depends on who is first is drawn too, but leaves nothing: the output is always the same. Only
of `loose_definitions` nothing is known but that they end, or sleep and can be woken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.support import activities  # noqa: F401 - registers them
from tests.support.builder import (
    Node,
    activity,
    ask,
    batch,
    delay,
    each,
    edit,
    emit,
    end,
    fan_in,
    fan_out,
    gosub,
    race,
    switch,
    wait_event,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
Step = Callable[[str | None, int], str]

_VALUES = st.sampled_from([1, "x", [1, 2], {"a": 1}, "${n}", "${[n]}", "${{'k': n}}", None])
_DEPTH = 3
_ALL_MAY_FAIL = {"percent": 100}
_FOLDS = st.sampled_from(["sum", "count", "min", "max", "first", "last", "avg", "group_by"])
#: Waits for all of them, in other words.
_EVERYTHING = ("group.live == 0", "group.arrived + group.failed == group.expected")


@dataclass
class _Author:
    """Writes nodes; `follow` is where a block goes on when it is over, None for nowhere."""

    draw: Draw
    nodes: list[Node] = field(default_factory=list)
    others: tuple[str, ...] = ()  # workflows to call
    is_wild: bool = False  # with parts that others do not wait for, and that are stopped
    is_loose: bool = False  # with failures that nobody takes, and waits that nobody ends
    catching: int = 0  # how many splits around this place take failures

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
        kinds: list[Step] = [self.an_edit, self.an_edit, self.a_delay, self.a_computation]
        kinds += [self.a_second_attempt, self.a_word_to_itself]
        if depth < _DEPTH:
            kinds += [self.a_fan_out, self.a_map, self.a_batch, self.a_switch, self.a_loop]
            kinds += [self.a_sure_race, self.a_sure_join]
            if self.is_wild:
                kinds += [self.a_caught_fan_out, self.a_partial_join, self.a_race]
                kinds += [self.a_partial_list]
        if self.is_loose:
            kinds += [self.a_failure, self.a_long_wait, self.a_full_stop]
        if self.catching:
            kinds += [self.a_failure]
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

    def a_computation(self, follow: str | None, _depth: int) -> str:
        """Compute with the list, which stays one of numbers."""
        node: Node = self.draw(
            st.sampled_from(
                [
                    {"type": "transform", "value": "items.map(x, x + n)", "result": "items"},
                    {"type": "transform", "value": "{'n': n, 'count': size(items)}"},
                    {"type": "filter", "items": "items", "when": "(item + index) % 2 == 0"},
                    {"type": "filter", "items": "items", "when": "item > n", "result": "output"},
                    {"type": "aggregate", "items": "items", "function": self.draw(_FOLDS)},
                ]
            )
        )
        return self.add({**node, "id": self.name("compute"), "next": follow})

    def a_second_attempt(self, follow: str | None, _depth: int) -> str:
        retry = {"attempts": 3, "backoff": "PT1S"}
        fields = {"input": {"attempt": 2}, "retry": retry, "result": "tries"}
        return self.add(activity(self.name("try"), "test.fail_until", next=follow, **fields))

    def a_word_to_itself(self, follow: str | None, _depth: int) -> str:
        """Send an event and wait for one: whose it is, is forgotten."""
        forget = {"type": "edit", "entries": [{"delete": "word"}], "next": follow}
        after = self.add({**forget, "id": self.name("forget")})
        wait = wait_event(self.name("hear"), "word", key="run.id", result="word", next=after)
        return self.add(emit(self.name("say"), "word", key="run.id", next=self.add(wait)))

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

    def a_failure(self, follow: str | None, _depth: int) -> str:
        """Fail for some contexts and not for others."""
        bad = self.add(activity(self.name("bad"), "test.refuse", next=follow))
        fine = self.an_edit(follow, 0)
        return self.add(switch(self.name("whether"), fine, **{bad: "n % 2 == 1"}))

    def a_loop(self, follow: str | None, depth: int) -> str:
        body, times = self.block(None, depth + 1), self.draw(st.integers(0, 2))
        most = {"max_iterations": 9, "while": f"loop.index < {times}", "next": follow}
        return self.add({"id": self.name("loop"), "type": "loop", "body": body, **most})

    def branches(self, join: str | None, depth: int) -> dict[str, str | None]:
        count = self.draw(st.integers(1, 3))
        return {f"b{idx}": self.block(join, depth + 1) for idx in range(count)}

    def a_fan_out(self, follow: str | None, depth: int) -> str:
        limit, follow = self.some_tolerance(follow)
        join = self.add(fan_in(self.name("join"), next=follow))
        starts = self.branches(join, depth)
        if self.draw(st.booleans()):
            starts["dead"] = self.block(None, depth + 1)
        self.catching -= bool(limit)
        return self.add({**fan_out(self.name("split"), **starts), **limit})

    def a_caught_fan_out(self, follow: str | None, depth: int) -> str:
        """When a branch fails, all are stopped: whichever was first, nothing is left of them."""
        tidy = self.a_tidying(follow)
        join = self.add(fan_in(self.name("join"), next=follow))
        self.catching += 1
        starts = self.branches(join, depth)
        self.catching -= 1
        return self.add({**fan_out(self.name("split"), **starts), "on_error": tidy})

    def a_partial_join(self, follow: str | None, depth: int) -> str:
        """Go on with some of the branches, and keep nothing of them: it is not said which."""
        tidy = self.a_tidying(follow)
        some = {
            "wait_for": self.draw(st.sampled_from(["any", 1, "group.arrived + group.failed > 0"])),
            "rest": self.draw(st.sampled_from(["cancel", "absorb"])),
        }
        ways = {"merge": "", "next": tidy, "on_error": tidy}
        join = self.add({**fan_in(self.name("join"), **some), **ways})
        self.catching += 1
        starts = self.branches(join, depth)
        self.catching -= 1
        return self.add({**fan_out(self.name("split"), **starts), "tolerate": _ALL_MAY_FAIL})

    def a_race(self, follow: str | None, depth: int) -> str:
        """Let branches race, and keep nothing of the winner, not even its name."""
        tidy = self.a_tidying(follow)
        self.catching += 1
        starts = {name: str(start) for name, start in self.branches(None, depth).items()}
        self.catching -= 1
        ways = {"merge": "", "winner": "", "on_error": tidy, "tolerate": _ALL_MAY_FAIL}
        return self.add({**race(self.name("race"), next=tidy, **starts), **ways})

    def a_sure_race(self, follow: str | None, depth: int) -> str:
        """Let a branch race with one that never ends: what it leaves is kept, and its name."""
        never = self.add(wait_event(self.name("never"), "never", key="run.id", next=None))
        sure = self.block(None, depth + 1)
        return self.add(race(self.name("race"), next=follow, sure=sure, never=never))

    def a_sure_join(self, follow: str | None, depth: int) -> str:
        """Wait for all branches in other words: each end is looked at by itself."""
        limit, follow = self.some_tolerance(follow)
        wait_for = self.draw(st.sampled_from(_EVERYTHING))
        join = self.add(fan_in(self.name("join"), wait_for=wait_for, next=follow))
        starts = self.branches(join, depth)
        self.catching -= bool(limit)
        return self.add({**fan_out(self.name("split"), **starts), **limit})

    def a_partial_list(self, follow: str | None, depth: int) -> str:
        """Go on with some parts of a list, and keep nothing of them."""
        tidy = self.a_tidying(follow)
        self.catching += 1
        part = self.block(None, depth + 1)
        self.catching -= 1
        fields = {
            "wait_for": self.draw(st.sampled_from(["any", 2, "group.arrived * 2 > group.live"])),
            "rest": self.draw(st.sampled_from(["cancel", "absorb"])),
            "parallel": self.draw(st.integers(0, 2)),
            "tolerate": _ALL_MAY_FAIL,
        }
        ways = {"merge": "", "next": tidy, "on_error": tidy}
        make = self.draw(st.sampled_from([each, batch]))
        size = {"size": 1} if make is batch else {}
        return self.add(make(self.name("some"), part, **fields, **ways, **size))

    def a_long_wait(self, follow: str | None, _depth: int) -> str:
        """Wait for what may never come, or wait in vain."""
        name = self.name("long")
        limit = self.draw(st.sampled_from([{}, {"timeout": "PT5S"}]))
        make = self.draw(st.sampled_from([ask, lambda id_, **more: wait_event(id_, "x", **more)]))
        return self.add(make(name, next=follow, **limit))

    def a_full_stop(self, follow: str | None, _depth: int) -> str:
        """End the thread, or everything, for some contexts."""
        name = self.name("stop")
        stops: list[Node] = [
            end(name),
            end(name, terminate=True),
            end(name, result="blocked", reason="${n}"),
            {"id": name, "type": "fail", "code": "enough", "message": "${output}"},
        ]
        stop, fine = self.add(self.draw(st.sampled_from(stops))), self.an_edit(follow, 0)
        return self.add(switch(self.name("whether"), fine, **{stop: "n % 2 == 1"}))

    def a_tidying(self, follow: str | None) -> str:
        """Take away what tells which parts have failed before the others were stopped."""
        gone = [{"delete": "error"}, {"delete": "errors"}]
        tidy = {"id": self.name("tidy"), "type": "edit", "entries": gone, "next": follow}
        return self.add(tidy)

    def some_tolerance(self, follow: str | None) -> tuple[Node, str | None]:
        """Draw whether the split that is written now tolerates failures, and what follows then.

        Only how many have failed is kept: of an inner split it may be any that was the first.
        """
        if not self.draw(st.booleans()):
            return {}, follow
        self.catching += 1
        count = [{"set": "failed", "value": "${size(errors)}"}, {"delete": "errors"}]
        counting = {"id": self.name("counting"), "type": "edit", "entries": count, "next": follow}
        return {"tolerate": _ALL_MAY_FAIL}, self.add(counting)

    def a_map(self, follow: str | None, depth: int) -> str:
        limit, follow = self.some_tolerance(follow)
        part, window = self.block(None, depth + 1), self.a_window()
        self.catching -= bool(limit)
        return self.add(each(self.name("map"), part, next=follow, **window, **limit))

    def a_window(self) -> Node:
        wait_for = self.draw(st.sampled_from([{}, {}, *({"wait_for": one} for one in _EVERYTHING)]))
        return {"parallel": self.draw(st.integers(0, 2)), **wait_for}

    def a_batch(self, follow: str | None, depth: int) -> str:
        limit, follow = self.some_tolerance(follow)
        part, window = self.block(None, depth + 1), self.a_window()
        self.catching -= bool(limit)
        size = self.draw(st.integers(0, 2))
        return self.add(batch(self.name("batch"), part, size=size, next=follow, **window, **limit))


@st.composite
def definitions(draw: Draw) -> dict[str, Any]:
    """Draw a definition whose output depends on nothing but its input."""
    return _definition(draw, "random", is_wild=True)


@st.composite
def families(draw: Draw) -> list[dict[str, Any]]:
    """Draw three such definitions; the second calls the first, the last calls both."""
    leaf = _definition(draw, "leaf", depth=2)
    branch = _definition(draw, "branch", "leaf", depth=2)
    return [leaf, branch, _definition(draw, "random", "leaf", "branch", depth=1)]


@st.composite
def loose_definitions(draw: Draw) -> dict[str, Any]:
    """Draw a definition that may fail, and that may sleep for ever."""
    return _definition(draw, "random", is_wild=True, is_loose=True)


def _definition(
    draw: Draw,
    workflow: str,
    *others: str,
    depth: int = 0,
    is_wild: bool = False,
    is_loose: bool = False,
) -> dict[str, Any]:
    author = _Author(draw, others=others, is_wild=is_wild, is_loose=is_loose)
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
