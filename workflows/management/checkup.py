"""What `workflow doctor` looks at: each check says what it found and how to mend it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from celery import current_app
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from workflows import clock, conf
from workflows.effects import sandbox
from workflows.effects.sealing import unseal
from workflows.errors import ConfigurationError
from workflows.management.answers import counted
from workflows.models import Lease, Secret, Thread
from workflows.selectors.locks import void_for
from workflows.selectors.questions import ANSWER, addressees_in_words, unanswerable_questions
from workflows.selectors.secrets import missing_secrets
from workflows.states import ThreadState

_PATIENCE = 3.0  # seconds for a server to answer
_SKEW = (0.5, 5.0)  # seconds between the clocks: warn, fail
_SWEEP = (5.0, 60.0)  # seconds since the last sweep: warn, fail
_NAMED = 5  # of many that are alike
_LATE = timedelta(seconds=30)  # a thread that is due for longer should have moved


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` says what to do when it is not ok."""

    check: str
    status: Literal["ok", "warn", "fail"]
    message: str
    mend: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Findings = Iterator[Finding]


def examine() -> Findings:
    """Yield every finding; what depends on something that is broken is left out."""
    yield from _settings()
    yield _isolation()
    is_ready = False
    for finding in _database():
        is_ready = finding.check == "migrations" and finding.status == "ok"
        yield finding
    if is_ready:
        yield from _clocks()
        yield from _sweeper()
        yield from _standing_work()
        yield _locks()
        yield _secrets()
        yield _questions()
    if conf.settings().dispatcher == "inline":
        yield _inline()
        return
    reached = list(_broker())
    yield from reached
    if reached[0].status == "ok":
        yield from _workers()


def _settings() -> Findings:
    found = [each for each in checks.run_checks() if each.level >= checks.WARNING]
    for each in found:
        is_error = each.level >= checks.ERROR
        yield Finding("settings", "fail" if is_error else "warn", str(each.msg), each.hint or "")
    if not found:
        yield Finding("settings", "ok", "every system check passes")


def _isolation() -> Finding:
    """Tell whether there is a sandbox, and fail only where it is needed."""
    settings = conf.settings()
    modes = f"code is {settings.code}, command is {settings.command}"
    reason = sandbox.problem()
    if not reason:
        return Finding("isolation", "ok", f"the sandbox works ({modes})")
    if "isolated" in (settings.code, settings.command):
        return Finding("isolation", "fail", f"{modes}: {reason}", "Isolated nodes fail until then.")
    return Finding("isolation", "ok", f"not needed ({modes}); {reason}")


def _database() -> Findings:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        mend = "Start the database, or correct DATABASE_URL."
        yield Finding("database", "fail", f"{connection.vendor}: {reason}", mend)
        return
    yield Finding("database", "ok", f"{connection.vendor} answers")
    if connection.vendor == "sqlite":
        yield _sqlite()
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        message = f"{counted(len(missing), 'migration')} not applied"
        yield Finding("migrations", "fail", message, "Run `manage.py migrate`.")
    else:
        yield Finding("migrations", "ok", "all are applied")


def _sqlite() -> Finding:
    with connection.cursor() as cursor:
        mode = _pragma(cursor, "journal_mode")
        foreign_keys = _pragma(cursor, "foreign_keys")
    message = f"journal_mode is {mode}, foreign_keys is {'on' if foreign_keys else 'off'}"
    if str(mode).lower() == "wal" and foreign_keys:
        return Finding("sqlite", "ok", message)
    mend = "Use a database file that several processes can open, with the project's OPTIONS."
    return Finding("sqlite", "warn", message, mend)


def _pragma(cursor: Any, name: str) -> Any:
    cursor.execute(f"PRAGMA {name}")
    return cursor.fetchone()[0]


def _clocks() -> Findings:
    begin = clock.now()
    theirs = _database_time()
    middle = begin + (clock.now() - begin) / 2
    skew = abs((theirs - middle).total_seconds())
    message = f"this machine and the database differ by {skew:.3f} s"
    mend = "Let NTP keep both clocks: timers fire by them."
    yield _graded("clocks", skew, _SKEW, message=message, mend=mend)


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT clock_timestamp()")
            found: datetime = cursor.fetchone()[0]
            return found
        cursor.execute("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')")
        return datetime.fromisoformat(cursor.fetchone()[0])


def _sweeper() -> Findings:
    lease = Lease.objects.filter(name="sweep").first()
    mend = "Start beat (and a worker): `make up`, or `celery -A project.celery:app beat`."
    if lease is None:
        yield Finding("sweeper", "warn", "has never run on this database", mend)
        return
    # It ends the lease when it is done, so the lease's end is when it was last seen.
    age = max(0.0, (clock.now() - lease.until).total_seconds())
    message = f"last seen {age:.1f} s ago ({lease.owner})"
    yield _graded("sweeper", age, _SWEEP, message=message, mend=mend)


def _standing_work() -> Findings:
    due = Thread.objects.filter(state=ThreadState.READY, wake_at__lt=clock.now() - _LATE).count()
    lost = Thread.objects.filter(
        state=ThreadState.RUNNING, lease_until__lt=clock.now() - _LATE
    ).count()
    if due or lost:
        message = f"{due} threads are due and not taken, {lost} were left by their worker"
        yield Finding("work", "warn", message, "See the lines on workers and on the sweeper.")
    else:
        yield Finding("work", "ok", "nothing stands that should have moved")


