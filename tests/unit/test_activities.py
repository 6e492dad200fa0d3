import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel

from tests.support.activity_calls import CONTEXT, answer_of, refusal
from workflows import activities as module
from workflows.activities import (
    Activity,
    ActivityContext,
    ActivityError,
    activities,
    activity,
    call,
    nameable,
    registered,
)
from workflows.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_registry", {})


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


def test_an_internal_activity_is_for_its_kind_only() -> None:
    activity("shop.refund")(lambda: None)
    activity("http", internal=True)(lambda: None)
    assert nameable() == {"shop.refund"}
    assert registered("http").is_internal


def test_whether_the_answer_is_wanted_is_asked_each_time() -> None:
    answers = iter([True, False])
    context = replace(CONTEXT, holds=lambda: next(answers))
    assert (context.is_wanted(), context.is_wanted()) == (True, False)
    assert CONTEXT.is_wanted()


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
    beats: list[str] = []
    beat = partial(beats.append, "beat")
    ActivityContext("r", "w", "n", "t", 1, idempotency_key="k", beat=beat).heartbeat()
    CONTEXT.heartbeat()
    assert beats == ["beat"]


def test_records_of_the_logger_carry_the_run(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="workflows.activities"):
        CONTEXT.logger.info("paid %s", "x")
    (record,) = caplog.records
    assert record.getMessage() == "paid x"
    assert vars(record).items() >= {"run": "r1", "node": "pay", "attempt": 2}.items()


# The answer
