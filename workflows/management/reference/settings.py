"""Every setting of the engine, read from its own source: name, type, default, what it is."""

import ast
import inspect
from collections.abc import Iterator
from typing import Any

from workflows import conf
from workflows.management.reference import markdown

_ABOUT = (
    "Django's settings hold one dictionary, `CELERIAC`, with the names below in capitals. An "
    "unknown name is refused when a process starts, with the nearest known one."
)
_ENVIRONMENT_ABOUT = (
    "The project's own settings read these environment variables. `manage.py check` and `workflow "
    "doctor` warn of a name that is misspelt."
)
#: What each variable of the project is; its test compares the names with the settings' source.
ENVIRONMENT = {
    "DATABASE_URL": "PostgreSQL or a file of SQLite; `celeriac.sqlite3` in `var/` if unset.",
    "REDIS_URL": "Redis for results and, unless BROKER_URL is set, for messages; private if unset.",
    "BROKER_URL": "RabbitMQ (`amqp://`) or another Redis for messages.",
    "SECRET_KEY": "Django's key; one is made and kept in `var/` if unset.",
    "DEBUG": "Django's debug pages; never in production.",
    "ALLOWED_HOSTS": "Names under which the web server answers.",
    "CSRF_TRUSTED_ORIGINS": "Origins that may send forms, such as `https://workflows.example.org`.",
    "EMAIL_URL": "Where e-mail goes, such as `smtp://host:25`; to files in `var/mail` if unset.",
    "LOG_LEVEL": "Level of the engine's own loggers.",
    "CELERIAC_VAR": "Folder of everything that is kept on disk.",
    "CELERIAC_DISPATCHER": "`celery` or `inline`; inline where no Redis can be had.",
    "CELERIAC_QUEUES": "JSON of the named queues: `{name: {rate, burst, concurrency}}`.",
    "CELERIAC_CONCURRENCY": "Processes of a worker's pool, and slots of a group's chord.",
    "CELERIAC_LEASE_SECONDS": "How long a claim holds unless it is renewed.",
    "CELERIAC_MESSAGE_SECONDS": "How long a message may be under way before it is sent again.",
    "CELERIAC_CODE": "Nodes of kind `code`: `off`, `isolated` or `trusted`.",
    "CELERIAC_COMMAND": "Nodes of kind `command`: `off`, `isolated` or `trusted`.",
    "CELERIAC_COMMAND_PROGRAMS": "Programs that `command` nodes may run, joined by commas.",
    "CELERIAC_COMMAND_FOLDERS": "Folders that isolated programs can read beside /usr.",
    "CELERIAC_HTTP_PRIVATE": "Networks and hosts that may be called although private.",
    "CELERIAC_HTTP_HOSTS": "The only hosts that `http` nodes may call; all when unset.",
    "CELERIAC_HTTP_CA_FILE": "Certificates that `http` nodes trust instead of the system's.",
    "CELERIAC_SECRET_KEYS": "Fernet keys of secrets, the first encrypts; in `var/` if unset.",
    "CELERIAC_KEY_PREFIX": "Put before every key in Redis.",
    "CELERIAC_HTTPS": "Set behind TLS: secure cookies, HSTS and redirects.",
    "CELERIAC_EXAMPLES": "Install the apps of the examples.",
}


def page() -> str:
    """Return the page."""
    head = ("setting", "type", "default", "what it is")
    queue_head = ("field", "type", "default", "what it is")
    return markdown.page(
        "Settings",
        _ABOUT,
        markdown.table(head, _rows(conf.Settings, in_capitals=True)),
        "## One queue",
        markdown.table(queue_head, _rows(conf.QueueSettings, in_capitals=False)),
        "## Environment",
        _ENVIRONMENT_ABOUT,
        markdown.table(
            ("variable", "what it is"),
            [(markdown.code(name), text) for name, text in sorted(ENVIRONMENT.items())],
        ),
    )


def _rows(settings: type[Any], *, in_capitals: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, type, default and the comment at the end of the line of each field."""
    source = inspect.getsource(settings)
    lines = source.splitlines()
    (made,) = ast.parse(source).body
    for each in getattr(made, "body", []):
        if isinstance(each, ast.AnnAssign) and each.value is not None:
            name = ast.unparse(each.target)
            comment = lines[(each.end_lineno or 1) - 1].partition("  # ")[2]
            default = "" if "field(" in ast.unparse(each.value) else ast.unparse(each.value)
            shown = name.upper() if in_capitals else name
            kind = ast.unparse(each.annotation)
            yield markdown.code(shown), markdown.code(kind), markdown.code(default), comment
