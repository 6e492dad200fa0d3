"""What do nodes without side effects cost: walked, mapped, compiled, evaluated?"""

import json
from datetime import datetime
from functools import partial
from statistics import quantiles
from typing import Any

from benchmarks.place import Place, median, timed, wait_for
from benchmarks.report import Row

CHAIN, RUNS, ROUNDS = 100, 100, 3
ITEMS = 10_000
GRAPH = 500
CLAUSES = (
    "order.total > 500.0 && order.country in ['DE', 'FR'] && !order.paid "
    "&& size(order.lines) >= 2 && order.customer.name.startsWith('A')"
)
ORDER = {
    "order": {
        "total": 612.5,
        "country": "FR",
        "paid": False,
        "lines": [{"sku": "a"}, {"sku": "b"}],
        "customer": {"name": "Ada"},
    }
}


def measure(_place: Place) -> list[Row]:
    """Time chains of pure nodes, a map over many items, the compiler and the evaluator."""
    from workflows import services  # noqa: PLC0415 - Django has to be set up first

    services.publish(json.dumps(chain(CHAIN)))
    services.publish(json.dumps(mapped()))
    _together("pure", RUNS)
    per_second = median([RUNS * CHAIN / _together("pure", RUNS) for _ in range(ROUNDS)])
    _one("mapped", {"items": list(range(100))})
    spread = median([_one("mapped", {"items": list(range(ITEMS))}) for _ in range(ROUNDS)])
    return [_chain_row(per_second), _map_row(spread), _compile_row(), _cel_row()]


def chain(length: int) -> dict[str, Any]:
    """Return a workflow of edits and switches by turns, `length` of them."""
    nodes: list[dict[str, Any]] = [{"id": "start", "type": "start", "next": "n0"}]
    for number in range(length):
        following = f"n{number + 1}" if number + 1 < length else "done"
        if number % 2:
            choices = [{"when": "n < 0", "next": "done"}]
            node = {"type": "switch", "choices": choices, "default": following}
        else:
            entries = [{"set": "n", "value": "${default(n, 0) + 1}"}]
            node = {"type": "edit", "entries": entries, "next": following}
        nodes.append({"id": f"n{number}", **node})
    return {"workflow": "pure", "nodes": [*nodes, {"id": "done", "type": "end"}]}


def mapped() -> dict[str, Any]:
    """Return a workflow that maps a list by one edit an item."""
    return {
        "workflow": "mapped",
        "nodes": [
            {"id": "start", "type": "start", "next": "map"},
            {"id": "map", "type": "map", "items": "items", "process": "one", "next": "done"},
            {"id": "one", "type": "edit", "entries": [{"set": "output", "value": "${item * 2}"}]},
            {"id": "done", "type": "end", "output": {"sum": "${sum(output)}"}},
        ],
    }


def _together(name: str, count: int) -> float:
    """Return the seconds from the first start to the last commit, as the rows say."""
    from django.db.models import Max, Min  # noqa: PLC0415

    from workflows import services  # noqa: PLC0415
    from workflows.models import Run  # noqa: PLC0415

    runs = Run.objects.filter(pk__in=[services.start(name).run.pk for _ in range(count)])
    wait_for(lambda: not runs.filter(ended_at=None).exists())
    span = runs.aggregate(start=Min("created_at"), end=Max("ended_at"))
    start, last = span["start"], span["end"]
    assert isinstance(start, datetime)
    assert isinstance(last, datetime)
    return (last - start).total_seconds()


def _one(name: str, data: dict[str, Any]) -> float:
    from workflows import services  # noqa: PLC0415

    run = services.start(name, data).run

    def is_over() -> bool:
        run.refresh_from_db(fields=["status", "ended_at", "error"])
        return run.ended_at is not None

    wait_for(is_over)
    assert run.status == "completed", run.error
    assert run.ended_at is not None
    return (run.ended_at - run.created_at).total_seconds()


def _chain_row(per_second: float) -> Row:
    return Row(
        "pure: runs of 100 edits and switches, with history",
        f"{per_second:.0f} nodes/s",
        per_second,
        "at least 10,000 nodes/s",
        per_second >= 10_000,
    )


def _map_row(seconds: float) -> Row:
    return Row(
        "pure: map over 10,000 items, one edit each",
        f"{seconds:.2f} s",
        seconds,
        "at most 5 s",
        seconds <= 5,
    )


def _compile_row() -> Row:
    from workflows.compiler.compile import compile_document  # noqa: PLC0415
    from workflows.definition.parse import Document  # noqa: PLC0415
    from workflows.nodes.registry import kinds  # noqa: PLC0415

    # Each graph has texts of its own, so that no compiled expression is met again.
    graphs = [chain(GRAPH) for _ in range(ROUNDS)]
    for number, graph in enumerate(graphs):
        for node in graph["nodes"]:
            for entry in node.get("entries", ()):
                entry["value"] = f"${{default(n, {number}) + {len(node['id'])}}}"
    documents = [Document(graph) for graph in graphs]
    seconds = median([timed(partial(compile_document, one, kinds=kinds())) for one in documents])
    return Row(
        "pure: compile a graph of 500 nodes",
        f"{seconds * 1000:.0f} ms",
        seconds,
        "under 1 s",
        seconds < 1,
    )


def _cel_row() -> Row:
    from workflows import expressions  # noqa: PLC0415

    assert expressions.evaluate_condition(CLAUSES, ORDER)
    times = [timed(lambda: expressions.evaluate_condition(CLAUSES, ORDER)) for _ in range(2000)]
    micro, slow = median(times) * 1e6, quantiles(times, n=100)[98] * 1e6
    return Row(
        "pure: a condition of five clauses, compiled before",
        f"median {micro:.0f} us, p99 {slow:.0f} us",
        micro,
        "under 1 ms",
        slow < 1000,
    )
