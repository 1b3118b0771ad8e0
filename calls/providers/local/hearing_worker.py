"""The recogniser's process. It loads the models once and forks a copy of itself for every call.

The copies share the models' memory, run on all cores (the decoder holds the interpreter's lock), keep what they learn
about a caller's voice to that call, and take nobody with them when they die. A call's socket arrives over ours.
"""

import gc
import os
import select
import signal
from socket import recv_fds, socket

import msgspec

from calls.providers.local.frames import Finish, Hear, Heard, Listen, frame, receive_frame
from calls.providers.local.process import READY
from calls.providers.local.recogniser import OpenVocabulary, Recogniser

_listen_decoder = msgspec.msgpack.Decoder(Listen)
_decoder: "msgspec.msgpack.Decoder[Hear | Finish]" = msgspec.msgpack.Decoder(Hear | Finish)
_INTERIM_BYTES = 32 * 300
"""An interim after each 300 ms of audio."""


class CallWorker:
    """Serves one call."""

    def __init__(self, connection: socket, recogniser: Recogniser) -> None:
        self._connection = connection
        self._recogniser = recogniser
        self._utterance = 0
        self._since_interim = 0
        self._shown = ""

    def run(self) -> None:
        """Serve until the other side is gone."""
        while (message := receive_frame(self._connection, _decoder)) is not None:
            if isinstance(message, Hear):
                self._hear(message)
            else:
                self._finish(message.utterance)

    def _hear(self, message: Hear) -> None:
        if message.utterance != self._utterance:
            self._utterance = message.utterance
            self._since_interim = 0
            self._shown = ""
            self._recogniser.begin()
        self._recogniser.feed(message.pcm)
        self._since_interim += len(message.pcm)
        if self._since_interim >= _INTERIM_BYTES and not self._is_more_waiting():
            self._since_interim = 0
            guess = self._recogniser.partial()
            if guess.text != self._shown:
                self._shown = guess.text
                self._send(Heard(self._utterance, guess.text, guess.confidence, is_final=False))

    def _is_more_waiting(self) -> bool:
        """Whether audio is queueing up: then catching up matters more than interims."""
        return bool(select.select([self._connection], [], [], 0)[0])

    def _finish(self, utterance: int) -> None:
        if utterance != self._utterance:
            self._send(Heard(utterance, "", 0.0, is_final=True))
            return
        self._utterance = 0
        guess = self._recogniser.finish()
        self._send(Heard(utterance, guess.text, guess.confidence, is_final=True))

    def _send(self, heard: Heard) -> None:
        self._connection.sendall(frame(heard))


def serve_call(connection: socket, models: OpenVocabulary) -> None:
    """Serve one call from its first frame on."""
    listen = receive_frame(connection, _listen_decoder)
    if listen is not None:
        CallWorker(connection, models.for_script(listen)).run()


def main() -> None:
    """Serve the socket that is the standard input: a byte with a descriptor on it is a call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our parent closes the socket
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that have ended are not waited for
    models = OpenVocabulary()
    gc.freeze()
    with socket(fileno=0) as control:
        control.sendall(READY)
        while True:
            asked, descriptors, _, _ = recv_fds(control, 1, 1)
            if not asked:
                return
            for descriptor in descriptors:
                _fork(control, descriptor, models)


def _fork(control: socket, descriptor: int, models: OpenVocabulary) -> None:
    if os.fork() != 0:
        os.close(descriptor)
        return
    status = 1
    try:
        control.close()
        with socket(fileno=descriptor) as connection:
            serve_call(connection, models)
        status = 0
    except ConnectionError:
        status = 0  # the call is over
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
