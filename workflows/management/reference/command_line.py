"""Every verb of `manage.py workflow` with its arguments."""

from argparse import SUPPRESS, Action, ArgumentParser

from workflows.management.reference import markdown
from workflows.management.verbs import verbs

_ABOUT = (
    "Every verb takes `--json`, which prints one JSON object on standard output (`try --cases`: "
    "one a line), also when "
    'something is refused (`{"error": {"code", "message", ...}}`). Messages for people go to '
    "standard error and say what to do next. See the [guide](../guides/command-line.md)."
)
_CODES = (
    ("0", "done"),
    ("2", "bad input, or refused: nothing was changed"),
    ("1", "anything else that failed; a run that failed, for `start --wait` and `try`"),
    ("130", "stopped by Ctrl-C"),
)


def page() -> str:
    """Return the page."""
    parts = [_ABOUT, markdown.table(("exit code", "means"), _CODES)]
    for name, verb in sorted(verbs().items()):
        parser = ArgumentParser(prog=name, add_help=False)
        verb.add_arguments(parser)
        actions = [each for each in parser._actions if each.help != SUPPRESS]  # noqa: SLF001 - no door
        rows = [(_written(each), (each.help or "").replace("%%", "%")) for each in actions]
        parts += [
            f"## `{name}`",
            verb.HELP,
            markdown.table(("argument", "what it is"), rows) if rows else "",
        ]
    return markdown.page("Command line", *parts)


def _written(action: Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        metavar = "|".join(str(choice) for choice in action.choices)
    if not action.option_strings:
        return markdown.code(f"{metavar}.." if action.nargs == "+" else metavar)
    option = action.option_strings[-1]
    if action.nargs == 0:
        return markdown.code(option)
    return markdown.code(f"{option} [{metavar}]" if action.nargs == "?" else f"{option} {metavar}")
