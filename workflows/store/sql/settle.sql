-- Settles claimed threads, records their history, and claims the next queued threads of a group:
-- one statement, one commit. A row whose fence has moved on (every transition moves it) belongs to
-- somebody else: it is neither changed nor recorded. SKIP LOCKED keeps the slots of a group out of each other's way.
WITH r AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS r(
        id bigint, seq int, fence int, state text, new_seq int, node text, came_from text,
        context json, contribution json, frames json, attempt int, queue text, priority int,
        wake_at timestamptz, lease_until timestamptz, moved_at timestamptz, is_unstarted boolean,
        is_over boolean)
), u AS (
    UPDATE workflows_thread t SET
        state = r.state, seq = r.new_seq, node = r.node, came_from = r.came_from,
        context = CASE WHEN r.is_unstarted THEN t.context ELSE r.context END,
        frames = CASE WHEN r.is_unstarted THEN t.frames ELSE r.frames END,
        contribution = r.contribution, attempt = r.attempt, queue = r.queue, priority = r.priority,
        -- Left alone while the thread runs on, as is every other indexed column: the update stays HOT.
        wake_at = CASE WHEN r.state = 'running' THEN t.wake_at ELSE r.wake_at END,
        lease_until = r.lease_until, moved_at = r.moved_at, fence = t.fence + 1,
        resume = CASE WHEN r.is_unstarted THEN t.resume END
    FROM r
    -- ANY(ARRAY()) finds the rows by primary key whatever the statistics say of r.
    WHERE t.id = ANY(ARRAY(SELECT r.id FROM r)) AND t.id = r.id AND t.fence = r.fence
        AND t.seq = r.seq
    RETURNING t.id, t.run_id, r.is_over
), h AS (
    INSERT INTO workflows_nodeexecution (
        run_id, thread_id, seq, attempt, node, kind, came_from, status, input, output, error,
        is_end, compensation, compensates, worker, queued_at, started_at, ended_at)
    SELECT u.run_id, u.id, h.seq, h.attempt, h.node, h.kind, h.came_from, h.status, h.input,
        h.output, h.error, h.is_end, h.compensation, h.compensates, %(worker)s,
        h.queued_at, h.started_at, h.ended_at
    FROM json_to_recordset(%(history)s::json) AS h(
        thread_id bigint, seq int, attempt int, node text, kind text, came_from text, status text,
        input json, output json, error json, is_end boolean, compensation json,
        compensates bigint, queued_at timestamptz, started_at timestamptz,
        ended_at timestamptz)
    JOIN u ON u.id = h.thread_id
), c AS MATERIALIZED (
    SELECT id, idx, attempt FROM workflows_thread
    WHERE group_id = %(group)s AND state = 'queued'
    ORDER BY idx
    LIMIT (CASE WHEN %(handover)s
           THEN least(%(want)s, (SELECT count(*) FROM u WHERE u.is_over))
           ELSE %(want)s END)
    FOR UPDATE SKIP LOCKED
), n AS (
    UPDATE workflows_thread SET
        state = 'running', attempt = attempt + 1, fence = fence + 1, lease_until = %(lease)s,
        claimed_by = %(worker)s, claimed_at = %(now)s
    WHERE id = ANY(ARRAY(
        SELECT id FROM c
        -- One that was attempted before may be what killed its worker: it is claimed alone.
        WHERE CASE WHEN (SELECT attempt FROM c ORDER BY idx LIMIT 1) > 0
              THEN idx = (SELECT min(idx) FROM c)
              ELSE attempt = 0 END))
    RETURNING id, run_id, group_id, idx, node, came_from, seq, attempt, fence, context, resume,
        queue, priority, wake_at, frames, joined_steps
)
SELECT true AS is_claim, id, run_id, group_id, idx, node, came_from, seq, attempt, fence,
    context::text, resume::text, queue, priority, wake_at, frames::text,
    joined_steps FROM n
UNION ALL
SELECT false, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM u
