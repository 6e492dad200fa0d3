-- Claims one thread that may move: the attempt is counted before the work. The first claim of a run
-- sets it moving. What never changes about the run comes along.
-- coalesce() keeps the planner from the partial indexes on the state: a queue of due threads is
-- walked by them, where one row is wanted by its key.
-- The commit need not reach the disk: a claim that is lost with the server was never made, and
-- whatever is done under it flushes it with its own commit.
WITH s AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS mode
), m AS MATERIALIZED (
    UPDATE workflows_run r SET status = 'running'
    WHERE r.id = (
            SELECT t.run_id FROM workflows_thread t
            WHERE t.id = %(id)s AND t.seq = 0 AND %(seq)s = 0 AND t.group_id IS NULL
                AND coalesce(t.state, '') = 'ready')
        AND coalesce(r.status, '') = 'pending'
    RETURNING r.id
), t AS (
    UPDATE workflows_thread SET
        state = 'running', attempt = attempt + 1, fence = fence + 1, lease_until = %(lease)s,
        claimed_by = %(worker)s, claimed_at = %(now)s
    WHERE id = %(id)s AND seq = %(seq)s AND coalesce(state, '') = 'ready'
        AND wake_at <= %(now)s
        AND (SELECT mode FROM s) = 'off'
        AND (SELECT count(*) FROM m) >= 0  -- the run is locked before the thread, as everywhere
    RETURNING id, run_id, group_id, idx, node, came_from, seq, attempt, fence, context, resume,
        queue, priority, wake_at, frames, joined_steps
)
SELECT true, t.id, t.run_id, t.group_id, t.idx, t.node, t.came_from, t.seq, t.attempt, t.fence,
    t.context::text, t.resume::text, t.queue, t.priority, t.wake_at, t.frames::text,
    t.joined_steps, m.id IS NOT NULL,
    r.version_id, v.digest, r.workflow_name, v.number, r.key, r.depth, r.created_at,
    r.started_by_id, r.parent_id
FROM t JOIN workflows_run r ON r.id = t.run_id
    JOIN workflows_workflowversion v ON v.id = r.version_id
    LEFT JOIN m ON m.id = r.id
