"""Pages and API of the approvals app."""

urlpatterns: list[object] = []
