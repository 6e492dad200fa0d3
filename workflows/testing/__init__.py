"""Tools for testing workflows in process: virtual time, any order, no broker."""

from workflows.testing.harness import Harness

__all__ = ["Harness"]
