"""`make demo`: one review from end to end, decided by two demo people over the REST API.

python -m examples.dependency_review.demo [--site PATH]

Exit code 0 when the review accepted or rejected, 1 when it failed, 2 when it cannot begin.
"""

from collections.abc import Sequence

from project import interrupts


def main(arguments: Sequence[str] | None = None) -> int:
    """Review the environment that the arguments name; return the exit code."""
    # Loaded when Ctrl-C is taken care of already: it takes as long as a person needs to regret.
    from examples.dependency_review.demo_begin import begin  # noqa: PLC0415

    return begin(arguments)


if __name__ == "__main__":
    interrupts.run(main)
