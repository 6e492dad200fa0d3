"""What the settings allow of nodes that act outside of the engine, when they are published."""

from collections.abc import Iterator

from workflows import conf
from workflows.activities import activities
from workflows.definition.model import NodeConfig
from workflows.effects.command import SHELL

CODE = "code"
COMMAND = "command"


def refused(config: NodeConfig) -> Iterator[tuple[str, str]]:
    """Yield what the settings do not allow of a node: a JSON pointer inside of it, and why.

    A kind that stubs stand in for, in a trial, is allowed: nothing of it will run.
    """
    if config.type not in (CODE, COMMAND) or _is_stubbed(config.type):
        return
    settings = conf.settings()
    if config.type == CODE:
        if settings.code == "off":
            yield "/type", _off(conf.CODE, CODE)
        return
    if settings.command == "off":
        yield "/type", _off(conf.COMMAND, COMMAND)
        return
    written = getattr(config, "command", None)
    program = SHELL if isinstance(written, str) else written[0] if written else ""
    if program not in settings.command_programs:
        known = ", ".join(settings.command_programs) or "none"
        message = f"{conf.COMMAND_PROGRAMS} does not name {program!r}; it names {known}."
        yield "/command", message


def needs_trust(config: NodeConfig) -> bool:
    """Tell whether only who is trusted with the workers themselves may publish this node."""
    is_trusted = config.type == CODE and conf.settings().code == "trusted"
    return is_trusted and not _is_stubbed(CODE)


def is_harmless(activity: str) -> bool:
    """Tell whether an activity touches nothing outside of its own process."""
    return activity == CODE and conf.settings().code == "isolated"


def _off(setting: str, kind: str) -> str:
    off = f"{setting} is 'off', so that no `{kind}` node can be published or run"
    return f"{off}; 'isolated' allows them in a sandbox."


def _is_stubbed(kind: str) -> bool:
    return any(
        each.is_stub and name.partition(":")[0] == kind for name, each in activities().items()
    )
