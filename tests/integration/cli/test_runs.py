"""start, show, list, cancel, answer, send-event."""

import uuid
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from pytest_django import Settings

from tests.integration.cli.calling import call, called_badly
from tests.integration.cli.conftest import Write
from workflows.models import Run
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

People = dict[str, User]


@pytest.fixture
def parked(engine: Harness, people: People, refund: str) -> Run:
    """A run of Alice's that asks legal."""
    call("publish", refund)
    call("start", "refund", "--input", '{"amount": 600}', "--as", "alice", "--key", "k1")
    engine.drain()
    return Run.objects.get()


def test_start_tells_the_run(engine: Harness, people: People, refund: str) -> None:
    call("publish", refund)
    said = call("start", "refund", "--input", '{"amount": 5}', "--as", "alice", "--json")
    assert said.code == 0
    run = Run.objects.get()
    told = {name: said.json[name] for name in ("id", "started_by", "is_new", "input")}
    assert told == {
        "id": str(run.pk),
        "started_by": "alice",
        "is_new": True,
        "input": {"amount": 5},
    }


def test_a_start_without_a_broker_says_that_the_run_is_kept(
    transactional_db: None, refund: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise OSError

    call("publish", refund)
    settings.CELERIAC = {**settings.CELERIAC, "DISPATCHER": "celery"}
    monkeypatch.setattr(current_app.producer_pool, "acquire", refuse)
    said = call("start", "refund", "--input", '{"amount": 1}')
    assert (said.code, "Started run" in said.out) == (0, True)
    assert said.err.startswith("The broker does not take messages just now. Nothing is lost")
    assert len(said.err.splitlines()) == 1


def test_the_same_key_is_the_same_run(parked: Run) -> None:
    words = ("start", "refund", "--key", "k1", "--as", "alice")
    again = call(*words, "--input", '{"amount": 600}', "--json")
    assert (again.json["id"], again.json["is_new"]) == (str(parked.pk), False)
    other = call(*words, "--input", '{"amount": 1}')
    assert other.code == 2
    assert "another --key" in other.err
    assert Run.objects.count() == 1


def test_input_comes_from_a_file(
    engine: Harness, refund: str, write: Write, people: People
) -> None:
    call("publish", refund)
    assert call("start", "refund", "--input", write('{"amount": 7}', "in.json")).code == 0
    assert call("start", "refund", "--input", write("amount: 8", "in.yaml")).code == 0
    amounts = set(Run.objects.values_list("input__amount", flat=True))
    assert amounts == {7, 8}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"amount": "x"}', "/amount"),
        ('{"amount": NaN}', "NaN is no JSON"),
        ('{"amount": 9223372036854775808}', "/amount"),
        ('{"amount": 1', "1:13"),
        ("[1]", "must be an object"),
        ("nowhere.json", "nowhere.json: cannot be read"),
    ],
)
def test_bad_input_starts_nothing(
    engine: Harness, people: People, refund: str, given: str, told: str
) -> None:
    call("publish", refund)
    said = call("start", "refund", "--input", given)
    assert said.code == 2
    assert told in said.err
    assert said.out == ""
    assert Run.objects.count() == 0


def test_an_error_is_json_when_asked_for(people: People) -> None:
    said = call("start", "refnd", "--json")
    assert (said.code, said.json["error"]["code"]) == (2, "not_found")
    assert "Publish it first" in said.err


def test_waiting_ends_with_the_run(engine: Harness, people: People, refund: str) -> None:
    call("publish", refund)
    words = ("start", "refund", "--key", "w", "--input", '{"amount": 5}')
    assert "pending after 0 s" in call(*words, "--wait", "0").err
    engine.drain()
    done = call(*words, "--wait", "5", "--json")
    assert (done.code, done.json["status"], done.json["output"]) == (0, "completed", {"amount": 5})
    assert "no number of seconds" in called_badly("start", "refund", "--wait", "soon")


def test_show_tells_who_can_unblock_it(parked: Run) -> None:
    said = call("show", str(parked.pk), "--history")
    for words in ("suspended", "refund v1", "alice", "Refund 600", "members of legal", "switch"):
        assert words in said.out
    told = call("show", str(parked.pk), "--history", "--json").json
    assert [each["node"] for each in told["history"]] == ["start", "large"]
    (wait,) = told["waits"]
    assert (wait["node"], wait["kind"], wait["who"]) == ("ask", "person", "members of legal")


def test_a_run_that_is_not_there(people: People) -> None:
    for name in ("nonsense", str(uuid.uuid4())):
        said = call("show", name)
        assert said.code == 2
        assert f"There is no run {name}" in said.err


def test_list_filters(parked: Run) -> None:
    def listed(*words: str) -> list[Any]:
        return [each["id"] for each in call("list", *words, "--json").json["runs"]]

    assert listed() == listed("--status", "suspended", "--workflow", "refund") == [str(parked.pk)]
    assert listed("--status", "failed") == []
    assert "refund v1" in call("list").out
    assert "did you mean 'refund'" in call("list", "--workflow", "refnd").err


