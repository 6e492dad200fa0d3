#!/usr/bin/env python
"""Django's command line for Celeriac."""

import os
import sys

from project import interrupts


def main() -> None:
    """Run the command that the arguments name."""
    # Loaded when Ctrl-C is taken care of already: it takes as long as a person needs to regret.
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    from project.startup import stop_when_misconfigured  # noqa: PLC0415

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    with stop_when_misconfigured():
        if sys.argv[1:2] == ["workflow"]:
            execute_from_command_line(sys.argv)  # it listens by itself once it is loaded
        else:
            with interrupts.raising():
                execute_from_command_line(sys.argv)


if __name__ == "__main__":
    interrupts.run(main)
