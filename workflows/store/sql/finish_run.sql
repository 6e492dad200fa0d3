-- The usual end: a root thread reaches an `end` while nothing else of its run lives. The run is
-- locked first, as everywhere; no row comes back when the claim was lost or others still live.
WITH l AS MATERIALIZED (
    SELECT id, status FROM workflows_run
    WHERE id = %(run)s AND status NOT IN ('completed', 'failed', 'cancelled')
    FOR NO KEY UPDATE
), u AS (
    UPDATE workflows_thread t SET
        state = 'ended', seq = %(new_seq)s, node = %(node)s, came_from = %(came_from)s,
        context = %(context)s::json, attempt = 0, resume = NULL, lease_until = NULL,
        wake_at = %(now)s, moved_at = %(now)s, fence = t.fence + 1
    FROM l
    WHERE t.id = %(id)s AND t.seq = %(seq)s AND t.fence = %(fence)s AND NOT EXISTS (
        SELECT 1 FROM workflows_thread o
        WHERE o.run_id = %(run)s AND o.id <> %(id)s
            AND o.state NOT IN ('arrived', 'ended', 'failed', 'cancelled'))
    RETURNING t.id, t.run_id
), h AS (
    INSERT INTO workflows_nodeexecution (
        run_id, thread_id, seq, attempt, node, kind, came_from, status, input, output, error,
        is_end, compensation, compensates, worker, queued_at, started_at, ended_at)
    SELECT u.run_id, u.id, h.seq, h.attempt, h.node, h.kind, h.came_from, h.status, h.input,
        h.output, h.error, h.is_end, h.compensation, h.compensates, %(worker)s,
        h.queued_at, h.started_at, h.ended_at
    FROM u, json_to_recordset(%(history)s::json) AS h(
        seq int, attempt int, node text, kind text, came_from text, status text,
        input json, output json, error json, is_end boolean, compensation json,
        compensates bigint, queued_at timestamptz,
        started_at timestamptz, ended_at timestamptz)
)
UPDATE workflows_run r SET
    status = 'completed', ended_at = %(now)s, deadline_at = NULL, output = %(output)s::json,
    result = %(result)s, reason = %(reason)s
FROM u, l WHERE r.id = u.run_id AND l.id = u.run_id
RETURNING l.status
