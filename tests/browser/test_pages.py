"""The run's page and the approval page in a real browser: seen, decided, and looked at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

import examples.dependency_review as example
from approvals.models import ApprovalRequest
from tests.browser.conftest import Snap, Visit
from tests.support.site_packages import sample_environment
from workflows import services
from workflows.dispatch.inline import Mailbox, use_mailbox
from workflows.models import Run
from workflows.selectors.runs import run_by_id
from workflows.services.pump import Pump

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORKFLOW = Path(example.__file__).with_name("workflow.yaml")


@pytest.fixture
def pump() -> Iterator[Pump]:
    """Work on demand, on the real clock: the pictures show real times."""
    with use_mailbox(Mailbox()) as box:
        yield Pump(box)


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    admin = User.objects.create_superuser("admin")
    lena = User.objects.create(username="lena", is_staff=True)
    lena.groups.add(Group.objects.create(name="legal"))
    sam = User.objects.create(username="sam")
    sam.groups.add(Group.objects.create(name="security"))
    alice = User.objects.create(username="alice")
    return {"admin": admin, "lena": lena, "sam": sam, "alice": alice}


@pytest.fixture
def parked(
    pump: Pump, people: dict[str, User], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A dependency review that waits for legal and for security."""
    monkeypatch.chdir(tmp_path)  # a picture with the paths of one machine is of no use
    site = sample_environment(tmp_path / "site-packages")
    for number in range(50):  # enough for three slices
        site.add(f"package-{number}", expression="MIT")
    services.publish(WORKFLOW.read_text(), source=str(WORKFLOW), by=people["admin"])
    data = {"environment": site.path.name}
    run = services.start("dependency-review", data, key="release-42", by=people["alice"]).run
    while run_by_id(run.pk).status != "suspended":
        pump.drain()
    return run_by_id(run.pk)


def test_the_run_s_page_tells_what_it_waits_for(
    parked: Run, people: dict[str, User], visit: Visit, snap: Snap
) -> None:
    watched = visit(people["admin"])
    page = watched.page
    page.goto("/admin/workflows/run/")
    page.get_by_role("link", name=str(parked.pk)[:8]).click()
    expect(page.locator(".wf h1")).to_have_text("dependency-review suspended")
    waits = page.locator("section", has=page.get_by_role("heading", name="Waits for"))
    expect(waits).to_contain_text("Licence AGPL-3.0-or-later")
    expect(waits).to_contain_text("members of legal")
    expect(waits).to_contain_text("members of security")
    expect(page.locator(".wf-groups tr", has_text="slices")).to_contain_text("3 of 3")
    assert page.locator(".wf-box.wf-waiting").count() >= 2
    assert page.locator(".wf-line.wf-taken").count() > 5
    expect(page.locator(".wf-box.wf-untouched", has_text="done")).to_have_count(1)
    snap(watched, "run-page")


def test_no_card_of_the_run_s_page_is_cut_off(
    parked: Run, people: dict[str, User], visit: Visit
) -> None:
    page = visit(people["admin"]).page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/admin/workflows/run/{parked.pk}/change/")
    expect(page.locator(".wf-table th", has_text="Moved")).to_have_count(1)
    cut = "cards => cards.filter(card => card.scrollWidth > card.clientWidth).length"
    assert page.locator(".wf-card").evaluate_all(cut) == 0


LISTS = [
    f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for model in site._registry
    if model._meta.app_label in {"workflows", "approvals"}
]


def test_no_column_of_a_list_is_cut_off(parked: Run, people: dict[str, User], visit: Visit) -> None:
    long = "a-name-without-any-end-" * 6
    services.send_event(long, key=long, source=long, external_id=long)
    services.start("dependency-review", {"environment": None}, key=long, by=people["alice"])
    page = visit(people["admin"]).page
    page.set_viewport_size({"width": 1280, "height": 900})
    shown = 0
    for address in LISTS:
        page.goto(address)
        expect(page.locator("#changelist")).to_be_visible()
        shown += page.locator("#result_list").count()  # a list without rows is none
        hidden = "lists => lists.map(list => list.scrollWidth - list.clientWidth)"
        assert sum(page.locator(".results").evaluate_all(hidden)) == 0, address
    assert shown >= len(LISTS) - 3  # no question, no secret and no lock is here


def test_a_step_opens_and_shows_its_data(
    parked: Run, people: dict[str, User], visit: Visit
) -> None:
    page = visit(people["admin"]).page
    page.goto(f"/admin/workflows/run/{parked.pk}/change/")
    page.locator(".wf-steps summary", has_text="inspect").first.click()
    expect(page.locator(".wf-steps details[open]")).to_contain_text("Output")


def test_lena_decides_on_the_approval_page(
    parked: Run, people: dict[str, User], pump: Pump, visit: Visit, snap: Snap
) -> None:
    asked = ApprovalRequest.objects.filter(addressees__name="legal").order_by("title").first()
    assert asked is not None
    watched = visit(people["lena"])
    page = watched.page
    page.goto(f"/approvals/{asked.pk}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(asked.title)
    expect(page.get_by_text("for example LEGAL-12")).to_be_visible()
    snap(watched, "approval-page")
    page.get_by_label("Ticket number").fill("LEGAL-7")
    page.get_by_label("Comment").fill("Used for tests only.")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Your decision is recorded.")).to_be_visible()
    asked.refresh_from_db()
    assert (asked.status, asked.closed_by) == ("approved", "lena")
    pump.drain()
    assert run_by_id(parked.pk).suspensions.filter(state="resolved", node="legal").count() == 1


def test_the_run_is_cancelled_from_its_page(
    parked: Run, people: dict[str, User], visit: Visit
) -> None:
    page = visit(people["admin"]).page
    page.goto(f"/admin/workflows/run/{parked.pk}/change/")
    page.get_by_label("Reason for cancelling").fill("Not needed <b>any</b> more")
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.locator(".wf h1")).to_contain_text("cancelled")
    expect(page.locator(".wf-facts")).to_contain_text("Not needed <b>any</b> more")
    assert ApprovalRequest.objects.filter(status="open").count() == 0
