from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory

from vantum.csp import policy, security_headers


def rules(text: str) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in text.split("; "))


def test_a_page_may_load_only_its_own_files() -> None:
    assert rules(policy("/console/", "calls.example", is_secure=True)) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "media-src": "'self' blob:",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "connect-src": "'self' wss://calls.example",
    }


def test_the_admin_may_style_inline_and_run_no_inline_script() -> None:
    admin = rules(policy("/admin/calls/agent/", "localhost:8000", is_secure=False))
    assert (admin["style-src"], admin["script-src"]) == ("'self' 'unsafe-inline'", "'self' 'unsafe-eval'")
    assert admin["connect-src"] == "'self' ws://localhost:8000"


def test_every_response_carries_the_headers() -> None:
    response = Client().get("/health/live")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Permissions-Policy"].startswith("microphone=(self)")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


async def test_they_are_there_under_asgi_too() -> None:
    response = await AsyncClient().get("/health/live")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_view_may_have_a_policy_of_its_own() -> None:
    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "sandbox"})

    response = security_headers(view)(RequestFactory().get("/"))
    assert isinstance(response, HttpResponse)
    assert response.headers["Content-Security-Policy"] == "sandbox"


def test_a_foreign_host_is_a_bad_request() -> None:
    assert Client(headers={"host": "evil.example"}).get("/health/live").status_code == 400
