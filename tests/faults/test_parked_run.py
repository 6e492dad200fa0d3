"""A run that waits for approval outlives everything that could be running."""

import pytest
import redis
from django.contrib.auth.models import Group, User

from approvals.models import ApprovalRequest
from approvals.services import decide
from project.processes import Child
from tests.support import services as servers
from tests.support.assertions import assert_completed, assert_each_step_once
from tests.support.builder import edit, end, workflow
from tests.support.waiting import wait_for
from tests.support.workers import workers_on
from workflows import services
from workflows.models import Run
from workflows.testing.harness import Harness

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.workers,
    pytest.mark.slow,
]

ASK = {"id": "ask", "type": "approval", "to": {"groups": ["legal"]}}
FIRST = workflow("paper", ASK, edit("note", by="${decision.by}"), end(output={"first": "${by}"}))
SECOND = workflow("paper", ASK, end(output={"second": True}))


def publish(definition: dict[str, object]) -> services.Published:
    with Harness.open() as engine:
        return engine.publish(definition)


def status(run: Run) -> str:
    run.refresh_from_db()
    return str(run.status)


def test_the_answer_resumes_the_old_version_after_everything_was_stopped(
    celery_dispatcher: None, redis_process: Child, redis_client: redis.Redis
) -> None:
    User.objects.create(username="lena").groups.add(Group.objects.create(name="legal"))
    alice = User.objects.create(username="alice")
    publish(FIRST)
    with workers_on() as workers:
        workers.start(1)
        run = services.start("paper", by=alice).run
        wait_for(lambda: status(run) == "suspended")
    redis_process.stop()

    assert publish(SECOND).version.number == 2
    # The answer is accepted while nothing at all is running: it is a commit, and the rest is rows.
    decide(
        ApprovalRequest.objects.get().pk, user=User.objects.get(username="lena"), decision="approve"
    )
    assert status(run) == "running"

    redis_process.start()
    servers.wait_for_redis(redis_process)
    with workers_on(CELERIAC_MESSAGE_SECONDS="1") as workers:
        workers.start(1)
        workers.start_beat()
        wait_for(lambda: status(run) == "completed")
        newer = services.start("paper", by=alice).run
        wait_for(lambda: status(newer) == "suspended")
    assert_completed(run, {"first": "lena"})
    assert_each_step_once(run)
    assert newer.version.number == 2
