"""The services take a run itself as well as its id: what `start` gives is what they take."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from tests.support.builder import ask, batch, end, wait_event, workflow
from workflows import services
from workflows.errors import NotFoundError
from workflows.models import Run
from workflows.selectors.runs import run_by_id
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SLICES = workflow(
    "w",
    batch("b", "wait", size=1, next="end"),
    wait_event("wait", "go", key="items[0]", next=None),
    end(),
)


def itself(run: Run) -> Run:
    return run


def its_id(run: Run) -> str:
    return str(run.pk)


@pytest.mark.parametrize("given", [itself, its_id])
def test_services_take_a_run_or_its_id(engine: Harness, given: Callable[[Run], Run | str]) -> None:
    engine.publish(SLICES)
    run = engine.start("w", {"items": [1, 2]})
    engine.drain()
    assert services.wait_for(given(run), 0).status == "suspended"
    assert services.change_group(given(run), "b", parallel=1).pk == run.pk
    with transaction.atomic():
        assert services.lock_run(given(run))
    assert services.cancel(given(run), compensate=True).pk == run.pk
    engine.drain()
    assert run_by_id(given(run)).status == "cancelled"


def test_a_run_itself_is_answered(engine: Harness) -> None:
    engine.publish(workflow("w", ask("ask"), end()))
    lena = User.objects.create(username="lena", is_superuser=True)
    run = engine.start("w", by=lena)
    engine.drain()
    services.answer(run, answer={"data": 1}, by=lena)
    engine.drain()
    assert engine.result(run).status == "completed"


def test_a_run_that_is_gone_is_named_by_its_id(engine: Harness) -> None:
    with pytest.raises(NotFoundError, match=r"^There is no run [0-9a-f-]{36}\.$"):
        services.cancel(Run())
