"""People who are asked, and short ways to begin runs and to answer them."""

from typing import Any

from django.contrib.auth.models import Group, Permission, User

from workflows import services
from workflows.models import Run, Suspension
from workflows.testing import Harness


def make_people() -> None:
    """Alice starts; Lena and Liam are in legal; Olga may answer everything; Nina nothing."""
    names = ("alice", "lena", "liam", "olga", "nina")
    found = {name: User.objects.create(username=name) for name in names}
    legal = Group.objects.create(name="legal")
    for name in ("lena", "liam"):
        found[name].groups.add(legal)
    found["olga"].user_permissions.add(Permission.objects.get(codename="answer_question"))


def person(name: str) -> User:
    return User.objects.get(username=name)


def answer(run: Run, data: Any, *, node: str | None = None, by: str = "olga", **more: Any) -> Any:
    given = {"data": data, **more}
    return services.answer(run.pk, node=node, answer=given, by=person(by))


def waiting(run: Run, *, is_asked: bool) -> list[str]:
    """Return the nodes of a run and its children whose questions are asked, or wait their turn."""
    rows = Suspension.objects.filter(family=run.pk, state="open", is_asked=is_asked)
    return list(rows.order_by("turn").values_list("node", flat=True))


def asked(run: Run) -> list[str]:
    return waiting(run, is_asked=True)


def queued(run: Run) -> list[str]:
    return waiting(run, is_asked=False)


def begin(engine: Harness, definition: dict[str, Any], **data: Any) -> Run:
    engine.publish(definition)
    run = engine.start(definition["workflow"], data, by=person("alice"))
    engine.drain()
    return run
