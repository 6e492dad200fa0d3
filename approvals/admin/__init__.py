"""The approvals inbox in the admin: read-only, decided through actions."""

from approvals.admin.requests import ApprovalRequestAdmin

__all__ = ["ApprovalRequestAdmin"]
