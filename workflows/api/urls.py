"""Routes of the REST API under /api/v1/."""

from django.urls import URLPattern, URLResolver, path, register_converter

from workflows.api import auth, definitions, documents, events, questions, runs
from workflows.definition.model import WORKFLOW_NAME


class WorkflowNameConverter:
    """The name of a workflow, with its folders; nothing else gets as far as a view."""

    regex = WORKFLOW_NAME.removeprefix("^").removesuffix("$")

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class NumberConverter:
    """The number of a version: from 1, and within what a database column holds."""

    regex = "[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(WorkflowNameConverter, "workflow")
register_converter(NumberConverter, "number")

_VERSIONS = "workflows/<workflow:name>/versions/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/login/", auth.Login.as_view(), name="login"),
    path("auth/logout/", auth.Logout.as_view(), name="logout"),
    path("workflows/", definitions.WorkflowList.as_view(), name="workflow-list"),
    path(_VERSIONS, definitions.VersionList.as_view(), name="version-list"),
    path(
        f"{_VERSIONS}<number:number>/", definitions.VersionDetail.as_view(), name="version-detail"
    ),
    path(
        "workflows/<workflow:name>/", definitions.WorkflowDetail.as_view(), name="workflow-detail"
    ),
    path("runs/", runs.RunList.as_view(), name="run-list"),
    path("runs/<uuid:run_id>/", runs.RunDetail.as_view(), name="run-detail"),
    path("runs/<uuid:run_id>/history/", runs.RunHistory.as_view(), name="run-history"),
    path("runs/<uuid:run_id>/cancel/", runs.RunCancel.as_view(), name="run-cancel"),
    path(
        "runs/<uuid:run_id>/change-group/", runs.RunChangeGroup.as_view(), name="run-change-group"
    ),
    path("questions/", questions.QuestionList.as_view(), name="question-list"),
    path(
        "questions/<uuid:question_id>/", questions.QuestionDetail.as_view(), name="question-detail"
    ),
    path(
        "questions/<uuid:question_id>/answer/",
        questions.QuestionAnswer.as_view(),
        name="question-answer",
    ),
    path("events/", events.EventList.as_view(), name="event-list"),
    path("schema/", documents.Schema.as_view(), name="schema"),
    path("docs/", documents.Docs.as_view(url_name="schema"), name="docs"),
]
