"""`make up`: web, worker and beat at 127.0.0.1:8000, demo people, and one run that waits for them.

python -m project.up [--port 8000]
"""

import argparse
import os

from project import interrupts


def main() -> None:
    """Set up, serve, and stop everything on Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m project.up", description="Serve Celeriac here."
    )
    parser.add_argument("--port", type=int, default=8000, help="of 127.0.0.1 (default: 8000)")
    port = parser.parse_args().port
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    # Loaded when Ctrl-C is taken care of already; models can be loaded only after the set-up.
    import django  # noqa: PLC0415

    from project.startup import stop_when_misconfigured  # noqa: PLC0415

    with stop_when_misconfigured():
        django.setup()
        from project.serving import serve  # noqa: PLC0415

        with interrupts.raising():
            serve(port)


if __name__ == "__main__":
    interrupts.run(main)
