"""What does a recorded step cost, beside a message of bare Celery?"""

import json
from datetime import datetime

from celery import chain, signature

from benchmarks.place import Place, median, timed, wait_for
from benchmarks.report import Row
from benchmarks.tasks import DONE

RUNS, STEPS, ROUNDS, ALONE = 200, 10, 5, 40
WARM_UP = 50  # processes that have just started learn costs and fill caches first


def measure(place: Place) -> list[Row]:
    """Time runs of ten activities, each with its own commit, and chains of ten no-op tasks."""
    from workflows import services  # noqa: PLC0415 - Django has to be set up first

    services.publish(json.dumps(definition()))
    _together(WARM_UP)
    _chains(place, WARM_UP)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_together(RUNS))
        theirs.append(timed(lambda: _chains(place, RUNS)))
    ratio = median([their / our for our, their in zip(ours, theirs, strict=True)])
    alone = sorted(_alone() * 1000 for _ in range(ALONE))
    steps, messages = RUNS * STEPS / median(ours), RUNS * STEPS / median(theirs)
    return [
        Row(
            "sequence: 200 runs of 10 steps",
            f"{steps:.0f} steps/s, Celery chain {messages:.0f}/s: {ratio:.1f} times",
            ratio,
            "at least 2.5 times",
            ratio >= 2.5,
        ),
        Row(
            "sequence: one run of 10 steps alone",
            f"median {median(alone):.1f} ms, p95 {alone[int(ALONE * 0.95)]:.1f} ms",
            median(alone),
            "median under 15 ms",
            median(alone) < 15,
        ),
    ]


def definition() -> dict[str, object]:
    """Return a workflow of ten activities in a row."""
    steps = [
        {
            "id": f"step{number}",
            "type": "activity",
            "activity": "benchmarks.count",
            "input": {"number": number},
            "next": f"step{number + 1}" if number < STEPS else "done",
        }
        for number in range(1, STEPS + 1)
    ]
    start = {"id": "start", "type": "start", "next": "step1"}
    return {"workflow": "sequence", "nodes": [start, *steps, {"id": "done", "type": "end"}]}


def _together(count: int) -> float:
    """Return the seconds from the first start to the last commit, as the rows say."""
    from django.db.models import Max, Min  # noqa: PLC0415

    from workflows import services  # noqa: PLC0415
    from workflows.models import Run  # noqa: PLC0415

    ids = [services.start("sequence").run.pk for _ in range(count)]
    runs = Run.objects.filter(pk__in=ids)
    wait_for(lambda: not runs.filter(ended_at=None).exists())
    span = runs.aggregate(start=Min("created_at"), end=Max("ended_at"))
    start, last = span["start"], span["end"]
    assert isinstance(start, datetime)
    assert isinstance(last, datetime)
    return (last - start).total_seconds()


def _alone() -> float:
    from workflows import services  # noqa: PLC0415

    run = services.start("sequence").run

    def is_over() -> bool:
        run.refresh_from_db(fields=["ended_at"])
        return run.ended_at is not None

    wait_for(is_over)
    assert run.ended_at is not None
    return (run.ended_at - run.created_at).total_seconds()


def _chains(place: Place, count: int) -> None:
    nothing = [signature("benchmarks.nothing", immutable=True) for _ in range(STEPS - 1)]
    for _ in range(count):
        chain(*nothing, signature("benchmarks.last", immutable=True)).apply_async()
    place.wait_for_marks(count, DONE)
