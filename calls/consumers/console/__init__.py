"""The door of browsers: ``/ws``, docs/protocol.md."""

from calls.consumers.console.consumer import ConsoleConsumer

__all__ = ["ConsoleConsumer"]
