-- What the next start of a workflow runs.
SELECT v.id, v.digest
FROM workflows_workflowversion v JOIN workflows_workflow w ON w.id = v.workflow_id
WHERE w.name = %(name)s
ORDER BY v.number DESC
LIMIT 1
