"""Questions to people: one of a run at a time, in order, whatever else goes on."""

from typing import Any

import pytest

from tests.scenarios.asking import answer, begin, make_people, person
from tests.support.assertions import (
    assert_completed,
    assert_each_step_once,
    assert_failed,
    assert_waiting_for,
)
from tests.support.builder import ask, edit, end, workflow
from workflows import services
from workflows.errors import (
    ConflictError,
    InputRefusedError,
    KeyReusedError,
    NotFoundError,
    PermissionRefusedError,
)
from workflows.models import NodeExecution, Suspension
from workflows.selectors.questions import open_questions
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

COLOUR = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}},
    "required": ["colour"],
}
TO_LEGAL = {"groups": ["legal"]}


@pytest.fixture(autouse=True)
def people(transactional_db: None) -> None:
    make_people()


def paint(**fields: Any) -> dict[str, Any]:
    which = ask("which", "Which colour for ${thing}?", **{"form": COLOUR, "to": TO_LEGAL, **fields})
    ends = [edit("late", late=True, next=None)] if "on_timeout" in fields else []
    return workflow("paint", which, end(), *ends)


# --- one question ----------------------------------------------------------------------------


def test_a_question_is_answered_and_the_run_goes_on(engine: Harness) -> None:
    """Contract: a question to a person: `prompt`, `form` (JSON Schema), `to`, `timeout`; see 9"""
    run = begin(engine, paint(), thing="the door")
    assert_waiting_for(run, "which")
    (question,) = open_questions(person("lena"))
    assert question.prompt == "Which colour for the door?"
    told = answer(run, {"colour": "red"}, by="lena")
    assert (told.by, told.node, told.is_repeat) == ("lena", "which", False)
    engine.drain()
    assert_completed(run, {"thing": "the door", "output": {"colour": "red"}})
    assert_each_step_once(run)
    assert not open_questions(person("lena")).exists()
    to = {"groups": ["legal"], "users": []}
    step = NodeExecution.objects.get(run=run, node="which")
    assert step.input == {"prompt": "Which colour for the door?", "to": to}


def test_without_a_form_any_value_is_an_answer(engine: Harness) -> None:
    run = begin(engine, workflow("q", ask("ask", result="a.b"), end()))
    answer(run, ["x", 1, None], by="alice")
    engine.drain()
    assert_completed(run, {"a": {"b": ["x", 1, None]}})


@pytest.mark.parametrize("data", [{"colour": "green"}, {}, "red", None])
def test_an_answer_that_does_not_fit_the_form_is_refused(engine: Harness, data: Any) -> None:
    """Contract: `form`: an answer that does not fit is refused."""
    run = begin(engine, paint(), thing="x")
    with pytest.raises(InputRefusedError):
        answer(run, data, by="lena")
    assert_waiting_for(run, "which")


@pytest.mark.parametrize(
    ("to", "who"),
    [
        ({"groups": ["legal"]}, {"lena", "liam", "olga"}),
        ({"users": ["nina"]}, {"nina", "olga"}),
        ({"users": "${boss}", "groups": ["legal"]}, {"nina", "lena", "liam", "olga"}),
        ({}, {"alice", "olga"}),
    ],
)
def test_those_in_to_may_answer_and_those_with_the_permission(
    engine: Harness, to: dict[str, Any], who: set[str]
) -> None:
    """Contract: `to`: who may answer."""
    run = begin(engine, paint(to=to), thing="x", boss=["nina"])
    names = ("alice", "lena", "liam", "olga", "nina")
    assert {name for name in names if open_questions(person(name)).exists()} == who
    for name in set(names) - who:
        with pytest.raises(PermissionRefusedError) as caught:
            answer(run, {"colour": "red"}, by=name)
        assert caught.value.details["rule"] == "not_asked"
    answer(run, {"colour": "red"}, by=min(who))


