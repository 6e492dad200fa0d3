"""Makes the example an installed app, so that its activities are found."""

from django.apps import AppConfig


class DependencyReviewConfig(AppConfig):
    """The app has no tables: its work is in `workflow_activities.py` and `workflow.yaml`."""

    name = "examples.dependency_review"
    label = "dependency_review"
    verbose_name = "Dependency review (example)"
