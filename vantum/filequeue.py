"""The file-based broker of a laptop, on kombu's filesystem transport."""

import os
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """A message appears in its folder whole or not at all.

    Kombu's own writer creates the file and then fills it; a worker that looks in between takes an empty
    message, which ends its consumer with a JSON error.
    """

    def _put(self, queue: str, payload: dict[str, Any], **_options: Any) -> None:  # type: ignore[override]  # (as kombu's)
        # Sorted by time, the names give the order of delivery; ``_get`` looks for the queue's name at their end.
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        draft = folder / f".{name}.draft"
        try:
            draft.write_text(dumps(payload))  # type: ignore[no-untyped-call]  # (kombu's encoder)
            os.replace(draft, folder / name)  # noqa: PTH105 (Path.replace is the same call with a second name)
        except OSError as error:
            message = f"cannot write to the queue's folder {folder}: {error.strerror}"
            raise ChannelError(message) from error


class Transport(filesystem.Transport):
    """``filesystem://`` with the channel above."""

    Channel = Channel
