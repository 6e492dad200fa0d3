"""The pure packages load in a bare interpreter: neither Django nor Celery comes along."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = ("context", "expressions", "definition", "nodes", "compiler", "states", "errors")
_PROBE = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
    importlib.import_module(found.name)
loaded = {name.split(".")[0] for name in sys.modules}
print(*sorted(loaded & {"django", "celery", "kombu", "rest_framework"}))
"""


@pytest.mark.parametrize("name", PURE)
def test_loads_without_django_and_celery(name: str) -> None:
    command = [sys.executable, "-c", _PROBE, f"workflows.{name}"]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split() == []
