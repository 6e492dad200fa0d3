"""`make up`: web, worker and beat at 127.0.0.1:8000, demo people, and one run that waits for them.

python -m project.up [--port 8000]
"""

import argparse
import os
import sys

import django

from project.startup import stop_when_misconfigured

_INTERRUPTED = 130  # exit code


def main() -> None:
    """Set up, serve, and stop everything on Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m project.up", description="Serve Celeriac here."
    )
    parser.add_argument("--port", type=int, default=8000, help="of 127.0.0.1 (default: 8000)")
    port = parser.parse_args().port
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from project.serving import serve  # noqa: PLC0415 - its models can be loaded only now

    serve(port)


if __name__ == "__main__":
    try:
        with stop_when_misconfigured():
            main()
    except KeyboardInterrupt:
        # Pressed in the first seconds, before there is a server to stop.
        sys.stderr.write("\nStopped.\n")
        sys.exit(_INTERRUPTED)
