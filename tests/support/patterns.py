"""The page of workflow patterns: what it says of each, and its documents, ready to run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db.models import Q

from tests.support.invariants import assert_invariants
from tests.support.orders import ORDERS, engine_in
from workflows import services
from workflows.models import Event, Run, Suspension
from workflows.states import RUN_FINAL
from workflows.testing import Harness
from workflows.testing.harness import VirtualClock

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "patterns.md"
_SECTION = re.compile(
    r"^### (\d+)\. ([^\n]+)\n\n\*\*([^*.]+?)\.?\*\*(.*?)(?=^##)", re.MULTILINE | re.DOTALL
)
_DOCUMENT = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

#: As sent, shuffled a leg at a time, shuffled and doubled.
_ORDERS = tuple(dict.fromkeys((*ORDERS[:2], ORDERS[-1])))


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern as the page has it: `how` it is supported, and its documents in their order."""

    number: int
    name: str
    how: str
    documents: tuple[str, ...]


@cache
def patterns() -> dict[int, Pattern]:
    """Return every pattern of the page by its number."""
    found = [
        Pattern(int(number), name, how, tuple(_DOCUMENT.findall(text)))
        for number, name, how, text in _SECTION.findall(PAGE.read_text(encoding="utf-8"))
    ]
    assert len({pattern.number for pattern in found}) == len(found)
    return {pattern.number: pattern for pattern in found}


def in_every_order(number: int) -> Iterator[tuple[Harness, str]]:
    """Give, for each order of messages, an engine that knows a pattern, and the workflow's name.

    The last document of a pattern is the one to start. Nothing of one order is left to the next.
    """
    time = VirtualClock()
    for order in _ORDERS:
        with engine_in(order, time) as engine:
            names = [
                engine.publish(text).version.workflow.name for text in patterns()[number].documents
            ]
            yield engine, names[-1]
            assert_invariants()
            while run := Run.objects.exclude(status__in=RUN_FINAL).first():
                services.cancel(run.pk)
                engine.drain()
            Event.objects.all().delete()


def waiting(run: Run) -> list[str]:
    """Return the nodes that wait now, in a run and in the runs that it has started."""
    rows = Suspension.objects.filter(state="open").exclude(kind="child")
    rows = rows.filter(Q(run=run) | Q(run__root_id=run.pk))
    return sorted(rows.values_list("node", flat=True))


def times(run: Run, node: str) -> int:
    """Return how often a node was done."""
    return run.history.filter(node=node, status="completed").count()
