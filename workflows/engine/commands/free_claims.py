"""Workers were lost: what they had claimed is free again, and history keeps the attempts."""

from workflows.engine.plans import load_plan
from workflows.errors import CeleriacError
from workflows.store import history, runs, sweep
from workflows.store.rows import HistoryRow, LostClaim


def apply(limit: int) -> int:
    """Free claims whose lease is over, up to `limit` of each sort; return how many.

    The attempts are noted in the same transaction: nobody was there to write them.
    """
    lost = sweep.free_lost_claims(limit)
    history.record_lost([(claim, _row(claim)) for claim in lost])
    return len(lost)


def _row(claim: LostClaim) -> HistoryRow:
    message = (
        f"Worker {claim.worker!r} had claimed the thread at {claim.node!r}, and nothing was heard "
        "of it until its lease was over. The attempt counts; a late result is refused."
    )
    return HistoryRow(
        seq=claim.seq,
        attempt=claim.attempt,
        node=claim.node,
        kind=_kind(claim),
        came_from=claim.came_from,
        status="lost",
        queued_at=claim.queued_at,
        started_at=claim.started_at,
        ended_at=claim.ended_at,
        error={
            "code": "worker_lost",
            "message": message,
            "node": claim.node,
            "attempt": claim.attempt,
        },
    )


def _kind(claim: LostClaim) -> str:
    run = runs.load_info(claim.run_id)
    try:
        return load_plan(run.version_id, run.digest).nodes[claim.node].kind.name
    except CeleriacError:
        return ""  # code that is gone must not keep the sweeper from freeing the rest
