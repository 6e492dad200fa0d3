"""What must hold in the rows at any moment between two commits."""

from django.db.models import Exists, OuterRef

from workflows.engine.plans import load_plan
from workflows.engine.verdicts import Rule, rule_of
from workflows.models import LockClaim, Run, Suspension, Thread, ThreadGroup
from workflows.states import RUN_FINAL, THREAD_OVER
from workflows.store.locks import void_claims

_LIVE = Thread.objects.exclude(state__in=THREAD_OVER)


def assert_invariants() -> None:
    """Every row fits every other."""
    final = {"run__status__in": RUN_FINAL}
    assert not _LIVE.filter(**final).exists(), "a final run has live threads"
    assert not Suspension.objects.filter(state="open", **final).exists(), "it has open waits"
    assert not ThreadGroup.objects.filter(state="open", **final).exists(), "it has open groups"
    _assert_sleepers_can_be_woken()
    _assert_groups_have_owners()
    _assert_parents_are_told()
    _assert_locks_are_kept()
    moving = Thread.objects.filter(run=OuterRef("pk"), state__in=("ready", "running"))
    asleep = Run.objects.filter(status="suspended")
    assert not asleep.filter(Exists(moving)).exists(), "a suspended run moves"
    leaseless = Thread.objects.filter(state="running", lease_until__isnull=True)
    assert not leaseless.exists(), "a running thread has no lease"


def _assert_sleepers_can_be_woken() -> None:
    waits = Suspension.objects.filter(thread=OuterRef("pk"), seq=OuterRef("seq"), state="open")
    asleep = Thread.objects.filter(state="suspended")
    assert not asleep.exclude(Exists(waits)).exists(), "a thread sleeps and nothing wakes it"
    awake = Suspension.objects.filter(state="open").exclude(thread__state="suspended")
    assert not awake.exists(), "a wait is open and its thread does not sleep"


def _assert_groups_have_owners() -> None:
    opened = ThreadGroup.objects.filter(state="open", owner=OuterRef("pk"))
    joining = Thread.objects.filter(state="joining")
    assert not joining.exclude(Exists(opened)).exists(), "a thread waits for no open group"
    orphaned = ThreadGroup.objects.filter(state="open").exclude(owner__state="joining")
    assert not orphaned.exists(), "an open group has no owner that waits for it"
    in_group = _LIVE.exclude(group__isnull=True)
    stopped = in_group.filter(group__state__in=("failed", "cancelled"))
    assert not stopped.exists(), "a group that was stopped has live threads"
    left = in_group.filter(group__state="joined").select_related("group__run__version")
    for thread in left:
        assert rule_of_group(thread).rest == "absorb", "a joined group has live threads"
        assert thread.state != "queued", "a thread waits in the queue of a joined group"
        assert thread.group is not None
        has_context = thread.context is not None or thread.group.base is not None
        assert has_context, "a thread has lost its context with its group"


def rule_of_group(thread: Thread) -> Rule:
    """Return what the join of a thread's group waits for, and what becomes of the rest."""
    assert thread.group is not None
    group, version = thread.group, thread.group.run.version
    plan = load_plan(version.pk, version.digest)
    return rule_of(plan, group.node, group.parts, group.owner.group_id)


def _assert_parents_are_told() -> None:
    awaited = Run.objects.filter(asked_by__state="open")
    assert not awaited.filter(status__in=RUN_FINAL).exists(), "a child is over, its parent sleeps"
    asked = Suspension.objects.filter(kind="child", state="open")
    live = Run.objects.filter(asked_by=OuterRef("pk")).exclude(status__in=RUN_FINAL)
    assert not asked.exclude(Exists(live)).exists(), "a thread waits for a child that is not there"
    orphans = Run.objects.filter(on_cancel="cancel").exclude(status__in=RUN_FINAL)
    forgotten = orphans.filter(parent__has_orphans=False)
    assert not forgotten.filter(parent__status="cancelled").exists(), "nobody cancels an orphan"
    assert not forgotten.filter(asked_by__state="closed").exists(), "nobody cancels an orphan"


def _assert_locks_are_kept() -> None:
    gone = void_claims().values("pk")
    held: dict[str, list[LockClaim]] = {}
    for claim in LockClaim.objects.filter(state="held").exclude(pk__in=gone):
        held.setdefault(claim.name, []).append(claim)
    for name, claims in held.items():
        alone = [claim for claim in claims if not claim.is_shared]
        assert len(alone) in {0, len(claims)}, f"{name} is shared and exclusive at once"
        assert len(alone) <= min((claim.limit for claim in alone), default=0), f"{name} is crowded"
    asleep = Suspension.objects.filter(kind__in=("lock", "relock"), state="open")
    unmet = LockClaim.objects.filter(suspension=OuterRef("pk"), state="waiting")
    assert not asleep.exclude(Exists(unmet)).exists(), "a thread waits for locks that it has"
