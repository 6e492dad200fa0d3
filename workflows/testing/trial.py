"""One definition run to its end: in process, on virtual time, in a throw-away database."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from workflows import clock, services
from workflows.activities import replaced_by
from workflows.context.values import check_value
from workflows.dispatch.inline import Mailbox, Message, SlotMessage
from workflows.dispatch.task_calls import answered_by
from workflows.engine.hints import ThreadReady
from workflows.errors import DefinitionError, InputRefusedError, Problem, ValueRefusedError
from workflows.models import Run, Suspension
from workflows.nodes.registry import without_plugin_hooks
from workflows.selectors.families import children_of, is_family_over
from workflows.selectors.runs import history_of, waits_of
from workflows.selectors.waits import plan_of
from workflows.services.questions import MAX_ANSWER_BYTES, check_answer
from workflows.states import RUN_FINAL
from workflows.testing.harness import Harness
from workflows.testing.remarks import Remarks, misfits, repeated
from workflows.testing.script import Entry, EntryRefusedError, blaming
from workflows.testing.stubs import StubAnswer, stubbed, task_stub
from workflows.testing.throw_away import throw_away_database

#: A workflow that still sleeps and wakes after so many turns would do so for ever.
MAX_TURNS = 2_000
#: And a thread that moves so often at one moment would do so for ever, and time would stand still.
MAX_MOVES = 5_000
#: Virtual time ends here: what falls due later could begin something that no calendar ends.
LAST_MOMENT = datetime(9800, 1, 1, tzinfo=UTC)

#: Of every trial's run, so that two reports of the same trial are the same.
_RUN_ID = UUID(int=1, version=4)

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trial:
    """A definition and all that a run of it meets. `run` may be called any number of times.

    Attributes:
        text: the definition, YAML or JSON.
        source: what to call it in messages.
        others: the definitions of the workflows that it calls, by what to call them in messages.
        stubs: answers of activities and Celery tasks by name: the n-th call takes the n-th, the
            last repeats.
        script: events and answers, and when they come.
        seed: work off what can move in an order drawn by lot; None takes it as it comes.
        starts_at: the virtual time of the start; the present if left out.
        with_real_activities: call registered activities and tasks that have no stub.
    """

    text: str
    source: str = "<string>"
    others: Mapping[str, str] = field(default_factory=dict)
    stubs: dict[str, list[StubAnswer]] = field(default_factory=dict)
    script: list[Entry] = field(default_factory=list)
    seed: int | None = None
    starts_at: datetime | None = None
    with_real_activities: bool = False

    def run(self, data: Any) -> Report:
        """Run the definition with this input, and tell what happened.

        `status` is the run's at the end; `suspended` when it sleeps and nothing more is to come;
        `invalid` when a definition, the input, or an answer when its time has come is refused,
        with `problems` (of a definition, `source` tells which).
        """
        remarks = Remarks()
        with self._surroundings(remarks) as harness:
            return {**self._told(harness, data, remarks), "warnings": remarks.listed}

    def _told(self, harness: Harness, data: Any, remarks: Remarks) -> Report:
        try:
            run = services.start(self._publish(remarks), data, run_id=_RUN_ID).run
            play = _Play(harness, run, self.script, remarks)
            limit = play.through()
        except DefinitionError as error:
            remarks.add(error.details["source"], error.warnings)
            refused = invalid(error.code, error.message, error.problems)
            return {**refused, "source": error.details["source"]}
        except EntryRefusedError as error:
            return {**invalid(error.code, error.message, error.problems), "source": "events"}
        except InputRefusedError as error:
            return {**invalid(error.code, error.message, error.problems), "source": "input"}
        except ValueRefusedError as error:
            problem = Problem(error.code, error.message, error.pointer)
            return {**invalid(error.code, error.message, [problem]), "source": "input"}
        remarks.look_at_stubs(self.stubs)
        remarks.look_at_answers(
            {index: entry.answer.node for index, entry in play.pending if entry.answer}
        )
        return _report(harness.result(run), play, limit)

    def _publish(self, remarks: Remarks) -> str:
        """Publish everything, and return the name of the workflow that is tried."""
        texts = {**self.others, self.source: self.text}
        named = {source: services.name_in(text, source=source) for source, text in texts.items()}
        for source, first in repeated(named, self.source):
            message = f"{named[source]!r} is what {first} defines, and that counts"
            warning = Problem("repeated_workflow", message, "/workflow", severity="warning")
            remarks.add(source, [warning])
            del texts[source]
        beside = services.contents_of(texts.items())
        own = ""
        for source, text in texts.items():
            try:
                published = services.publish(text, source=source, beside=beside)
            except DefinitionError as error:
                error.details["source"] = source
                raise
            own = published.version.workflow.name
            # A trial has no secrets at all: a node that misses one says so when it is called.
            told = [each for each in published.warnings if each.code != "unknown_secret"]
            remarks.add(source, told)
        return own  # it is the last of them

    @contextmanager
    def _surroundings(self, remarks: Remarks) -> Iterator[Harness]:
        begin = self.starts_at or clock.now().replace(microsecond=0)
        with ExitStack() as stack:
            stack.enter_context(throw_away_database())
            stack.enter_context(without_plugin_hooks())
            with_real, called = self.with_real_activities, remarks.called
            known = stubbed(self.stubs, with_real=with_real, called=called)
            stack.enter_context(replaced_by(known))
            tasks = task_stub(self.stubs, with_real=with_real, called=called)
            stack.enter_context(answered_by(tasks, set(self.stubs)))
            box = _Counting(self.seed)
            harness = stack.enter_context(Harness.open(box=box))
            harness.clock.moment = begin
            yield harness


class _Counting(Mailbox):
    """Counts how often each thread or group moves while the clock stands still.

    Without a seed it keeps one of several messages that are the same: in one process, one slot
    does all.
    """

    def __init__(self, seed: int | None) -> None:
        super().__init__(seed)
        self.moves: Counter[int | UUID] = Counter()
        self.moment: datetime | None = None

    def add(self, message: Message) -> None:
        if self.seed is not None or message not in self.messages:
            super().add(message)

    def take(self) -> Message | None:
        message = super().take()
        if isinstance(message, ThreadReady):
            self._count(message.thread_id)
        elif isinstance(message, SlotMessage):
            self._count(message.group_id)
        return message

    def _count(self, moved: int | UUID) -> None:
        if self.moment != clock.now():
            self.moment = clock.now()
            self.moves.clear()
        self.moves[moved] += 1
        if self.moves[moved] > MAX_MOVES:
            raise _EndlessError


class _EndlessError(Exception):
    """Something moves on and on at one moment."""


class _Play:
    """The course of one trial: lets time pass from one thing that happens to the next."""

    def __init__(self, harness: Harness, run: Run, script: list[Entry], remarks: Remarks) -> None:
        self.harness = harness
        self.run = run
        self.remarks = remarks
        #: With its place in the script, in the order in which they happen.
        self.pending = sorted(enumerate(script), key=lambda numbered: numbered[1].at)
        self.begin = harness.clock.moment

    def through(self) -> str:
        """Play until the run is final or nothing more is to come; say if it never would be."""
        try:
            limit = self._turns()
        except _EndlessError:
            limit = f"Still not over after {MAX_MOVES:,} moves of one thread at one moment."
        return limit if limit and self.harness.result(self.run).status not in RUN_FINAL else ""

    def _turns(self) -> str:
        due: datetime | None = None
        for _ in range(MAX_TURNS):
            self._happen()  # before what falls due at the same moment
            is_over, due = self._work(due)
            while not is_over and self._happen():
                is_over, due = self._work(due)
            if is_over:
                return ""
            moment = self._earliest(due)
            if moment is not None and moment > LAST_MOMENT:
                return f"Still not over in the year {LAST_MOMENT.year}, where virtual time ends."
            if moment is not None:
                self.harness.clock.move_to(moment)
            elif not self._is_mended():
                return ""
        return f"Still not over after {MAX_TURNS:,} turns of sleeping and waking."

    def _work(self, due: datetime | None) -> tuple[bool, datetime | None]:
        """Work off what can move now; tell whether all is over, else when something else moves.

        Args:
            due: when something was to move by itself, as it was told the last time.
        """
        pump, now = self.harness.pump, self.harness.clock.moment
        while True:
            while pump.step():
                due = None
            if due is None or due > now:
                if is_family_over(self.run):
                    return True, None
                due = self.harness.next_due(overdue=True)
            if due is None or due > now:
                return False, due
            if not pump.wake():
                return False, self.harness.next_due()  # it is held up
            due = None

    def _is_mended(self) -> bool:
        """Tell whether a sweeper has found what nothing told of: there should be nothing."""
        swept = self.harness.pump.sweep()
        return swept is not None and swept.has_mended

    def _happen(self) -> bool:
        """Let the first entry happen whose time has come; a question must have been asked."""
        numbered = self._first()
        if numbered is None:
            return False
        self.pending.remove(numbered)
        index, entry = numbered
        with blaming(index, entry):
            if entry.event is not None:
                given = entry.event.model_dump(exclude={"type", "id"})
                # Always the same, so that two reports of the same trial are.
                own = str(UUID(int=index + 1, version=4))
                name = own if entry.event.id is None else entry.event.id
                services.send_event(entry.event.type, external_id=name, **given)
            elif entry.answer is not None:
                self._answer(index, entry.answer.model_dump())
        return True

    def _first(self) -> tuple[int, Entry] | None:
        now = self.harness.clock.moment
        due = [each for each in self.pending if self.begin + each[1].at <= now]
        return next((each for each in due if self._is_possible(each[1])), None)

    def _is_possible(self, entry: Entry) -> bool:
        return entry.answer is None or self._asked(entry.answer.node) is not None

    def _asked(self, node: str) -> Suspension | None:
        """Return the oldest question that this node asks, of the run or of one below it."""
        family = Q(run=self.run) | Q(run__root_id=self.run.pk)
        waits = Suspension.objects.filter(family, state="open", kind="person", is_asked=True)
        return waits.filter(node=node).order_by("opened_at", "thread_id").first()

    def _answer(self, index: int, answer: dict[str, Any]) -> None:
        asked = self._asked(answer["node"])
        plan = plan_of(asked.run) if asked is not None else None
        if asked is not None and plan is not None:
            node = plan.nodes[asked.node]
            self.remarks.add("events", misfits(node.kind, answer, at=f"/{index}/answer"))
            payload = node.kind.scripted(node.config, answer)
            if asked.prompt:
                check_value(payload, max_bytes=MAX_ANSWER_BYTES)
                check_answer(asked, payload)
            services.resolve(asked.pk, payload, by="script")

    def _earliest(self, due: datetime | None) -> datetime | None:
        now = self.harness.clock.moment
        times = [due, *(self.begin + entry.at for _, entry in self.pending)]
        return min((time for time in times if time is not None and time > now), default=None)


def invalid(code: str, message: str, problems: list[Problem]) -> Report:
    """Return the report of a trial that was refused."""
    listed = [problem.as_dict() for problem in problems]
    error = {"code": code, "message": message, "node": None}
    refused = {"status": "invalid", "problems": listed, "error": error, "warnings": []}
    return {**_blank(), **refused}


def _report(run: Run, play: _Play, limit: str) -> Report:
    report = {
        **_course(run, play),
        "unused": [each.model_dump(mode="json", exclude_none=True) for _, each in play.pending],
    }
    if limit:
        report["error"] = {"code": "trial_limit", "message": limit, "node": None}
    return report


def _course(run: Run, play: _Play) -> Report:
    """Tell what happened to a run and to those below it."""
    end = run.ended_at or play.harness.clock.moment
    waits = waits_of(run) if run.ended_at is None else ()
    return {
        **_blank(),
        "status": run.status,
        "result": run.result or None,
        "reason": run.reason,
        "output": run.output,
        "error": _error(run.error),
        "nodes": _nodes(run),
        "suspensions": [_suspension(each, play.begin) for each in waits],
        "children": [_child(each, play) for each in _as_started(run)],
        "virtual_duration_s": (end - run.created_at).total_seconds(),
    }


def _as_started(run: Run) -> QuerySet[Run]:
    """Return the children in the order of their starts: many may start at one virtual moment."""
    first = Min("threads__pk")
    return children_of(run).annotate(first=first).order_by("created_at", "first")


def _child(run: Run, play: _Play) -> Report:
    """Tell the same of a child run, and where it was started."""
    asked = run.asked_by
    return {
        "run": str(run.pk),
        "workflow": run.workflow_name,
        "version": run.version.number,
        "node": asked.node if asked is not None else None,
        "attempt": asked.attempt if asked is not None else 1,
        "input": run.input,
        **_course(run, play),
    }


def _blank() -> Report:
    nothing: Report = {"status": "", "result": None, "reason": "", "output": None, "error": None}
    lists: Report = {"problems": [], "nodes": [], "suspensions": [], "children": [], "unused": []}
    return {**nothing, **lists, "virtual_duration_s": 0.0}


def _error(error: Any) -> Report | None:
    return None if error is None else {"code": None, "message": "", "node": None, **error}


def _nodes(run: Run) -> list[Report]:
    return [
        {
            "node": each.node,
            "kind": each.kind,
            "from": each.came_from or None,
            "attempt": each.attempt,
            "status": each.status,
            "input": each.input,
            "output": each.output,
            "error": each.error,
        }
        for each in history_of(run)
    ]


def _suspension(each: Suspension, begin: datetime) -> Report:
    return {
        "node": each.node,
        "kind": each.kind,
        "since": each.opened_at.isoformat(),
        "since_s": (each.opened_at - begin).total_seconds(),
        "wake_at": each.wake_at.isoformat() if each.wake_at else None,
        "event": each.event_type or None,
        "key": each.event_key or None,
    }
