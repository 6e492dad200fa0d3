"""The demo people: who starts runs, who decides for legal and for security, who administers."""

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction

_READING = ("view_run", "view_thread", "view_workflow", "view_workflowversion")
_APPROVING = ("view_approvalrequest", "view_vote", *_READING)
_STARTING = ("start_run", "cancel_run", "send_event", "publish_workflow", *_READING)
_GROUPS = {"starters": _STARTING, "legal": _APPROVING, "security": _APPROVING}
_MEMBERS = {"alice": "starters", "lena": "legal", "sam": "security"}
_ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """A demo user; the password was made just now and is kept nowhere else."""

    name: str
    group: str  # empty for the administrator
    password: str


@transaction.atomic
def make_demo_people() -> dict[str, Person]:
    """Make the demo people and their groups, each with a new random password; by name."""
    for name, codenames in _GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(codename__in=codenames))
    people = [_make(name, group) for name, group in _MEMBERS.items()]
    return {person.name: person for person in [*people, _make(_ADMINISTRATOR, "")]}


def _make(name: str, group: str) -> Person:
    person = Person(name, group, secrets.token_urlsafe(12))
    user, _ = get_user_model().objects.get_or_create(username=name)
    user.set_password(person.password)
    user.is_staff = True  # may log in to the admin; what is seen there follows the permissions
    user.is_superuser = name == _ADMINISTRATOR
    user.save()
    user.groups.set(Group.objects.filter(name=group))
    return person
