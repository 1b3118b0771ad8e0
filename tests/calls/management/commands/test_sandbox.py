import signal
import socket
from pathlib import Path

from tests.processes import environment, free_port, running


async def test_it_says_where_it_listens_and_stops_when_asked(tmp_path: Path) -> None:
    env = environment(tmp_path)
    async with running("manage.py", "sandbox", env=env) as sandbox:
        await sandbox.until(lambda line: line == f"the sandbox listens on 127.0.0.1:{env['SANDBOX_PORT']}\n")
        sandbox.process.send_signal(signal.SIGTERM)
        assert await sandbox.rest() == 0


async def test_a_port_in_use_is_named_with_the_remedy(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        async with running("manage.py", "sandbox", "--port", str(port), env=environment(tmp_path)) as sandbox:
            assert await sandbox.rest() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in sandbox.lines[-1]
    assert "set SANDBOX_PORT to another one" in sandbox.lines[-1]
