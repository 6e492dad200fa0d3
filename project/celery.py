"""The Celery app `project.celery:app`, and why each of its settings is what it is.

The rows are the record and a message is a hint, so everything here errs on the side of delivering
twice; nothing but the counters of chords is stored as a result.
"""

import os
from importlib import import_module
from typing import Any

from celery import Celery, signals
from django.conf import settings
from kombu import Exchange, Queue

from project.shutdown import GiveBack
from project.startup import require_servers, stop_when_misconfigured
from workflows import conf

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

ENGINE_QUEUE = "workflows"
_SWEEP_EVERY = 1.0  # seconds
_VISIBILITY = (
    3600  # seconds; only how late Redis itself brings a message back: the sweeper is faster
)
_HARD_LIMIT = (
    1800  # seconds; below the visibility timeout, so that no task is repeated while it runs
)
_SOFT_LIMIT = 1740

_DELIVERY = {
    # At least once: a repeated message finds nothing to do.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # A failure is recorded in its row, and the sweeper retries: not the broker.
    "task_acks_on_failure": True,
    "task_acks_on_timeout": True,
    "task_retry_on_worker_lost": False,
    "task_publish_retry": False,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_track_started": False,
    "task_time_limit": _HARD_LIMIT,
    "task_soft_time_limit": _SOFT_LIMIT,
    "task_serializer": "json",
    "result_serializer": "json",
    "accept_content": ["json"],
    "enable_utc": True,
}
_WORKER = {
    "worker_prefetch_multiplier": 1,
    "worker_max_tasks_per_child": 5000,
    "worker_max_memory_per_child": 400_000,  # KiB
    "worker_eta_task_limit": 1000,
    # A task of a lost connection would run on and be delivered again: both fenced, one slot wasted.
    "worker_cancel_long_running_tasks_on_connection_loss": True,
    "worker_soft_shutdown_timeout": 20,
    "worker_hijack_root_logger": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
}
_RESULTS = {
    "result_expires": 86_400,  # never 0: chords would hang
    "result_chord_expires": 30 * 86_400,
    "result_chord_join_timeout": 3,
    "redis_socket_timeout": 10.0,
    "redis_socket_connect_timeout": 2.0,
    "redis_backend_health_check_interval": 25,
}


#: A publisher does not wait for a broker that is down: the sweeper sends what it could not.
_GIVE_UP_SOON = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}


def _redis_broker() -> dict[str, Any]:
    return {
        "broker_transport_options": {
            "visibility_timeout": _VISIBILITY,
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "health_check_interval": 25,
            "global_keyprefix": settings.KEY_PREFIX,
            **_GIVE_UP_SOON,
        },
        "worker_enable_soft_shutdown_on_idle": True,
        "task_queues": [_queue(name, "direct", {}) for name in _queue_names()],
        "task_default_exchange_type": "direct",
    }


def _rabbitmq_broker() -> dict[str, Any]:
    # A hint that kills its worker again and again is dropped by the broker; the row counts too.
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5}
    return {
        "broker_transport_options": {"confirm_publish": True, **_GIVE_UP_SOON},
        "task_default_queue_type": "quorum",
        "worker_detect_quorum_queues": True,
        "task_queues": [_queue(name, "topic", arguments) for name in _queue_names()],
        "task_default_exchange_type": "topic",
    }


def _queue_names() -> list[str]:
    return [ENGINE_QUEUE, *(name for name in settings.CELERIAC["QUEUES"] if name != ENGINE_QUEUE)]


def _queue(name: str, exchange_type: str, arguments: dict[str, Any]) -> Queue:
    exchange = Exchange(ENGINE_QUEUE, type=exchange_type)
    return Queue(name, exchange, routing_key=name, queue_arguments=arguments)


def celery_settings() -> dict[str, Any]:
    """Return every setting of the app, for the broker and the queues of Django's settings."""
    broker = _redis_broker() if settings.BROKER.redis else _rabbitmq_broker()
    return {
        "broker_url": settings.BROKER.url,
        "result_backend": settings.RESULTS.celery_url,
        "result_backend_transport_options": {"global_keyprefix": settings.KEY_PREFIX},
        "task_default_queue": ENGINE_QUEUE,
        "task_default_exchange": ENGINE_QUEUE,
        "task_default_routing_key": ENGINE_QUEUE,
        "beat_schedule_filename": str(settings.VAR / "beat-schedule"),
        "beat_schedule": {
            # Two beats, or a slow worker, only send hints; one that is late is not worth running.
            "sweep": {
                "task": "workflows.sweep",
                "schedule": _SWEEP_EVERY,
                "options": {"expires": 2 * _SWEEP_EVERY, "queue": ENGINE_QUEUE},
            },
        },
        **_DELIVERY,
        **_WORKER,
        **_RESULTS,
        **broker,
    }


with stop_when_misconfigured():
    conf.settings()  # every start comes by here: a wrong limit of a queue is refused at once
    app = Celery("celeriac", fixups=["project.connections:install"])
    app.conf.update(celery_settings())
    app.steps["worker"].add(GiveBack)
app.autodiscover_tasks()


@signals.celeryd_init.connect
def _read_grammar(**_kwargs: Any) -> None:
    """Build the parser of expressions once, before the pool is forked from this process."""
    import_module("workflows.expressions").check("1 + 1")


@signals.celeryd_init.connect
@signals.beat_init.connect
def _require_servers(**_kwargs: Any) -> None:
    """Start only when the servers answer: one line and exit code 2 instead of silent retries."""
    with stop_when_misconfigured():
        require_servers()
