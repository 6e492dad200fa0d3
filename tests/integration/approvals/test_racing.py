"""People, timers and cancellations at the same moment, on a real PostgreSQL: one winner."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from approvals import selectors
from approvals.models import ApprovalRequest, Vote
from approvals.services import decide
from workflows import services
from workflows.errors import CeleriacError, ConflictError
from workflows.models import Run
from workflows.services.events import fire_timer
from workflows.testing.harness import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

ROUNDS = range(5)


@pytest.fixture
def engine() -> Iterator[Harness]:
    with Harness.open() as harness:
        yield harness


@pytest.fixture
def legal(transactional_db: None) -> list[User]:
    """Eight members of legal; none of them starts the run."""
    group = Group.objects.create(name="legal")
    users = [User.objects.create(username=f"lawyer{number}") for number in range(8)]
    group.user_set.add(*users)
    return users


def parked(engine: Harness, **fields: Any) -> tuple[Run, ApprovalRequest]:
    ask = {"to": {"groups": ["legal"]}, "next": "done", "due": "P2D", "on_timeout": "late"}
    nodes = [
        {"id": "start", "type": "start", "next": "ask"},
        {"id": "ask", "type": "approval", **ask, **fields},
        {"id": "done", "type": "end"},
        {"id": "late", "type": "end"},
    ]
    engine.publish({"workflow": "refund", "nodes": nodes})
    run = engine.start("refund", {})
    engine.drain()
    return run, ApprovalRequest.objects.get(run=run)


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do all of these in threads that start together; return answers and errors in their order."""
    together = Barrier(len(acts))

    def do(act: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return act()
        except CeleriacError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def votes_of(asked: ApprovalRequest, users: list[User]) -> list[Callable[[], Any]]:
    words = ["approve", "reject"] * len(users)
    return [
        partial(decide, asked.pk, user=user, decision=word)
        for user, word in zip(users, words, strict=False)
    ]


@pytest.mark.parametrize("_round", ROUNDS)
def test_the_first_of_eight_settles(engine: Harness, legal: list[User], _round: int) -> None:
    run, asked = parked(engine)
    told = at_once(votes_of(asked, legal))
    late = [answer for answer in told if isinstance(answer, ConflictError)]
    (winner,) = [answer for answer in told if not isinstance(answer, Exception)]
    assert len(late) == 7
    assert {error.details["closed_by"] for error in late} == {winner.by}
    assert asked.votes.count() == 1
    engine.drain()
    assert engine.result(run).output["decision"]["by"] == winner.by


def test_the_last_of_a_quorum_settles_once(engine: Harness, legal: list[User]) -> None:
    run, asked = parked(engine, need=5)
    told = at_once([partial(decide, asked.pk, user=user, decision="approve") for user in legal])
    given = [answer for answer in told if not isinstance(answer, Exception)]
    assert sorted(answer.status for answer in given) == ["approved", *["open"] * 4]
    assert asked.votes.count() == 5
    engine.drain()
    assert len(engine.result(run).output["decision"]["votes"]) == 5


def test_one_delivery_sent_eight_times_is_one_vote(engine: Harness, legal: list[User]) -> None:
    _, asked = parked(engine)
    deliver = partial(decide, asked.pk, user=legal[0], decision="approve", key="k")
    told = at_once([deliver] * 8)
    assert len({str(answer.as_dict()) for answer in told}) == 1
    assert sum(not answer.is_repeat for answer in told) == 1
    assert Vote.objects.count() == 1


@pytest.mark.parametrize("_round", ROUNDS)
def test_answers_a_timer_and_a_cancel_have_one_winner(
    engine: Harness, legal: list[User], _round: int
) -> None:
    """Contract: A timer, an answer and a cancel that race have exactly one winner.

    Nobody waits for ever either: a deadlock would end one of them with a database error.
    """
    run, asked = parked(engine)
    acts: list[Callable[[], Any]] = [
        *votes_of(asked, legal[:4]),
        partial(fire_timer, asked.suspension_id),
        partial(services.cancel, run.pk),
    ]
    *votes, has_fired, cancelled = at_once(acts)
    won = sum(not isinstance(vote, Exception) for vote in votes) + bool(has_fired)
    assert won <= 1
    asked.refresh_from_db()
    if won == 0:
        assert asked.status == "cancelled"
    assert not isinstance(cancelled, Exception)  # the run waits, or has yet to move on
    assert engine.result(run).status == "cancelled"
    settled = {"approved", "rejected"} if not has_fired else {"timed_out"}
    assert asked.status in settled | {"cancelled"}
    assert asked.votes.count() == (won if not has_fired else 0)


def test_requests_of_one_run_are_decided_side_by_side(engine: Harness, legal: list[User]) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "each"},
        {
            "id": "each",
            "type": "map",
            "items": "texts",
            "process": "ask",
            "merge": "answers",
            "next": "done",
        },
        {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "result": "answers"},
        {"id": "done", "type": "end"},
    ]
    engine.publish({"workflow": "review", "nodes": nodes})
    run = engine.start("review", {"texts": list("abcdefgh")})
    engine.drain()
    pairs = list(zip(ApprovalRequest.objects.filter(run=run), legal, strict=True))
    told = at_once(
        [partial(decide, asked.pk, user=user, decision="approve") for asked, user in pairs]
    )
    assert [answer.status for answer in told] == ["approved"] * 8
    engine.drain()
    assert len(engine.result(run).output["answers"]) == 8


def test_a_decision_that_a_deadlock_stops_is_made_again(
    engine: Harness, legal: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked = parked(engine)
    real, failures = selectors.tally, iter([True, True, False])

    def sometimes(*given: Any) -> Any:
        if next(failures, False):
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$")
        return real(*given)

    monkeypatch.setattr(selectors, "tally", sometimes)
    assert decide(asked.pk, user=legal[0], decision="approve").status == "approved"
    engine.drain()
    assert (engine.result(run).status, Vote.objects.count()) == ("completed", 1)
