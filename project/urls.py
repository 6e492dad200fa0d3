"""Where the surfaces are mounted."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from workflows.api.base import NoSuchAddress

handler400 = "project.requests.bad_request"
admin.site.site_header = admin.site.site_title = "Celeriac"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="approvals:inbox")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("workflows.api.urls")),
    path("", include("approvals.urls")),
    # Last: whatever else is asked for below /api/ gets a problem document, not a page.
    re_path(r"^api(?:/[\s\S]*)?$", NoSuchAddress.as_view()),
]
