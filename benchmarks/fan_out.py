"""What does a branch cost, beside a part of a bare Celery chord?"""

import json

from celery import chord, signature

from benchmarks.place import Place, median, timed, wait_for
from benchmarks.report import Row
from benchmarks.tasks import DONE

SMALL, LARGE, ROUNDS = 1_000, 10_000, 3


def measure(place: Place) -> list[Row]:
    """Time maps whose branches each record a step, joined with a sum, and chords of no-ops."""
    from workflows import services  # noqa: PLC0415 - Django has to be set up first

    services.publish(json.dumps(definition()))
    _map(100)
    _chord(place, 100)
    small, large, theirs = [], [], []
    for _ in range(ROUNDS):
        small.append(_map(SMALL))
        theirs.append(timed(lambda: _chord(place, SMALL)))
        large.append(_map(LARGE))
    ratio = median([their / our for our, their in zip(small, theirs, strict=True)])
    growth = median([big / our for our, big in zip(small, large, strict=True)])
    return [
        Row(
            "fan-out: 1,000 branches, joined with a sum",
            f"{median(small):.2f} s, Celery chord {median(theirs):.2f} s: {ratio:.1f} times",
            ratio,
            "at least 5 times",
            ratio >= 5,
        ),
        Row(
            "fan-out: 10,000 branches",
            f"{median(large):.2f} s: {growth:.1f} times the 1,000",
            growth,
            "at most 12 times",
            growth <= 12,
        ),
    ]


def definition() -> dict[str, object]:
    """Return a workflow that maps a one-step branch over a list and sums what they answer."""
    return {
        "workflow": "fan_out",
        "nodes": [
            {"id": "start", "type": "start", "next": "each"},
            {
                "id": "each",
                "type": "map",
                "items": "numbers",
                "as": "number",
                "process": "count",
                "next": "done",
            },
            {
                "id": "count",
                "type": "activity",
                "activity": "benchmarks.count",
                "input": {"number": "${number}"},
            },
            {"id": "done", "type": "end", "output": {"sum": "${sum(output)}"}},
        ],
    }


def _map(count: int) -> float:
    """Return the seconds from the start to the last commit, as the rows say."""
    from workflows import services  # noqa: PLC0415

    run = services.start("fan_out", {"numbers": list(range(count))}).run

    def is_over() -> bool:
        run.refresh_from_db(fields=["ended_at", "output", "error"])
        return run.ended_at is not None

    wait_for(is_over)
    assert run.output == {"sum": count * (count - 1) // 2}, run.error
    assert run.ended_at
    return (run.ended_at - run.created_at).total_seconds()


def _chord(place: Place, count: int) -> None:
    nothing = [signature("benchmarks.nothing", immutable=True) for _ in range(count)]
    chord(nothing, signature("benchmarks.last", immutable=True)).apply_async()
    place.wait_for_marks(1, DONE)
