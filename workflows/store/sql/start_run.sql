-- A run and its root thread, ready at the start node.
WITH r AS (
    INSERT INTO workflows_run (
        id, version_id, workflow_name, key, key_digest, status, result, reason, input, depth,
        started_by_id, created_at, deadline_at, parent_id, asked_by_id, root_id, on_cancel, pins,
        has_orphans)
    VALUES (
        %(id)s, %(version_id)s, %(workflow_name)s, %(key)s, %(key_digest)s, 'pending', '', '',
        %(input)s::json, %(depth)s, %(started_by_id)s, %(created_at)s, %(deadline_at)s,
        %(parent_id)s, %(asked_by_id)s, %(root_id)s, %(on_cancel)s, %(pins)s::json, false)
)
INSERT INTO workflows_thread (
    run_id, idx, state, node, came_from, seq, attempt, fence, context, queue, priority, wake_at,
    lease_until, moved_at)
VALUES (
    %(id)s, 0, 'ready', %(start)s, '', 0, 0, 0, %(input)s::json, %(queue)s, 5, %(created_at)s,
    %(lease_until)s, %(created_at)s)
RETURNING id
