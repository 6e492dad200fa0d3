"""Sweeps every second without Celery: the beat of the inline dispatcher.

python -m project.inline_beat
"""

import os
import threading

import django

from project.startup import stop_when_misconfigured

_EVERY = 1.0  # seconds


def main() -> None:
    """Sweep until the process is stopped."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from project.celery import app  # noqa: PLC0415 - needs the apps to be ready

    app.loader.import_default_modules()
    sweep = app.tasks["workflows.sweep"]
    pause = threading.Event()
    while not pause.wait(_EVERY):
        sweep()


if __name__ == "__main__":
    with stop_when_misconfigured():
        main()
