"""What the three server variables may say, and the one line that a wrong one gets."""

from pathlib import Path

import pytest

from project.addresses import BrokerAddress, RedisAddress, database_settings
from workflows.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "client", "celery"),
    [
        ("redis://h:1/3", "redis://h:1/3", "redis://h:1/3"),
        ("rediss://u:p@h", "rediss://u:p@h/0", "rediss://u:p@h/0"),
        (
            "unix:///a/b%20c.sock?db=2",
            "unix:///a/b%20c.sock?db=2",
            "redis+socket:///a/b%20c.sock?virtual_host=2",
        ),
        ("redis+socket:///s?virtual_host=4", "unix:///s?db=4", "redis+socket:///s?virtual_host=4"),
    ],
)
def test_a_redis_address_is_written_for_redis_and_for_celery(
    url: str, client: str, celery: str
) -> None:
    address = RedisAddress.parse("REDIS_URL", url)
    assert (address.client_url, address.celery_url) == (client, celery)


@pytest.mark.parametrize(("number", "beside"), [(0, 1), (14, 15), (15, 14)])
def test_results_lie_in_another_database_of_the_same_server(number: int, beside: int) -> None:
    address = RedisAddress.parse("REDIS_URL", f"redis://h/{number}")
    assert address.beside().database == beside
    assert address.beside().place == address.place


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("reddis://h", "did you mean 'redis'"),
        ("localhost:6379", "this is no URL"),
        ("redis://:6379", "needs a host"),
        ("redis://h/one", "'one' is no Redis database number"),
        ("redis://h:99999", "host and port cannot be read"),
        ("unix://", "needs a socket's path"),
    ],
)
def test_a_wrong_redis_url_is_explained(url: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL: ") as caught:
        RedisAddress.parse("REDIS_URL", url)
    assert expected in str(caught.value)


def test_a_broker_is_rabbitmq_or_redis() -> None:
    rabbit = BrokerAddress.parse("BROKER_URL", "amqp://user:hidden@h/v")
    assert (rabbit.redis, rabbit.place) == (None, "h:5672")
    assert BrokerAddress.parse("BROKER_URL", "redis://h/2").url == "redis://h/2"
    with pytest.raises(ConfigurationError, match="did you mean 'amqp'"):
        BrokerAddress.parse("BROKER_URL", "ampq://user:hidden@h")


def test_postgresql_on_a_unix_socket_keeps_its_connections() -> None:
    found = database_settings("DATABASE_URL", "postgresql://me@/shop?host=/run/Sockets")
    assert (found["HOST"], found["NAME"], found["USER"]) == ("/run/Sockets", "shop", "me")
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"]) == (600, True)
    assert "host" not in found["OPTIONS"]


def test_sqlite_gets_the_options_without_which_writers_fail(tmp_path: Path) -> None:
    found = database_settings("DATABASE_URL", f"sqlite:///{tmp_path}/a.sqlite3")
    assert found["NAME"] == f"{tmp_path}/a.sqlite3"
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in found["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgre://u:hidden@h/x", "did you mean 'postgres'"),
        ("mysql://u:hidden@h/x", "'mysql' is no scheme"),
        ("postgresql://u:hidden@h", "no database name"),
        ("sqlite://:memory:", "needs a file"),
        ("sqlite://", "needs a file"),
    ],
)
def test_a_wrong_database_url_is_explained_without_its_password(url: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL: ") as caught:
        database_settings("DATABASE_URL", url)
    assert expected in str(caught.value)
    assert "hidden" not in str(caught.value)
