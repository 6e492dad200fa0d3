"""The engine in the admin: everything can be seen by who may, and nothing edited."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.support.builder import wait_event
from tests.support.locking import inside_of
from workflows.admin.timeline import timeline_of
from workflows.models import Run
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)

LogIn = Callable[..., Client]
NODES: list[dict[str, Any]] = [
    {"id": "start", "type": "start", "next": "each"},
    {"id": "each", "type": "map", "items": "rows", "process": "ask", "next": "done"},
    {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}, "title": "Row ${item}"},
    {"id": "done", "type": "end"},
]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def log_in(transactional_db: None) -> LogIn:
    """Log somebody of the staff in who has these permissions."""

    def logged_in(*codenames: str) -> Client:
        user = User.objects.create(username="-".join(codenames) or "nobody", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    User.objects.create(username="lena").groups.add(Group.objects.create(name="legal"))
    with Harness.open() as harness:
        yield harness


@pytest.fixture
def parked(engine: Harness) -> Run:
    """A run that asks about three rows, one of them of a bad person."""
    engine.publish({"workflow": "rows", "nodes": NODES})
    run = engine.start("rows", {"rows": [1, 2, EVIL]}, key="k1")
    engine.drain()
    return engine.result(run)


def page_of(run: Run) -> str:
    return reverse("admin:workflows_run_change", args=[run.pk])


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", response.content.decode()))


def test_the_admin_has_our_name(log_in: LogIn) -> None:
    shown = text(log_in("view_run").get(reverse("admin:index")))
    assert "Celeriac" in shown
    assert "Django" not in shown


def test_the_page_of_a_run_shows_all_of_it(parked: Run, log_in: LogIn) -> None:
    response = log_in("view_run").get(page_of(parked))
    assert response.status_code == 200
    shown = text(response)
    for words in ("suspended", "Row 1", "members of legal", "0 of 3", "waits for a person", "k1"):
        assert words in shown
    html = response.content.decode()
    assert html.count('class="wf-box wf-waiting"') == 2
    assert 'class="wf-line wf-taken"' in html
    assert "Cancel this run" not in html


def test_what_data_says_is_never_markup(parked: Run, log_in: LogIn) -> None:
    html = log_in("view_run").get(page_of(parked)).content.decode()
    assert EVIL not in html
    assert "&lt;script&gt;alert(1)" in html


def test_ports_that_lead_to_one_node_are_one_edge(engine: Harness, log_in: LogIn) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "ask"},
        {
            "id": "ask",
            "type": "approval",
            "to": {"groups": ["legal"]},
            "next": "done",
            "on_reject": "done",
        },
        {"id": "done", "type": "end"},
    ]
    engine.publish({"workflow": "either", "nodes": nodes})
    run = engine.start("either")
    engine.drain()
    html = log_in("view_run").get(page_of(run)).content.decode()
    assert html.count("<title>ask → done") == 1
    assert "<title>ask → done (next / on_reject)</title>" in html
    assert html.count('class="wf-line wf-taken"') == 1
    assert html.count('class="wf-line"') == 1


def test_a_step_that_slept_tells_how_long(engine: Harness) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "rest"},
        {"id": "rest", "type": "delay", "for": "PT3M", "next": "done"},
        {"id": "done", "type": "end"},
    ]
    engine.publish({"workflow": "rests", "nodes": nodes})
    run = engine.run("rests")
    (step,) = (each for each in timeline_of(run, engine.clock()).steps if each.node == "rest")
    assert step.told == "3 min"
    assert step.started_at == run.created_at
    assert [bar.told for bar in step.bars] == ["asleep 3 min", "ran 0 ms"]


def test_a_failed_run_says_where_and_why(engine: Harness, log_in: LogIn) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "stop"},
        {"id": "stop", "type": "fail", "code": "no_stock", "message": "Sold out."},
    ]
    engine.publish({"workflow": "shop", "nodes": nodes})
    run = engine.run("shop")
    response = log_in("view_run").get(page_of(run))
    assert "What went wrong no_stock at node stop" in text(response)
    assert "Sold out." in text(response)
    assert 'class="wf-box wf-failed"' in response.content.decode()


def test_a_run_of_many_steps_takes_few_queries(
    engine: Harness, log_in: LogIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    nodes = [
        {"id": "start", "type": "start", "next": "each"},
        {"id": "each", "type": "map", "items": "rows", "process": "edit", "next": "done"},
        {"id": "edit", "type": "edit", "entries": [{"set": "output", "value": 1}]},
        {"id": "done", "type": "end"},
    ]
    engine.publish({"workflow": "many", "nodes": nodes})
    run = engine.run("many", {"rows": list(range(300))})
    client = log_in("view_run")
    with django_assert_max_num_queries(25):
        response = client.get(page_of(run))
    assert "300 of 300" in text(response)
    assert "earlier ones are in the history" in text(response)


def test_cancelling_needs_the_permission(parked: Run, log_in: LogIn) -> None:
    url = reverse("admin:workflows_run_cancel", args=[parked.pk])
    assert log_in("view_run").post(url).status_code == 403
    parked.refresh_from_db()
    assert parked.status == "suspended"
    client = log_in("view_run", "cancel_run")
    assert "Cancel this run" in client.get(page_of(parked)).content.decode()
    client.get(url)  # reading changes nothing
    parked.refresh_from_db()
    assert parked.status == "suspended"
    response = client.post(url, {"reason": "No need."}, follow=True)
    assert f"Run {parked.pk} is cancelled." in text(response)
    parked.refresh_from_db()
    assert (parked.status, parked.reason) == ("cancelled", "No need.")
    assert LogEntry.objects.get().object_id == str(parked.pk)
    assert "Cancel this run" not in client.get(page_of(parked)).content.decode()


def test_many_are_cancelled_each_on_its_own(engine: Harness, parked: Run, log_in: LogIn) -> None:
    other = engine.start("rows", {"rows": [1]})
    engine.drain()
    over = engine.run("rows", {"rows": []})
    chosen = {
        "action": "cancel_selected",
        "_selected_action": [str(run.pk) for run in (parked, other, over)],
    }
    listed = reverse("admin:workflows_run_changelist")
    assert "cancel_selected" not in log_in("view_run").get(listed).content.decode()
    response = log_in("view_run", "cancel_run").post(listed, chosen, follow=True)
    assert text(response).count("is cancelled.") == 2
    assert f"Run {over.pk} is completed" in text(response)


def test_runs_are_found(engine: Harness, parked: Run, log_in: LogIn) -> None:
    over = engine.run("rows", {"rows": []})
    client, listed = log_in("view_run"), reverse("admin:workflows_run_changelist")

    def found(**query: str) -> set[str]:
        html = client.get(listed, query).content.decode()
        return {str(run.pk) for run in (parked, over) if page_of(run) in html}

    first, second = {str(parked.pk)}, {str(over.pk)}
    assert found() == first | second
    assert found(q="k1") == found(q=str(parked.pk)) == found(status="alive") == first
    assert found(status="completed") == second
    assert found(q="rows", workflow="rows") == first | second
    assert found(q="k") == set()


OURS = sorted(
    (model for model in apps.get_app_config("workflows").get_models() if site.is_registered(model)),
    key=lambda model: model.__name__,
)


#: Kept or answered by people, not by the engine: their own tests tell what can be done with them.
KEPT_BY_PEOPLE = {"Secret", "Question"}


@pytest.mark.parametrize(
    "model",
    [model for model in OURS if model.__name__ not in KEPT_BY_PEOPLE],
    ids=lambda model: model.__name__,
)
def test_nothing_can_be_edited(
    model: Any, engine: Harness, parked: Run, log_in: LogIn, client: Client
) -> None:
    engine.send("paid", key="7", data={"a": EVIL})
    engine.publish(inside_of(wait_event("wait", "go"), lock=EVIL))
    engine.run("locked")
    name = model._meta.model_name
    root = User.objects.create_superuser("root")
    client.force_login(root)
    row = model.objects.first()
    change = reverse(f"admin:workflows_{name}_change", args=[row.pk])
    assert client.get(reverse(f"admin:workflows_{name}_changelist")).status_code == 200
    page = client.get(change)
    assert page.status_code == 200
    assert EVIL not in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert client.post(change, {"status": "completed"}).status_code == 403
    assert client.get(reverse(f"admin:workflows_{name}_add")).status_code == 403
    delete = reverse(f"admin:workflows_{name}_delete", args=[row.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert log_in("view_user").get(change).status_code == 403


def test_every_important_table_is_in_the_admin() -> None:
    assert {model.__name__ for model in OURS} == {
        "Event",
        "LockClaim",
        "NodeExecution",
        "Question",
        "Run",
        "Secret",
        "Suspension",
        "Thread",
        "ThreadGroup",
        "Workflow",
        "WorkflowVersion",
    }


def test_a_run_that_is_not_there(log_in: LogIn, engine: Harness) -> None:
    client = log_in("view_run")
    for name in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        url = reverse("admin:workflows_run_change", args=[name])
        assert client.get(url).status_code == 404
