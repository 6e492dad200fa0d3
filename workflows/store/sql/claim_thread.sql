-- Claims one thread that may move: the attempt is counted before the work.
UPDATE workflows_thread SET
    state = 'running', attempt = attempt + 1, fence = fence + 1, lease_until = %(lease)s
WHERE id = %(id)s AND seq = %(seq)s AND state = 'ready' AND wake_at <= %(now)s
RETURNING true, id, run_id, group_id, idx, node, came_from, seq, attempt, fence,
    context::text, resume::text, queue, priority, wake_at
