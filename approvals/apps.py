"""Approvals as a Django app; its node kind is found by the engine in `workflow_nodes.py`."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """Requests to people, their votes, and the pages on which they decide."""

    name = "approvals"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Approvals"
