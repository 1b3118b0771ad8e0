"""espeak-ng through ctypes, as ``speak_lib.h`` declares it. Only the speech process imports it; one thread may use it.

espeak-ng is licensed under the GPL, version 3; nothing else of this project is linked with it.
"""

import ctypes
from collections.abc import Callable, Iterable
from typing import Any

import espeakng_loader
from msgspec import Struct

RATE = 22_050
_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_POS_CHARACTER = 1
_EVENT_LIST_END, _EVENT_WORD = 0, 1
_PARAMETERS = {1: 160, 3: 46, 4: 60}
"""Words per minute, pitch and pitch range (both 0 to 100): a little slower and livelier than the library's own."""
_DEFAULT_VOICE = "en-us"


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_void_p),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class WordStart(Struct, frozen=True, gc=False):
    """Where a word begins: character of the text (from 0), millisecond of the audio."""

    position: int
    at_ms: float


class Espeak:
    """The library, initialised once per process."""

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
        if rate != RATE:
            message = f"espeak-ng could not be initialised ({rate})"
            raise RuntimeError(message)
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voices = self._list_voices()
        self._voice = ""
        self._audio = bytearray()
        self._starts: list[WordStart] = []
        self._should_stop: Callable[[], bool] = lambda: False

    def _list_voices(self) -> dict[str, str]:
        """Give each language tag and voice name (lower case) its voice; of several the library's favourite."""
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        listed = self._library.espeak_ListVoices(None)
        favourites: dict[str, tuple[int, str]] = {}
        index = 0
        while listed[index]:
            voice = listed[index].contents
            identifier = voice.identifier.decode()
            names = [(0, voice.name.decode().lower()), (0, identifier.lower()), *_languages(voice.languages)]
            for priority, name in names:
                favourites[name] = min(favourites.get(name, (priority, identifier)), (priority, identifier))
            index += 1
        return {name: identifier for name, (_, identifier) in favourites.items()}

    def find_voice(self, names: Iterable[str]) -> str:
        """Give the first voice that exists; ``de-DE`` also finds German, ``en-us+f3`` is a variant of a voice."""
        for name in names:
            base, plus, variant = name.lower().partition("+")
            found = self._voices.get(base) or self._voices.get(base.split("-")[0])
            if base and found:
                return found + plus + variant
        return self._voices[_DEFAULT_VOICE]

    def synthesise(self, text: str, voice: str, should_stop: Callable[[], bool]) -> tuple[bytes, list[WordStart]]:
        """Give PCM16 at ``RATE`` and where words begin. ``should_stop`` is asked every 60 ms of audio."""
        self._use(voice)
        self._audio.clear()
        self._starts = []
        self._should_stop = should_stop
        written = text.replace("\0", " ").encode()
        self._library.espeak_Synth(written, len(written) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        return bytes(self._audio), self._starts

    def _use(self, voice: str) -> None:
        if voice == self._voice:
            return
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            self._library.espeak_SetVoiceByName(_DEFAULT_VOICE.encode())
        for parameter, value in _PARAMETERS.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._voice = voice

    def _take(self, samples: int | None, count: int, events: Any) -> int:
        """Take what the library has made; 1 tells it to stop."""
        if samples and count:
            self._audio += ctypes.string_at(samples, 2 * count)
        index = 0
        while (event := events[index]).type != _EVENT_LIST_END:
            if event.type == _EVENT_WORD:
                self._starts.append(WordStart(event.text_position - 1, event.audio_position))
            index += 1
        return int(self._should_stop())


def _languages(address: int) -> list[tuple[int, str]]:
    """Read pairs of a priority byte and a tag; a zero priority ends them."""
    found = []
    while priority := ctypes.string_at(address, 1)[0]:
        tag = ctypes.string_at(address + 1)
        found.append((priority, tag.decode().lower()))
        address += len(tag) + 2
    return found
