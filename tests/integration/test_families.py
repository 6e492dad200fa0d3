"""Families of runs as they are shown: the tree, the API, the command line, the admin."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.integration.cli.calling import call
from tests.support.builder import each, end, gosub, wait_event, workflow
from tests.support.families import family
from workflows.models import Run
from workflows.selectors.families import children_of, is_family_over, tree_of
from workflows.testing import Harness

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def top(engine: Harness) -> Run:
    """A run with three children, each of which has a child that waits."""
    engine.publish(workflow("leaf", wait_event("ask", "go"), end()))
    engine.publish(workflow("branch", gosub("down", "leaf"), end()))
    many = each("m", "call", next="end")
    engine.publish(workflow("tree", many, gosub("call", "branch", next=None), end()))
    run = engine.start("tree", {"items": [1, 2, 3]})
    engine.drain()
    return engine.result(run)


@pytest.fixture
def reader(transactional_db: None) -> User:
    user = User.objects.create(username="reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_run"))
    return user


def test_the_tree_has_each_run_before_its_children(top: Run) -> None:
    lines, left_out = tree_of(top, 50)
    assert [(line.level, line.run.workflow_name, line.node) for line in lines] == [
        (1, "branch", "call"),
        (2, "leaf", "down"),
    ] * 3
    assert left_out == 0
    for above, below in zip(lines[::2], lines[1::2], strict=True):
        assert below.run.parent_id == above.run.pk


def test_of_a_large_tree_the_highest_are_shown(top: Run) -> None:
    lines, left_out = tree_of(top, 4)
    assert sorted(line.level for line in lines) == [1, 1, 1, 2]
    assert left_out == 2
    assert tree_of(top, 2)[1] == 3  # two of the three leaves, and one branch


def test_a_family_is_over_when_all_of_it_is(top: Run, engine: Harness) -> None:
    assert not is_family_over(top)
    engine.send("go", deliver="all")
    assert is_family_over(top)


def test_the_api_tells_parent_and_children(top: Run, reader: User) -> None:
    client = APIClient()
    client.force_authenticate(reader)
    seen = client.get(f"/api/v1/runs/{top.pk}/").json()
    assert (seen["parent"], seen["root"], seen["depth"]) == (None, str(top.pk), 0)
    assert [child["workflow"] for child in seen["children"]] == ["branch"] * 3
    assert {child["node"] for child in seen["children"]} == {"call"}
    first = children_of(top)[0]
    below = client.get(f"/api/v1/runs/{first.pk}/").json()
    assert (below["parent"], below["root"], below["depth"]) == (str(top.pk), str(top.pk), 1)
    listed = client.get("/api/v1/runs/", {"parent": str(first.pk)}).json()["results"]
    assert [run["workflow"] for run in listed] == ["leaf"]
    assert client.get("/api/v1/runs/", {"parent": "x"}).status_code == 400


def test_show_draws_the_tree(top: Run) -> None:
    data = call("show", str(top.pk), "--json").json
    assert (data["parent"], data["depth"], data["children_total"]) == (None, 0, 3)
    assert [child["node"] for child in data["children"]] == ["call"] * 3
    waits = {wait["what"] for wait in data["waits"]}
    assert f"child run {data['children'][0]['id']} of workflow 'branch'" in waits
    drawn = call("show", str(top.pk)).out
    assert drawn.count("leaf v1") == 3
    leaf = family(top)[-1]
    assert f"child of  {leaf.parent_id}, at node down" in call("show", str(leaf.pk)).out


def test_the_run_s_page_links_to_its_family(top: Run, reader: User) -> None:
    client = Client()
    client.force_login(reader)
    page = client.get(reverse("admin:workflows_run_change", args=[top.pk])).content.decode()
    branch, leaf = children_of(top)[0], family(top)[-1]
    assert reverse("admin:workflows_run_change", args=[branch.pk]) in page
    assert reverse("admin:workflows_run_change", args=[leaf.pk]) in page
    below = client.get(reverse("admin:workflows_run_change", args=[branch.pk])).content.decode()
    assert f'href="{reverse("admin:workflows_run_change", args=[top.pk])}">tree</a>' in below
    listed = client.get(
        reverse("admin:workflows_run_changelist"), {"parent__id__exact": str(top.pk)}
    )
    assert listed.status_code == 200
    assert listed.content.decode().count("branch") >= 3
