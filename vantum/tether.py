"""``python -IS tether.py COMMAND...``: become COMMAND, and die with the process that started this one.

A supervisor that is killed cannot stop its children; on Linux the kernel does it. Elsewhere this only becomes the
command. It stands alone (standard library, no package import) so that it costs a few milliseconds.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(command: list[str]) -> None:
    """Replace this process; returns only by an ``OSError``."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # It died between the fork and the call: the signal for that will not come.
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 (no shell is the point)


if __name__ == "__main__":
    main(sys.argv[1:])
