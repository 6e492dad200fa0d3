"""What `make up` does: demo people, the example, one run that waits for them, and serving."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from project.launcher import System, running
from project.people import Person, make_demo_people
from project.startup import require_database
from workflows import services
from workflows.models import Run

_EXAMPLE = Path("examples/dependency_review/workflow.yaml")
_RUN_KEY = "make-up"  # the same start with the same key is one run, however often this is called


def serve(port: int) -> None:
    """Bring the database up to date, set the demo up, and serve until Ctrl-C."""
    require_database()
    call_command("migrate", interactive=False, verbosity=0)
    people = make_demo_people()
    workflow = _publish_example()
    try:
        with running(web=True, port=port) as system:
            _announce(system, people, _start_review(workflow))
            system.wait()
    except KeyboardInterrupt:
        _say("\nStopped.")


def _publish_example() -> str:
    """Publish the example; return the name of its workflow."""
    text = (settings.BASE_DIR / _EXAMPLE).read_text(encoding="utf-8")
    publisher = get_user_model().objects.get(username="admin")
    published = services.publish(text, source=str(_EXAMPLE), by=publisher)
    return published.version.workflow.name


def _start_review(workflow: str) -> Run:
    starter = get_user_model().objects.get(username="alice")
    return services.start(workflow, {"environment": None}, key=_RUN_KEY, by=starter).run


def _announce(system: System, people: dict[str, Person], run: Run) -> None:
    url = system.url
    _say(f"Celeriac is up at {url}/admin/ ; stop it with Ctrl-C.\n")
    for person in people.values():
        _say(f"  {person.name:<6} {person.password:<18} {_role(person)}")
    _say(f"\nThe run of the example: {url}/admin/workflows/run/{run.pk}/change/")
    _say(f"What waits for a person:  {url}/admin/approvals/approvalrequest/")
    _say(f"The REST API:             {url}/api/v1/docs/")
    if system.inline:
        _say("\nNo redis-server was found: work is done in process, one step after the other.")


def _role(person: Person) -> str:
    if person.group:
        return f"in group {person.group}"
    return "may do everything but decide: that takes membership of the group that is asked"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is the program's own output
