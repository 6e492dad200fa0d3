"""The Celery settings that the promises of the engine rest on."""

import json
import logging
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from project import connections, logs
from project.addresses import BrokerAddress
from project.celery import app, celery_settings


def test_a_message_is_kept_until_its_task_is_over() -> None:
    found = celery_settings()
    assert found["task_acks_late"]
    assert found["task_reject_on_worker_lost"]
    assert found["worker_prefetch_multiplier"] == 1
    assert found["task_time_limit"] < found["broker_transport_options"]["visibility_timeout"]
    assert found["accept_content"] == ["json"]


def test_chords_count_beside_the_broker_under_the_same_prefix() -> None:
    found = celery_settings()
    assert found["broker_url"] != found["result_backend"]
    assert found["result_backend"].endswith("virtual_host=1")
    prefixes = {
        found["broker_transport_options"]["global_keyprefix"],
        found["result_backend_transport_options"]["global_keyprefix"],
    }
    assert prefixes == {"celeriac:"}


def test_every_named_queue_is_served_beside_the_engine_s(settings: Settings) -> None:
    settings.CELERIAC = {"QUEUES": {"mail": {"rate": "1/s"}, "workflows": {}}}
    assert [queue.name for queue in celery_settings()["task_queues"]] == ["workflows", "mail"]


def test_rabbitmq_gets_quorum_queues_with_confirmed_publishing(settings: Settings) -> None:
    settings.BROKER = BrokerAddress.parse("BROKER_URL", "amqp://h/v")
    found = celery_settings()
    assert found["broker_transport_options"]["confirm_publish"] is True
    for queue in found["task_queues"]:
        assert queue.queue_arguments["x-queue-type"] == "quorum"
        assert queue.exchange.type == "topic"
    assert found["result_backend"].startswith("redis")


def test_the_sweep_is_a_task_that_expires() -> None:
    entry = celery_settings()["beat_schedule"]["sweep"]
    app.loader.import_default_modules()
    assert entry["task"] in app.tasks
    assert entry["schedule"] <= entry["options"]["expires"] <= 2


def test_connections_are_kept_between_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    kept = SimpleNamespace(
        close_at=None,
        errors_occurred=False,
        in_atomic_block=False,
        closed_in_transaction=False,
        connection=None,
        close_if_unusable_or_obsolete=lambda: calls.append("checked"),
    )
    fakes = SimpleNamespace(all=lambda *, initialized_only: [kept] if initialized_only else [])
    monkeypatch.setattr(connections, "connections", fakes)
    fixup = connections.KeepingDjangoFixup(app).worker_fixup
    fixup.close_database()
    assert calls == ["checked"], "after a rest it is looked at"
    fixup.close_database()
    assert calls == ["checked"], "between two tasks in a row it is not"
    kept.errors_occurred = True
    fixup.close_database()
    assert calls == ["checked", "checked"], "after an error it is"
    assert vars(app)["fixups"] == ["project.connections:install"]


def test_the_secret_key_is_made_once_and_is_ours_alone() -> None:
    path = django_settings.VAR / "secret_key"
    assert path.read_text() == django_settings.SECRET_KEY
    assert len(django_settings.SECRET_KEY) >= 50
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_line_is_json_without_secrets() -> None:
    formatter_settings = logs.django_logging("INFO")["formatters"]["json"]
    formatter = formatter_settings.pop("()")(**formatter_settings)
    record = logging.LogRecord("workflows", logging.INFO, "f", 1, "hello", (), None)
    record.__dict__["cookie_sent"] = "hidden"
    said = json.loads(formatter.format(record))
    assert (said["event"], said["level"], said["cookie_sent"]) == ("hello", "info", "(hidden)")
