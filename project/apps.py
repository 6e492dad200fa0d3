"""Loads the Celery app with Django, so that messages go to our broker, and the system check."""

from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Without it `celery.current_app` in a web process would be Celery's default app."""

    name = "project"

    def ready(self) -> None:
        import_module("project.celery")
        import_module("project.checks")