def test_lena_answers_and_alice_may_not(parked: Run, engine: Harness) -> None:
    words = ("answer", str(parked.pk), "--decision", "approve", "--form", '{"ticket": "T-1"}')
    assert "--as USER" in call(*words).err
    assert "asked for this decision" in call(*words, "--as", "alice").err
    said = call(*words, "--as", "lena", "--json")
    assert (said.code, said.json["status"], said.json["by"]) == (0, "approved", "lena")
    engine.drain()
    parked.refresh_from_db()
    assert (parked.status, parked.output) == ("completed", {"amount": 600})
    late = call(*words, "--as", "lena")
    assert late.code == 2
    assert "asks nobody" in late.err


def test_a_form_that_does_not_fit_is_refused(parked: Run) -> None:
    words = ("answer", str(parked.pk), "--decision", "approve", "--as", "lena")
    assert "'ticket' is missing" in call(*words, "--form", "{}").err
    assert "must be a JSON object" in call(*words, "--form", "[]").err
    parked.refresh_from_db()
    assert parked.status == "suspended"


def test_the_question_must_be_named_when_there_are_several(
    engine: Harness, people: People, write: Write
) -> None:
    ask = {"type": "approval", "to": {"groups": ["legal"]}}
    nodes = [
        {"id": "start", "type": "start", "next": ["first", "second"]},
        {"id": "first", **ask},
        {"id": "second", **ask},
    ]
    call("publish", write({"workflow": "both", "nodes": nodes}))
    call("start", "both", "--as", "alice")
    engine.drain()
    run = str(Run.objects.get().pk)
    words = ("answer", run, "--decision", "approve", "--as", "lena")
    several = call(*words, "--json")
    assert several.code == 2
    waits = {each["node"]: each["suspension"] for each in several.json["error"]["waits"]}
    assert set(waits) == {"first", "second"}
    assert "did you mean 'first'" in call(*words, "--node", "firs").err
    assert call(*words, "--node", "first").code == 0
    assert call(*words, "--suspension", waits["second"][:8]).code == 0
    engine.drain()
    assert Run.objects.get().status == "completed"


def test_cancel_needs_the_permission(parked: Run) -> None:
    refused = call("cancel", str(parked.pk), "--as", "lena")
    assert refused.code == 2
    assert "workflows.cancel_run" in refused.err
    assert "did you mean 'lena'" in call("cancel", str(parked.pk), "--as", "lenna").err
    assert call("cancel", str(parked.pk), "--as", "alice", "--reason", "no need").code == 0
    parked.refresh_from_db()
    assert (parked.status, parked.reason) == ("cancelled", "no need")
    assert call("cancel", str(parked.pk)).code == 2


def test_an_event_is_kept_or_wakes(engine: Harness, people: People, write: Write) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "wait"},
        {"id": "wait", "type": "wait_event", "event": "paid", "key": "order"},
    ]
    call("publish", write({"workflow": "payment", "nodes": nodes}))
    call("start", "payment", "--input", '{"order": 7}')
    engine.drain()
    assert "'paid' with key '7'" in call("show", str(Run.objects.get().pk)).out
    assert "kept until" in call("send-event", "paid", "--key", "8").out
    words = ("send-event", "paid", "--key", "7", "--data", '{"by": "card"}', "--id", "1")
    first = call(*words, "--json").json
    assert (first["is_new"], len(first["woke"])) == (True, 1)
    assert call(*words, "--json").json["is_new"] is False
    engine.drain()
    assert Run.objects.get().output["event"]["data"] == {"by": "card"}


def test_text_in_data_cannot_steer_the_terminal(
    engine: Harness, people: People, refund: str
) -> None:
    call("publish", refund)
    call("start", "refund", "--input", '{"amount": 5}', "--key", "\x1b[31m[bold]red")
    said = call("list")
    assert "\x1b" not in said.out
    assert "[bold]red" in said.out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("show", "7"), "workflow list`"),
        (("start", "nowhere"), "workflow publish FILE`"),
        (("start", "refund", "--version", "9"), "Leave --version out"),
    ],
)
def test_the_hint_fits_what_was_not_found(parked: Run, words: tuple[str, ...], hint: str) -> None:
    said = call(*words)
    assert said.code == 2
    assert hint in said.err.splitlines()[-1]


def test_a_node_that_asks_nothing_is_looked_up_with_show(parked: Run) -> None:
    words = ("--node", "nowhere", "--decision", "reject", "--as", "lena")
    said = call("answer", str(parked.pk), *words)
    assert "workflow show RUN" in said.err.splitlines()[-1]


def test_no_permission_is_offered_against_a_rule(parked: Run) -> None:
    said = call("answer", str(parked.pk), "--decision", "reject", "--as", "alice")
    assert said.code == 2
    assert said.err.splitlines()[-1] == "Use --as with a user who may."
    said = call("start", "refund", "--as", "lena")
    assert said.err.splitlines()[-1].endswith("or give this one the permission.")


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_list_of_nothing_is_refused(limit: str) -> None:
    assert "no whole number from 1" in called_badly("list", f"--limit={limit}")


def test_a_missing_decision_is_asked_for_by_its_name(parked: Run) -> None:
    said = call("answer", str(parked.pk), "--as", "lena")
    assert (said.code, "--decision approve" in said.err) == (2, True)
