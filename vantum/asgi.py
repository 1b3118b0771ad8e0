"""The ASGI application: Django for HTTP, Channels for WebSockets."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vantum.settings")
application = ProtocolTypeRouter({"http": get_asgi_application()})
