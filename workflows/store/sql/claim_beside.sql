-- Claims more lone threads of the same version that wait at the same node, as claim_thread.sql
-- claims one: they were started or woken about the same time, so their keys are near.
-- Locked rows are passed over, never waited for: so the order of the locks does not matter here.
WITH s AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS mode
), c AS MATERIALIZED (
    SELECT t.id, t.run_id
    FROM workflows_thread t JOIN workflows_run r ON r.id = t.run_id
    WHERE t.id > %(id)s AND t.id <= %(id)s + %(reach)s
        AND coalesce(t.state, '') = 'ready' AND t.group_id IS NULL AND t.attempt = 0
        AND t.queue = %(queue)s AND t.node = %(node)s AND t.priority = %(priority)s
        AND t.wake_at <= %(now)s AND r.version_id = %(version)s
        AND coalesce(r.status, '') IN ('pending', 'running')
    ORDER BY t.id
    LIMIT %(want)s
    FOR NO KEY UPDATE OF r, t SKIP LOCKED
), m AS MATERIALIZED (
    UPDATE workflows_run r SET status = 'running'
    FROM c WHERE r.id = c.run_id AND coalesce(r.status, '') = 'pending'
    RETURNING r.id
), t AS (
    UPDATE workflows_thread t SET
        state = 'running', attempt = 1, fence = t.fence + 1, lease_until = %(lease)s,
        claimed_by = %(worker)s, claimed_at = %(now)s
    FROM c WHERE t.id = c.id AND (SELECT mode FROM s) = 'off'
    RETURNING t.id, t.run_id, group_id, idx, node, came_from, seq, attempt, fence, context, resume,
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
ORDER BY t.id
