"""The activities of the engine's own kinds; importing their modules registers them."""

from workflows.effects import code, command, http

__all__ = ["code", "command", "http"]
