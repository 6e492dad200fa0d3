"""The activities of the engine's own kinds; importing their modules registers them."""

from workflows.effects import http

__all__ = ["http"]
