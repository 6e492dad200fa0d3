"""What every test may ask for: databases, Redis, RabbitMQ and workers, private to this run."""

import signal
import sys
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from pytest_django import Settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.processes import Child
from tests.support import emptying, places, services
from tests.support.workers import Workers, workers_on
from workflows.testing import Harness

emptying.install()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts what it leaves in the background; children would ignore Ctrl-C as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
_ON_SQLITE = django_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests out that need PostgreSQL when the run is on SQLite."""
    if not _ON_SQLITE:
        return
    left_out = [item for item in items if item.get_closest_marker("postgres")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _no_calls_yet() -> None:
    """Let every test count the calls of its own activities only, in whatever order tests run."""
    if (counted := sys.modules.get("tests.support.activities")) is not None:
        counted.calls.clear()


@pytest.fixture
def engine(transactional_db: None) -> Iterator[Harness]:
    """The engine in this process, with messages in turn and a clock that stands still."""
    with Harness.open() as harness:
        yield harness


@pytest.fixture
def root(transactional_db: None) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("root")


@pytest.fixture(scope="session")
def postgresql_process() -> Iterator[Child]:
    """The private PostgreSQL, as a process that a test may stop (and must start again)."""
    with services.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(postgresql_process: Child) -> str:
    """The URL of a database on the private PostgreSQL (not of the test database)."""
    return places.POSTGRES_URL


@pytest.fixture(scope="session")
def django_db_modify_db_settings(request: pytest.FixtureRequest) -> None:
    """Start PostgreSQL before the first test that needs a database, and only then."""
    if not _ON_SQLITE:
        request.getfixturevalue("postgresql_server")


@pytest.fixture(scope="session")
def redis_process() -> Iterator[Child]:
    """The private Redis, as a process that a test may stop (and must start again)."""
    with services.redis_server() as server:
        yield server


@pytest.fixture
def redis_client(redis_process: Child) -> Iterator[redis.Redis]:
    """A client of the private Redis, which is empty at the start of the test."""
    if not redis_process.is_running():
        redis_process.start()
        services.wait_for_redis(redis_process)
    once = Retry(NoBackoff(), 0)
    with redis.Redis(unix_socket_path=str(places.REDIS_SOCKET), retry=once) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """A vhost of our own on RabbitMQ; tests that ask for it are left out where there is none."""
    with services.rabbitmq() as url:
        yield url


@pytest.fixture
def celery_dispatcher(settings: Settings, redis_client: redis.Redis) -> None:
    """Let this process dispatch through Celery instead of inline."""
    settings.CELERIAC = {**settings.CELERIAC, "DISPATCHER": "celery"}


@pytest.fixture
def workers(celery_dispatcher: None, transactional_db: None) -> Iterator[Workers]:
    """Real workers on the live test database; for tests with `django_db(transaction=True)`."""
    with workers_on() as started:
        yield started


@pytest.fixture
def quick(celery_dispatcher: None, settings: Settings, transactional_db: None) -> Iterator[Workers]:
    """Workers with short leases, none started yet: what is lost is found in seconds."""
    settings.CELERIAC = {**settings.CELERIAC, "LEASE_SECONDS": 2.0, "MESSAGE_SECONDS": 2.0}
    with workers_on(CELERIAC_LEASE_SECONDS="2", CELERIAC_MESSAGE_SECONDS="2") as started:
        yield started


@pytest.fixture
def fleet(quick: Workers) -> Workers:
    """Two supervised workers and a beat with short leases, to be killed."""
    from tests.support import activities, alone  # noqa: PLC0415 - Django has to be set up

    quick.start(2, include=f"{activities.__name__},{alone.__name__}", supervised=True)
    quick.start_beat(supervised=True)
    return quick
