"""What does a run cost that waits for a person?"""

import json

from benchmarks.place import Place, wait_for
from benchmarks.report import Row

RUNS = 1_000
MOST_BYTES = 3 * 1024


def measure(place: Place) -> list[Row]:
    """Park runs on an approval and look at the database, the queues and the workers' memory."""
    from django.contrib.auth.models import Group, User  # noqa: PLC0415

    from workflows import services  # noqa: PLC0415
    from workflows.models import Run  # noqa: PLC0415

    group, _ = Group.objects.get_or_create(name="benchmark")
    approver, _ = User.objects.get_or_create(username="approver")
    approver.groups.add(group)
    services.publish(json.dumps(definition()))
    before, memory = _database_bytes(), sum(place.memory_peaks())
    for number in range(RUNS):
        services.start("parked", {"order": number})
    wait_for(lambda: Run.objects.filter(workflow_name="parked", status="suspended").count() == RUNS)
    each = (_database_bytes() - before) / RUNS
    waiting = place.redis.llen("celeriac:workflows")
    grown = sum(place.memory_peaks()) - memory
    return [
        Row(
            "parked: 1,000 runs that wait for approval",
            f"{each:.0f} bytes of database a run",
            each,
            "at most 3 KB",
            each <= MOST_BYTES,
        ),
        Row(
            "parked: worker slots and memory",
            f"{waiting} messages, {grown:.1f} MiB more in all pool processes",
            float(waiting),
            "no slot, no memory",
            waiting == 0,
        ),
    ]


def definition() -> dict[str, object]:
    """Return a workflow that asks a group at once."""
    return {
        "workflow": "parked",
        "nodes": [
            {"id": "start", "type": "start", "next": "ask"},
            {
                "id": "ask",
                "type": "approval",
                "title": "Order ${order}",
                "show": ["order"],
                "stages": [{"to": {"groups": ["benchmark"]}, "need": 1}],
                "next": "done",
            },
            {"id": "done", "type": "end"},
        ],
    }


def _database_bytes() -> int:
    """Return the size of all tables with their indexes, packed as far as a VACUUM does it."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return int(cursor.fetchone()[0])
