"""The site's addresses; what is about calls is in ``calls.urls``."""

from django.contrib import admin
from django.urls import include, path

from vantum.health import live, ready
from vantum.lazy import lazily
from vantum.metrics import metrics

admin.site.index_title = "Overview"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/v1/<path:rest>", lazily("campaigns.api.urls"), name="api"),
    path("health/live", live, name="health-live"),
    path("health/ready", ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
    path("", include("calls.urls")),
]
