"""What scenarios share: an engine in process, in order and in shuffled orders."""

from collections.abc import Iterator

import pytest

from tests.support import activities  # noqa: F401 - registers them
from workflows.testing import Harness


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    with Harness.open() as harness:
        yield harness


@pytest.fixture(params=[None, *range(5)], ids=lambda seed: f"order{seed}")
def any_order(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[Harness]:
    with Harness.open(request.param) as harness:
        yield harness
