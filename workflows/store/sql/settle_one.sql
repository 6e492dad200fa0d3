-- As settle.sql for a lone thread, the commonest case: plain parameters cost a third less.
WITH u AS (
    UPDATE workflows_thread t SET
        state = %(state)s::text, seq = %(new_seq)s, node = %(node)s, came_from = %(came_from)s,
        context = CASE WHEN %(is_unstarted)s THEN t.context ELSE %(context)s::json END,
        frames = CASE WHEN %(is_unstarted)s THEN t.frames ELSE %(frames)s::json END,
        contribution = %(contribution)s::json, attempt = %(attempt)s,
        queue = %(queue)s, priority = %(priority)s,
        wake_at = CASE WHEN %(state)s::text = 'running' THEN t.wake_at ELSE %(wake_at)s END,
        lease_until = %(lease_until)s, moved_at = %(moved_at)s, fence = t.fence + 1,
        resume = CASE WHEN %(is_unstarted)s THEN t.resume END
    WHERE t.id = %(id)s AND t.seq = %(seq)s AND t.fence = %(fence)s
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
SELECT id FROM u
