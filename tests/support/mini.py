"""A few workflows that between them use everything that is dispatched, for real workers."""

import json
from typing import Any

from tests.support.assertions import assert_at_rest, assert_completed, assert_each_step_once
from tests.support.builder import (
    activity,
    batch,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    wait_event,
    workflow,
)
from tests.support.waiting import wait_for
from workflows import services
from workflows.models import NodeExecution, Run, Suspension, Thread, ThreadGroup
from workflows.states import THREAD_LIVE

OUTPUT = {"output": "${output}"}
WINDOW = 3
#: Name -> (definition, input, output).
MINI: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {
    "sequence": (
        workflow(
            "sequence",
            *(
                activity(f"a{n}", "test.double", input={"number": "${n}"}, result="n")
                for n in range(5)
            ),
            end(),
        ),
        {"n": 1},
        {"n": 32},
    ),
    "few": (
        workflow(
            "few",
            each("m", "part", next="end"),
            edit("part", output="${item * 2}", next=None),
            end(output=OUTPUT),
        ),
        {"items": [1, 2, 3, 4, 5, 6]},
        {"output": [2, 4, 6, 8, 10, 12]},
    ),
    "wide": (
        workflow(
            "wide",
            each("m", "part", next="end"),
            activity("part", "test.double", input={"number": "${item}"}, next=None),
            end(output=OUTPUT),
        ),
        {"items": list(range(500))},
        {"output": [n * 2 for n in range(500)]},
    ),
    "window": (
        workflow(
            "window",
            batch("b", "ask", size=1, parallel=WINDOW, next="end"),
            wait_event("ask", "go", key="'window' + to_string(items[0])"),
            activity("told", "test.double", input={"number": "${items[0]}"}),
            edit("keep", output="${[output]}", next=None),
            end(output=OUTPUT),
        ),
        {"items": list(range(12))},
        {"output": [n * 2 for n in range(12)]},
    ),
    "nested": (
        workflow(
            "nested",
            fan_out("f", a="rows", b="pause"),
            each("rows", "inner", next="j"),
            fan_out("inner", c="c", d="d"),
            activity("c", "test.double", input={"number": "${item}"}, next="j1"),
            edit("d", output="${-item}", next="j1"),
            fan_in("j1", next="kept"),
            edit("kept", output="${[output]}", next=None),
            delay("pause", "PT0.2S", next="late"),
            edit("late", output=["late"], next="j"),
            fan_in("j"),
            end(output=OUTPUT),
        ),
        {"items": [1, 2, 3, 4]},
        {"output": [*([[2 * n, -n]] for n in (1, 2, 3, 4)), "late"]},
    ),
    "slow": (
        workflow(
            "slow",
            each("m", "part", next="end"),
            activity("part", "test.linger", input={"value": "${item}"}, next=None),
            end(output=OUTPUT),
        ),
        {"items": list(range(40))},
        {"output": list(range(40))},
    ),
}


class MiniSet:
    """Runs of the mini set: begun, answered, and looked at when they are over."""

    def __init__(self, *names: str) -> None:
        self.names = names or tuple(MINI)
        self.runs: dict[str, Run] = {}
        self.most = 0

    def begin(self) -> None:
        for name in self.names:
            definition, data, _ = MINI[name]
            services.publish(json.dumps(definition))
            self.runs[name] = services.start(name, data).run

    def look(self) -> bool:
        """Answer whoever waits; return whether every run is final."""
        for wait in Suspension.objects.filter(state="open", kind="event"):
            services.send_event("go", key=wait.event_key, external_id=str(wait.pk))
        group = ThreadGroup.objects.filter(run=self.runs.get("window")).first()
        live = Thread.objects.filter(group=group, state__in=THREAD_LIVE).count() if group else 0
        self.most = max(self.most, live)
        return not Run.objects.filter(ended_at__isnull=True).exists()

    def finish(self, seconds: float = 60) -> None:
        """Wait for the end, and check everything that must hold then."""
        wait_for(self.look, seconds=seconds)
        for name, run in self.runs.items():
            assert_completed(run, MINI[name][2])
            assert_at_rest(run)
            assert_each_step_once(run)
        assert self.most <= WINDOW
        assert set(ThreadGroup.objects.values_list("state", flat=True)) <= {"joined"}
        for node in ("m", "b", "rows", "j"):
            joined = NodeExecution.objects.filter(run__in=self.runs.values(), node=node)
            assert joined.values("run").distinct().count() == joined.count(), node
