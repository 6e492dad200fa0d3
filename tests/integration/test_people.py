"""The demo people: in their groups, with the permissions of those, and new passwords each time."""

import pytest
from django.contrib.auth import authenticate, get_user_model

from project.people import make_demo_people


@pytest.mark.both_databases
def test_people_are_made_again_with_new_passwords(db: None) -> None:
    first, second = make_demo_people(), make_demo_people()
    assert list(second) == ["alice", "lena", "sam", "admin"]
    assert authenticate(username="lena", password=first["lena"].password) is None
    assert authenticate(username="lena", password=second["lena"].password) is not None


def test_people_may_do_what_their_group_may(db: None) -> None:
    make_demo_people()
    users = {user.get_username(): user for user in get_user_model().objects.all()}
    assert users["alice"].has_perm("workflows.start_run")
    assert not users["lena"].has_perm("workflows.start_run")
    assert users["lena"].has_perm("approvals.view_approvalrequest")
    assert [group.name for group in users["sam"].groups.all()] == ["security"]
    assert users["admin"].is_superuser
