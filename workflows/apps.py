"""The engine as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WorkflowsConfig(AppConfig):
    """Finds the kinds and activities of every installed app when Django is ready."""

    name = "workflows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("workflow_nodes", "workflow_activities")
        from workflows import checks  # noqa: F401, PLC0415 - registers the system checks
