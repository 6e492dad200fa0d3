"""A large context that is used again while it is being removed, on PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from tests.support.builder import end, workflow
from tests.support.racing import at_once
from tests.support.waiting import wait_for
from workflows import contents
from workflows.models import Content, Run, StoredText
from workflows.store.contents import perhaps_unused, remove_unused
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

BIG = {"big": "x" * 100_000}


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    with Harness.open() as harness:
        harness.publish(workflow("one", end()))
        yield harness


def unused(engine: Harness) -> str:
    """Return the digest of a content that nothing refers to, and whose grace is over."""
    engine.run("one", BIG)
    Run.objects.all().delete()
    engine.clock.move_to(engine.clock.moment + contents.grace() + timedelta(seconds=1))
    (digest,) = perhaps_unused(10)
    return digest


def remove(digest: str) -> bool:
    with transaction.atomic():
        return remove_unused(digest)


def is_somebody_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def assert_readable(engine: Harness, run: Run) -> None:
    contents.forget()
    assert engine.result(run).input == BIG
    assert Content.objects.count() == StoredText.objects.count() == 1


def test_whoever_uses_a_content_that_is_being_removed_waits_and_keeps_it_anew(
    engine: Harness,
) -> None:
    digest = unused(engine)
    contents.forget()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert remove_unused(digest)

            def start() -> Run:
                try:
                    return engine.start("one", BIG)
                finally:
                    connection.close()

            started = pool.submit(start)
            wait_for(is_somebody_waiting)
        run = started.result(timeout=20)
    assert_readable(engine, run)


def test_what_a_transaction_in_flight_uses_again_is_not_removed(engine: Harness) -> None:
    digest = unused(engine)
    contents.forget()
    kept, done = threading.Event(), threading.Event()

    def start() -> Run:
        try:
            with transaction.atomic():
                run = engine.start("one", BIG)
                kept.set()
                assert done.wait(timeout=20)
                return run
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(start)
        assert kept.wait(timeout=20)
        assert not remove(digest)  # passed over: its row is locked
        done.set()
        run = started.result(timeout=20)
    assert not remove(digest)
    assert_readable(engine, run)


def test_a_transaction_in_flight_that_knows_a_content_has_the_grace(engine: Harness) -> None:
    engine.run("one", BIG)
    Run.objects.all().delete()
    (digest,) = Content.objects.values_list("pk", flat=True)
    engine.clock.move_to(engine.clock.moment + contents.grace() * 0.4)
    with transaction.atomic():
        run = engine.start("one", BIG)  # writes nothing: it is known to be kept
        assert Content.objects.get().used_at < engine.clock.moment
        engine.clock.move_to(engine.clock.moment + contents.grace() * 0.5)
        assert not at_once(lambda: remove(digest))[0]
    engine.clock.move_to(engine.clock.moment + contents.grace())
    assert not remove(digest)  # a row refers to it by now
    assert_readable(engine, run)


def test_removing_and_using_at_the_same_moment(engine: Harness) -> None:
    for _ in range(15):
        digest = unused(engine)
        contents.forget()
        run = at_once(lambda: engine.start("one", BIG), partial(remove, digest))[0]
        assert isinstance(run, Run)
        assert_readable(engine, run)
        Run.objects.all().delete()


def test_large_contexts_kept_by_many_at_once_are_kept_once(engine: Harness) -> None:
    at_once(*[lambda: engine.start("one", BIG)] * 6)
    assert Content.objects.count() == StoredText.objects.count() == 1
    engine.drain()
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
