"""What scenarios share: an engine in process, in order and in shuffled orders."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.support import activities  # noqa: F401 - registers them
from tests.support.orders import ARE_REAL, IS_LONG
from tests.support.real import standing_workers
from workflows.testing import Harness

#: An order is the same on every database: on the second one two of them show what differs.
SEEDS = 49 if IS_LONG else 3 if connection.vendor == "postgresql" else 1


@pytest.fixture(scope="session", autouse=True)
def _workers_for_all(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let workers stand by all the time, if scenarios are to be run on them."""
    if not ARE_REAL:
        yield
        return
    request.getfixturevalue("redis_process")
    request.getfixturevalue("django_db_setup")
    with request.getfixturevalue("django_db_blocker").unblock(), standing_workers():
        yield


@pytest.fixture(params=[None, *range(SEEDS)], ids=lambda seed: f"order{seed}")
def any_order(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Harness]:
    with Harness.open(request.param) as harness:
        yield harness
