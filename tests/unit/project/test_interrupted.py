"""Ctrl-C in the first seconds: one word, and the exit code of a shell."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import runpy, sys, django
def interrupt(*args):
    raise KeyboardInterrupt
django.setup = interrupt
sys.argv = [{module!r}]
runpy.run_module({module!r}, run_name="__main__")
"""


@pytest.mark.parametrize("module", ["project.up", "examples.dependency_review.demo"])
def test_ctrl_c_while_django_is_set_up(module: str) -> None:
    command = [sys.executable, "-c", CODE.format(module=module)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "\nStopped.\n")
