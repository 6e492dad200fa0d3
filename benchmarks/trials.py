"""How long do a thousand small trials of every sort take, as one process that reads cases?"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.place import Place, timed
from benchmarks.report import Row

CASES = 1_000
ON = {"next": "done"}
Case = tuple[dict[str, Any], Any]


def measure(_place: Place) -> list[Row]:
    """Run the cases, and hold each output against what was worked out beside the engine."""
    tried = list(cases(CASES))
    text = "".join(json.dumps(case) + "\n" for case, _ in tried)
    told: list[str] = []
    seconds = timed(lambda: told.extend(_try(text).splitlines()))
    reports = [json.loads(line) for line in told]
    pairs = zip(reports, tried, strict=True)
    wrong = [each["id"] for each, (_, output) in pairs if each["output"] != output]
    question = f"{CASES:,} mixed trials by one process"
    figure = f"{seconds:.1f} s" + (f", wrong: {wrong[:5]}" if wrong else "")
    return [Row(question, figure, seconds, "under 60 s", seconds < 60 and not wrong)]


def _try(text: str) -> str:
    command = [sys.executable, "manage.py", "workflow", "try", "--cases", "-"]
    return subprocess.check_output(command, input=text, text=True)


def cases(count: int) -> Iterator[Case]:
    """Return cases with the output of each; every sort comes as often as the others."""
    sorts = (mapped, joined, tried_again, called, looped, asked, batched, switched)
    for number in range(count):
        case, output = sorts[number % len(sorts)](number)
        yield {"id": number, **case}, output


def mapped(number: int) -> Case:
    """Items of a list, two at a time."""
    items = list(range(number % 7 + 1))
    nodes = [
        {"id": "all", "type": "map", "items": "items", "process": "one", "parallel": 2, **ON},
        {"id": "one", "type": "edit", "entries": [{"set": "output", "value": "${item * 3}"}]},
    ]
    case = _case(nodes, {"sum": "${sum(output)}"}, {"items": items})
    return case, {"sum": 3 * sum(items)}


def joined(number: int) -> Case:
    """Three branches, two of which sleep, and a join that waits for all."""
    entries = {"a": 1, "b": 2, "c": number}
    first = {"a": "a", "b": "wait_b", "c": "wait_c"}
    branches = [{"name": name, "next": node} for name, node in first.items()]
    nodes = [
        {"id": "split", "type": "fan_out", "branches": branches},
        {"id": "wait_b", "type": "delay", "for": "PT5M", "next": "b"},
        {"id": "wait_c", "type": "delay", "for": f"PT{number % 50 + 1}M", "next": "c"},
        *(_edit(name, f"output.{name}", value, "join") for name, value in entries.items()),
        {"id": "join", "type": "fan_in", **ON},
    ]
    output = {"sum": "${output.a + output.b + output.c}"}
    return _case(nodes, output), {"sum": 3 + number}


def tried_again(number: int) -> Case:
    """An activity that fails at first and is tried again after a pause; then an event."""
    retry = {"attempts": 3, "backoff": "PT10S"}
    nodes = [
        {"id": "pay", "type": "activity", "activity": "bank.pay", "retry": retry, "next": "hear"},
        {"id": "hear", "type": "wait_event", "event": "bank.told", "key": "k", **ON},
    ]
    failed = [{"error": {"code": "busy", "message": "later"}}] * (number % 3)
    stubs = {"bank.pay": [*failed, {"output": {"paid": number}}]}
    event = {"type": "bank.told", "key": f"k{number}", "data": {"fee": 2}}
    case = _case(nodes, {"all": "${output.paid + event.data.fee}"}, {"k": f"k{number}"})
    return case | {"stubs": stubs, "events": [{"at": "PT2H", "event": event}]}, {"all": number + 2}


def called(number: int) -> Case:
    """A child run that sleeps for an hour."""
    nap = {"id": "nap", "type": "delay", "for": "PT1H", **ON}
    child = _case([nap], {"twice": "${n * 2}"}, name="child")["definition"]
    call = {"id": "call", "type": "gosub", "workflow": "child", "input": {"n": "${n}"}, **ON}
    case = _case([call], {"twice": "${twice}"}, {"n": number})
    return case | {"workflows": [child]}, {"twice": number * 2}


def looped(number: int) -> Case:
    """A loop that sleeps in each round."""
    rounds = number % 4 + 1
    nodes = [
        {"id": "again", "type": "loop", "body": "nap", "max_iterations": 9, **ON}
        | {"while": f"default(n, 0) < {rounds}"},
        {"id": "nap", "type": "delay", "for": "PT1M", "next": "add"},
        _edit("add", "n", "${default(n, 0) + 1}", "again"),
    ]
    return _case(nodes, {"n": "${n}"}), {"n": rounds}


def asked(number: int) -> Case:
    """Two questions in branches beside each other, answered one after the other."""
    branches = [{"name": name, "next": name} for name in "ab"]
    nodes = [
        {"id": "split", "type": "fan_out", "branches": branches},
        *(
            {"id": name, "type": "user_input", "prompt": "How many?", "next": "join"}
            | {"result": f"output.{name}", "to": {"users": ["ada"]}}
            for name in "ab"
        ),
        {"id": "join", "type": "fan_in", **ON},
    ]
    answers = [
        {"at": at, "answer": {"node": node, "by": "ada", "data": data}}
        for at, node, data in (("PT1H", "a", number), ("PT3H", "b", 5))
    ]
    case = _case(nodes, {"sum": "${output.a + output.b}"})
    return case | {"events": answers}, {"sum": number + 5}


def batched(number: int) -> Case:
    """Slices of a list, each with an activity."""
    items = list(range(number % 9 + 1))
    call = {"type": "activity", "activity": "shop.count", "input": {"items": "${items}"}}
    nodes = [
        {"id": "all", "type": "batch", "items": "items", "size": 3, "process": "count", **ON},
        {"id": "count", **call, "result": "output.counted"},
    ]
    case = _case(nodes, {"counted": "${output.counted}"}, {"items": items})
    slices = -(-len(items) // 3)
    return case | {"stubs": {"shop.count": [{"output": [1]}]}}, {"counted": [1] * slices}


def switched(number: int) -> Case:
    """A choice between two ways, one of which fails and is caught."""
    nodes = [
        {"id": "which", "type": "switch", "choices": [{"when": "n % 2 == 0", "next": "even"}]}
        | {"default": "odd"},
        _edit("even", "word", "even", "done"),
        {"id": "odd", "type": "activity", "activity": "shop.odd", "on_error": "caught", **ON},
        _edit("caught", "word", "${error.code}", "done"),
    ]
    failed = {"error": {"code": "odd_number", "final": True}}
    case = _case(nodes, {"word": "${word}"}, {"n": number // 8})
    word = "odd_number" if number // 8 % 2 else "even"
    return case | {"stubs": {"shop.odd": [failed]}}, {"word": word}


def _edit(id_: str, path: str, value: Any, follow: str) -> dict[str, Any]:
    return {"id": id_, "type": "edit", "entries": [{"set": path, "value": value}], "next": follow}


def _case(nodes: Any, output: Any, data: Any = None, name: str = "tried") -> dict[str, Any]:
    start = {"id": "start", "type": "start", "next": nodes[0]["id"]}
    end = {"id": "done", "type": "end", "output": output}
    return {"definition": {"workflow": name, "nodes": [start, *nodes, end]}, "input": data or {}}
