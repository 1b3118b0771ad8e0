"""One application for all that a server may ask."""

from channels.routing import ProtocolTypeRouter

from calls.consumers.lifespan import lifespan
from calls.routing import websockets
from vantum.asgi import application


def test_pages_sockets_and_the_life_of_the_process_are_answered() -> None:
    assert isinstance(application, ProtocolTypeRouter)
    routes = application.application_mapping
    assert set(routes) == {"http", "websocket", "lifespan"}
    assert routes["websocket"] is websockets
    assert routes["lifespan"] is lifespan
