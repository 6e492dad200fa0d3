"""Routes below `/api/v1/approvals/`."""

from django.urls import path

from approvals.api.views import ApprovalDecide, ApprovalDetail, ApprovalList

urlpatterns = [
    path("", ApprovalList.as_view(), name="approval-list"),
    path("<uuid:request_id>/", ApprovalDetail.as_view(), name="approval-detail"),
    path("<uuid:request_id>/decide/", ApprovalDecide.as_view(), name="approval-decide"),
]
