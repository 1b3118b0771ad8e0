"""Security headers of every page: a strict content security policy, the admin's own, and what a page may ask for."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

_PAGE = {
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
}
# The admin's theme sets its colours in a style element and style attributes, and Alpine, which moves its menus, makes
# functions of the texts of attributes. No inline script runs: who smuggles markup into a page has no script with it,
# as long as the page's own templates put no foreign text into an attribute that Alpine reads.
_ADMIN = {
    **_PAGE,
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "base-uri": "'self'",
    "frame-ancestors": "'self'",
}
_PERMISSIONS = "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"


def policy(path: str, host: str, *, is_secure: bool) -> str:
    """Give the ``Content-Security-Policy`` of one page.

    The own WebSocket is named beside ``'self'``: older browsers do not take ``'self'`` to cover ``ws:``.
    """
    rules = _ADMIN if path.startswith("/admin/") else _PAGE
    socket = f"{'wss' if is_secure else 'ws'}://{host}"
    return "; ".join(f"{name} {value}" for name, value in {**rules, "connect-src": f"'self' {socket}"}.items())


def _protect(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault(
        "Content-Security-Policy", policy(request.path, request.get_host(), is_secure=request.is_secure())
    )
    response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
    return response


@sync_and_async_middleware
def security_headers(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]:
    """Middleware: set the policy on every response that has none of its own."""
    if iscoroutinefunction(get_response):

        async def respond_async(request: HttpRequest) -> HttpResponseBase:
            return _protect(request, await get_response(request))

        return respond_async

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 (a sync chain answers at once)
        return _protect(request, response)

    return respond
