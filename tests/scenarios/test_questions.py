"""Questions to people: one of a run at a time, in order, whatever else goes on."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from tests.support.assertions import (
    assert_at_rest,
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
from tests.support.builder import ask, delay, each, edit, end, fan_in, fan_out, workflow
from workflows import services
from workflows.models import Run, Suspension
from workflows.selectors.questions import open_questions
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

COLOUR = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}},
    "required": ["colour"],
}


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> dict[str, User]:
    """Alice starts; Lena and Liam are in legal; Olga may answer everything; Nina nothing."""
    found = {name: User.objects.create(username=name) for name in ("alice", "lena", "liam")}
    found |= {name: User.objects.create(username=name) for name in ("olga", "nina")}
    legal = Group.objects.create(name="legal")
    for name in ("lena", "liam"):
        found[name].groups.add(legal)
    found["olga"].user_permissions.add(Permission.objects.get(codename="answer_question"))
    return found


def person(name: str) -> User:
    return User.objects.get(username=name)


def answer(run: Run, data: Any, *, node: str | None = None, by: str = "olga", **more: Any) -> Any:
    given = {"data": data, **more}
    return services.answer(run.pk, node=node, answer=given, by=person(by))


def asked(run: Run) -> list[str]:
    """Return the nodes that ask now."""
    rows = Suspension.objects.filter(run=run, state="open", is_asked=True, kind="person")
    return sorted(rows.values_list("node", flat=True))


def begin(engine: Harness, definition: dict[str, Any], **data: Any) -> Run:
    engine.publish(definition)
    run = engine.start(definition["workflow"], data, by=person("alice"))
    engine.drain()
    return run


def test_a_question_is_answered_and_the_run_goes_on(engine: Harness) -> None:
    """Contract: a question to a person: `prompt`, `form` (JSON Schema), `to`, `timeout`; see 9"""
    definition = workflow(
        "paint",
        ask("which", "Which colour for ${thing}?", form=COLOUR, to={"groups": ["legal"]}),
        end(),
    )
    run = begin(engine, definition, thing="the door")
    assert_waiting_for(run, "which")
    (question,) = open_questions(person("lena"))
    assert question.prompt == "Which colour for the door?"
    told = answer(run, {"colour": "red"}, by="lena")
    assert told.by == "lena"
    engine.drain()
    assert_completed(run, {"thing": "the door", "output": {"colour": "red"}})
    assert_each_step_once(run)
