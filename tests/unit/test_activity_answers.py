from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from tests.support.activity_calls import answer_of, refusal
from workflows.activities import (
    Activity,
    ActivityError,
    NonRetryableError,
)
from workflows.errors import NodeError


class Money(BaseModel):
    amount: Decimal
    currency: str = "EUR"


@dataclass
class Refund:
    id: str
    paid: Money


# Registering


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (2**63 - 1, 2**63 - 1),
        ({"a": [1, 2.5, "x", None, True]}, {"a": [1, 2.5, "x", None, True]}),
        ((1, 2), [1, 2]),
        ({"at": datetime(2026, 3, 1, tzinfo=UTC)}, {"at": "2026-03-01T00:00:00Z"}),
        (Decimal("1.50"), "1.50"),
        (Path("/tmp"), "/tmp"),  # noqa: S108 - no file is touched
        (
            Refund("r", Money(amount=Decimal(5))),
            {"id": "r", "paid": {"amount": "5", "currency": "EUR"}},
        ),
    ],
)
def test_the_answer_becomes_plain_json(value: Any, plain: Any) -> None:
    def work() -> Any:
        return value

    found = answer_of(work)
    assert found == plain
    assert type(found) is type(plain)


def test_a_typed_answer_becomes_plain_json() -> None:
    class Renamed(BaseModel):
        at: datetime = Field(serialization_alias="when")

    def work() -> list[Renamed]:
        return [Renamed(at=datetime(2026, 3, 1, tzinfo=UTC))]

    assert answer_of(work) == [{"at": "2026-03-01T00:00:00Z"}]
    assert "at" in str(Activity("x", work).output_schema)


def test_the_answer_is_a_copy() -> None:
    kept: dict[str, Any] = {"rows": [1]}

    def work() -> Any:
        return kept

    answer_of(work)["rows"].append(2)
    assert kept == {"rows": [1]}


class Unprintable:
    def __repr__(self) -> str:
        return "secret"


def _loop() -> list[Any]:
    rows: list[Any] = []
    rows.append(rows)
    return rows


def _broken() -> Iterator[int]:
    yield 1
    message = "secret"
    raise RuntimeError(message)


@pytest.mark.parametrize(
    "value",
    [
        Unprintable(),
        float("nan"),
        {"a": [float("inf")]},
        2**63,
        "nul\0secret",
        "\ud800",
        b"\xff",
        _loop(),
        _broken(),
        {"a": {Unprintable(): 1}},
    ],
)
def test_an_answer_that_is_no_json_is_refused_without_the_value(value: Any) -> None:
    def work() -> Any:
        return value

    error = refusal(work)
    assert error.failure == "activity_output"
    assert not error.retryable
    assert "a.b" in error.message
    assert "secret" not in error.message


def test_an_answer_nested_too_deep_is_refused() -> None:
    def work() -> Any:
        rows: list[Any] = []
        for _ in range(70):
            rows = [rows]
        return rows

    error = refusal(work)
    assert error.failure == "activity_output"
    assert "deep" in error.message


def test_an_answer_of_another_type_than_declared_is_refused_without_the_value() -> None:
    def work() -> dict[str, int]:
        return {"a": "secret"}  # type: ignore[dict-item]

    error = refusal(work)
    assert error.failure == "activity_output"
    assert "secret" not in error.message


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        # Text as a context may hold it, and floats as JSON has them.
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_plain_json_goes_through_unchanged(value: Any) -> None:
    def echo(value: Any) -> Any:
        return value

    found = answer_of(echo, {"value": value})
    assert found == value
    assert repr(found) == repr(value)


# Failures


def test_an_activity_fails_with_a_code_of_its_own() -> None:
    def work() -> None:
        raise ActivityError("card_declined", "The bank said no.")

    error = refusal(work)
    assert isinstance(error, NodeError)
    assert (error.failure, error.message, error.retryable) == (
        "card_declined",
        "The bank said no.",
        True,
    )


def test_an_activity_can_refuse_further_attempts() -> None:
    def work() -> None:
        raise NonRetryableError("no_such_card", "There is no such card.")

    error = refusal(work)
    assert (error.failure, error.retryable) == ("no_such_card", False)


def test_any_other_exception_fails_with_its_class_and_text() -> None:
    def work() -> None:
        raise KeyError("order")

    error = refusal(work)
    assert (error.failure, error.retryable) == ("activity_failed", True)
    assert error.message == "KeyError: 'order'"
    assert isinstance(error.__cause__, KeyError)


def test_texts_of_errors_are_cut_and_can_be_stored() -> None:
    def work() -> None:
        raise ActivityError("c\0ode", "x\0y\ud800" + "z" * 1000)

    error = refusal(work)
    assert error.failure == "code"
    assert error.message == "xy?" + "z" * 497

    def other() -> None:
        raise ValueError("y\0" * 1000)

    assert refusal(other).message == ("ValueError: " + "y" * 1000)[:500]


def test_an_exception_that_cannot_be_printed_still_fails_with_its_class() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def work() -> None:
        raise SilentError

    assert refusal(work).message == "SilentError"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_is_no_failure(error: type[BaseException]) -> None:
    def work() -> None:
        raise error

    with pytest.raises(error):
        answer_of(work)
