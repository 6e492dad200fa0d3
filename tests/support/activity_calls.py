"""Calls of single activities, for their unit tests."""

from typing import Any

import pytest

from workflows.activities import Activity, ActivityContext, ActivityError, call

CONTEXT = ActivityContext(
    "r1", "shop/refund", "pay", thread_id="t1", attempt=2, idempotency_key="r1:t1:3"
)


def answer_of(function: Any, given: object = None) -> Any:
    return call(Activity("a.b", function), {} if given is None else given, context=CONTEXT)


def refusal(function: Any, given: object = None) -> ActivityError:
    with pytest.raises(ActivityError) as caught:
        answer_of(function, given)
    return caught.value