def _locks() -> Finding:
    void = void_for(_LATE)
    if void:
        message = f"{counted(void, 'claim')} to locks hold nothing any more and were not removed"
        return Finding("locks", "warn", message, "See the line on the sweeper.")
    return Finding("locks", "ok", "every lock is held by a thread that is inside of it")


def _secrets() -> Finding:
    """Tell of secrets that the nodes which name them could not send."""
    missing = missing_secrets()
    if missing:
        places = [f"{each.secret!r} ({each.workflow}, node {each.node!r})" for each in missing]
        more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
        message = f"named, and not kept: {', '.join(places[:_NAMED])}{more}"
        return Finding(
            "secrets", "warn", message, "Keep them: `manage.py workflow secret set NAME`."
        )
    closed = [each.name for each in Secret.objects.order_by("name") if not _opens(each)]
    if closed:
        message = f"none of the keys opens {', '.join(map(repr, closed[:_NAMED]))}"
        return Finding(
            "secrets", "fail", message, f"Set them again, or bring back {conf.SECRET_KEYS}."
        )
    return Finding("secrets", "ok", "all that newest versions name are kept, and can be opened")


def _questions() -> Finding:
    """Tell of questions that nobody is asked of by name or group."""
    asked = unanswerable_questions()
    if asked:
        places = [
            f"nobody is there of {addressees_in_words(each)!r} "
            f"(run {each.run_id}, node {each.node!r})"
            for each in asked[:_NAMED]
        ]
        more = f" and {len(asked) - _NAMED} more" if len(asked) > _NAMED else ""
        mend = f"Let somebody join a group, or answer with the permission {ANSWER}."
        return Finding("questions", "warn", f"{'; '.join(places)}{more}", mend)
    return Finding("questions", "ok", "there is somebody who may answer each that is open")


def _opens(secret: Secret) -> bool:
    try:
        unseal(secret.name, secret.sealed)
    except ConfigurationError:
        return False
    return True


def _inline() -> Finding:
    message = "the dispatcher is inline: there is no broker, and one process does all the work"
    mend = "Install redis-server, or set REDIS_URL, for real workers."
    return Finding("dispatcher", "warn", message, mend)


def _broker() -> Findings:
    link = current_app.connection_for_write(connect_timeout=_PATIENCE)
    try:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=int(_PATIENCE))
        place = f"{link.transport.driver_type} at {_place(link)}"
        yield Finding("broker", "ok", f"{place} answers")
        if link.transport.driver_type == "redis":
            channel: Any = link.default_channel  # its client is known for Redis only
            yield _eviction("broker memory", channel.client)
    except Exception as error:  # noqa: BLE001 - every transport has errors of its own
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        mend = "Start it (`make up` starts a private Redis), or correct BROKER_URL or REDIS_URL."
        yield Finding("broker", "fail", f"cannot be reached: {reason}", mend)
        return
    finally:
        link.release()
    yield _results()


def _place(link: Any) -> str:
    # Of a socket the virtual host is the path; credentials are never shown.
    return str(link.virtual_host) if not link.hostname else f"{link.hostname}:{link.port or ''}"


def _results() -> Finding:
    mend = "Chords are counted there: start it, or correct REDIS_URL."
    try:
        client: Any = current_app.backend.client  # type: ignore[attr-defined]  # of Redis
        client.ping()
        return _eviction("results", client)
    except (RedisError, OSError, AttributeError) as error:
        return Finding("results", "fail", f"cannot be reached: {error}", mend)


def _eviction(check: str, client: Any) -> Finding:
    policy = ""
    with suppress(RedisError):  # a hosted Redis may hide its configuration
        policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "")
    if not policy:
        return Finding(check, "warn", "maxmemory-policy cannot be read", "Make it noeviction.")
    message = f"maxmemory-policy is {policy}"
    if policy == "noeviction":
        return Finding(check, "ok", message)
    mend = "Set `maxmemory-policy noeviction`: an evicted message waits for the sweeper."
    return Finding(check, "fail", message, mend)


def _workers() -> Findings:
    inspect = current_app.control.inspect(timeout=1.5)
    served = inspect.active_queues() or {}
    mend = "Start one: `make up`, or `celery -A project.celery:app worker`."
    if not served:
        yield Finding("workers", "fail", "none answers", mend)
        return
    yield Finding("workers", "ok", f"{len(served)} answer: {', '.join(sorted(served))}")
    queues = {str(queue["name"]) for found in served.values() for queue in found}
    wanted = {conf.settings().default_queue, *conf.settings().queues}
    unserved = sorted(wanted - queues)
    if unserved:
        message = f"nobody serves {', '.join(unserved)}"
        yield Finding("queues", "fail", message, "Start a worker with -Q for it.")
    else:
        yield Finding("queues", "ok", f"all are served: {', '.join(sorted(wanted))}")


def _graded(
    check: str, value: float, limits: tuple[float, float], *, message: str, mend: str
) -> Finding:
    if value < limits[0]:
        return Finding(check, "ok", message)
    return Finding(check, "warn" if value < limits[1] else "fail", message, mend)
