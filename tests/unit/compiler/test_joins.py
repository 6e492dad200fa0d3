"""Which join closes which split."""

from collections.abc import Callable
from typing import Any

import pytest

from workflows.compiler.compile import Compiled
from workflows.errors import Problem

EDIT = "type: edit, entries: []"
SPLIT = "type: fan_out, branches:"


def branches(*targets: str) -> str:
    return "[" + ", ".join(f"{{name: {one}, next: {one}}}" for one in targets) + "]"


def nodes(*lines: str) -> str:
    return "\n".join(f"- {{{line}}}" for line in lines) + "\n"


def split(name: str, *targets: str, more: str = "") -> str:
    return f"id: {name}, {SPLIT} {branches(*targets)}{more}"


def edit(name: str, target: str | None = None) -> str:
    return f"id: {name}, {EDIT}" + (f", next: {target}" if target else "")


def join(name: str, target: str | None = None) -> str:
    return f"id: {name}, type: fan_in" + (f", next: {target}" if target else "")


def choose(name: str, first: str, other: str) -> str:
    return (
        f"id: {name}, type: switch, choices: [{{when: 'x == 1', next: {first}}}], default: {other}"
    )


def each(name: str, process: str, target: str) -> str:
    return f"id: {name}, type: batch, items: rows, process: {process}, next: {target}"


START = "id: s, type: start, next: S"

