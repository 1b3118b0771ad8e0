"""``sandbox``: the simulated carrier, as a process of its own."""

import asyncio
import signal
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.sandbox.network import Network
from calls.sandbox.server import serve


class Command(BaseCommand):
    """Serve until stopped."""

    help = "Run the sandbox: a carrier on this machine that reaches simulated people at +1 NPA 555-0100 to 555-0199."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the options."""
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT, help="(default: SANDBOX_PORT)")

    def handle(self, *_args: Any, port: int, **_options: Any) -> None:
        """Run."""
        try:
            asyncio.run(self._serve(port))
        except OSError as error:
            message = f"cannot listen on 127.0.0.1:{port} ({error.strerror}); set SANDBOX_PORT to another one"
            raise CommandError(message) from None

    async def _serve(self, port: int) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        network = Network(token=settings.SANDBOX_TOKEN, folder=Path(settings.DATA_DIR) / "sandbox")
        await serve(network, token=settings.SANDBOX_TOKEN, port=port, stop=stop, ready=self._tell)

    def _tell(self, port: int) -> None:
        self.stdout.write(f"the sandbox listens on 127.0.0.1:{port}")
        self.stdout.flush()
