"""What `workflow try` prints, and its JSON Schema."""

import json

from workflows.management.reference import markdown
from workflows.testing.report import PARTS, Told

_ABOUT = (
    "What `manage.py workflow try --json` prints, and each line of `try --cases`. Programs may "
    "rely on it: a field is never taken away and never changes its meaning; new ones may come. The "
    "same as JSON Schema: [try.schema.json](try.schema.json). How to use it is in "
    "[the guide](../guides/command-line.md#try-a-workflow-before-it-is-published).\n\n"
    "What has no stub fails with `no_stub`: activities, Celery tasks, `http` and `command`. A "
    "`code` node without one is run, if CELERIAC_CODE is `isolated`. A trial has no "
    "secrets: a node that needs one fails with `secret_unknown`."
)


def page() -> str:
    """Return the page."""
    parts = [_ABOUT]
    for model in PARTS:
        rows = [
            (
                markdown.code(info.alias or name),
                "yes" if info.is_required() else "no",
                info.description or "",
            )
            for name, info in model.model_fields.items()
        ]
        title = "The report" if model is Told else model.__name__.removeprefix("Told")
        table = markdown.table(("field", "always there", "is"), rows)
        parts += [f"## {title}", markdown.first_line(model), table]
    return markdown.page("The report of a trial", *parts)


def schema() -> str:
    """Return the JSON Schema as text."""
    return json.dumps(Told.model_json_schema(by_alias=True), indent=2, ensure_ascii=False) + "\n"
