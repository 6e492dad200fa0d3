import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field

from workflows import activities as module
from workflows.activities import (
    Activity,
    ActivityContext,
    ActivityError,
    NonRetryableError,
    activities,
    activity,
    call,
    registered,
)
from workflows.errors import ConfigurationError, NodeError


@pytest.fixture(autouse=True)
def _empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_registry", {})


CONTEXT = ActivityContext(
    "r1", "shop/refund", "pay", thread_id="t1", attempt=2, idempotency_key="r1:t1:3"
)


def answer_of(function: Any, given: object = None) -> Any:
    return call(Activity("a.b", function), {} if given is None else given, context=CONTEXT)


def refusal(function: Any, given: object = None) -> ActivityError:
    with pytest.raises(ActivityError) as caught:
        answer_of(function, given)
    return caught.value


class Money(BaseModel):
    amount: Decimal
    currency: str = "EUR"


@dataclass
class Refund:
    id: str
    paid: Money


# Registering


def test_a_decorated_function_is_registered_and_stays_a_function() -> None:
    @activity("shop.refund", transactional=True, heartbeat=timedelta(seconds=30))
    def refund(order: str) -> str:
        """Give the money back."""
        return order.upper()

    assert refund("a") == "A"
    found = activities()["shop.refund"]
    assert found is registered("shop.refund")
    assert found.function is refund
    assert (found.name, found.transactional, found.heartbeat, found.doc) == (
        "shop.refund",
        True,
        timedelta(seconds=30),
        "Give the money back.",
    )


def test_the_registry_cannot_be_written_from_outside() -> None:
    with pytest.raises(TypeError):
        activities()["x"] = Activity("x", print)  # type: ignore[index]


def test_a_name_that_is_taken_is_refused_and_both_places_are_named() -> None:
    activity("a.b")(_first)
    with pytest.raises(ConfigurationError, match=r"_second.*_first"):
        activity("a.b")(_second)
    assert registered("a.b").function is _first


def _first() -> None:
    return None


def _second() -> None:
    return None


@pytest.mark.parametrize("name", ["", " ", "a b", "a.", ".a", "1a", "a..b", "ä"])
def test_a_name_is_identifiers_joined_by_dots(name: str) -> None:
    with pytest.raises(ConfigurationError, match="identifiers"):
        activity(name)(_first)


def test_functions_that_cannot_be_called_with_keywords_are_refused() -> None:
    def positional(a: int, /) -> int:
        return a

    def star(*args: int) -> int:
        return len(args)

    async def later() -> None:
        return None

    for function, says in ((positional, "'a'"), (star, "'args'"), (later, "async")):
        with pytest.raises(ConfigurationError, match=says):
            activity("x")(function)
    assert not activities()


def test_an_unknown_name_fails_with_the_nearest_known_one() -> None:
    activity("shop.refund")(_first)
    with pytest.raises(ActivityError, match=r"did you mean 'shop\.refund'") as caught:
        registered("shop.refunt")
    assert caught.value.failure == "activity_unknown"
    assert caught.value.retryable  # a worker with the newer code may have it


# Schemas


def test_the_schemas_come_from_the_hints() -> None:
    def refund(order: str, *, amount: int = 1, context: ActivityContext) -> dict[str, str]:
        return {}

    found = Activity("shop.refund", refund)
    assert found.input_schema["properties"].keys() == {"order", "amount"}
    assert found.input_schema["properties"]["amount"]["type"] == "integer"
    assert found.input_schema["required"] == ["order"]
    assert found.input_schema["additionalProperties"] is False
    assert found.output_schema == {"type": "object", "additionalProperties": {"type": "string"}}


def test_missing_hints_allow_anything() -> None:
    def untyped(a, b=None):  # type: ignore[no-untyped-def]
        return [a, b]

    found = Activity("x", untyped)
    assert "type" not in found.input_schema["properties"]["a"]
    assert found.output_schema == {}
    assert answer_of(untyped, {"a": {"x": [1]}}) == [{"x": [1]}, None]


def test_hints_that_cannot_be_used_are_a_configuration_error() -> None:
    class Strange:
        pass

    def unusable(a: Strange) -> None:
        return None

    def unknown(a: "NoSuchName") -> None:  # type: ignore[name-defined]  # noqa: F821
        return None

    for function in (unusable, unknown):
        with pytest.raises(ConfigurationError, match=r"hints of activity 'a\.b'"):
            _ = Activity("a.b", function).input_schema


# Input


def test_input_comes_as_keywords_and_defaults_are_the_functions_own() -> None:
    default = object()

    def work(a: int, b: Any = default) -> list[bool]:
        return [a == 5, b is default]

    assert answer_of(work, {"a": 5}) == [True, True]
    assert answer_of(work, {"a": 5, "b": None}) == [True, False]


