"""Works the rows off without Celery, in this one process: worker and beat in one.

python -m project.inline_beat
"""

import os

import django

from project.startup import stop_when_misconfigured

_EVERY = 0.2  # seconds


def main() -> None:
    """Work until the process is stopped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from workflows.dispatch.inline import Mailbox, use_mailbox  # noqa: PLC0415 - after set-up
    from workflows.services.pump import Pump  # noqa: PLC0415

    with use_mailbox(Mailbox()) as box:
        pump = Pump(box)
        while True:
            pump.rest(_EVERY)
            pump.drain()


if __name__ == "__main__":
    with stop_when_misconfigured():
        main()