MATCHED: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "a split and its join": (
        nodes(START, split("S", "a", "b"), edit("a", "F"), edit("b", "F"), join("F")),
        {"F": "S"},
        {"S": "F"},
    ),
    "branches that are the join itself": (
        nodes(START, split("S", "F", "b"), edit("b", "F"), join("F")),
        {"F": "S"},
        {"S": "F"},
    ),
    "two splits, one after the other": (
        nodes(
            *(START, split("S", "a", "b"), edit("a", "F"), edit("b", "F"), join("F", "T")),
            *(split("T", "c", "d"), edit("c", "G"), edit("d", "G"), join("G")),
        ),
        {"F": "S", "G": "T"},
        {"S": "F", "T": "G"},
    ),
    "nested, each with its own join": (
        nodes(
            *(START, split("S", "T", "b"), split("T", "c", "d"), edit("c", "G"), edit("d", "G")),
            *(join("G", "F"), edit("b", "F"), join("F")),
        ),
        {"G": "T", "F": "S"},
        {"T": "G", "S": "F"},
    ),
    "one join closes the nested split with the outer one": (
        nodes(
            *(START, split("S", "T", "b"), split("T", "c", "d"), edit("c", "F"), edit("d", "F")),
            *(edit("b", "F"), join("F")),
        ),
        {"F": "S"},
        {"S": "F", "T": "F"},
    ),
    "only the inner split is continued by the join": (
        nodes(
            *(START, split("S", "T", "b"), split("T", "c", "d"), edit("c", "F"), edit("d", "F")),
            *(edit("b"), join("F")),
        ),
        {"F": "T"},
        {"T": "F"},
    ),
    "only one branch arrives": (
        nodes(START, split("S", "a", "b"), edit("a", "F"), edit("b"), join("F")),
        {"F": "S"},
        {"S": "F"},
    ),
    "a branch may end elsewhere by a switch": (
        nodes(
            *(START, split("S", "a", "b"), choose("a", "F", "out"), edit("b", "F"), join("F")),
            edit("out"),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "an end shared by a branch and the main line": (
        nodes(
            *(START, split("S", "a", "b"), choose("a", "F", "end"), edit("b", "F")),
            *(join("F", "end"), "id: end, type: end"),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "a split inside of a slice": (
        nodes(
            *("id: s, type: start, next: B", each("B", "S", "end"), split("S", "a", "b")),
            *(edit("a", "F"), edit("b", "F"), join("F"), "id: end, type: end"),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "a batch inside of a branch": (
        nodes(
            *(START, split("S", "B", "b"), each("B", "p", "F"), edit("p"), edit("b", "F")),
            join("F"),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "no join": (nodes(START, split("S", "a", "b"), edit("a"), edit("b")), {}, {}),
    "a whole fan-out in a cycle": (
        nodes(
            *(START, split("S", "a", "b"), edit("a", "F"), edit("b", "F"), join("F", "more")),
            choose("more", "wait", "end"),
            "id: wait, type: delay, for: PT1S, next: S",
            "id: end, type: end",
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "a cycle inside of a branch": (
        nodes(
            *(START, split("S", "a", "b"), edit("a", "t"), choose("t", "w", "F")),
            "id: w, type: delay, for: PT1S, next: a",
            *(edit("b", "F"), join("F")),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "a branch that comes back to its split": (
        nodes(
            *(START, split("S", "a", "b"), choose("a", "w", "F"), edit("b", "F"), join("F")),
            "id: w, type: delay, for: PT1S, next: S",
        ),
        {"F": "S"},
        {"S": "F"},
    ),
    "the next of a fan-out that has branches leads nowhere new": (
        nodes(
            *(START, split("S", "a", "b", more=", next: F"), edit("a", "F"), edit("b", "F")),
            join("F"),
        ),
        {"F": "S"},
        {"S": "F"},
    ),
}


@pytest.mark.parametrize("case", MATCHED)
def test_a_join_closes_the_outermost_split_that_it_continues(
    case: str, compiled: Callable[..., Compiled]
) -> None:
    text, closes, joins = MATCHED[case]
    plan = compiled(text).plan
    assert {node.id: node.closes for node in plan.nodes.values() if node.closes} == closes
    assert {node.id: node.join for node in plan.nodes.values() if node.join} == joins


REFUSED: dict[str, tuple[str, list[str]]] = {
    "no split at all": (nodes("id: s, type: start, next: F", join("F")), ["'F' closes no split"]),
    "only a batch around it": (
        nodes("id: s, type: start, next: B", each("B", "F", "e"), join("F"), edit("e")),
        ["'F' closes no split: 'B' merges its own parts"],
    ),
    "a slice that arrives at the join of the split around it": (
        nodes(START, split("S", "B", "b"), each("B", "F", "F"), edit("b", "F"), join("F")),
        ["'F'"],
    ),
    "branches at different joins": (
        nodes(
            *(START, split("S", "a", "b"), edit("a", "F"), edit("b", "G"), join("F"), join("G")),
        ),
        ["the branches of 'S' arrive at different joins, 'F' and 'G'"],
    ),
    "an inner split with two joins": (
        nodes(
            *(START, split("S", "T", "b"), split("T", "c", "d"), edit("c", "G"), join("G", "F")),
            *(edit("d", "F"), edit("b", "F"), join("F")),
        ),
        ["the branches of 'T' arrive at different joins, 'G' and 'F'"],
    ),
    "a way past the split": (
        nodes(
            *("id: s, type: start, next: q", choose("q", "S", "F"), split("S", "a", "b")),
            *(edit("a", "F"), edit("b", "F"), join("F")),
        ),
        ["'F' is reached both from inside of 'S' and from outside"],
    ),
    "two splits that are not nested": (
        nodes(
            *("id: s, type: start, next: q", choose("q", "S", "T"), split("S", "a", "b")),
            *(split("T", "c", "d"), edit("a", "F"), edit("b", "F"), edit("c", "F")),
            *(edit("d", "F"), join("F")),
        ),
        ["'F' closes no split: it is reached from 'S' and 'T'"],
    ),
    "back to its own join": (
        nodes(
            *(START, split("S", "a", "b"), edit("a", "F"), edit("b", "F"), join("F", "q")),
            choose("q", "w", "end"),
            "id: w, type: delay, for: PT1S, next: F",
            "id: end, type: end",
        ),
        ["'F' closes 'S', but is also reached from outside of any split"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_joins_that_cannot_work_are_refused(
    case: str, problems: Callable[..., list[Problem]]
) -> None:
    text, beginnings = REFUSED[case]
    found = [one.message for one in problems(text) if one.code == "join_mismatch"]
    assert len(found) == len(beginnings), found
    for message, beginning in zip(found, beginnings, strict=True):
        assert beginning in message


def test_no_graph_makes_the_matching_fail(problems: Callable[..., Any]) -> None:
    text = nodes(
        "id: s, type: start, next: [s, S, F]",
        split("S", "S", "F", more=", next: [S, T]"),
        split("T", "S", "T"),
        join("F", "S"),
    )
    assert problems(text)


def test_more_nestings_than_anyone_could_follow_are_refused(problems: Callable[..., Any]) -> None:
    deep = [split(f"S{index}", f"S{index + 1}", "F") for index in range(40)]
    text = nodes("id: s, type: start, next: S0", *deep, edit("S40"), join("F"))
    (found,) = problems(text)
    assert "more than 32 nestings" in found.message
