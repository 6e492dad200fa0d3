"""doctor: what is wrong, and how to mend it."""

import json
from datetime import timedelta

import pytest
import redis
from django.contrib.auth.models import Group, User
from django.db import connection
from pytest_django import Settings

from project.processes import wait_until
from tests.integration.cli.calling import Said, call
from tests.support.builder import ask, end, http, workflow
from tests.support.workers import Workers
from workflows import clock, services
from workflows.effects import sandbox
from workflows.effects.sealing import new_key
from workflows.models import Lease
from workflows.services.secrets import set_secret
from workflows.testing import Harness


def findings(said: Said) -> dict[str, str]:
    return {each["check"]: each["status"] for each in said.json["findings"]}


@pytest.mark.django_db
@pytest.mark.both_databases
def test_the_inline_set_up_is_well_but_warned_of() -> None:
    services.sweep()
    said = call("doctor", "--json")
    assert (said.code, said.json["healthy"]) == (0, True)
    found = findings(said)
    assert found.pop("dispatcher") == "warn"
    assert set(found.values()) == {"ok"}
    assert ("sqlite" in found) == (connection.vendor == "sqlite")
    assert {"settings", "database", "migrations", "clocks", "sweeper", "work"} <= set(found)


@pytest.mark.django_db
def test_it_tells_whether_there_is_a_sandbox(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "problem", lambda: "Isolation needs bubblewrap.")
    assert findings(call("doctor", "--json"))["isolation"] == "ok"  # nothing needs it
    settings.CELERIAC = {**settings.CELERIAC, "CODE": "isolated"}
    said = call("doctor")
    assert said.code == 1
    assert "bubblewrap" in said.out
    monkeypatch.setattr(sandbox, "problem", lambda: "")
    assert findings(call("doctor", "--json"))["isolation"] == "ok"


@pytest.mark.django_db
def test_a_sweeper_that_is_gone_is_found() -> None:
    assert findings(call("doctor", "--json"))["sweeper"] == "warn"
    Lease.objects.create(name="sweep", owner="beat", until=clock.now() - timedelta(minutes=5))
    said = call("doctor")
    assert said.code == 1
    assert "fail sweeper" in said.out
    assert "Start beat" in said.out
    assert "1 check failed" in said.err


@pytest.mark.django_db
@pytest.mark.both_databases
def test_secrets_that_nodes_could_not_send_are_found(settings: Settings) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}
    assert findings(call("doctor", "--json"))["secrets"] == "ok"
    headers = {"Authorization": {"secret": "api.key", "prefix": "Bearer "}}
    node = http("call", "https://example.org/", headers=headers, next="end")
    for title in ("old", "new"):
        services.publish(json.dumps(workflow("calls", node, end(), title=title)))
    said = call("doctor")
    assert (said.code, said.out.count("'api.key' (calls, node 'call')")) == (0, 1)
    assert "warn secrets" in said.out
    set_secret("api.key", "correct horse")
    assert findings(call("doctor", "--json"))["secrets"] == "ok"
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}
    said = call("doctor")
    assert said.code == 1
    assert "none of the keys opens 'api.key'" in said.out
    assert "correct horse" not in said.out


@pytest.mark.redis
@pytest.mark.django_db
def test_without_workers_it_fails(celery_dispatcher: None) -> None:
    said = call("doctor", "--json")
    found = findings(said)
    assert (said.code, found["broker"], found["results"]) == (1, "ok", "ok")
    assert found["workers"] == "fail"


@pytest.mark.redis
@pytest.mark.django_db
def test_a_redis_that_evicts_is_refused(celery_dispatcher: None, redis_client: redis.Redis) -> None:
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert findings(call("doctor", "--json"))["broker memory"] == "fail"
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.workers
@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_with_a_worker_its_queues_are_served(workers: Workers) -> None:
    (worker,) = workers.start()

    def is_well() -> bool:
        found = findings(call("doctor", "--json"))
        return (found["workers"], found.get("queues")) == ("ok", "ok")

    # It works before it listens to questions.
    wait_until(is_well, seconds=1, child=worker, every=0.1)


@pytest.mark.django_db
@pytest.mark.both_databases
def test_questions_that_nobody_may_answer_are_found() -> None:
    lena = User.objects.create(username="lena")
    with Harness.open() as engine:
        for name, to in (("group", {"groups": ["decorators"]}), ("person", {"users": ["lena"]})):
            engine.publish(workflow(name, ask("ask", to=to), end()))
            engine.start(name)
        engine.drain()
    said = call("doctor")
    assert "warn questions" in said.out
    assert said.out.count("nobody is there of") == 1
    assert "nobody is there of 'members of decorators'" in " ".join(said.out.split())
    lena.groups.add(Group.objects.create(name="decorators"))
    assert findings(call("doctor", "--json"))["questions"] == "ok"
    User.objects.update(is_active=False)
    assert findings(call("doctor", "--json"))["questions"] == "warn"
