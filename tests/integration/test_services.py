"""The servers that the tests start really are servers, and the project's own settings use them."""

import os
import secrets
import subprocess
import sys

import pytest
import redis
from django.db import connection
from kombu import Connection

from project.celery import app
from project.processes import Child
from tests.support import places, probe_tasks, services
from tests.support.workers import Workers, live_database_url, pool_of, workers_on


@pytest.mark.postgres
def test_a_private_postgresql_runs_a_query(postgresql_server: str, db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('unix_socket_directories'), version()")
        folder, version = cursor.fetchone()
    assert folder == str(places.POSTGRES)
    assert version.startswith("PostgreSQL")


@pytest.mark.both_databases
def test_the_test_database_has_a_url_for_other_processes(db: None) -> None:
    name = str(connection.settings_dict["NAME"])
    assert "test" in name
    assert name in live_database_url()


@pytest.mark.redis
def test_a_private_redis_sets_and_gets(redis_client: redis.Redis) -> None:
    redis_client.set("key", "value")
    assert redis_client.get("key") == b"value"
    assert redis_client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert redis_client.config_get("port") == {"port": "0"}


@pytest.mark.redis
def test_redis_can_be_stopped_and_started(redis_process: Child, redis_client: redis.Redis) -> None:
    redis_process.stop()
    with pytest.raises(redis.ConnectionError):
        redis_client.ping()
    redis_process.start()
    services.wait_for_redis(redis_process)
    assert redis_client.ping()


@pytest.mark.redis
def test_a_message_goes_round_on_the_project_s_broker_url(redis_client: redis.Redis) -> None:
    assert app.conf.broker_url.startswith("redis+socket://")
    assert _round_trip(app.conf.broker_url) == {"hello": "there"}


@pytest.mark.rabbitmq
def test_a_message_goes_round_on_rabbitmq(rabbitmq_url: str) -> None:
    assert _round_trip(rabbitmq_url) == {"hello": "there"}


def _round_trip(url: str) -> object:
    with Connection(url, connect_timeout=5) as link:
        queue = link.SimpleQueue(f"round-{secrets.token_hex(4)}")
        queue.put({"hello": "there"})
        message = queue.get(timeout=5)
        message.ack()
        queue.clear()
        queue.close()
        return message.payload


@pytest.mark.workers
@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_runs_a_chord_over_the_socket(
    workers: Workers, redis_client: redis.Redis
) -> None:
    workers.start(include="tests.support.probe_tasks")
    probe_tasks.send_chord("first")
    assert redis_client.blpop([probe_tasks.MARK], timeout=120) == (b"probe-chord", b"first")


@pytest.mark.workers
@pytest.mark.rabbitmq
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_on_rabbitmq_counts_its_chord_in_redis(
    redis_client: redis.Redis, rabbitmq_url: str
) -> None:
    with workers_on(broker_url=rabbitmq_url) as started:
        started.start(include="tests.support.probe_tasks")
        _run("tests.support.probe_tasks", "over amqp", environment=started.environment)
        assert redis_client.blpop([probe_tasks.MARK], timeout=120) == (b"probe-chord", b"over amqp")


def _run(module: str, *words: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", module, *words]
    subprocess.run(command, env={**os.environ, **environment}, check=True, timeout=60)


@pytest.mark.workers
@pytest.mark.redis
@pytest.mark.django_db(transaction=True)
def test_a_supervised_worker_comes_back_after_a_kill(
    workers: Workers, redis_client: redis.Redis
) -> None:
    (worker,) = workers.start(include="tests.support.probe_tasks", supervised=True)
    first = worker.pid
    assert workers.kill_pool_process() is not None
    worker.kill()
    probe_tasks.send_chord("after")
    assert redis_client.blpop([probe_tasks.MARK], timeout=120) == (b"probe-chord", b"after")
    assert worker.pid != first
    assert pool_of(worker)
