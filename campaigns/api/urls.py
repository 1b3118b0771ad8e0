"""The API's addresses below ``/api/v1/``, its document and the page that shows it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from ninja import NinjaAPI
from ninja.throttling import AuthRateThrottle

from campaigns.api import contacts, results, telephone, work
from campaigns.api.problems import PROBLEM_RESPONSE, install_handlers

api = NinjaAPI(
    title="Vantum",
    version="1",
    description="Contacts, campaigns, calls and opt-outs. Keys are made in the admin.",
    docs_url=None,
    openapi_url=None,
    throttle=[AuthRateThrottle(settings.API_RATE)],
    urls_namespace="api-v1",
)
install_handlers(api)
for router in (contacts.router, work.router, telephone.router, results.router):
    api.add_router("", router)


def document(request: HttpRequest) -> JsonResponse:
    """Give the OpenAPI document; every operation may be refused with a problem."""
    del request
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = PROBLEM_RESPONSE
    return JsonResponse(schema)


def page(request: HttpRequest) -> HttpResponse:
    """Show the document; its scripts come from an installed package."""
    return render(request, "api/docs.html", {"document": {"url": "/api/v1/openapi.json", "deepLinking": True}})


urlpatterns = [
    path("openapi.json", document),
    path("docs", page),
    path("", api.urls),
]
