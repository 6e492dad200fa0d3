-- All threads of a group that start at the same node; their contexts are derived, not stored.
INSERT INTO workflows_thread (
    run_id, group_id, idx, state, node, came_from, seq, attempt, fence, queue, priority,
    wake_at, moved_at)
SELECT %(run)s, %(group)s, i, 'queued', %(node)s, %(came_from)s, 0, 0, 0, %(queue)s, 5,
    %(now)s, %(now)s
FROM generate_series(0, %(count)s - 1) AS i
