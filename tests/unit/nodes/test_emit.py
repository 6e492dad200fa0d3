from datetime import timedelta
from typing import Any

import pytest

from tests.unit.nodes.bench import Node, node
from workflows.errors import ExpressionError, NodeError, ValueRefusedError
from workflows.nodes.outcomes import Emit, Fail


def paid(**fields: Any) -> Node:
    return node("emit", **{"event": "order.paid", "next": "on", **fields})


def test_it_sends_type_and_data_and_goes_on() -> None:
    outcome = paid(data={"sum": "${n + 1}"}).run(n=4)
    said = {"event": "order.paid", "key": "", "data": {"sum": 5}}
    assert outcome == Emit({"n": 4}, "order.paid", "", {"sum": 5}, input=said)


def test_key_source_id_deliver_and_ttl_go_with_it() -> None:
    written = paid(
        key="order", source="shop/${place}", event_id="${order}", deliver="all", ttl="PT1H"
    )
    outcome = written.run(order=7, place="york")
    assert isinstance(outcome, Emit)
    assert (outcome.key, outcome.source, outcome.id) == ("7", "shop/york", "7")
    assert (outcome.deliver, outcome.ttl) == ("all", timedelta(hours=1))


def test_without_data_it_carries_nothing() -> None:
    outcome = paid().run()
    assert isinstance(outcome, Emit)
    assert outcome.data is None


@pytest.mark.parametrize("value", [None, "", True, 1.5, ["secret"], "k" * 501])
def test_a_key_that_is_none_fails_the_node(value: Any) -> None:
    outcome = paid(key="k").run(k=value)
    assert isinstance(outcome, Fail)
    assert (outcome.code, "secret" in outcome.message) == ("key_invalid", False)


@pytest.mark.parametrize("field", ["source", "event_id"])
@pytest.mark.parametrize("value", ["", None, "x" * 201])
def test_a_source_or_id_of_the_wrong_length_is_refused(field: str, value: Any) -> None:
    with pytest.raises(NodeError) as caught:
        paid(**{field: "${name}"}).run(name=value)
    assert caught.value.failure == "emit_invalid"


def test_what_is_absent_is_an_error() -> None:
    with pytest.raises(ExpressionError):
        paid(data="${order.id}").run(order={})


def test_data_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueRefusedError):
        paid(data="${big}").run(big="x" * 9_000_000)
