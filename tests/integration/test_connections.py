"""Connections that were left in the midst of something are replaced, and only those."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from project.celery import app
from project.connections import KeepingDjangoFixup
from workflows import clock
from workflows.models import QueueState
from workflows.store import connections

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def elsewhere(work: Callable[[], None]) -> None:
    """Do work in a thread, which has connections of its own."""

    def and_close() -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(and_close).result()


def between_two_tasks() -> None:
    KeepingDjangoFixup(app).worker_fixup.close_database()


def write(name: str) -> None:
    QueueState.objects.create(name=name, next_at=clock.now())


def names() -> set[str]:
    return set(QueueState.objects.values_list("name", flat=True))


def leave_an_atomic_block_open() -> None:
    transaction.atomic().__enter__()


def leave_a_savepoint_behind() -> None:
    connection.ensure_connection()
    transaction.set_autocommit(autocommit=False)
    connection.in_atomic_block = True
    connection.savepoint_ids = ["of nobody", "of nobody else"]


def leave_autocommit_off() -> None:
    transaction.set_autocommit(autocommit=False)


def leave_autocommit_off_without_telling_django() -> None:
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        connection.connection.autocommit = False
    else:
        connection.connection.execute("BEGIN")


LEFT = [
    leave_an_atomic_block_open,
    leave_a_savepoint_behind,
    leave_autocommit_off,
    leave_autocommit_off_without_telling_django,
]


@pytest.mark.parametrize("leave", LEFT)
@pytest.mark.parametrize("mend", [between_two_tasks, connections.drop_all])
def test_what_was_left_open_is_rolled_back_and_forgotten(
    leave: Callable[[], None], mend: Callable[[], None]
) -> None:
    def work() -> None:
        leave()
        write("never")
        mend()
        write("after")

    elsewhere(work)
    assert names() == {"after"}


def test_a_connection_that_has_begun_nothing_yet_but_would_is_replaced() -> None:
    def work() -> None:
        transaction.set_autocommit(autocommit=False)
        between_two_tasks()
        write("kept")

    elsewhere(work)
    assert names() == {"kept"}


def test_a_sound_connection_is_kept_between_two_tasks() -> None:
    def work() -> None:
        write("one")
        before = connection.connection
        between_two_tasks()
        write("two")
        assert connection.connection is before

    elsewhere(work)
    assert names() == {"one", "two"}


def test_a_transaction_around_it_all_is_left_alone() -> None:
    def work() -> None:
        with transaction.atomic():
            write("outer")
            outer = connections.in_transaction()
            assert outer == {"default"}
            connections.drop_all(but=outer)
            write("too")

    elsewhere(work)
    assert names() == {"outer", "too"}


def test_a_cursor_that_lives_on_holds_no_lock() -> None:
    """SQLite keeps a closed connection open, in its transaction, until its cursors are gone."""
    kept = []

    def work() -> None:
        transaction.atomic().__enter__()
        write("never")
        kept.append(connection.cursor())
        kept[0].execute("SELECT name FROM workflows_queuestate UNION SELECT 'more'")
        connections.drop_all()
        write("after")

    elsewhere(work)
    assert names() == {"after"}
