"""Makes the example an installed app, so that its activities are found."""

from django.apps import AppConfig

from examples.dependency_review.distributions import why_not_reviewed
from workflows.definition.formats import register_format


class DependencyReviewConfig(AppConfig):
    """The app has no tables: its work is in `workflow_activities.py` and `workflow.yaml`."""

    name = "examples.dependency_review"
    label = "dependency_review"
    verbose_name = "Dependency review (example)"

    def ready(self) -> None:
        register_format("site-packages", why_not_reviewed)
