"""What is stuck, since when, and who can unblock it, as a browser shows it; also on a phone."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Visit
from tests.support.builder import ask, delay, each, edit, end, workflow
from tests.support.locking import inside_of, stands_in_line
from workflows.models import Run
from workflows.testing import Harness

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE: ViewportSize = {"width": 390, "height": 800}
#: How far the page, and whatever of it does not scroll by itself, is wider than the window.
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: Labels of arrows that an arrow upwards goes through.
CROSSED = """() => {
  const svg = document.querySelector('.wf-graph svg');
  const texts = [...svg.querySelectorAll('.wf-port')].map(text => [text, text.getBBox()]);
  const up = [...svg.querySelectorAll('.wf-line')].filter(line =>
    line.getPointAtLength(0).y > line.getPointAtLength(line.getTotalLength()).y);
  const crossed = [];
  for (const line of up) for (let at = 0; at < line.getTotalLength(); at += 1) {
    const {x, y} = line.getPointAtLength(at);
    for (const [text, box] of texts)
      if (box.x < x && x < box.x + box.width && box.y < y && y < box.y + box.height)
        crossed.push(text.textContent);
  }
  return [up.length, crossed];
}"""


def show(page: Page, run: Run) -> None:
    page.goto(f"/admin/workflows/run/{run.pk}/change/")


def test_the_way_from_a_run_that_waits_to_the_one_that_holds_its_lock(
    engine: Harness, root: User, visit: Visit
) -> None:
    engine.publish(inside_of(ask("well", "Well?", to={"groups": ["legal"]}), lock="till"))
    holder, waiter = (stands_in_line(engine, "locked") for _ in range(2))
    engine.jump(days=2, hours=3)
    page = visit(root).page
    page.goto("/admin/workflows/run/?status=alive")
    row = page.locator("#result_list tr", has=page.get_by_role("link", name=str(waiter.pk)[:8]))
    expect(row).to_contain_text("2 d 3 h ago at lock")
    row.get_by_role("link").click()
    waits = page.locator("section", has=page.get_by_role("heading", name="Waits for"))
    expect(waits).to_contain_text("till is held by locked")
    expect(waits).to_contain_text("since 1 Jan 2030, 00:00:00 UTC (2 d 3 h ago)")
    waits.get_by_role("link", name=f"locked {str(holder.pk)[:8]}").click()
    expect(waits).to_contain_text("Up to members of legal")


NODES: list[dict[str, Any]] = [
    {"id": "loop", "type": "loop", "while": "loop.index < 2", "max_iterations": 3, "body": "each",
     "next": "end", "on_limit": "late"},
    each("each", "rest", items="rows", next=None),
    delay("rest", "PT1S", next=None),
    edit("late", next="end"),
    end(),
]  # fmt: skip


def test_arrows_that_lead_back_cross_no_words(engine: Harness, root: User, visit: Visit) -> None:
    engine.publish(workflow("around", *NODES))
    run = engine.run("around", {"rows": [1, 2]})
    page = visit(root).page
    show(page, run)
    assert page.evaluate(CROSSED) == [2, []]


def test_short_steps_can_be_read_beside_sleeps_of_days(
    engine: Harness, root: User, visit: Visit
) -> None:
    rests = [delay("first", "PT2S"), delay("days", "P3D"), delay("second", "PT0.5S")]
    engine.publish(workflow("sleeper", *rests, delay("weeks", "P14D"), end()))
    page = visit(root).page
    show(page, engine.run("sleeper"))
    expect(page.locator(".wf-axis")).to_contain_text("3 d asleep")
    expect(page.locator(".wf-legend", has_text="cut short")).to_be_visible()
    for node in ("first", "second"):
        bar = page.locator(".wf-steps summary", has_text=node).locator(".wf-span-waits")
        box = bar.bounding_box()
        assert box is not None
        assert box["width"] > 30, node


def test_no_page_is_wider_than_a_phone(engine: Harness, root: User, visit: Visit) -> None:
    prompt = "Which-colour-" * 12
    engine.publish(inside_of(ask("well", prompt, to={"groups": ["legal"]}), lock="till-" * 20))
    runs = [stands_in_line(engine, "locked") for _ in range(2)]
    asked = runs[0].suspensions.get(kind="person")
    engine.jump(hours=7)
    page = visit(root).page
    page.set_viewport_size(PHONE)
    for run in runs:
        show(page, run)
        assert page.evaluate(TOO_WIDE) == 0
    page.goto(f"/admin/workflows/question/{asked.pk}/change/")
    assert page.evaluate(TOO_WIDE) == 0
    page.get_by_label("Answer").fill("blue-" * 40)
    page.get_by_role("button", name="Answer").click()
    page.goto(f"/admin/workflows/question/{asked.pk}/change/")
    expect(page.locator(".wf-answer")).to_contain_text("blue-blue")
    assert page.evaluate(TOO_WIDE) == 0


def test_the_keyboard_reaches_what_scrolls(engine: Harness, root: User, visit: Visit) -> None:
    engine.publish(workflow("around", *NODES))
    page = visit(root).page
    page.set_viewport_size(PHONE)
    show(page, engine.run("around", {"rows": [1]}))
    graph = page.get_by_role("region", name="Graph")
    graph.focus()
    assert graph.evaluate("it => it === document.activeElement && it.scrollWidth > it.clientWidth")
