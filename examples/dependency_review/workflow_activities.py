"""The activities of the dependency review: thin, over modules that know no engine."""

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from examples.dependency_review import distributions, report
from examples.dependency_review.distributions import Distribution, Listing, Unreadable
from examples.dependency_review.inspection import (
    EnvironmentChangedError,
    Inspection,
    inspect_distribution,
)
from examples.dependency_review.report import Decision, IntegrityFlag, LicenceFlag, Report
from workflows.activities import ActivityContext, ActivityError, NonRetryableError, activity

DEFAULT_POLICY = Path(__file__).with_name("policy.json")
SIGN_SECONDS = 1.0  # between two signs of life


@with_config(ConfigDict(extra="forbid"))
class Policy(TypedDict):
    """Which licence texts are fine and which are not, by what they contain."""

    allowed: list[str]
    denied: list[str]


@with_config(ConfigDict(extra="forbid"))
class GivenPolicy(TypedDict, total=False):
    """A policy as the input has it; a list that is left out is the default policy's."""

    allowed: list[str]
    denied: list[str]


@activity("dependency_review.read_policy")
def read_policy(policy: GivenPolicy | None) -> Policy:
    """Return the policy to review by: the one given, completed by `policy.json`."""
    default: Policy = json.loads(DEFAULT_POLICY.read_text(encoding="utf-8"))
    return {**default, **(policy or {})}


@activity("dependency_review.list_distributions")
def list_distributions(environment: str | None) -> Listing:
    """Return what is installed in a folder, or in the environment of this worker."""
    try:
        return distributions.list_distributions(environment)
    except distributions.EnvironmentRefusedError as error:
        raise NonRetryableError(error.code, error.message) from error


@activity("dependency_review.inspect")
def inspect(
    environment: str, packages: list[Distribution], context: ActivityContext
) -> list[Inspection]:
    """Return the findings about each package of one slice, in the same order."""
    alive = _now_and_then(context.heartbeat)
    try:
        return [
            inspect_distribution(Path(environment), package, alive=alive) for package in packages
        ]
    except EnvironmentChangedError as error:
        raise ActivityError("environment_changed", str(error)) from error


@activity("dependency_review.build_report")
def build_report(
    environment: str,
    inspected: list[Inspection],
    *,
    unreadable: list[Unreadable],
    licence: list[LicenceFlag],
    integrity: list[IntegrityFlag],
    decisions: list[Decision],
) -> Report:
    """Return the report of one review."""
    return report.build_report(
        environment,
        inspected,
        unreadable=unreadable,
        licence=licence,
        integrity=integrity,
        decisions=decisions,
    )


def _now_and_then(give_sign: Callable[[], None]) -> Callable[[], None]:
    """Call at most once a second: often enough to be seen."""
    last = monotonic()

    def alive() -> None:
        nonlocal last
        if monotonic() - last >= SIGN_SECONDS:
            last = monotonic()
            give_sign()

    return alive
