"""REST API of the approvals app: list, show, decide."""
