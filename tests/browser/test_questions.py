"""A person answers a question in the admin, in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from tests.browser.watching import Watched
from tests.support.builder import ask, end, workflow
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

FORM = {
    "type": "object",
    "required": ["colour"],
    "properties": {
        "colour": {"enum": ["red", "blue"], "description": "What the walls will be."},
        "litres": {"type": "integer", "minimum": 1, "default": 5},
        "urgent": {"type": "boolean"},
    },
}


@pytest.fixture
def lena(transactional_db: None) -> User:
    user = User.objects.create(username="lena", is_staff=True)
    user.groups.add(Group.objects.create(name="decorators"))
    return user


def test_lena_finds_the_question_and_answers_it(
    engine: Harness, lena: User, visit: Callable[[User], Watched]
) -> None:
    to = {"groups": ["decorators"]}
    question = ask("colour", "Which colour for the ${room}?", form=FORM, to=to, timeout="P2D")
    engine.publish(workflow("repaint", question, end(output={"said": "${output}"})))
    run = engine.start("repaint", {"room": "kitchen"})
    engine.drain()
    page = visit(lena).page
    page.goto("/admin/")
    page.get_by_role("link", name="Questions").first.click()
    page.get_by_role("link", name="Which colour for the kitchen?").click()
    page.get_by_text("marks what is required").wait_for()
    page.get_by_label("Colour * (required)").select_option(label="blue")
    page.get_by_label("Litres").fill("0")
    page.get_by_role("button", name="Answer").click()
    page.get_by_label("Litres").fill("7")
    page.get_by_role("button", name="Answer").click()
    page.get_by_text("Your answer is recorded.").wait_for()
    engine.drain()
    said = {"colour": "blue", "litres": 7, "urgent": False}
    assert engine.result(run).output == {"said": said}
    page.get_by_role("link", name="All that you may see").click()
    page.get_by_role("link", name="Which colour for the kitchen?").click()
    answer = page.locator("section", has=page.get_by_role("heading", name="Answer"))
    expect(answer).to_contain_text("lena answered it on")
    expect(answer.locator("dl")).to_have_text(
        re.compile(r"Colour\s*blue\s*Litres\s*7\s*Urgent\s*no")
    )
