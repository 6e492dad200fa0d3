"""One row of everything, so that each page has something to show."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from knox.models import AuthToken

from approvals.models import ApprovalRequest
from tests.support.builder import ask, end, wait_event, workflow
from tests.support.locking import inside_of
from workflows.models import Question, Run
from workflows.services.secrets import set_secret
from workflows.testing import Harness

ASKING = workflow(
    "shop/refund",
    {"id": "each", "type": "map", "items": "rows", "process": "ask"},
    end("done"),
    {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "title": "Row ${item}"},
)

FORM = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "colour": {"enum": ["red", 2]},
        "rest": {"type": "array"},
        "day": {"type": "string", "format": "date"},
    },
    "required": ["n"],
}
SECRET = "correct horse"  # noqa: S105 - of these tests only
QUESTION = workflow("shop/question", ask("ask", form=FORM, to={"groups": ["legal"]}), end())


@pytest.fixture
def parked(engine: Harness, root: User) -> Run:
    """A run that asks for two approvals, and one of a question; an event; a secret; a token."""
    lena = User.objects.create(username="lena", is_staff=True)
    lena.groups.add(Group.objects.create(name="legal"))
    AuthToken.objects.create(user=root)
    set_secret("api", SECRET, hosts=["api.example.org"], by=root)
    engine.publish(ASKING)
    engine.publish(QUESTION)
    run = engine.start("shop/refund", {"rows": [1, 2]}, key="k1", by=root)
    engine.start("shop/question", by=root)
    engine.publish(inside_of(wait_event("wait", "go")))
    engine.start("locked", by=root)
    engine.drain()
    engine.send("paid", key="7", data={"a": 1})
    return engine.result(run)


@pytest.fixture
def asked(parked: Run) -> ApprovalRequest:
    return ApprovalRequest.objects.order_by("title")[0]


@pytest.fixture
def question(parked: Run) -> Question:
    return Question.objects.exclude(prompt="").get()


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
