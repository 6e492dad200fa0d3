"""Pages for people below `/approvals/`, and the API of the app below `/api/v1/approvals/`."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from approvals import pages

pages_of_approvals = [
    path("", pages.InboxPage.as_view(), name="inbox"),
    path(
        "login/",
        LoginView.as_view(
            template_name="approvals/login.html",
            next_page="approvals:inbox",
            redirect_authenticated_user=True,
        ),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="approvals:login"), name="logout"),
    path("<uuid:request_id>/", pages.RequestPage.as_view(), name="request"),
]

urlpatterns = [
    path("approvals/", include((pages_of_approvals, "approvals"))),
    path("api/v1/approvals/", include("approvals.api.urls")),
]
