"""Ctrl-C at any moment: one word, the exit code of a shell, and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MANAGE, UP = "manage.py", "project/up.py"
DEMO = "examples/dependency_review/demo.py"

#: Runs a program in which Ctrl-C strikes while a module is loaded, and what is loaded passes over
#: every exception, as some packages do.
WHILE_LOADED = """
import os, runpy, signal, sys
sys.path.insert(0, "")
class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                for _ in range(100):
                    pass
            except BaseException:
                pass
sys.meta_path.insert(0, Strike())
sys.argv = [{program!r}, *{words!r}]
runpy.run_path({program!r}, run_name="__main__")
"""
#: The same for programs of our own making.
WITH = """
import atexit, os, signal, sys, threading, weakref
sys.path.insert(0, "")
from project import interrupts
def strike():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(100):
        pass
class Thing: pass
def main():
{body}
interrupts.run(main)
"""


def stopped(code: str) -> tuple[int, str, str]:
    """Run Python code in a process of its own; return its exit code and what it said."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("program", "words", "module"),
    [
        (MANAGE, ("workflow", "list"), "django.core.management"),
        (MANAGE, ("workflow", "list"), "django.apps"),
        (MANAGE, ("workflow", "list"), "workflows.management.commands.workflow"),
        (MANAGE, ("check",), "django.core.management"),
        (UP, (), "django"),
        (UP, (), "project.settings"),
        (UP, (), "project.serving"),
        (DEMO, (), "examples.dependency_review.demo_begin"),
        (DEMO, (), "celery"),
        (DEMO, (), "examples.dependency_review.demo_run"),
    ],
)
def test_while_modules_are_loaded(program: str, words: tuple[str, ...], module: str) -> None:
    code = WHILE_LOADED.format(program=program, words=words, module=module)
    assert stopped(code) == (130, "", "\nStopped.\n")


@pytest.mark.parametrize(
    "body",
    [
        "    raise KeyboardInterrupt",
        "    strike()",
        # While something is put in order, and where Python passes over exceptions.
        """
    with interrupts.raising():
        try:
            strike()
        finally:
            print("in order")
""",
        """
    with interrupts.raising():
        thing = Thing()
        weakref.finalize(thing, strike)
        del thing
        threading.Event().wait(30)
""",
        # At the very end.
        "    atexit.register(strike)",
    ],
    ids=["raised", "at once", "in order", "in a finaliser", "at the end"],
)
def test_while_a_program_runs(body: str) -> None:
    code, out, err = stopped(WITH.format(body=body))
    assert (code, err) == (130, "\nStopped.\n")
    assert out == ("in order\n" if "in order" in body else "")


def test_what_a_program_returns_is_its_exit_code() -> None:
    assert stopped(WITH.format(body="    return 3")) == (3, "", "")
    assert stopped(WITH.format(body="    pass")) == (0, "", "")
    assert stopped(WITH.format(body="    sys.exit(2)")) == (2, "", "")


def test_in_the_background_ctrl_c_is_for_somebody_else() -> None:
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    body = "    with interrupts.raising():\n        strike()\n    return 5"
    assert stopped(ignored + WITH.format(body=body)) == (5, "", "")


def test_other_faults_of_finalisers_are_told_as_ever() -> None:
    body = "    thing = Thing()\n    weakref.finalize(thing, int, 'x')\n    del thing"
    code, _, err = stopped(WITH.format(body=body))
    assert code == 0
    assert "invalid literal for int()" in err