def test_input_is_read_by_the_hints() -> None:
    def work(at: datetime, refund: Refund, tags: set[str]) -> list[str]:
        return [at.tzname() or "", type(refund.paid).__name__, *sorted(tags)]

    refund = {"id": "r", "paid": {"amount": "1.50"}}
    given = {"at": "2026-03-01T00:00:00Z", "refund": refund, "tags": ["b", "a"]}
    assert answer_of(work, given) == ["UTC", "Money", "a", "b"]


def test_parameters_can_have_any_name() -> None:
    def work(copy: int, json: int, model_config: int, _private: int) -> int:
        return copy + json + model_config + _private

    given = {"copy": 1, "json": 2, "model_config": 3, "_private": 4}
    assert answer_of(work, given) == 10


def test_further_keywords_are_taken_if_the_function_takes_them() -> None:
    def work(a: int, **rest: Any) -> dict[str, Any]:
        return rest

    assert answer_of(work, {"a": 1, "b": [2]}) == {"b": [2]}
    assert Activity("x", work).input_schema["additionalProperties"] is True


def test_an_activity_without_parameters_takes_only_an_empty_object() -> None:
    assert answer_of(_first, {}) is None
    error = refusal(_first, {"a": 1})
    assert error.failure == "activity_input"
    assert "'a'" in error.message


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"order": "secret", "amount": "secret"}, "amount: input should be a valid integer"),
        ({"amount": 1}, "order: field required"),
        ({"order": "secret", "amuont": 1}, "no parameter 'amuont' (did you mean 'amount'?)"),
        ({"order": {"secret": "secret"}}, "order: input should be a valid string"),
        ({"order": "secret", "sizes": {"secret": "x"}}, "sizes: input should be a valid integer"),
        ({"order": "secret", "unit": "secret"}, "unit: input should be 'EUR' or 'USD'"),
        ({"order": "secret", "checked": "secret"}, "checked: refused by its validator"),
        (["secret"], "must be an object"),
        ("secret", "must be an object"),
        (None, "must be an object"),
    ],
)
def test_input_that_does_not_fit_names_the_parameter_and_never_the_value(
    given: object, says: str
) -> None:
    def refuse(value: str) -> str:
        message = f"{value} is bad"
        raise ValueError(message)

    def refund(
        order: str,
        amount: int = 1,
        sizes: dict[str, int] | None = None,
        unit: Literal["EUR", "USD"] = "EUR",
        checked: Annotated[str, AfterValidator(refuse)] = "",
    ) -> None:
        raise AssertionError

    with pytest.raises(ActivityError) as caught:
        call(Activity("shop.refund", refund), given, context=CONTEXT)
    error = caught.value
    assert error.failure == "activity_input"
    assert not error.retryable
    assert says in error.message
    assert "shop.refund" in error.message
    assert "secret" not in error.message


def test_all_that_does_not_fit_is_said_at_once() -> None:
    def work(a: int, b: int) -> None:
        return None

    message = refusal(work, {"a": "x", "c": 1}).message
    assert "a: " in message
    assert "b: " in message
    assert "'c'" in message


def test_what_the_function_does_to_its_input_stays_with_it() -> None:
    def spoil(order: Any, rows: list[Any]) -> None:
        order["lines"][0]["n"] = 99
        rows.append(1)
        rows[0]["x"] = 1

    given = {"order": {"lines": [{"n": 1}]}, "rows": [{}]}
    answer_of(spoil, given)
    assert given == {"order": {"lines": [{"n": 1}]}, "rows": [{}]}


# The context


def test_a_parameter_annotated_with_the_context_receives_it() -> None:
    def work(where: ActivityContext, a: int) -> list[Any]:
        return [where.run_id, where.workflow, where.node, where.attempt, where.idempotency_key, a]

    assert answer_of(work, {"a": 1}) == ["r1", "shop/refund", "pay", 2, "r1:t1:3", 1]
    assert refusal(work, {"a": 1, "where": {}}).failure == "activity_input"


def test_heartbeat_calls_what_was_injected() -> None:
    beats: list[Any] = []
    context = ActivityContext("r", "w", "n", "t", attempt=1, idempotency_key="k", beat=beats.append)
    context.heartbeat()
    context.heartbeat({"done": 5})
    assert beats == [None, {"done": 5}]
    CONTEXT.heartbeat("nobody listens")


def test_records_of_the_logger_carry_the_run(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="workflows.activities"):
        CONTEXT.logger.info("paid %s", "x")
    (record,) = caplog.records
    assert record.getMessage() == "paid x"
    assert vars(record).items() >= {"run": "r1", "node": "pay", "attempt": 2}.items()


# The answer


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
