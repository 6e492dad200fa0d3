"""One row of everything, so that each page has something to show."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from knox.models import AuthToken

from approvals.models import ApprovalRequest
from tests.support.builder import end, workflow
from workflows.models import Run
from workflows.testing import Harness

ASKING = workflow(
    "shop/refund",
    {"id": "each", "type": "map", "items": "rows", "process": "ask"},
    end("done"),
    {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "title": "Row ${item}"},
)


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    with Harness.open() as harness:
        yield harness


@pytest.fixture
def root(transactional_db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def parked(engine: Harness, root: User) -> Run:
    """A run that asks two questions; an event that nobody waits for; a token."""
    lena = User.objects.create(username="lena", is_staff=True)
    lena.groups.add(Group.objects.create(name="legal"))
    AuthToken.objects.create(user=root)
    engine.publish(ASKING)
    run = engine.start("shop/refund", {"rows": [1, 2]}, key="k1", by=root)
    engine.drain()
    engine.send("paid", key="7", data={"a": 1})
    return engine.result(run)


@pytest.fixture
def asked(parked: Run) -> ApprovalRequest:
    return ApprovalRequest.objects.order_by("title")[0]


@pytest.fixture
def root_client(root: User) -> Client:
    """A browser in which somebody is logged in who may do everything."""
    client = Client(raise_request_exception=False)
    client.force_login(root)
    return client


@pytest.fixture
def lena_client(parked: Run) -> Client:
    """A browser of a member of the group that is asked."""
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="lena"))
    return client
