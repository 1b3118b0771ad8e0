"""The ASGI application: Django for HTTP, Channels for WebSockets, and the process's start and stop."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
_pages = get_asgi_application()

# Only now are the models there that these rest on.
from calls.consumers.lifespan import lifespan  # noqa: E402
from calls.routing import websockets  # noqa: E402

application = ProtocolTypeRouter({"http": _pages, "websocket": websockets, "lifespan": lifespan})
