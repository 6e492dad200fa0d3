"""Contexts that are too large for a row: every way in which they go from one row to the next."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.scenarios.asking import answer, begin, make_people
from tests.support.assertions import assert_at_rest, assert_completed, assert_failed, visited
from tests.support.builder import (
    activity,
    ask,
    delay,
    each,
    edit,
    end,
    fan_in,
    fan_out,
    gosub,
    race,
    wait_event,
    workflow,
)
from workflows import contents, services
from workflows.api.serializers import RunDetailSerializer
from workflows.models import Content, Run, StoredText, Thread, ThreadGroup
from workflows.store.contents import remove_unused
from workflows.testing import Harness

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

BIG = "läßt" * 60_000  # 360 KB of UTF-8
OUTPUT: dict[str, Any] = {"output": {"n": "${output}"}}


def kept() -> int:
    """Return how many large contexts are kept; each of them has its text, and there is no other."""
    assert StoredText.objects.count() == Content.objects.count()
    return Content.objects.count()


def longest_column(run: Run) -> int:
    """Return the length of the longest text that the rows of a run and its threads hold."""
    sizes = []
    with connection.cursor() as cursor:
        for table, column, key in (
            ("workflows_run", "input", "id"),
            ("workflows_run", "output", "id"),
            ("workflows_thread", "context", "run_id"),
        ):
            cursor.execute(
                f"SELECT max(length(CAST({column} AS text))) FROM {table} WHERE {key} = %s",  # noqa: S608
                [run.pk if connection.vendor == "postgresql" else run.pk.hex],
            )
            sizes.append(cursor.fetchone()[0] or 0)
    return max(sizes)


def test_a_large_context_goes_through_activities(engine: Harness) -> None:
    """Contract: A context larger than 64 KB is kept once, by content hash, outside the row
    (`STORAGES` alias), and is shared, not copied.
    """
    steps = [
        activity("one", "test.double", input={"number": 1}),
        activity("two", "test.double", input={"number": "${output}"}),
    ]
    engine.publish(workflow("steps", *steps, end()))
    run = engine.start("steps", {"big": BIG})
    assert kept() == 1  # the run's input and the context of its thread
    assert longest_column(run) < 100
    assert Run.objects.get(pk=run.pk).input == {"big": BIG}
    engine.drain()
    assert_completed(run, {"big": BIG, "output": 4})
    assert kept() == 3  # after the first step, and at the end: context and output
    assert longest_column(run) < 100
    assert Thread.objects.get(run=run).context == {"big": BIG, "output": 4}


def test_small_contexts_cost_nothing(engine: Harness) -> None:
    engine.publish(workflow("steps", activity("a", "test.double", input={"number": 1}), end()))
    with CaptureQueriesContext(connection) as asked:
        run = engine.run("steps", {"big": "x" * 60_000})
    assert_completed(run)
    assert kept() == 0
    asked_of_contents = [each["sql"] for each in asked if "workflows_content" in each["sql"]]
    # The sweeper looks, and nobody else.
    assert all("used_at" in sql and sql.startswith("SELECT") for sql in asked_of_contents)


def test_ten_branches_share_what_they_start_with(any_order: Harness) -> None:
    branches = {f"b{n}": f"sleep{n}" for n in range(10)}
    nodes = []
    for n in range(10):
        nodes += [
            delay(f"sleep{n}", "PT1H", next=f"set{n}"),
            edit(f"set{n}", output=[n], next="join"),
        ]
    any_order.publish(
        workflow("fan", fan_out("split", **branches), *nodes, fan_in("join"), end(**OUTPUT))
    )
    run = any_order.start("fan", {"big": BIG})
    any_order.drain()
    assert Thread.objects.filter(run=run, state="suspended").count() == 10
    assert kept() == 1
    any_order.jump(hours=2)
    assert_completed(run, {"n": list(range(10))})
    assert kept() == 2  # and the merged context


def test_racing_branches_that_sleep_have_no_context_of_their_own(engine: Harness) -> None:
    runners = [wait_event(f"wait{n}", f"e{n}", next="end") for n in range(5)]
    branches = {f"b{n}": f"wait{n}" for n in range(5)}
    engine.publish(workflow("race", race("race", next="end", **branches), *runners, end()))
    run = engine.start("race", {"big": BIG})
    engine.drain()
    assert not Thread.objects.filter(run=run, state="suspended", context__isnull=False).exists()
    assert kept() == 1


def test_absorbed_branches_share_what_their_split_began_with(engine: Harness) -> None:
    """Their owner has gone on without them: the group keeps it, and nobody takes it away."""
    first, second = edit("first", n=1, next="join"), wait_event("second", "go", next="join")
    join = fan_in("join", wait_for="any", rest="absorb")
    rest = (edit("small", big=1), wait_event("last", "stop"), end())
    split = fan_out("split", a="first", b="second")
    engine.publish(workflow("some", split, first, second, join, *rest))
    run = engine.start("some", {"big": BIG})
    engine.drain()
    group = ThreadGroup.objects.get(run=run)
    assert group.base == {"big": BIG}
    assert group.base_digest is not None
    # The run's own input refers to the same text; without it only the group does.
    Run.objects.update(input={})
    engine.clock.move_to(engine.clock.moment + contents.grace() * 2)
    with transaction.atomic():
        assert not remove_unused(str(group.base_digest))
    assert Content.objects.filter(pk=group.base_digest).exists()


def test_a_map_over_a_large_list_keeps_it_once(engine: Harness) -> None:
    part = activity("part", "test.double", input={"number": "${item}"}, next=None)
    engine.publish(workflow("map", each("m", "part", next="end"), part, end(**OUTPUT)))
    items = list(range(60))
    run = engine.run("map", {"items": items, "big": BIG})
    assert_completed(run, {"n": [2 * item for item in items]})
    assert kept() == 2


def test_parts_that_keep_large_contexts_of_their_own(engine: Harness) -> None:
    part = activity("part", "test.double", input={"number": "${item}"}, next="more")
    more = activity("more", "test.double", input={"number": "${output}"}, next=None)
    engine.publish(workflow("map", each("m", "part", next="end"), part, more, end(**OUTPUT)))
    run = engine.run("map", {"items": [1, 2, 3], "big": BIG})
    assert_completed(run, {"n": [4, 8, 12]})


def test_a_child_gets_the_same_content(engine: Harness) -> None:
    engine.publish(workflow("sub", wait_event("wait", "go"), end()))
    engine.publish(workflow("main", gosub("call", "sub"), end()))
    run = engine.start("main", {"big": BIG})
    engine.drain()
    child = Run.objects.get(parent=run)
    assert kept() == 1
    assert child.input == {"big": BIG}
    Content.objects.get(digest=child.input_digest)
    engine.send("go")
    assert_completed(run)
    assert engine.result(run).output["big"] == BIG


def test_a_sleeper_wakes_with_its_large_context(any_order: Harness) -> None:
    node = wait_event("wait", "go", filter="size(big) > 100 && event.data.n == 1")
    any_order.publish(workflow("sleep", node, end()))
    run = any_order.start("sleep", {"big": BIG})
    any_order.drain()
    contents.forget()
    any_order.send("go", data={"n": 1})
    assert_completed(run)
    assert any_order.result(run).output["big"] == BIG


def test_a_person_is_asked_about_a_large_context(engine: Harness) -> None:
    make_people()
    run = begin(engine, workflow("ask", ask("well", "Is ${size(big)} much?"), end()), big=BIG)
    assert kept() == 1
    answer(run, "yes")
    engine.drain()
    assert_completed(run)


def test_an_approval_over_a_large_context(engine: Harness) -> None:
    User.objects.create(username="lena")
    node = {"id": "ask", "type": "approval", "to": {"users": ["lena"]}}
    engine.publish(workflow("approve", node, end()))
    run = engine.start("approve", {"big": BIG})
    engine.drain()
    assert engine.result(run).status == "suspended"
    assert kept() == 1


def test_a_failing_run_keeps_its_large_input(engine: Harness) -> None:
    engine.publish(workflow("fails", activity("a", "test.refuse"), end()))
    run = engine.run("fails", {"big": BIG})
    assert_failed(run, "refused", "a")
    assert engine.result(run).input == {"big": BIG}
    assert kept() == 1


def test_a_transactional_activity_that_fails_leaves_no_content(engine: Harness) -> None:
    """What was kept in a transaction that is rolled back is not taken for kept afterwards."""
    first = activity("a", "test.write", input={"name": "row", "fail": True}, on_error="b")
    again = edit("b", error=None)
    engine.publish(workflow("rolls", edit("set", x=1), first, again, end()))
    run = engine.run("rolls", {"big": BIG})
    assert_completed(run)
    assert visited(run)[-1] == "end"
    contents.forget()
    assert engine.result(run).output["big"] == BIG


def test_a_start_that_is_rolled_back_is_not_taken_for_kept(engine: Harness) -> None:
    from django.db import transaction  # noqa: PLC0415

    engine.publish(workflow("one", end()))
    with transaction.atomic():
        engine.start("one", {"big": BIG})
        transaction.set_rollback(True)
    assert kept() == 0
    run = engine.run("one", {"big": BIG})
    contents.forget()
    assert engine.result(run).output == {"big": BIG}
    assert kept() == 1


def test_a_context_that_looks_like_a_reference_stays_what_it_is(engine: Harness) -> None:
    engine.publish(workflow("one", wait_event("wait", "go"), end()))
    alike = {contents.KEY: "a" * 64}
    run = engine.start("one", alike)
    engine.drain()
    engine.send("go")
    found = engine.result(run)
    assert found.input == alike
    assert found.output[contents.KEY] == "a" * 64


def test_another_storage_keeps_the_texts(
    engine: Harness, settings: Settings, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        contents.ALIAS: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    engine.publish(workflow("files", activity("a", "test.double", input={"number": 1}), end()))
    run = engine.run("files", {"big": BIG})
    contents.forget()
    assert engine.result(run).output == {"big": BIG, "output": 2}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
    assert (Content.objects.count(), StoredText.objects.count()) == (2, 0)
    Run.objects.all().delete()
    engine.clock.move_to(engine.clock.moment + contents.grace() * 2)
    swept = services.sweep()
    assert swept is not None
    assert swept.removed == 2
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_that_was_not_written_to_its_end_is_written_again(
    engine: Harness, settings: Settings, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        contents.ALIAS: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        },
    }
    engine.publish(workflow("one", end()))
    first = engine.run("one", {"big": BIG})
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:1000])
    Content.objects.all().delete()  # as a worker that was killed before its commit leaves it
    contents.forget()
    engine.run("one", {"big": BIG})
    contents.forget()
    assert engine.result(first).output == {"big": BIG}


def lose(how: str) -> None:
    if how == "gone":
        StoredText.objects.all().delete()
    else:
        StoredText.objects.update(text='{"big": "other"}')
    contents.forget()


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_run_whose_context_is_lost_fails_and_can_be_looked_at(engine: Harness, how: str) -> None:
    """Not by `on_error`, which would go on without the context."""
    nodes: list[Any] = [wait_event("wait", "go", on_error="end"), edit("after", x=1)]
    engine.publish(workflow("lost", *nodes, end()))
    run = engine.start("lost", {"big": BIG})
    engine.drain()
    lose(how)
    engine.send("go")
    assert_failed(run, "content_lost", "wait")
    page = RunDetailSerializer(engine.result(run)).data
    assert page["error"]["code"] == page["input"]["error"]["code"] == "content_lost"
    Run.objects.filter(pk=run.pk).delete()
    assert not Run.objects.exists()


def test_a_lost_context_of_a_group_fails_the_run(any_order: Harness) -> None:
    part = wait_event("part", "go", next=None)
    any_order.publish(
        workflow("group", each("m", "part", next="end", tolerate={"count": 9}), part, end())
    )
    run = any_order.start("group", {"items": [1, 2, 3], "big": BIG})
    any_order.drain()
    lose("gone")
    from workflows.store.groups import load_group  # noqa: PLC0415

    load_group.cache_clear()
    any_order.send("go", deliver="all")
    assert_failed(run, "content_lost")


def test_a_lost_context_fails_the_run_at_the_join(engine: Harness) -> None:
    part = wait_event("part", "go", next=None)
    engine.publish(workflow("group", each("m", "part", next="end"), part, end()))
    run = engine.start("group", {"items": [1, 2, 3], "big": BIG})
    engine.drain()
    lose("gone")  # the parts do not notice: this process has the group's context in hand
    engine.send("go", deliver="all")
    assert_failed(run, "content_lost", "m")


def test_a_child_whose_context_is_lost_fails_the_node_of_its_parent(engine: Harness) -> None:
    engine.publish(workflow("sub", wait_event("wait", "go"), end()))
    engine.publish(workflow("main", gosub("call", "sub", input={"big": "${big + 'x'}"}), end()))
    run = engine.start("main", {"big": BIG})
    engine.drain()
    child = Run.objects.get(parent=run)
    lost = contents.name_of(child.input_digest)
    StoredText.objects.filter(name=lost).delete()
    contents.forget()
    engine.send("go")
    assert_failed(child, "content_lost", "wait")
    assert engine.result(run).status == "failed"
    assert engine.result(run).error["node"] == "call"


def test_a_storage_that_does_not_answer_is_waited_for(
    engine: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.publish(workflow("one", wait_event("wait", "go"), end()))
    run = engine.start("one", {"big": BIG})
    engine.drain()
    contents.forget()

    def away(*_: Any) -> Any:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr("workflows.store.contents.DatabaseStorage._open", away)
        engine.send("go")
        assert engine.result(run).status == "running"
    engine.jump(minutes=1)
    services.sweep()
    engine.drain()
    assert_completed(run)


def test_what_nothing_refers_to_is_removed_after_the_grace(engine: Harness) -> None:
    engine.publish(workflow("steps", activity("a", "test.double", input={"number": 1}), end()))
    run = engine.run("steps", {"big": BIG})
    assert kept() == 2
    digests = {engine.result(run).input_digest, engine.result(run).output_digest}
    assert set(Content.objects.values_list("pk", flat=True)) == digests
    engine.clock.move_to(engine.clock.moment + contents.grace() * 2)
    services.sweep()
    assert kept() == 2  # the run refers to both
    Run.objects.filter(pk=run.pk).update(input={})
    services.sweep()
    assert kept() == 2  # they were just seen to be in use
    engine.clock.move_to(engine.clock.moment + contents.grace() * 2)
    services.sweep()
    assert kept() == 1
    assert_at_rest(run)
    Run.objects.all().delete()
    engine.clock.move_to(engine.clock.moment + contents.grace() * 2)
    services.sweep()
    assert kept() == 0
