-- A row if any thread of the run can move or is moving. A queued part behind a window full of
-- sleepers waits as they do.
SELECT 1 FROM workflows_run r
WHERE r.id = %(run)s AND (
    EXISTS (
        SELECT 1 FROM workflows_thread t
        WHERE t.run_id = r.id AND t.state IN ('ready', 'running'))
    OR EXISTS (
        SELECT 1 FROM workflows_threadgroup g
        WHERE g.run_id = r.id AND g.state = 'open' AND (
            (EXISTS (
                SELECT 1 FROM workflows_thread q WHERE q.group_id = g.id AND q.state = 'queued')
            AND (g.parallel = 0 OR g.parallel > (
                SELECT COUNT(*) FROM workflows_thread l
                WHERE l.group_id = g.id
                    AND l.state IN ('ready', 'running', 'suspended', 'joining'))))
            OR NOT EXISTS (
                SELECT 1 FROM workflows_thread o
                WHERE o.group_id = g.id
                    AND o.state NOT IN ('arrived', 'ended', 'failed', 'cancelled')))))