def test_who_has_left_the_group_or_the_house_may_not_answer(engine: Harness) -> None:
    run = begin(engine, paint(), thing="x")
    lena = person("lena")
    lena.groups.clear()
    with pytest.raises(PermissionRefusedError):
        answer(run, {"colour": "red"}, by="lena")
    liam = person("liam")
    liam.is_active = False
    liam.save()
    with pytest.raises(PermissionRefusedError) as caught:
        answer(run, {"colour": "red"}, by="liam")
    assert caught.value.details["rule"] == "inactive"


@pytest.mark.parametrize("groups", [17, [1], [""], ["x" * 151]])
def test_names_that_are_none_fail_the_node(engine: Harness, groups: Any) -> None:
    run = begin(engine, paint(to={"groups": "${who}"}), thing="x", who=groups)
    assert_failed(run, "question_invalid", "which")


def test_the_same_delivery_gets_the_first_answer_and_changes_nothing(engine: Harness) -> None:
    """Contract: Delivery is at least once, so a repeated delivery with the same idempotency key returns the first answer and changes nothing; another answer to a closed suspension is a conflict that says who closed it and when; an unknown token is not found."""  # noqa: E501
    run = begin(engine, paint(), thing="x")
    first = answer(run, {"colour": "red"}, by="lena", key="k1")
    engine.jump(hours=1)
    again = answer(run, {"colour": "red"}, by="lena", key="k1")
    assert again.is_repeat
    assert again.as_dict() == first.as_dict()
    with pytest.raises(KeyReusedError):
        answer(run, {"colour": "blue"}, by="lena", key="k1")
    assert_completed(run, {"thing": "x", "output": {"colour": "red"}})


def test_another_answer_is_a_conflict_that_says_who_and_when(engine: Harness) -> None:
    """Contract: Delivery is at least once, so a repeated delivery with the same idempotency key returns the first answer and changes nothing; another answer to a closed suspension is a conflict that says who closed it and when; an unknown token is not found."""  # noqa: E501
    run = begin(engine, paint(), thing="x")
    question = Suspension.objects.get(run=run)
    answer(run, {"colour": "red"}, by="lena", key="k1")
    for name, key in (("liam", "k1"), ("lena", "k2"), ("lena", None)):
        with pytest.raises(ConflictError) as caught:
            services.answer_question(question.pk, {"colour": "red"}, by=person(name), key=key)
        assert caught.value.details["closed_by"] == "lena"
        assert caught.value.details["closed_at"].startswith("2030-01-01T00:00")


def test_an_unknown_question_is_not_found(engine: Harness) -> None:
    run = begin(engine, paint(), thing="x")
    for unknown in (run.pk, "which", "", "\0"):
        with pytest.raises(NotFoundError, match="question"):
            services.answer_question(unknown, 1, by=person("olga"))
    with pytest.raises(NotFoundError) as caught:
        answer(run, 1, node="wich")
    assert "did you mean 'which'" in caught.value.message


def test_a_timeout_goes_its_way(engine: Harness) -> None:
    """Contract: `timeout`: it goes its own way."""
    definition = paint(timeout="P2D", on_timeout="late")
    run = begin(engine, definition, thing="x")
    engine.jump(days=1, hours=23)
    assert_waiting_for(run, "which")
    engine.jump(hours=1)
    assert_completed(run, {"thing": "x", "late": True})
    with pytest.raises(ConflictError) as caught:
        services.answer_question(
            Suspension.objects.get(run=run).pk, {"colour": "red"}, by=person("lena")
        )
    assert caught.value.details["closed_by"] == "timer"


def test_a_timeout_without_a_way_out_fails_the_node(engine: Harness) -> None:
    run = begin(engine, paint(timeout="P2D"), thing="x")
    engine.jump(days=2)
    assert_failed(run, "timeout", "which")


def test_time_asleep_on_a_person_does_not_age_the_run(engine: Harness) -> None:
    """Contract: `timeout` per attempt and per node, `heartbeat` for long work, `limits.timeout` per run; time asleep on a person counts only against that wait's own timeout."""  # noqa: E501
    run = begin(engine, {**paint(), "limits": {"timeout": "PT1H"}}, thing="x")
    engine.jump(days=3)
    assert_waiting_for(run, "which")
    answer(run, {"colour": "red"})
    engine.drain()
    assert_completed(run)
