"""Who may do what: the one table that the API, the admin and the command line ask."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, PermissionsMixin

from workflows.errors import PermissionRefusedError

AnyUser = AbstractBaseUser | AnonymousUser
Action = Literal[
    "view_workflow",
    "publish_workflow",
    "publish_trusted_code",
    "view_run",
    "start_run",
    "cancel_run",
    "change_group",
    "view_event",
    "send_event",
    "answer_question",
    "view_secret",
    "change_secret",
    "delete_secret",
]

#: What one does, and the Django permission that it takes.
PERMISSIONS: Mapping[Action, str] = MappingProxyType(
    {
        "view_workflow": "workflows.view_workflow",
        "publish_workflow": "workflows.publish_workflow",
        "publish_trusted_code": "workflows.publish_trusted_code",
        "view_run": "workflows.view_run",
        "start_run": "workflows.start_run",
        "cancel_run": "workflows.cancel_run",
        "change_group": "workflows.change_threadgroup",
        "view_event": "workflows.view_event",
        "send_event": "workflows.send_event",
        "answer_question": "workflows.answer_question",
        "view_secret": "workflows.view_secret",
        "change_secret": "workflows.change_secret",
        "delete_secret": "workflows.delete_secret",
    }
)


def may(user: AnyUser, action: Action) -> bool:
    """Tell whether a user, by a group or personally, has the permission for an action."""
    # Every user model of a project with groups has permissions; the plain base class does not.
    if not isinstance(user, PermissionsMixin | AnonymousUser):
        return False
    return user.has_perm(PERMISSIONS[action])  # never true for who is not active


def require(user: AnyUser, action: Action) -> None:
    """Pass when a user may do this. Raises PermissionRefusedError, which names the permission."""
    if not may(user, action):
        permission = PERMISSIONS[action]
        message = f"This needs the permission {permission}, which {_name(user)} does not have."
        raise PermissionRefusedError(message, permission=permission)


def _name(user: AnyUser) -> str:
    return repr(user.get_username()) if user.is_authenticated else "nobody without logging in"
